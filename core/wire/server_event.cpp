// The events, each written in the order of the contract.
#include "core/wire/server_event.hpp"

#include "core/wire/json_write.hpp"

namespace fluentgate::wire {
namespace {

ObjectWriter typed(std::string_view type, std::size_t reserve = 128) {
  ObjectWriter writer(reserve);
  writer.text("type", type);
  return writer;
}

std::string array_of(std::span<const LanguageTag> list) {
  std::string out = "[";
  for (const LanguageTag& tag : list) {
    if (out.size() > 1) out += ',';
    append_json_string(out, tag.spelling());
  }
  out += ']';
  return out;
}

std::optional<std::string> spelled(const std::optional<LanguageTag>& tag) { return tag ? std::optional(tag->spelling()) : std::nullopt; }

void add_peer(ObjectWriter& writer, const Peer& peer) {
  writer.text("user_id", peer.user_id)
      .text("display_name", peer.display_name)
      .text("role", peer.role)
      .text("speaking_language", peer.speaking_language)
      .text("listening_language", peer.listening_language);
}

}  // namespace

std::string error_event(ErrorCode code, std::string_view detail) {
  return typed("error").text("code", name_of(code)).text("detail", detail).finish();
}

std::string error_event(const Refusal& refusal) { return error_event(refusal.code, refusal.detail); }

std::string audio_dropped_event(std::int64_t dropped_ms, DropCause cause) {
  const std::string_view detail = cause == DropCause::waited    ? "audio waited too long for Kafka and was dropped"
                                  : cause == DropCause::refused ? "audio was refused by Kafka and was dropped"
                                                                : "audio waited too long for Kafka, or was refused by it, and was dropped";
  return typed("error", 192)
      .text("code", name_of(ErrorCode::audio_dropped))
      .text("detail", detail)
      .integer("dropped_ms", dropped_ms)
      .finish();
}

std::string pong_event(const Ping& ping) { return typed("pong", 24 + ping.members.size()).members(ping.members).finish(); }

std::string language_event(std::span<const LanguageTag> listening, const std::optional<LanguageTag>& speaking, std::span<const LanguageTag> understands) {
  return typed("language")
      .raw("listening_language", array_of(listening))
      .text("speaking_language", spelled(speaking))
      .raw("understands", array_of(understands))
      .finish();
}

std::string refreshed_event(std::optional<std::int64_t> exp) { return typed("refreshed").integer("exp", exp).finish(); }
std::string token_expiring_event(std::int64_t exp) { return typed("token_expiring").integer("exp", exp).finish(); }

std::string_view name_of(PipelineState state) noexcept {
  switch (state) {
    case PipelineState::ok: return "ok";
    case PipelineState::degraded: return "degraded";
    case PipelineState::down: return "down";
  }
  return "";
}

std::string pipeline_heartbeat_event(UnixMs ts, PipelineState state) {
  return typed("pipeline_heartbeat").integer("ts", ts).text("state", name_of(state)).finish();
}

std::string going_away_event(std::int64_t retry_after_ms) { return typed("going_away").integer("retry_after_ms", retry_after_ms).finish(); }

std::string started_event(const Start& start) {
  return typed("started", 160)
      .text("encoding", name_of(start.encoding))
      .integer("sample_rate", start.sample_rate)
      .integer("channels", start.channels)
      .text("speaking_language", spelled(start.speaking_language))
      .finish();
}

std::string skipped_event(std::string_view speaker_id, std::int64_t skipped_ms, std::string_view reason) {
  return typed("skipped").text("speaker_id", speaker_id).integer("skipped_ms", skipped_ms).text("reason", reason).finish();
}

std::string languages_object(const ListenerCounts& languages) {
  std::string out = "{";
  for (const auto& [tag, count] : languages) {
    if (out.size() > 1) out += ',';
    append_json_string(out, tag);
    out += ':';
    append_json_integer(out, count);
  }
  out += '}';
  return out;
}

std::string listeners_event(std::string_view languages_object) { return typed("listeners").raw("languages", languages_object).finish(); }

std::string existing_users_event(std::span<const Peer> users) {
  std::string list = "[";
  for (const Peer& peer : users) {
    if (list.size() > 1) list += ',';
    ObjectWriter writer;
    add_peer(writer, peer);
    list += writer.finish();
  }
  list += ']';
  return typed("existing_users", 48 + list.size()).raw("users", list).finish();
}

std::string user_joined_event(const Peer& user) {
  ObjectWriter writer = typed("user_joined", 192);
  add_peer(writer, user);
  return writer.finish();
}

std::string user_left_event(std::string_view user_id) { return typed("user_left").text("user_id", user_id).finish(); }

std::string suppress_original_event(const SuppressOriginal& event) {
  return typed("suppress_original", 256)
      .text("speaker_id", event.speaker_id)
      .text("language", event.language)
      .text("mode", event.mode)
      .real("gain", event.gain)
      .integer("fade_ms", event.fade_ms)
      .text("utterance_id", event.utterance_id)
      .integer("timestamp_ms", event.timestamp_ms)
      .finish();
}

std::string restore_original_event(std::string_view speaker_id, RestoreReason reason, std::int64_t fade_ms) {
  return typed("restore_original").text("speaker_id", speaker_id).text("reason", name_of(reason)).integer("fade_ms", fade_ms).finish();
}

std::optional<std::string> utterance_id_of(const Caption& caption) {
  if (caption.utterance_id) return caption.utterance_id;
  if (!caption.sequence_number) return std::nullopt;
  return caption.speaker.value + ':' + std::to_string(*caption.sequence_number);
}

std::string caption_event(const Caption& caption, const std::optional<std::string>& speaker_name, std::optional<std::int64_t> revision,
                          bool replay, bool legacy_members) {
  ObjectWriter writer(384 + caption.text.size() * (legacy_members ? 2 : 1) + (caption.original_text ? caption.original_text->size() : 0));
  writer.text("event", "caption")
      .text("type", name_of(caption.type))
      .text("speaker_id", caption.speaker.value)
      .text("speaker_name", speaker_name)
      .text("language", caption.language.spelling())
      .text("source_language", spelled(caption.source_language))
      .text("text", caption.text)
      .boolean("is_final", caption.is_final)
      .integer("sequence_number", caption.sequence_number)
      .text("utterance_id", utterance_id_of(caption))
      .integer("revision", revision)
      .integer("timestamp_ms", caption.event_ms.value_or(caption.position.timestamp_ms));
  if (caption.type == CaptionType::translated) {
    if (caption.original_text) writer.text("original_text", *caption.original_text);
    if (legacy_members) writer.text("translated_text", caption.text).text("target_language", caption.language.spelling());
  }
  if (replay) writer.boolean("replay", true);
  return writer.finish();
}

std::string history_end_event(std::size_t count, std::string_view epoch, std::string_view offset, std::optional<bool> recovered) {
  ObjectWriter writer(128 + epoch.size() + offset.size());
  writer.text("event", "history_end").integer("count", static_cast<std::int64_t>(count)).text("epoch", epoch).text("offset", offset);
  if (recovered) writer.boolean("recovered", *recovered);
  return writer.finish();
}

std::string captions_going_away_event(std::int64_t retry_after_ms) {
  return ObjectWriter().text("event", "going_away").integer("retry_after_ms", retry_after_ms).finish();
}

std::string captions_token_expiring_event(std::int64_t exp) {
  return ObjectWriter().text("event", "token_expiring").integer("exp", exp).finish();
}

}  // namespace fluentgate::wire
