// Reads stretches of audio.raw for the sequence numbers in it: from offsets that are known up to the ends as they were when asked. A consumer of its own,
// in no group. Thread: the one that uses it; every request blocks for at most 750 ms.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/settings.hpp"
#include "core/domain/ports.hpp"
#include "core/kafka/client_conf.hpp"
#include "core/kafka/handles.hpp"
#include "core/kafka/offsets.hpp"
#include "core/wire/kafka_event.hpp"

namespace fluentgate::kafka {

class LogReader {
 public:
  using Offsets = std::map<std::int32_t, std::int64_t>;  // by partition
  struct Record {
    wire::EventParser::RawKey key;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::int64_t timestamp_ms = 0;  // Kafka's; negative: it has none
  };
  struct Counts { std::uint64_t records = 0, unreadable = 0; };

  LogReader(const config::Kafka& kafka, Cluster cluster, Logger& log, const Clock& clock)
      : kafka_(kafka), cluster_(std::move(cluster)), log_(log), clock_(clock) {}

  // Makes the client if there is none. False: it can't, which has been logged.
  bool open();
  void close() { client_.reset(); }

  // All errors are retriable.
  Result<std::vector<std::int32_t>> partitions();  // none: the cluster says that there is no such topic
  Result<Offsets> beginnings(const std::vector<std::int32_t>& partitions);
  Result<Offsets> ends(const std::vector<std::int32_t>& partitions);
  // The first record at or after `time`, the end where there is none as new. The mock cluster can't look: there the beginning.
  Result<Offsets> at(const std::vector<std::int32_t>& partitions, UnixMs time, const Offsets& ends);
  // Where our own producer puts a room's records among `count` partitions.
  std::int32_t partition_of(std::string_view room, std::int32_t count) const;

  // Calls `take` for every readable record from `starts` up to `ends`; `wanted`, if given, says by a record's key whether it is looked at. False: stopped,
  // or the broker was silent for 10 s.
  bool read(const Offsets& starts, const Offsets& ends, const std::function<void(const Record&)>& take, const std::function<bool()>& stopping,
            Counts& counts, const std::function<bool(std::string_view room)>& wanted = {});

 private:
  std::vector<PartitionId> ids(const std::vector<std::int32_t>& partitions) const;
  bool note(const rd_kafka_message_t& message, const std::function<void(const Record&)>& take);

  const config::Kafka kafka_;
  const Cluster cluster_;
  Logger& log_;
  const Clock& clock_;
  ClientContext context_;  // its connection troubles are the consumer's too, which logs them
  ClientHandle client_;
  wire::EventParser parser_;
};

}  // namespace fluentgate::kafka
