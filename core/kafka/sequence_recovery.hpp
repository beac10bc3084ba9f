// Reads back audio.raw's last audio.sequence_lookback_ms once, at the start, so that speakers go on after their highest number.
// A consumer and a thread of its own, both gone when done. Tries again while Kafka is away: done means that the cluster has answered.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/config/settings.hpp"
#include "core/domain/ports.hpp"
#include "core/kafka/client_conf.hpp"
#include "core/kafka/handles.hpp"
#include "core/kafka/inbound.hpp"
#include "core/kafka/offsets.hpp"
#include "core/wire/kafka_event.hpp"

namespace fluentgate::kafka {

class SequenceRecovery {
 public:
  // Delivers SpeakerRecovered for each speaker, once, and then RecoveryDone.
  SequenceRecovery(const config::Settings& settings, Cluster cluster, InboundSink& sink, Logger& log, const Clock& clock);
  ~SequenceRecovery() { stop(); }
  void start();
  void begin_stop() noexcept;  // waits for nothing
  void stop();                 // waits for its thread, at most a second
  bool done() const noexcept { return done_.load(); }

 private:
  struct Part {
    PartitionId id;
    std::int64_t start = 0, end = 0;
  };
  void run();
  bool attempt();
  Result<std::vector<std::int32_t>> partitions();
  Result<std::vector<Part>> parts();
  bool read(const std::vector<Part>& parts);
  void note(const rd_kafka_message_t& message);
  void report();
  bool stopping() const noexcept { return stopping_.load(); }

  const config::Kafka kafka_;
  const std::int64_t lookback_ms_;
  const Cluster cluster_;
  InboundSink& sink_;
  Logger& log_;
  const Clock& clock_;

  ClientContext context_;  // its connection troubles are the consumer's too, which logs them
  ClientHandle client_;
  wire::EventParser parser_;
  UnixMs read_from_ms_ = 0;
  // By room and user. As many as spoke in the lookback: no bound but the log's, since a speaker left out would repeat its numbers.
  std::map<std::pair<std::string, std::string>, std::int64_t> highest_;
  std::uint64_t records_ = 0, unreadable_ = 0;
  std::atomic<bool> stopping_{false}, done_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace fluentgate::kafka
