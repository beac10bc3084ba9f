// One pass over the message collects the members that matter here; each type then reads its own. Of a repeated member the last counts,
// but `type` and `target_user_id`, which decide where a message goes, may not be repeated.
#include "core/wire/client_message.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/domain/limits.hpp"
#include "core/wire/json_scan.hpp"

namespace fluentgate::wire {
namespace {

struct Value {
  std::string_view raw;
  JsonType type = JsonType::null;
  bool given() const noexcept { return type != JsonType::null; }
};

// The members of interest, by name.
struct Members {
  Value listening_language, speaking_language, understands, token, encoding, sample_rate, channels, speaker_id, sequence_number, buffered_ms;
  Value target_user_id, type;
  int targets = 0;
  int types = 0;

  Value* find(std::string_view key) {
    if (key == "type") return ++types, &type;
    if (key == "target_user_id") return ++targets, &target_user_id;
    static constexpr std::array<std::pair<std::string_view, Value Members::*>, 10> table{{
        {"listening_language", &Members::listening_language}, {"speaking_language", &Members::speaking_language},
        {"understands", &Members::understands}, {"token", &Members::token}, {"encoding", &Members::encoding},
        {"sample_rate", &Members::sample_rate}, {"channels", &Members::channels}, {"speaker_id", &Members::speaker_id},
        {"sequence_number", &Members::sequence_number}, {"buffered_ms", &Members::buffered_ms}}};
    for (const auto& [name, member] : table) {
      if (name == key) return &(this->*member);
    }
    return nullptr;
  }
};

// For the details of errors: what the client sent, cut at a bound.
std::string shown(std::string_view text) {
  constexpr std::size_t shown_max = 64;
  std::string out = "\"";
  out += text.substr(0, shown_max);
  out += text.size() > shown_max ? "...\"" : "\"";
  return out;
}

Refusal refuse(ErrorCode code, std::string detail) { return Refusal{code, std::move(detail), false}; }

Result<Members> read(std::string_view text) {
  Members members;
  ObjectScanner scanner(text);
  while (const auto member = scanner.next()) {
    if (Value* const value = members.find(member->key)) *value = {member->value, member->type};
  }
  if (Status status = scanner.status(); !status) return status.error();
  if (members.types > 1) return Error{"invalid_json", "type is given twice"};
  return members;
}

Refusal refuse(const Error& error) {
  return refuse(error.code == "not_an_object" ? ErrorCode::not_an_object : ErrorCode::invalid_json, error.text);
}

Result<LanguageList> language_array(std::string_view raw) {
  LanguageList list;
  std::size_t count = 0;
  ArrayScanner elements(raw);
  while (const auto element = elements.next()) {
    if (++count > limits::language_list_max) {
      return Error{"bad_language", "more than " + std::to_string(limits::language_list_max) + " languages"};
    }
    if (element->type != JsonType::string) return Error{"bad_language", "a list of languages holds strings"};
    Result<LanguageTag> tag = LanguageTag::parse(decoded_string(element->value));
    if (!tag) return tag.error();
    if (std::find(list.begin(), list.end(), *tag) == list.end()) list.push_back(std::move(*tag));
  }
  return list;
}

Result<LanguageList> languages(const Value& value) {
  if (value.type == JsonType::array) return language_array(value.raw);
  if (value.type == JsonType::string) return parse_language_list(decoded_string(value.raw));
  return Error{"bad_language", "a language is a string or a list of strings"};
}

Result<LanguageTag> language(const Value& value) {
  if (value.type != JsonType::string) return Error{"bad_language", "speaking_language is a string"};
  return LanguageTag::parse(decoded_string(value.raw));
}

ClientMessage set_language(const Members& members) {
  SetLanguage message;
  const auto refused = [](std::string_view member, const Error& error) {
    return refuse(ErrorCode::bad_language, std::string(member) + ": " + error.text);
  };
  if (members.listening_language.given()) {
    Result<LanguageList> list = languages(members.listening_language);
    if (!list) return refused("listening_language", list.error());
    if (list->empty()) return refuse(ErrorCode::bad_language, "listening_language is empty");
    message.listening = std::move(*list);
  }
  if (members.speaking_language.given()) {
    Result<LanguageTag> tag = language(members.speaking_language);
    if (!tag) return refused("speaking_language", tag.error());
    message.speaking = std::move(*tag);
  }
  if (members.understands.given()) {
    Result<LanguageList> list = languages(members.understands);
    if (!list) return refused("understands", list.error());
    message.understands = std::move(*list);
  }
  if (!message.listening && !message.speaking && !message.understands) {
    return refuse(ErrorCode::bad_language, "set_language without listening_language, speaking_language or understands");
  }
  return message;
}

ClientMessage refresh(const Members& members) {
  if (members.token.type != JsonType::string) return refuse(ErrorCode::invalid_token, "refresh without a token");
  Refresh message{decoded_string(members.token.raw)};
  if (message.token.empty()) return refuse(ErrorCode::invalid_token, "the token is empty");
  if (message.token.size() > limits::token_bytes_max) return refuse(ErrorCode::invalid_token, "the token is too long");
  return message;
}

// Every member but `type`.
Ping ping(std::string_view text) {
  Ping message;
  ObjectScanner scanner(text);
  while (const auto member = scanner.next()) {
    if (member->key == "type") continue;
    message.members += ',';
    message.members += member->raw;
  }
  return message;
}

std::optional<Refusal> start_format(const Members& members, Start& start) {
  if (members.encoding.given()) {
    const std::string name = members.encoding.type == JsonType::string ? decoded_string(members.encoding.raw) : std::string(members.encoding.raw);
    if (name != name_of(Encoding::linear16) && name != name_of(Encoding::opus)) {
      return refuse(ErrorCode::unsupported_encoding, "encoding " + shown(name) + " is neither linear16 nor opus");
    }
    start.encoding = name == name_of(Encoding::opus) ? Encoding::opus : Encoding::linear16;
  }
  if (start.encoding == Encoding::opus) start.sample_rate = 48000;
  if (members.sample_rate.given()) {
    const auto rate = members.sample_rate.type == JsonType::number ? integer_value(members.sample_rate.raw) : std::nullopt;
    if (!rate || *rate < 8000 || *rate > 48000) {
      return refuse(ErrorCode::unsupported_sample_rate, "sample_rate " + shown(members.sample_rate.raw) + " is not a whole number from 8000 to 48000");
    }
    start.sample_rate = static_cast<int>(*rate);
  }
  if (members.channels.given()) {
    const auto channels = members.channels.type == JsonType::number ? integer_value(members.channels.raw) : std::nullopt;
    const std::int64_t channels_max = start.encoding == Encoding::opus ? 2 : 1;
    if (!channels || *channels < 1 || *channels > channels_max) {
      return refuse(ErrorCode::stereo, "channels " + shown(members.channels.raw) + ": only mono is taken (Opus: mono or stereo)");
    }
    start.channels = static_cast<int>(*channels);
  }
  return std::nullopt;
}

ClientMessage start(const Members& members) {
  Start message;
  if (auto refusal = start_format(members, message)) {
    refusal->start = true;
    return *std::move(refusal);
  }
  if (members.speaking_language.given()) {
    Result<LanguageTag> tag = language(members.speaking_language);
    if (!tag) return Refusal{ErrorCode::bad_language, "speaking_language: " + tag.error().text, true};
    message.speaking_language = std::move(*tag);
  }
  return message;
}

ClientMessage played(const Members& members) {
  Played message;
  if (members.speaker_id.type != JsonType::string) return refuse(ErrorCode::invalid_json, "played: speaker_id is a string");
  message.speaker = UserId(decoded_string(members.speaker_id.raw));
  if (message.speaker.empty() || message.speaker.value.size() > limits::user_id_bytes_max) {
    return refuse(ErrorCode::invalid_json, "played: speaker_id is empty or too long");
  }
  if (members.sequence_number.given()) {
    message.sequence_number = members.sequence_number.type == JsonType::number ? integer_value(members.sequence_number.raw) : std::nullopt;
    if (!message.sequence_number) return refuse(ErrorCode::invalid_json, "played: sequence_number is a whole number or null");
  }
  const auto buffered = members.buffered_ms.type == JsonType::number ? number_value(members.buffered_ms.raw) : std::nullopt;
  if (!buffered || *buffered < 0 || *buffered > static_cast<double>(played_buffered_ms_max)) {
    return refuse(ErrorCode::invalid_json, "played: buffered_ms is a number from 0 to " + std::to_string(played_buffered_ms_max));
  }
  message.buffered_ms = std::llround(*buffered);
  return message;
}

// What every socket that accepts text understands; nothing if it is none of these.
std::optional<ClientMessage> shared_control(std::string_view type, const Members& members, std::string_view text) {
  if (type == "set_language") return set_language(members);
  if (type == "refresh") return refresh(members);
  if (type == "ping") return ping(text);
  return std::nullopt;
}

}  // namespace

bool is_control(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

ClientMessage parse_audio_control(std::string_view text) {
  const Result<Members> members = read(text);
  if (!members) return refuse(members.error());
  if (members->type.type != JsonType::string) return refuse(ErrorCode::missing_type, "type is absent or not a string");
  const std::string type = decoded_string(members->type.raw);
  if (auto control = shared_control(type, *members, text)) return *std::move(control);
  if (type == "start") return start(*members);
  if (type == "mute") return Mute{};
  if (type == "unmute") return Unmute{};
  if (type == "flush") return Flush{};
  if (type == "played") return played(*members);
  return refuse(ErrorCode::unknown_type, "type " + shown(type) + " is unknown on audio sockets");
}

bool reserved_type(std::string_view type) noexcept {
  static constexpr std::array<std::string_view, 15> reserved{
      "existing_users", "user_joined", "user_left", "suppress_original", "restore_original", "going_away", "pipeline_heartbeat", "listeners",
      "language", "refreshed", "token_expiring", "removed", "revoked", "pong", "error"};
  return std::find(reserved.begin(), reserved.end(), type) != reserved.end();
}

ClientMessage parse_signaling(std::string_view text) {
  const Result<Members> members = read(text);
  if (!members) return refuse(members.error());
  if (members->type.type != JsonType::string) return refuse(ErrorCode::missing_type, "type is absent or not a string");
  std::string type = decoded_string(members->type.raw);
  if (reserved_type(type)) return refuse(ErrorCode::reserved_type, "type " + shown(type) + " is sent by the gateway only");
  if (auto control = shared_control(type, *members, text)) return *std::move(control);

  Relay relay{std::move(type), std::nullopt};
  if (members->targets > 1) return refuse(ErrorCode::invalid_json, "target_user_id is given twice");
  if (members->target_user_id.given()) {
    if (members->target_user_id.type != JsonType::string) return refuse(ErrorCode::invalid_json, "target_user_id is a string or null");
    relay.target_user_id = decoded_string(members->target_user_id.raw);
  }
  return relay;
}

}  // namespace fluentgate::wire
