// Two channels a room.
#include "core/redis/pipeline_channels.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "core/domain/latency.hpp"
#include "core/domain/limits.hpp"

namespace fluentgate::redis {
namespace {

constexpr std::string_view audio_prefix = "pipeline:audio:";
constexpr std::string_view captions_prefix = "pipeline:captions:";

std::string channel_of(std::string_view prefix, const RoomId& room) { return std::string(prefix) + room.value; }

}  // namespace

PipelineChannels::PipelineChannels(const config::Settings& settings, Link& link, kafka::InboundSink& sink, const kafka::Interest& interest,
                                   kafka::ChannelOverlap& overlap, Logger& log, const Clock& clock)
    : link_(link), sink_(sink), interest_(interest), overlap_(overlap), clock_(clock),
      frames_(settings.audio.output_sample_rate, interest, &overlap, clock), malformed_(log, clock, "redis") {
  link_.listen(*this);
}

void PipelineChannels::open(const RoomId& room) {
  link_.subscribe(channel_of(audio_prefix, room));
  link_.subscribe(channel_of(captions_prefix, room));
}

void PipelineChannels::close(const RoomId& room) {
  link_.unsubscribe(channel_of(audio_prefix, room));
  link_.unsubscribe(channel_of(captions_prefix, room));
}

void PipelineChannels::on_connected(bool) { overlap_.reached(); }

void PipelineChannels::on_lost() { overlap_.lost(); }

void PipelineChannels::on_message(std::string_view channel, std::string_view payload) {
  if (channel.starts_with(audio_prefix)) read_piece(channel.substr(audio_prefix.size()), payload);
  else if (channel.starts_with(captions_prefix)) read_caption(channel.substr(captions_prefix.size()), payload);
}

void PipelineChannels::read_piece(std::string_view room, std::string_view payload) {
  if (!interest_.hosts(room)) return;  // the last participant has left since
  if (payload.size() > limits::channel_message_bytes_max) return malformed(kafka::audio_channel, room, {"not_json", "too large"});
  wire::KafkaRecord record;
  record.value = payload;
  const Result<wire::SynthesizedEvent> event = events_.synthesized(record);
  if (!event) return malformed(kafka::audio_channel, room, event.error());
  if (event->room.value != room) return malformed(kafka::audio_channel, room, {"missing_room", "its room is not the channel's"});
  Result<std::optional<SynthesizedFrame>> frame = frames_.piece(*event);
  if (!frame) return malformed(kafka::audio_channel, room, frame.error());
  if (!*frame) return;
  std::vector<kafka::Inbound> batch;
  batch.emplace_back(std::move(**frame));
  sink_.deliver(std::move(batch));
}

void PipelineChannels::read_caption(std::string_view room, std::string_view payload) {
  if (!interest_.hosts(room)) return;
  if (payload.size() > limits::channel_message_bytes_max) return malformed(kafka::captions_channel, room, {"not_json", "too large"});
  Result<Caption> caption = captions_.read(payload, RoomId(std::string(room)));
  if (!caption) return malformed(kafka::captions_channel, room, caption.error());
  if (caption->is_final) return;
  caption->arrival_ms = clock_.unix_ms();
  caption->position.timestamp_ms = caption->arrival_ms;  // where the worker tells no time; it has no place in Kafka's log
  std::vector<kafka::Inbound> batch;
  batch.emplace_back(std::move(caption).value());
  sink_.deliver(std::move(batch));
}

void PipelineChannels::malformed(std::uint8_t channel, std::string_view room, const Error& error) {
  std::vector<kafka::Inbound> batch;
  batch.emplace_back(kafka::Malformed{channel, error.code});
  sink_.deliver(std::move(batch));
  malformed_.note(channel == kafka::audio_channel ? "pipeline:audio" : "pipeline:captions", error, "room " + percent_encoded(room));
}

}  // namespace fluentgate::redis
