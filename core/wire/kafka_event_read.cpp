// Records of Kafka → events. The envelope is read by simdjson's DOM, which checks the whole text and costs less than a microsecond for an
// audio envelope. Everything here comes from processes that we don't know.
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/domain/limits.hpp"
#include "core/wire/event_members.hpp"
#include "core/wire/kafka_event.hpp"
#include "core/wire/timestamp.hpp"

namespace fluentgate::wire {
namespace {

using simdjson::dom::element;

constexpr int sample_rate_min = 8000;
constexpr int sample_rate_max = 48000;
constexpr std::size_t room_bytes_max = 512;          // wider than our own rooms: other instances' records pass by here too
constexpr std::array<std::string_view, 4> event_types{"audio.chunk", "text.transcription", "text.translation", "audio.synthesized"};

constexpr std::array<std::string_view, 16> reasons{
    "not_json", "not_an_object", "missing_room", "missing_user", "missing_language", "bad_language", "missing_text", "missing_audio", "bad_base64",
    "odd_bytes", "bad_sample_rate", "bad_encoding", "bad_opus", "too_deep", "bad_event_type", "missing_sequence"};

// The members of a payload that we know, as they came; null and absent are the same.
struct Payload {
  std::optional<element> room_id, user_id, sequence_number, audio_data, sample_rate, encoding, source_language, target_language;
  std::optional<element> text, original_text, translated_text, is_final, utterance_id, revision;
  std::optional<UnixMs> event_ms;
};

std::optional<element> Payload::* member_named(std::string_view key) {
  using Row = std::pair<std::string_view, std::optional<element> Payload::*>;
  static constexpr std::array<Row, 14> table{{{"room_id", &Payload::room_id}, {"user_id", &Payload::user_id},
      {"sequence_number", &Payload::sequence_number}, {"audio_data", &Payload::audio_data}, {"sample_rate", &Payload::sample_rate},
      {"encoding", &Payload::encoding}, {"source_language", &Payload::source_language}, {"target_language", &Payload::target_language},
      {"text", &Payload::text}, {"original_text", &Payload::original_text}, {"translated_text", &Payload::translated_text},
      {"is_final", &Payload::is_final}, {"utterance_id", &Payload::utterance_id}, {"revision", &Payload::revision}}};
  for (const Row& row : table) {
    if (row.first == key) return row.second;
  }
  return nullptr;
}

std::optional<std::int64_t> decimal(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && at == end && value >= 0 ? std::optional(value) : std::nullopt;
}

// The last one of that name, as librdkafka's own look-up has it.
std::optional<std::string_view> header(const KafkaRecord& record, std::string_view name) {
  for (std::size_t i = record.headers.size(); i-- > 0;) {
    if (record.headers[i].name == name) return record.headers[i].value;
  }
  return std::nullopt;
}

std::optional<std::int64_t> header_number(const KafkaRecord& record, std::string_view name) {
  const auto text = header(record, name);
  return text ? decimal(*text) : std::nullopt;
}

Result<Encoding> encoding_named(std::string_view name) {
  if (name == name_of(Encoding::linear16)) return Encoding::linear16;
  if (name == name_of(Encoding::opus)) return Encoding::opus;
  return Error{"bad_encoding", "the encoding is neither linear16 nor opus"};
}

Result<int> rate_of(std::int64_t rate) {
  if (rate < sample_rate_min || rate > sample_rate_max) return Error{"bad_sample_rate", "the sample rate is not from 8000 to 48000"};
  return static_cast<int>(rate);
}

struct Who {
  RoomId room;
  UserId user;
};

Result<Who> who(const std::optional<std::string_view>& room, const std::optional<std::string_view>& user) {
  Result<std::string> room_id = id(room, "missing_room", room_bytes_max);
  if (!room_id) return room_id.error();
  Result<std::string> user_id = id(user, "missing_user", limits::user_id_bytes_max);
  if (!user_id) return user_id.error();
  return Who{RoomId(std::move(*room_id)), UserId(std::move(*user_id))};
}

// An event's beginning: what only JSON has. Decides where a broken text could also be PCM with headers.
bool begins_like_event(std::string_view value) { return value.starts_with("{\"event") || value.starts_with("{\"payload"); }

bool has_binary_headers(const KafkaRecord& record) {
  return header(record, "fg-room") || header(record, "fg-user") || header(record, "fg-lang");
}

Result<SynthesizedEvent> synthesized_binary(const KafkaRecord& record) {
  Result<Who> ids = who(header(record, "fg-room"), header(record, "fg-user"));
  if (!ids) return ids.error();
  Result<LanguageTag> tag = language(header(record, "fg-lang"));
  if (!tag) return tag.error();
  SynthesizedEvent event{std::move(ids->room), std::move(ids->user), std::move(*tag)};
  const Result<Encoding> encoding = encoding_named(header(record, "fg-enc").value_or(name_of(Encoding::linear16)));
  if (!encoding) return encoding.error();
  event.encoding = *encoding;
  if (const auto text = header(record, "fg-rate")) {
    const Result<int> rate = rate_of(decimal(*text).value_or(0));
    if (!rate) return rate.error();
    event.sample_rate = *rate;
  }
  event.sequence_number = header_number(record, "fg-seq");
  event.utterance_id = utterance(header(record, "fg-utterance"));
  event.ingest_ms = header_number(record, "fg-ingest-ms");
  event.audio = record.value;
  if (event.audio.empty()) return Error{"missing_audio", "the value is empty"};
  if (event.encoding == Encoding::linear16 && event.audio.size() % 2 != 0) return Error{"odd_bytes", "an odd number of bytes of PCM"};
  return event;
}

Result<SynthesizedEvent> synthesized_json(const KafkaRecord& record, const Payload& payload) {
  Result<Who> ids = who(string_of(payload.room_id), string_of(payload.user_id));
  if (!ids) return ids.error();
  Result<LanguageTag> tag = language(string_of(payload.target_language));
  if (!tag) return tag.error();
  SynthesizedEvent event{std::move(ids->room), std::move(ids->user), std::move(*tag)};
  if (payload.encoding) {
    const Result<Encoding> encoding = encoding_named(string_of(payload.encoding).value_or(""));
    if (!encoding) return encoding.error();
    event.encoding = *encoding;
  }
  if (payload.sample_rate) {
    const Result<int> rate = rate_of(integer_of(payload.sample_rate).value_or(0));
    if (!rate) return rate.error();
    event.sample_rate = *rate;
  }
  const auto audio = string_of(payload.audio_data);
  if (!audio || audio->empty()) return Error{"missing_audio", "audio_data is absent, empty or not a string"};
  event.audio = *audio;
  event.base64 = true;
  event.sequence_number = count_of(payload.sequence_number);
  if (!event.sequence_number) event.sequence_number = header_number(record, "fg-seq");
  event.utterance_id = utterance(string_of(payload.utterance_id));
  if (const auto source = string_of(payload.source_language)) {
    if (Result<LanguageTag> spoken = LanguageTag::parse(*source); spoken) event.source_language = spoken->spelling();
  }
  event.ingest_ms = header_number(record, "fg-ingest-ms");
  return event;
}

Result<Caption> caption(const KafkaRecord& record, const Payload& payload, CaptionType type) {
  const bool translated = type == CaptionType::translated;
  Result<Who> ids = who(string_of(payload.room_id), string_of(payload.user_id));
  if (!ids) return ids.error();
  Result<LanguageTag> tag = language(string_of(translated ? payload.target_language : payload.source_language));
  if (!tag) return tag.error();
  const auto text = string_of(translated ? payload.translated_text : payload.text);
  if (!text) return Error{"missing_text", "the text is absent or not a string"};

  Caption caption{std::move(ids->room), type, std::move(ids->user), std::move(*tag)};
  caption.text = *text;
  if (translated) {
    if (const auto source = string_of(payload.source_language)) {
      if (Result<LanguageTag> spoken = LanguageTag::parse(*source); spoken) caption.source_language = std::move(*spoken);
    }
    if (const auto original = string_of(payload.original_text)) caption.original_text = std::string(*original);
  } else {
    caption.source_language = caption.language;
  }
  bool is_final = true;
  if (payload.is_final && payload.is_final->get_bool().get(is_final) == simdjson::SUCCESS) caption.is_final = is_final;
  caption.sequence_number = count_of(payload.sequence_number);
  if (!caption.sequence_number) caption.sequence_number = header_number(record, "fg-seq");
  caption.utterance_id = utterance(string_of(payload.utterance_id));
  caption.revision = count_of(payload.revision);
  caption.event_ms = payload.event_ms;
  caption.ingest_ms = header_number(record, "fg-ingest-ms");
  caption.position = record.position;
  return caption;
}

}  // namespace

std::span<const std::string_view> malformed_reasons() noexcept { return reasons; }

struct EventParser::Impl {
  EventDocument document;

  // Views into the document's memory, valid until the next call.
  Result<Payload> payload(std::string_view value, std::string_view event_type) {
    const Result<simdjson::dom::object> event = document.object(value);
    if (!event) return event.error();
    std::optional<simdjson::dom::object> members;
    Payload payload;
    for (const auto field : *event) {
      std::string_view text;
      if (field.key == "payload") {
        simdjson::dom::object object;
        members = field.value.get_object().get(object) == simdjson::SUCCESS ? std::optional(object) : std::nullopt;
      } else if (field.key == "timestamp" && field.value.get_string().get(text) == simdjson::SUCCESS) {
        payload.event_ms = parse_timestamp(text);
      } else if (field.key == "event_type" && field.value.get_string().get(text) == simdjson::SUCCESS && text != event_type) {
        // An unknown type is the worker's own affair; one of the other topics' means that the event went astray.
        if (std::find(event_types.begin(), event_types.end(), text) != event_types.end()) {
          return Error{"bad_event_type", "an event of another topic: " + std::string(text)};
        }
      }
    }
    if (!members) return Error{"not_an_object", "no payload, or one that is not an object"};
    for (const auto field : *members) {
      const auto member = member_named(field.key);
      if (member == nullptr) continue;
      payload.*member = field.value.is_null() ? std::nullopt : std::optional<element>(field.value);
    }
    return payload;
  }
};

EventParser::EventParser() : impl_(std::make_unique<Impl>()) {}
EventParser::~EventParser() = default;

Result<SynthesizedEvent> EventParser::synthesized(const KafkaRecord& record) {
  const std::size_t first = record.value.find_first_not_of(" \t\r\n");
  const bool braced = first != std::string_view::npos && record.value[first] == '{';
  const bool headers = has_binary_headers(record);
  if (headers && !braced) return synthesized_binary(record);
  const Result<Payload> payload = impl_->payload(record.value, "audio.synthesized");
  if (payload) return synthesized_json(record, *payload);
  // PCM may begin with the byte of a brace, but not like an event.
  if (headers && !begins_like_event(record.value) && payload.error().code != "bad_event_type") return synthesized_binary(record);
  return payload.error();
}

Result<Caption> EventParser::original(const KafkaRecord& record) {
  const Result<Payload> payload = impl_->payload(record.value, "text.transcription");
  return payload ? caption(record, *payload, CaptionType::original) : payload.error();
}

Result<Caption> EventParser::translated(const KafkaRecord& record) {
  const Result<Payload> payload = impl_->payload(record.value, "text.translation");
  return payload ? caption(record, *payload, CaptionType::translated) : payload.error();
}

Result<EventParser::RawKey> EventParser::audio_raw_key(const KafkaRecord& record) {
  const auto room = header(record, "fg-room");
  const auto user = header(record, "fg-user");
  auto sequence_number = header_number(record, "fg-seq");
  if (room && user && sequence_number) {
    Result<Who> ids = who(room, user);
    if (!ids) return ids.error();
    return RawKey{std::move(ids->room), std::move(ids->user), *sequence_number};
  }
  const Result<Payload> payload = impl_->payload(record.value, "audio.chunk");
  if (!payload) return payload.error();
  Result<Who> ids = who(string_of(payload->room_id), string_of(payload->user_id));
  if (!ids) return ids.error();
  if (!sequence_number) sequence_number = count_of(payload->sequence_number);
  if (!sequence_number) return Error{"missing_sequence", "neither fg-seq nor sequence_number"};
  return RawKey{std::move(ids->room), std::move(ids->user), *sequence_number};
}

}  // namespace fluentgate::wire
