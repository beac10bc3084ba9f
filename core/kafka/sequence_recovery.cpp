// Where the lookback begins, everything from there to the end as it is now, the highest number of each speaker.
#include "core/kafka/sequence_recovery.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include "core/kafka/embedded_cluster.hpp"

namespace fluentgate::kafka {
namespace {

constexpr int request_timeout_ms = 750;
constexpr int poll_ms = 50;
constexpr int retry_ms = 100;
constexpr SteadyMs silence_ms = 10000;  // without a record while some are due: begin again

}  // namespace

SequenceRecovery::SequenceRecovery(const config::Settings& settings, Cluster cluster, InboundSink& sink, Logger& log, const Clock& clock)
    : kafka_(settings.kafka), lookback_ms_(settings.audio.sequence_lookback_ms), cluster_(std::move(cluster)), sink_(sink), log_(log), clock_(clock) {}

void SequenceRecovery::start() {
  thread_ = std::thread([this] { run(); });
}

void SequenceRecovery::begin_stop() noexcept {
  {
    const std::lock_guard lock(mutex_);  // else the thread could look, miss the change and wait
    stopping_.store(true);
  }
  wake_.notify_all();
}

void SequenceRecovery::stop() {
  begin_stop();
  if (thread_.joinable()) thread_.join();
}

void SequenceRecovery::run() {
  bool waiting_logged = false;
  while (!stopping()) {
    if (attempt()) {
      client_.reset();
      report();
      return;
    }
    if (!waiting_logged && !stopping()) {
      waiting_logged = true;
      log_.write(LogLevel::info, "kafka", "sequence numbers are not known yet: waiting to read back " + kafka_.topic_audio_raw);
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::milliseconds(retry_ms), [this] { return stopping(); });
  }
  client_.reset();
}

bool SequenceRecovery::attempt() {
  if (!client_) {
    Result<ClientHandle> client = make_client(kafka_, Side::log_reader, cluster_, context_);
    if (!client) {
      log_.write(LogLevel::error, "kafka", "reading back " + kafka_.topic_audio_raw + ": " + client.error().text);
      return false;
    }
    client_ = std::move(client).value();
  }
  Result<std::vector<Part>> found = parts();
  if (!found) {
    log_.write(LogLevel::debug, "kafka", "reading back " + kafka_.topic_audio_raw + ": " + found.error().text);
    return false;
  }
  return read(found.value());
}

// None where the cluster says that there is no such topic.
Result<std::vector<std::int32_t>> SequenceRecovery::partitions() {
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

// Only the partitions that have something to read.
Result<std::vector<SequenceRecovery::Part>> SequenceRecovery::parts() {
  const Error ending{"stopped", "ending", true};  // between requests: each may take its whole time-out
  Result<std::vector<std::int32_t>> known = partitions();
  if (!known) return known.error();
  std::vector<Part> found;
  if (known->empty() || lookback_ms_ == 0) return found;
  std::vector<PartitionId> ids;
  for (const std::int32_t partition : known.value()) ids.push_back({kafka_.topic_audio_raw, partition});
  if (stopping()) return ending;
  const Result<std::vector<std::int64_t>> ends = log_offsets(client_.get(), ids, LogPlace::end, request_timeout_ms);
  if (!ends) return ends.error();
  if (stopping()) return ending;
  const std::string cluster_id = cluster_id_of(client_.get(), request_timeout_ms);
  if (cluster_id.empty()) return Error{"metadata", "the cluster's id is not known yet", true};
  if (stopping()) return ending;
  read_from_ms_ = clock_.unix_ms() - lookback_ms_;
  // The mock cluster can't look up times: there everything is read, and passed over by the records' own.
  const Result<std::vector<std::int64_t>> starts = is_mock_cluster(cluster_id) ? log_offsets(client_.get(), ids, LogPlace::beginning, request_timeout_ms)
                                                                               : offsets_at(client_.get(), ids, read_from_ms_, request_timeout_ms);
  if (!starts) return starts.error();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (starts.value()[i] >= 0 && starts.value()[i] < ends.value()[i]) found.push_back({ids[i], starts.value()[i], ends.value()[i]});
  }
  return found;
}

bool SequenceRecovery::read(const std::vector<Part>& parts) {
  highest_.clear();
  records_ = unreadable_ = 0;
  if (parts.empty()) return true;
  const PartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(parts.size())));
  std::map<std::int32_t, std::int64_t> due;  // partition → end
  for (const Part& part : parts) {
    rd_kafka_topic_partition_list_add(list.get(), part.id.topic.c_str(), part.id.partition)->offset = part.start;
    due[part.id.partition] = part.end;
  }
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
    note(*message);
    if (part != due.end() && message->offset + 1 >= part->second) due.erase(part);
  }
  rd_kafka_assign(client_.get(), nullptr);
  return due.empty();
}

void SequenceRecovery::note(const rd_kafka_message_t& message) {
  ++records_;
  const std::int64_t timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
  if (timestamp_ms >= 0 && timestamp_ms < read_from_ms_) return;
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
  record.position.timestamp_ms = timestamp_ms;
  const Result<wire::EventParser::RawKey> key = parser_.audio_raw_key(record);
  if (!key) {
    ++unreadable_;
    return;
  }
  const auto [found, fresh] = highest_.try_emplace({key->room.value, key->user.value}, key->sequence_number);
  if (!fresh) found->second = std::max(found->second, key->sequence_number);
}

void SequenceRecovery::report() {
  std::vector<Inbound> batch;
  batch.reserve(highest_.size() + 1);
  for (const auto& [who, number] : highest_) batch.emplace_back(SpeakerRecovered{RoomId(who.first), UserId(who.second), number});
  batch.emplace_back(RecoveryDone{});
  if (records_ > 0) {
    log_.write(LogLevel::info, "kafka",
               "read back " + std::to_string(records_) + " record(s) of " + kafka_.topic_audio_raw + ": " + std::to_string(highest_.size()) +
                   " speaker(s) go on" + (unreadable_ > 0 ? ", " + std::to_string(unreadable_) + " record(s) could not be read" : ""));
  }
  highest_.clear();
  done_.store(true);
  sink_.deliver(std::move(batch));
}

}  // namespace fluentgate::kafka
