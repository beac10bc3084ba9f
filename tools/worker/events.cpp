// See events.hpp.
#include "tools/worker/events.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cctype>

#include "core/wire/base64.hpp"
#include "core/wire/event_id.hpp"
#include "core/wire/json_write.hpp"
#include "core/wire/timestamp.hpp"

namespace fluentgate::worker {
namespace {

constexpr int rate_min = 8000;
constexpr int rate_max = 48000;
constexpr std::string_view english = "en";

const std::string* find(const std::vector<Header>& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (header.name == name) return &header.value;
  }
  return nullptr;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool is_tag(std::string_view text) { return LanguageTag::parse(text).ok(); }

// Headers of the value's own format (they describe the chunk's bytes, not ours) are left out, the span is a new one, the rest as it was.
std::vector<Header> copied_headers(const ChunkInfo& at) {
  std::vector<Header> headers;
  headers.reserve(at.headers.size() + 4);
  for (const Header& header : at.headers) {
    const std::string& n = header.name;
    if (n == "fg-room" || n == "fg-user" || n == "fg-rate" || n == "fg-enc" || n == "fg-lang" || n == "fg-utterance") continue;
    headers.push_back(header);
    // version-traceid-spanid-flags, W3C Trace Context 3.2
    std::string& value = headers.back().value;
    if (n == "traceparent" && value.size() >= 55 && value[35] == '-' && value[52] == '-') value.replace(36, 16, wire::traceparent(), 36, 16);
  }
  return headers;
}

std::string envelope(std::string_view event_type, std::string_view payload, UnixMs now) {
  std::string id;
  wire::append_uuid4(id);
  std::string timestamp;
  wire::append_timestamp(timestamp, now);
  return wire::ObjectWriter(payload.size() + 192).text("event_id", std::string_view(id)).text("event_type", event_type)
      .text("timestamp", std::string_view(timestamp)).raw("payload", payload).finish();
}

wire::ObjectWriter payload_of(const ChunkInfo& at, std::size_t reserve) {
  wire::ObjectWriter writer(reserve);
  writer.text("room_id", std::string_view(at.room)).text("user_id", std::string_view(at.user)).integer("sequence_number", at.sequence_number);
  return writer;
}

std::string_view source_of(const ChunkInfo& at) { return at.source_language.empty() ? english : std::string_view(at.source_language); }

}  // namespace

std::vector<std::string> parse_wanted(std::string_view header) {
  std::vector<std::string> tags;
  std::set<std::string> seen;
  while (!header.empty() && tags.size() < wanted_languages_max) {
    const std::size_t comma = std::min(header.find(','), header.size());
    std::string_view tag = header.substr(0, comma);
    header.remove_prefix(std::min(comma + 1, header.size()));
    while (!tag.empty() && tag.front() == ' ') tag.remove_prefix(1);
    while (!tag.empty() && tag.back() == ' ') tag.remove_suffix(1);
    if (is_tag(tag) && seen.insert(lower(tag)).second) tags.emplace_back(tag);
  }
  return tags;
}

std::string primary_subtag(std::string_view tag) { return lower(tag.substr(0, tag.find('-'))); }

struct ChunkParser::Impl {
  simdjson::dom::parser parser;
  Status json(std::string_view value, Chunk& chunk, ChunkInfo& info);
  static Status binary(std::string_view value, Chunk& chunk, ChunkInfo& info);
};

ChunkParser::ChunkParser() : impl_(std::make_unique<Impl>()) {}
ChunkParser::~ChunkParser() = default;

Status ChunkParser::Impl::json(std::string_view value, Chunk& chunk, ChunkInfo& info) {
  simdjson::dom::element document;
  if (parser.parse(value.data(), value.size()).get(document)) return Error{"not_json", "the value is neither JSON nor described by headers"};
  simdjson::dom::object payload;
  if (document["payload"].get(payload)) return Error{"not_an_object", "no object with a payload"};
  const auto text = [&](const char* name) -> std::optional<std::string_view> {
    std::string_view found;
    if (payload[name].get(found)) return std::nullopt;
    return found;
  };
  const auto room = text("room_id");
  if (!room || room->empty()) return Error{"missing_room", "no room_id"};
  const auto user = text("user_id");
  if (!user || user->empty()) return Error{"missing_user", "no user_id"};
  info.room = *room;
  info.user = *user;
  info.source_language = text("source_language").value_or("");
  if (payload["sequence_number"].get(info.sequence_number)) return Error{"missing_sequence", "no sequence_number"};
  std::int64_t rate = 16000;
  if (const auto given = payload["sample_rate"]; given.error() == simdjson::SUCCESS && given.get(rate)) rate = 0;
  chunk.sample_rate = rate < rate_min || rate > rate_max ? 0 : static_cast<int>(rate);
  const std::string_view encoding = text("encoding").value_or("linear16");
  if (encoding == "opus") chunk.encoding = Encoding::opus;
  else if (encoding != "linear16") return Error{"bad_encoding", "encoding is neither linear16 nor opus"};
  const auto data = text("audio_data");
  if (!data) return Error{"missing_audio", "no audio_data"};
  auto audio = wire::base64_decode(*data);
  if (!audio) return Error{"bad_base64", "audio_data is not base64"};
  chunk.audio = std::move(*audio);
  return ok();
}

Status ChunkParser::Impl::binary(std::string_view value, Chunk& chunk, ChunkInfo& info) {
  const auto text = [&](std::string_view name) {
    const std::string* found = find(info.headers, name);
    return found == nullptr ? std::string() : *found;
  };
  info.room = text("fg-room");
  info.user = text("fg-user");
  info.source_language = text("fg-lang");
  if (info.room.empty()) return Error{"missing_room", "fg-room is empty"};
  if (info.user.empty()) return Error{"missing_user", "fg-user is empty"};
  const auto sequence = number(text("fg-seq"));
  if (!sequence) return Error{"missing_sequence", "fg-seq is no number"};
  info.sequence_number = *sequence;
  if (const std::string* rate = find(info.headers, "fg-rate")) {
    const auto given = number(*rate);
    chunk.sample_rate = given && *given >= rate_min && *given <= rate_max ? static_cast<int>(*given) : 0;
  }
  const std::string encoding = text("fg-enc");
  if (encoding == "opus") chunk.encoding = Encoding::opus;
  else if (!encoding.empty() && encoding != "linear16") return Error{"bad_encoding", "fg-enc is neither linear16 nor opus"};
  chunk.audio.assign(value.begin(), value.end());
  return ok();
}

Result<Chunk> ChunkParser::parse(std::string_view value, std::vector<Header> headers, UnixMs now, SteadyUs now_us) {
  Chunk chunk;
  auto info = std::make_shared<ChunkInfo>();
  info->headers = std::move(headers);
  info->arrival_ms = now;
  info->arrival_us = now_us;
  const bool binary = find(info->headers, "fg-room") != nullptr && find(info->headers, "fg-user") != nullptr;
  if (const Status parsed = binary ? Impl::binary(value, chunk, *info) : impl_->json(value, chunk, *info); !parsed) return parsed.error();
  if (chunk.audio.empty()) return Error{"missing_audio", "no audio"};
  if (chunk.sample_rate == 0) return Error{"bad_sample_rate", "sample_rate is not within 8000 to 48000"};
  if (chunk.encoding == Encoding::linear16 && chunk.audio.size() % 2 != 0) return Error{"odd_bytes", "an odd number of PCM bytes"};
  if (!info->source_language.empty() && !is_tag(info->source_language)) info->source_language.clear();
  if (const std::string* wanted = find(info->headers, "fg-wanted")) info->wanted = *wanted;
  if (const std::string* ingest = find(info->headers, "fg-ingest-ms")) info->ingest_ms = number(*ingest);
  chunk.info = std::move(info);
  return chunk;
}

// `confidence` is left out: the one-pass search has no word lattice to take a posterior from, and a made-up number would be worse than none.
Message transcript_message(const TranscriptEvent& event, UnixMs now) {
  const std::string payload = payload_of(event.at, 256 + event.text.size()).text("text", event.text)
      .text("source_language", source_of(event.at)).boolean("is_final", event.is_final)
      .text("utterance_id", event.utterance_id).integer("revision", event.revision).finish();
  return {Topic::text_original, event.at.room, envelope("text.transcription", payload, now), copied_headers(event.at), {}};
}

Message translation_message(const TranslationEvent& event, UnixMs now) {
  const std::string payload = payload_of(event.at, 320 + event.original_text.size() + event.translated_text.size())
      .text("original_text", event.original_text).text("translated_text", event.translated_text)
      .text("source_language", source_of(event.at)).text("target_language", event.target_language)
      .text("utterance_id", event.utterance_id).finish();
  return {Topic::text_translated, event.at.room, envelope("text.translation", payload, now), copied_headers(event.at), {}};
}

Message synthesized_message(const SynthesizedPiece& piece, bool binary, UnixMs now) {
  Message message{Topic::audio_synthesized, piece.at.room, {}, copied_headers(piece.at), {}};
  if (binary) {
    message.value.assign(piece.audio.begin(), piece.audio.end());
    std::erase_if(message.headers, [](const Header& header) { return header.name == "fg-seq"; });
    message.headers.push_back({"fg-room", piece.at.room});
    message.headers.push_back({"fg-user", piece.at.user});
    message.headers.push_back({"fg-seq", std::to_string(piece.at.sequence_number)});
    message.headers.push_back({"fg-rate", std::to_string(piece.sample_rate)});
    message.headers.push_back({"fg-enc", "linear16"});
    message.headers.push_back({"fg-lang", std::string(piece.target_language)});
    message.headers.push_back({"fg-utterance", std::string(piece.utterance_id)});
    return message;
  }
  std::string audio;
  audio.reserve(wire::base64_size(piece.audio.size()) + 2);
  audio += '"';
  wire::base64_append(audio, piece.audio);
  audio += '"';
  const std::string payload = payload_of(piece.at, 320 + audio.size()).raw("audio_data", audio)
      .text("source_language", source_of(piece.at)).text("target_language", piece.target_language)
      .integer("sample_rate", piece.sample_rate).text("encoding", "linear16").text("utterance_id", piece.utterance_id).finish();
  message.value = envelope("audio.synthesized", payload, now);
  return message;
}

}  // namespace fluentgate::worker
