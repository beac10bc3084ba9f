// Values and headers of the four Kafka topics (CONTRACT 4), both formats. Reading is done on the kafka thread, writing where the chunk is published.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/media.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::wire {

struct Header {
  std::string_view name;
  std::string_view value;
};

// One consumed record; views into librdkafka's memory, valid while the message is.
struct KafkaRecord {
  std::string_view value;
  std::span<const Header> headers;
  LogPosition position;
};

// A record of audio.synthesized before its audio is decoded, so that what nobody here hears costs no base64.
struct SynthesizedEvent {
  RoomId room;
  UserId speaker;
  LanguageTag language;
  std::optional<std::int64_t> sequence_number;
  std::optional<std::string> utterance_id;
  std::optional<std::string> source_language;
  int sample_rate = 16000;
  Encoding encoding = Encoding::linear16;
  std::optional<UnixMs> ingest_ms;
  bool base64 = false;       // how `audio` is coded
  std::string_view audio;    // valid until the parser's next call and while the record is
};

// Reasons of malformed messages, the label values of fluentgate_messages_malformed_total; Error::code is one of them.
//   not_json not_an_object missing_room missing_user missing_language bad_language missing_text missing_audio bad_base64 odd_bytes
//   bad_sample_rate bad_encoding bad_opus too_deep bad_event_type missing_sequence (audio_raw_key only)
std::span<const std::string_view> malformed_reasons() noexcept;

// Thread: one at a time. Keeps simdjson's buffers between calls.
class EventParser {
 public:
  EventParser();
  ~EventParser();
  // Recognises the format by itself: an object of JSON with a payload, else `binary` by its headers.
  Result<SynthesizedEvent> synthesized(const KafkaRecord& record);
  Result<Caption> original(const KafkaRecord& record);    // text.original; arrival_ms is the caller's
  Result<Caption> translated(const KafkaRecord& record);  // text.translated

  // For sequence recovery: room, user and number of a record of audio.raw; headers first (fg-room and fg-user in binary; fg-seq), then the value.
  struct RawKey { RoomId room; UserId user; std::int64_t sequence_number; };
  Result<RawKey> audio_raw_key(const KafkaRecord& record);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The value of audio.raw in JSON. event_id is a fresh UUID version 4 (RFC 9562); the timestamp is `now`, with microseconds and +00:00.
std::string audio_chunk_json(const AudioChunk& chunk, UnixMs now);
// In binary the value is chunk.audio itself.
// Cuts the end of the PCM off such a value, so that it has at most about `bytes_max` bytes and some PCM is left. Returns the bytes of PCM that are
// gone; 0: it can't be made smaller, and is as it was.
std::size_t shorten_audio_value(std::string& value, bool binary, std::size_t bytes_max);

// The headers of CONTRACT 4 for this chunk in this order: fg-ingest-ms fg-seq fg-instance fg-wanted traceparent, fg-gap-ms if > 0, and in binary
// also fg-room fg-user fg-rate fg-enc fg-lang. Owned strings, names are literals.
struct OwnedHeader { std::string_view name; std::string value; };
std::vector<OwnedHeader> audio_chunk_headers(const AudioChunk& chunk, std::string_view instance, bool binary);

}  // namespace fluentgate::wire
