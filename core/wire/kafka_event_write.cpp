// What is published to audio.raw. Written piece by piece into one string of the right size: no JSON library is this cheap.
#include <algorithm>

#include "core/wire/base64.hpp"
#include "core/wire/event_id.hpp"
#include "core/wire/json_write.hpp"
#include "core/wire/kafka_event.hpp"
#include "core/wire/timestamp.hpp"

namespace fluentgate::wire {
namespace {

constexpr std::size_t envelope_bytes = 320;  // of a value without ids, language and audio

}  // namespace

std::string audio_chunk_json(const AudioChunk& chunk, UnixMs now) {
  std::string out;
  out.reserve(envelope_bytes + chunk.room.value.size() + chunk.user.value.size() + chunk.source_language.size() + base64_size(chunk.audio.size()));
  out += "{\"event_id\":\"";
  append_uuid4(out);
  out += "\",\"event_type\":\"audio.chunk\",\"timestamp\":\"";
  append_timestamp(out, now);
  out += "\",\"payload\":{\"room_id\":";
  append_json_string(out, chunk.room.value);
  out += ",\"user_id\":";
  append_json_string(out, chunk.user.value);
  out += ",\"sequence_number\":";
  append_json_integer(out, chunk.sequence_number);
  out += ",\"audio_data\":\"";
  base64_append(out, chunk.audio);
  out += "\",\"sample_rate\":";
  append_json_integer(out, chunk.sample_rate);
  out += ",\"encoding\":\"";
  out += name_of(chunk.encoding);
  out += '"';
  // Left out where unknown: FluentMeet's workers then take their default, and would refuse null.
  if (!chunk.source_language.empty()) {
    out += ",\"source_language\":";
    append_json_string(out, chunk.source_language);
  }
  out += "}}";
  return out;
}

std::size_t shorten_audio_value(std::string& value, bool binary, std::size_t bytes_max) {
  std::size_t begin = 0;
  std::size_t end = value.size();
  if (!binary) {
    // No name or text can hold this: their quotes are escaped.
    constexpr std::string_view member = "\"audio_data\":\"";
    begin = value.find(member);
    if (begin == std::string::npos) return 0;
    begin += member.size();
    end = value.find('"', begin);
    if (end == std::string::npos) return 0;
  }
  const std::size_t around = value.size() - (end - begin);
  const std::size_t unit = binary ? 2 : 8;  // eight digits are six bytes: whole samples, no padding
  std::size_t kept = bytes_max > around ? (bytes_max - around) / unit * unit : 0;
  kept = std::max(kept, unit);
  if (begin + kept >= end) return 0;
  const std::string_view text = std::string_view(value).substr(begin, end - begin);
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  const std::size_t removed = binary ? end - begin - kept : text.size() / 4 * 3 - padding - kept / 4 * 3;
  value.erase(begin + kept, end - begin - kept);
  return removed;
}

std::vector<OwnedHeader> audio_chunk_headers(const AudioChunk& chunk, std::string_view instance, bool binary) {
  std::vector<OwnedHeader> headers;
  headers.reserve(11);
  headers.push_back({"fg-ingest-ms", std::to_string(chunk.ingest_ms)});
  headers.push_back({"fg-seq", std::to_string(chunk.sequence_number)});
  headers.push_back({"fg-instance", std::string(instance)});
  if (chunk.wanted_known) headers.push_back({"fg-wanted", chunk.wanted});
  headers.push_back({"traceparent", traceparent()});
  if (chunk.gap_ms > 0) headers.push_back({"fg-gap-ms", std::to_string(chunk.gap_ms)});
  if (!binary) return headers;
  headers.push_back({"fg-room", chunk.room.value});
  headers.push_back({"fg-user", chunk.user.value});
  headers.push_back({"fg-rate", std::to_string(chunk.sample_rate)});
  headers.push_back({"fg-enc", std::string(name_of(chunk.encoding))});
  headers.push_back({"fg-lang", chunk.source_language});
  return headers;
}

}  // namespace fluentgate::wire
