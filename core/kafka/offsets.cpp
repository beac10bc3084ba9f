// rd_kafka_offsets_for_times with its special times -1 and -2 asks for end and beginning: what query_watermark_offsets does one by one.
#include "core/kafka/offsets.hpp"

namespace fluentgate::kafka {
namespace {

Result<std::vector<std::int64_t>> ask(rd_kafka_t* client, const std::vector<PartitionId>& partitions, std::int64_t time, int timeout_ms,
                                      bool all_or_none = true) {
  std::vector<std::int64_t> found;
  if (partitions.empty()) return found;
  const PartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const PartitionId& id : partitions) rd_kafka_topic_partition_list_add(list.get(), id.topic.c_str(), id.partition)->offset = time;
  const rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(client, list.get(), timeout_ms);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return Error{"offsets", rd_kafka_err2str(code), true};
  found.reserve(partitions.size());
  for (const PartitionId& id : partitions) {
    const rd_kafka_topic_partition_t* answer = rd_kafka_topic_partition_list_find(list.get(), id.topic.c_str(), id.partition);
    if (answer == nullptr) return Error{"offsets", id.topic + " is missing in the answer", true};
    const bool told = answer->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!told && all_or_none) return Error{"offsets", id.topic + ": " + rd_kafka_err2str(answer->err), true};
    found.push_back(told ? answer->offset : -1);
  }
  return found;
}

}  // namespace

Result<std::vector<std::int64_t>> log_offsets(rd_kafka_t* client, const std::vector<PartitionId>& partitions, LogPlace place, int timeout_ms) {
  Result<std::vector<std::int64_t>> found =
      ask(client, partitions, place == LogPlace::end ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING, timeout_ms);
  if (!found) return found;
  for (const std::int64_t offset : found.value()) {
    if (offset < 0) return Error{"offsets", "the broker told no offset", true};
  }
  return found;
}

Result<std::vector<std::int64_t>> offsets_at(rd_kafka_t* client, const std::vector<PartitionId>& partitions, UnixMs time, int timeout_ms) {
  return ask(client, partitions, time < 0 ? 0 : time, timeout_ms);
}

Result<std::vector<std::int64_t>> log_ends_told(rd_kafka_t* client, const std::vector<PartitionId>& partitions, int timeout_ms) {
  return ask(client, partitions, RD_KAFKA_OFFSET_END, timeout_ms, false);
}

std::string cluster_id_of(rd_kafka_t* client, int timeout_ms) {
  const TextHandle id(rd_kafka_clusterid(client, timeout_ms));
  return id ? std::string(id.get()) : std::string();
}

}  // namespace fluentgate::kafka
