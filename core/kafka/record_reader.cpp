// Records to frames and captions.
#include "core/kafka/record_reader.hpp"

#include <algorithm>

namespace fluentgate::kafka {
namespace {

constexpr UnixMs clocks_apart_ms = 2000;  // a record's timestamp is its writer's; a frame too much is better than one too few

std::string_view view(const void* data, std::size_t size) {
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

}  // namespace

std::array<std::string, incoming_topics> incoming_topic_names(const config::Kafka& kafka) {
  return {kafka.topic_audio_synthesized, kafka.topic_text_original, kafka.topic_text_translated};
}

RecordReader::RecordReader(const config::Settings& settings, const Interest& interest, ChannelOverlap* overlap, Producer* dead_letters,
                           Traffic& traffic, Logger& log, const Clock& clock)
    : topics_(incoming_topic_names(settings.kafka)), interest_(interest), overlap_(overlap), dead_letters_(dead_letters), traffic_(traffic),
      log_(log), clock_(clock), frames_(settings.audio.output_sample_rate, interest, overlap, clock), malformed_(log, clock, "kafka") {}

void RecordReader::opened(rd_kafka_t* client, const Opening& opening, std::vector<Inbound>& out) {
  if (opening.midway && opening.topic == 0) midway_[opening.partition] = {client, -1};
  places_[{opening.topic, opening.partition}] = {opening.end, opening.keep_from_ms};
  if (opening.topic == 0) return;
  out.emplace_back(PartitionOpened{opening.topic, opening.partition, opening.start, std::max(opening.end, opening.history_to)});
}

void RecordReader::closed(std::uint8_t topic, std::int32_t partition, std::vector<Inbound>& out) {
  places_.erase({topic, partition});
  if (topic == 0) midway_.erase(partition);
  else out.emplace_back(PartitionClosed{topic, partition});
}

void RecordReader::read(rd_kafka_message_t& message, std::vector<Inbound>& out) {
  const auto topic = std::find(topics_.begin(), topics_.end(), std::string_view(rd_kafka_topic_name(message.rkt)));
  if (topic == topics_.end()) return;
  wire::KafkaRecord record;
  record.value = view(message.payload, message.len);
  record.headers = headers_of(message);
  record.position.topic = static_cast<std::uint8_t>(topic - topics_.begin());
  record.position.partition = message.partition;
  record.position.offset = message.offset;
  const std::int64_t timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
  record.position.timestamp_ms = timestamp_ms >= 0 ? timestamp_ms : clock_.unix_ms();  // brokers before 0.10 have none
  const std::string_view key = view(message.key, message.key_len);
  traffic_.consumed_bytes[record.position.topic].fetch_add(message.len + message.key_len, std::memory_order_relaxed);
  if (record.position.topic != 0) return read_caption(record, out, key);
  if (!midway_.empty()) note_midway(message);
  read_frame(record, out, key);
}

// Reading begins at an end that was remembered: up to half a second before the room's join, much longer if Kafka was away. Only what was there
// already at the first look can be from before.
void RecordReader::note_midway(const rd_kafka_message_t& message) {
  const auto at = midway_.find(message.partition);
  if (at == midway_.end()) return;
  Midway& midway = at->second;
  if (midway.until < 0) {
    std::int64_t low = 0, high = 0;
    const bool told = rd_kafka_get_watermark_offsets(midway.client, topics_[0].c_str(), message.partition, &low, &high) == RD_KAFKA_RESP_ERR_NO_ERROR;
    midway.until = told && high > 0 ? high : 0;
  }
  if (message.offset >= midway.until) midway_.erase(at);
}

// What is clearly older than the room's being here is left out, as it is for rooms whose partition was being read already. Captions never are:
// they belong to the history.
bool RecordReader::from_before_the_join(const wire::KafkaRecord& record, std::string_view room) const {
  return midway_.contains(record.position.partition) && record.position.timestamp_ms < interest_.hosted_since_ms(room) - clocks_apart_ms;
}

std::span<const wire::Header> RecordReader::headers_of(const rd_kafka_message_t& message) {
  headers_.clear();
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    headers_.push_back({name, view(value, size)});
  return headers_;
}

void RecordReader::read_frame(const wire::KafkaRecord& record, std::vector<Inbound>& out, std::string_view key) {
  Result<wire::SynthesizedEvent> parsed = parser_.synthesized(record);
  if (!parsed) return malformed(record, parsed.error(), false, out, key);
  const wire::SynthesizedEvent& event = *parsed;
  if (!interest_.hosts(event.room.value)) return;
  if (!midway_.empty() && from_before_the_join(record, event.room.value)) return;
  Result<std::optional<SynthesizedFrame>> frame = frames_.whole(event, record.position.timestamp_ms);
  if (!frame) return malformed(record, frame.error(), false, out, key);
  if (*frame) out.emplace_back(std::move(**frame));
}

void RecordReader::read_caption(const wire::KafkaRecord& record, std::vector<Inbound>& out, std::string_view key) {
  const LogPosition& position = record.position;
  const auto place = places_.find({position.topic, position.partition});
  const bool replayed = place != places_.end() && position.offset < place->second.end;
  out.emplace_back(RecordSeen{position});
  if (replayed && position.timestamp_ms < place->second.keep_from_ms) return;
  Result<Caption> parsed = position.topic == 1 ? parser_.original(record) : parser_.translated(record);
  if (!parsed) return malformed(record, parsed.error(), replayed, out, key);
  Caption& caption = *parsed;
  if (!caption.is_final && overlap_ != nullptr && overlap_->interims_come()) return;  // it comes, or came, over the channel
  caption.position = position;
  caption.arrival_ms = clock_.unix_ms();
  caption.replayed = replayed;
  out.emplace_back(std::move(caption));
}

void RecordReader::malformed(const wire::KafkaRecord& record, const Error& error, bool replayed, std::vector<Inbound>& out, std::string_view key) {
  const std::uint8_t topic = record.position.topic;
  out.emplace_back(Malformed{topic, error.code});
  const bool logged = malformed_.note(topics_[topic], error, "partition " + std::to_string(record.position.partition) + ", offset " +
                                                                std::to_string(record.position.offset));
  // What was read back from before the start has been copied by whoever saw it live.
  if (dead_letters_ == nullptr || replayed) return;
  headers_.push_back({"fg-error", error.code});
  if (!dead_letters_->dead_letter("dlq." + topics_[topic], key, record.value, headers_) && logged)
    log_.write(LogLevel::warn, "kafka", "its copy to dlq." + topics_[topic] + " was not taken");
}

}  // namespace fluentgate::kafka
