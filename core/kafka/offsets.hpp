// Where partitions' logs begin and end and where a time is in them: one ListOffsets request per leader for all of them.
// Thread: any but librdkafka's own; blocks for at most the timeout.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/result.hpp"
#include "core/kafka/handles.hpp"

namespace fluentgate::kafka {

struct PartitionId {
  std::string topic;
  std::int32_t partition = 0;
};

enum class LogPlace : std::uint8_t { beginning, end };

// In the order of `partitions`. Errors, all retriable: "offsets" (a partition without a leader, NOT_LEADER of a topic made a moment ago, time-out).
Result<std::vector<std::int64_t>> log_offsets(rd_kafka_t* client, const std::vector<PartitionId>& partitions, LogPlace place, int timeout_ms);
// The ends, negative for those that were not told.
Result<std::vector<std::int64_t>> log_ends_told(rd_kafka_t* client, const std::vector<PartitionId>& partitions, int timeout_ms);
// The first record at or after `time`; -1 where nothing is that new (and everywhere on the mock cluster, which can't look).
Result<std::vector<std::int64_t>> offsets_at(rd_kafka_t* client, const std::vector<PartitionId>& partitions, UnixMs time, int timeout_ms);

// "" if the cluster didn't tell within the time.
std::string cluster_id_of(rd_kafka_t* client, int timeout_ms);

}  // namespace fluentgate::kafka
