// Metadata, offsets, and one pass over what lies between.
#include "core/kafka/log_reader.hpp"

#include "core/kafka/embedded_cluster.hpp"

namespace fluentgate::kafka {
namespace {

constexpr int request_timeout_ms = 750;
constexpr int poll_ms = 50;
constexpr SteadyMs silence_ms = 10000;  // without a record while some are due: begin again

LogReader::Offsets by_partition(const std::vector<std::int32_t>& partitions, const std::vector<std::int64_t>& offsets) {
  LogReader::Offsets out;
  for (std::size_t i = 0; i < partitions.size(); ++i) out[partitions[i]] = offsets[i];
  return out;
}

}  // namespace

bool LogReader::open() {
  if (client_) return true;
  Result<ClientHandle> client = make_client(kafka_, Side::log_reader, cluster_, context_);
  if (!client) {
    log_.write(LogLevel::error, "kafka", "reading back " + kafka_.topic_audio_raw + ": " + client.error().text);
    return false;
  }
  client_ = std::move(client).value();
  return true;
}

Result<std::vector<std::int32_t>> LogReader::partitions() {
  const TopicHandle topic(rd_kafka_topic_new(client_.get(), kafka_.topic_audio_raw.c_str(), nullptr));
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t code = rd_kafka_metadata(client_.get(), 0, topic.get(), &answer, request_timeout_ms);
  const MetadataHandle metadata(answer);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return Error{"metadata", rd_kafka_err2str(code), true};
  std::vector<std::int32_t> found;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& row = metadata->topics[i];
    if (kafka_.topic_audio_raw != row.topic) continue;
    if (row.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return found;
    if (row.err != RD_KAFKA_RESP_ERR_NO_ERROR) return Error{"metadata", rd_kafka_err2str(row.err), true};
    for (int p = 0; p < row.partition_cnt; ++p) found.push_back(row.partitions[p].id);
    return found;
  }
  return Error{"metadata", "the topic is missing in the answer", true};
}

std::vector<PartitionId> LogReader::ids(const std::vector<std::int32_t>& partitions) const {
  std::vector<PartitionId> out;
  for (const std::int32_t partition : partitions) out.push_back({kafka_.topic_audio_raw, partition});
  return out;
}

Result<LogReader::Offsets> LogReader::beginnings(const std::vector<std::int32_t>& partitions) {
  const auto found = log_offsets(client_.get(), ids(partitions), LogPlace::beginning, request_timeout_ms);
  if (!found) return found.error();
  return by_partition(partitions, found.value());
}

Result<LogReader::Offsets> LogReader::ends(const std::vector<std::int32_t>& partitions) {
  const auto found = log_offsets(client_.get(), ids(partitions), LogPlace::end, request_timeout_ms);
  if (!found) return found.error();
  return by_partition(partitions, found.value());
}

Result<LogReader::Offsets> LogReader::at(const std::vector<std::int32_t>& partitions, UnixMs time, const Offsets& ends) {
  const std::string cluster_id = cluster_id_of(client_.get(), request_timeout_ms);
  if (cluster_id.empty()) return Error{"metadata", "the cluster's id is not known yet", true};
  if (is_mock_cluster(cluster_id)) return beginnings(partitions);
  const auto found = offsets_at(client_.get(), ids(partitions), time, request_timeout_ms);
  if (!found) return found.error();
  Offsets out = by_partition(partitions, found.value());
  for (auto& [partition, offset] : out) {
    if (offset < 0) offset = ends.at(partition);
  }
  return out;
}

// librdkafka's partitioners use neither the topic nor the opaques, so they are called without. The random ones differ for empty keys only.
std::int32_t LogReader::partition_of(std::string_view room, std::int32_t count) const {
  std::string name = "consistent_random";
  for (const auto* properties : {&kafka_.properties, &kafka_.producer_properties}) {
    if (const auto found = properties->find("partitioner"); found != properties->end()) name = found->second;
  }
  const auto call = name.starts_with("murmur2") ? rd_kafka_msg_partitioner_murmur2
                    : name.starts_with("fnv1a") ? rd_kafka_msg_partitioner_fnv1a
                                                : rd_kafka_msg_partitioner_consistent;
  return name == "random" ? -1 : call(nullptr, room.data(), room.size(), count, nullptr, nullptr);
}

bool LogReader::read(const Offsets& starts, const Offsets& ends, const std::function<void(const Record&)>& take, const std::function<bool()>& stopping,
                     Counts& counts, const std::function<bool(std::string_view room)>& wanted) {
  const PartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(starts.size())));
  Offsets due;  // partition → end
  for (const auto& [partition, start] : starts) {
    const auto end = ends.find(partition);
    if (end == ends.end() || start >= end->second) continue;
    rd_kafka_topic_partition_list_add(list.get(), kafka_.topic_audio_raw.c_str(), partition)->offset = start;
    due[partition] = end->second;
  }
  if (due.empty()) return true;
  if (rd_kafka_assign(client_.get(), list.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  SteadyMs heard_ms = clock_.steady_ms();
  while (!due.empty() && !stopping() && clock_.steady_ms() - heard_ms < silence_ms) {
    const MessageHandle message(rd_kafka_consumer_poll(client_.get(), poll_ms));
    if (!message) continue;
    const auto part = due.find(message->partition);
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      if (part != due.end() && message->offset >= part->second) due.erase(part);
      continue;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    heard_ms = clock_.steady_ms();
    ++counts.records;
    if (!wanted || wanted({static_cast<const char*>(message->key), message->key_len})) {
      if (!note(*message, take)) ++counts.unreadable;
    }
    if (part != due.end() && message->offset + 1 >= part->second) due.erase(part);
  }
  rd_kafka_assign(client_.get(), nullptr);
  return due.empty();
}

bool LogReader::note(const rd_kafka_message_t& message, const std::function<void(const Record&)>& take) {
  std::vector<wire::Header> headers;
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(&message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
      headers.push_back({name, value == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(value), size)});
  }
  wire::KafkaRecord record;
  if (message.payload != nullptr) record.value = {static_cast<const char*>(message.payload), message.len};
  record.headers = headers;
  record.position.partition = message.partition;
  record.position.offset = message.offset;
  record.position.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
  Result<wire::EventParser::RawKey> key = parser_.audio_raw_key(record);
  if (!key) return false;
  take({std::move(key).value(), message.partition, message.offset, record.position.timestamp_ms});
  return true;
}

}  // namespace fluentgate::kafka
