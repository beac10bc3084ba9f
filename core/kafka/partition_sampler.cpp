// A look: assign the last records of some partitions, read them, let go.
#include "core/kafka/partition_sampler.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include "core/kafka/record_reader.hpp"

namespace fluentgate::kafka {
namespace {

constexpr int poll_ms = 100;
constexpr SteadyMs look_ms = 2000;         // at most, for one look; what it did not reach has its turn again
constexpr SteadyMs warn_every_ms = 10000;  // per topic

// Little is fetched: the broker sends whole batches, but no more of them than this, and librdkafka reads nothing ahead.
config::Kafka frugal(config::Kafka kafka) {
  for (const char* name : {"max.partition.fetch.bytes", "fetch.message.max.bytes", "fetch.wait.max.ms", "queued.min.messages"})
    kafka.consumer_properties.erase(name), kafka.properties.erase(name);
  kafka.consumer_properties["fetch.message.max.bytes"] = "16384";
  kafka.consumer_properties["fetch.wait.max.ms"] = "10";
  kafka.consumer_properties["queued.min.messages"] = "1";
  return kafka;
}

std::string listed(const std::vector<std::int32_t>& numbers) {
  std::string text;
  for (const std::int32_t number : numbers) text += (text.empty() ? "" : " or ") + std::to_string(number);
  return text;
}

}  // namespace

PartitionSampler::PartitionSampler(const config::Settings& settings, const Interest& interest, PartitionPlan& plan, Traffic& traffic, Logger& log,
                                   const Clock& clock)
    : topics_(incoming_topic_names(settings.kafka)), partitioners_(settings.kafka.key_partitioners), interest_(interest), plan_(plan),
      traffic_(traffic), log_(log), clock_(clock) {
  warned_ms_.fill(-warn_every_ms);  // librdkafka's own lines are not written: the consumer's say the same
}

Result<std::unique_ptr<PartitionSampler>> PartitionSampler::start(const config::Settings& settings, const Cluster& cluster, const Interest& interest,
                                                                  PartitionPlan& plan, Traffic& traffic, Logger& log, const Clock& clock) {
  std::unique_ptr<PartitionSampler> made(new PartitionSampler(settings, interest, plan, traffic, log, clock));
  Result<ClientHandle> client = make_client(frugal(settings.kafka), Side::log_reader, cluster, made->context_);
  if (!client) return client.error();
  made->client_ = std::move(client).value();
  PartitionSampler* sampler = made.get();
  made->thread_ = std::thread([sampler] { sampler->run(); });
  return made;
}

void PartitionSampler::begin_stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

void PartitionSampler::stop() {
  begin_stop();
  if (thread_.joinable()) thread_.join();
  client_.reset();
}

bool PartitionSampler::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void PartitionSampler::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, std::chrono::milliseconds(every_ms), [this] { return stopping_; })) return;
    }
    if (plan_.rooms() == 0) continue;  // nothing could be out of place
    const auto samples = plan_.next_samples(partitions_at_once);
    if (!samples.empty()) look_at(samples);
  }
}

void PartitionSampler::look_at(const std::vector<PartitionPlan::Sample>& samples) {
  const PartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(samples.size())));
  std::map<PartitionPlan::Place, std::int64_t> ends;
  for (const auto& sample : samples) {
    rd_kafka_topic_partition_list_add(list.get(), topics_[sample.place.first].c_str(), sample.place.second)->offset = sample.from;
    ends[sample.place] = sample.end;
  }
  if (rd_kafka_assign(client_.get(), list.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const SteadyMs until_ms = clock_.steady_ms() + look_ms;
  while (!ends.empty() && !stopping() && clock_.steady_ms() < until_ms) {
    const MessageHandle message(rd_kafka_consumer_poll(client_.get(), poll_ms));
    if (!message || message->rkt == nullptr) continue;
    const auto topic = std::find(topics_.begin(), topics_.end(), std::string_view(rd_kafka_topic_name(message->rkt)));
    if (topic == topics_.end()) continue;
    const PartitionPlan::Place place{static_cast<std::uint8_t>(topic - topics_.begin()), message->partition};
    const auto wanted = ends.find(place);
    if (wanted == ends.end()) continue;
    const bool record = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (record) judge(place.first, *message);
    if (record && message->offset + 1 < wanted->second) continue;
    plan_.sampled(place, wanted->second);  // an error, the log's end for one, ends the look at this one too
    ends.erase(wanted);
  }
  (void)rd_kafka_assign(client_.get(), nullptr);
}

// By what the record says rather than by its key, which may be what is wrong.
std::optional<RoomId> PartitionSampler::room_of(std::uint8_t topic, const rd_kafka_message_t& message) {
  wire::KafkaRecord record;
  record.value = std::string_view(static_cast<const char*>(message.payload), message.len);
  record.position = {topic, message.partition, message.offset, 0};
  std::vector<wire::Header> headers;
  rd_kafka_headers_t* found = nullptr;
  if (rd_kafka_message_headers(&message, &found) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(found, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
      headers.push_back({name, value == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(value), size)});
  }
  record.headers = headers;
  if (topic == 0) {
    if (Result<wire::SynthesizedEvent> event = parser_.synthesized(record)) return std::move(event).value().room;
    return std::nullopt;
  }
  if (Result<Caption> caption = topic == 1 ? parser_.original(record) : parser_.translated(record)) return std::move(caption).value().room;
  return std::nullopt;
}

void PartitionSampler::judge(std::uint8_t topic, const rd_kafka_message_t& message) {
  traffic_.sampled_bytes[topic].fetch_add(message.len + message.key_len, std::memory_order_relaxed);
  if (message.payload == nullptr) return;
  const std::optional<RoomId> room = room_of(topic, message);
  if (!room || !interest_.hosts(room->value)) return;
  const std::vector<std::int32_t> expected = plan_.partitions_of(topic, room->value);
  if (std::find(expected.begin(), expected.end(), message.partition) != expected.end()) return;
  traffic_.misplaced[topic].fetch_add(1, std::memory_order_relaxed);
  const std::string_view key(static_cast<const char*>(message.key), message.key == nullptr ? 0 : message.key_len);
  warn(topic, message.partition, *room, key == room->value, expected);
}

void PartitionSampler::warn(std::uint8_t topic, std::int32_t partition, const RoomId& room, bool keyed_by_room,
                            const std::vector<std::int32_t>& expected) {
  ++unwarned_[topic];
  const SteadyMs now = clock_.steady_ms();
  if (now - warned_ms_[topic] < warn_every_ms) return;
  warned_ms_[topic] = now;
  std::string names;
  for (const std::string& name : partitioners_) names += (names.empty() ? "" : ", ") + name;
  log_.write(LogLevel::error, "kafka",
             std::to_string(std::exchange(unwarned_[topic], 0)) + " record(s) of rooms hosted here in partitions that are not fetched, so NOT DELIVERED: topic " +
                 topics_[topic] + ", partition " + std::to_string(partition) + ", room " + room.value + ", expected in " + listed(expected) +
                 " by kafka.key_partitioners = [" + names + "]. " +
                 (keyed_by_room ? "Add the partitioner of whoever writes this topic to kafka.key_partitioners"
                                : "Its key is not the room's id, as it must be") +
                 ", or set kafka.partition_aware = false");
}

}  // namespace fluentgate::kafka
