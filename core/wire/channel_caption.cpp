// Caption objects of a Redis channel → captions. From processes that we don't know, as everything on the channel.
#include "core/wire/channel_caption.hpp"

#include <array>
#include <utility>

#include "core/domain/limits.hpp"
#include "core/wire/event_members.hpp"
#include "core/wire/timestamp.hpp"

namespace fluentgate::wire {
namespace {

// The members that we know; null and absent are the same.
struct Members {
  std::optional<element> event, type, is_translation, speaker_id, user_id, speaker_name, language, source_language, target_language;
  std::optional<element> text, translated_text, original_text, is_final, sequence_number, utterance_id, revision, timestamp_ms, timestamp;
};

using Member = std::optional<element> Members::*;

Member member_named(std::string_view key) {
  static constexpr std::array<std::pair<std::string_view, Member>, 18> table{{{"event", &Members::event}, {"type", &Members::type},
      {"is_translation", &Members::is_translation}, {"speaker_id", &Members::speaker_id}, {"user_id", &Members::user_id},
      {"speaker_name", &Members::speaker_name}, {"language", &Members::language}, {"source_language", &Members::source_language},
      {"target_language", &Members::target_language}, {"text", &Members::text}, {"translated_text", &Members::translated_text},
      {"original_text", &Members::original_text}, {"is_final", &Members::is_final}, {"sequence_number", &Members::sequence_number},
      {"utterance_id", &Members::utterance_id}, {"revision", &Members::revision}, {"timestamp_ms", &Members::timestamp_ms},
      {"timestamp", &Members::timestamp}}};
  for (const auto& row : table) {
    if (row.first == key) return row.second;
  }
  return nullptr;
}

void take(const simdjson::dom::object& object, Members& members) {
  for (const auto field : object) {
    const Member member = member_named(field.key);
    if (member != nullptr) members.*member = field.value.is_null() ? std::nullopt : std::optional<element>(field.value);
  }
}

std::optional<bool> truth_of(const std::optional<element>& value) {
  bool truth = false;
  if (!value || value->get_bool().get(truth) != simdjson::SUCCESS) return std::nullopt;
  return truth;
}

std::optional<std::string_view> first_of(const std::optional<element>& preferred, const std::optional<element>& other) {
  const auto text = string_of(preferred);
  return text ? text : string_of(other);
}

bool is_translated(const Members& members) {
  if (const auto type = string_of(members.type)) {
    if (*type == name_of(CaptionType::translated)) return true;
    if (*type == name_of(CaptionType::original)) return false;
  }
  return truth_of(members.is_translation).value_or(string_of(members.translated_text).has_value());
}

std::optional<UnixMs> time_of(const Members& members) {
  if (const auto ms = count_of(members.timestamp_ms)) return ms;
  if (const auto text = string_of(members.timestamp)) return parse_timestamp(*text);
  return count_of(members.timestamp);
}

std::optional<LanguageTag> tag_of(const std::optional<element>& value) {
  const auto text = string_of(value);
  if (!text) return std::nullopt;
  Result<LanguageTag> tag = LanguageTag::parse(*text);
  return tag ? std::optional(std::move(*tag)) : std::nullopt;
}

}  // namespace

struct ChannelCaptionParser::Impl {
  EventDocument document;
};

ChannelCaptionParser::ChannelCaptionParser() : impl_(std::make_unique<Impl>()) {}
ChannelCaptionParser::~ChannelCaptionParser() = default;

Result<Caption> ChannelCaptionParser::read(std::string_view json, const RoomId& room) {
  const Result<simdjson::dom::object> object = impl_->document.object(json);
  if (!object) return object.error();
  Members members;
  take(*object, members);
  if (const auto event = string_of(members.event); event && *event != "caption") {
    return Error{"bad_event_type", "no caption, but an event of another kind"};
  }
  simdjson::dom::object payload;  // the event of a Kafka topic
  if ((*object)["payload"].get_object().get(payload) == simdjson::SUCCESS) take(payload, members);

  const bool translated = is_translated(members);
  Result<std::string> speaker = id(first_of(members.speaker_id, members.user_id), "missing_user", limits::user_id_bytes_max);
  if (!speaker) return speaker.error();
  Result<LanguageTag> tag = wire::language(translated ? first_of(members.target_language, members.language)
                                                      : first_of(members.language, members.source_language));
  if (!tag) return tag.error();
  const auto text = translated ? first_of(members.translated_text, members.text) : string_of(members.text);
  if (!text) return Error{"missing_text", "the text is absent or not a string"};

  Caption caption{room, translated ? CaptionType::translated : CaptionType::original, UserId(std::move(*speaker)), std::move(*tag)};
  caption.text = *text;
  caption.source_language = tag_of(members.source_language);
  if (translated) {
    if (const auto original = string_of(members.original_text)) caption.original_text = std::string(*original);
  } else if (!caption.source_language) {
    caption.source_language = caption.language;
  }
  if (const auto name = string_of(members.speaker_name); name && !name->empty()) caption.speaker_name = std::string(*name);
  caption.is_final = truth_of(members.is_final).value_or(true);
  caption.sequence_number = count_of(members.sequence_number);
  caption.utterance_id = utterance(string_of(members.utterance_id));
  caption.revision = count_of(members.revision);
  caption.event_ms = time_of(members);
  return caption;
}

}  // namespace fluentgate::wire
