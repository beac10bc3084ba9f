// What the worker reads and writes on Kafka (CONTRACT 4): chunks of audio.raw in both formats; transcripts, translations and synthesized pieces.
// Thread: any; a ChunkParser one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/media.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::worker {

struct Header {
  std::string name;
  std::string value;
};

// Everything of a chunk but its sound: what later events of the phrase copy.
struct ChunkInfo {
  std::string room;
  std::string user;
  std::string source_language;  // as told; empty: unknown
  std::int64_t sequence_number = 0;
  std::vector<Header> headers;             // as they were
  std::optional<std::string> wanted;       // header fg-wanted; none: make every language
  std::optional<UnixMs> ingest_ms;         // header fg-ingest-ms
  UnixMs arrival_ms = 0;                   // when this process had it; the same instant:
  SteadyUs arrival_us = 0;
};
using ChunkInfoPtr = std::shared_ptr<const ChunkInfo>;

struct Chunk {
  ChunkInfoPtr info;
  Encoding encoding = Encoding::linear16;
  int sample_rate = 16000;
  Bytes audio;
};

// The languages of an fg-wanted header: split at commas, trimmed, repeats (without regard to case) and what is no language tag left out; spelled
// as they came, at most wanted_languages_max.
inline constexpr std::size_t wanted_languages_max = 64;
std::vector<std::string> parse_wanted(std::string_view header);
// "es" of "es-MX", in lower case.
std::string primary_subtag(std::string_view tag);

class ChunkParser {
 public:
  ChunkParser();
  ~ChunkParser();
  // Errors, by code: not_json not_an_object missing_room missing_user missing_audio missing_sequence bad_base64 odd_bytes bad_sample_rate bad_encoding.
  Result<Chunk> parse(std::string_view value, std::vector<Header> headers, UnixMs now, SteadyUs now_us);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class Topic : std::uint8_t { text_original, text_translated, audio_synthesized };
inline constexpr std::size_t topics_out = 3;

struct Message {
  Topic topic = Topic::text_original;
  std::string key;
  std::string value;
  std::vector<Header> headers;
  std::function<void(bool delivered)> acknowledged;  // may be empty; called once, on the link's thread
};

// Where messages go. Thread: any.
class Publisher {
 public:
  virtual ~Publisher() = default;
  virtual void publish(Message message) = 0;
};

// `at` is the chunk whose number and headers the event carries.
struct TranscriptEvent {
  const ChunkInfo& at;
  std::string_view text;
  std::string_view utterance_id;
  std::int64_t revision = 0;
  bool is_final = false;
};
Message transcript_message(const TranscriptEvent& event, UnixMs now);

struct TranslationEvent {
  const ChunkInfo& at;
  std::string_view original_text;
  std::string_view translated_text;
  std::string_view target_language;
  std::string_view utterance_id;
};
Message translation_message(const TranslationEvent& event, UnixMs now);

struct SynthesizedPiece {
  const ChunkInfo& at;
  std::string_view target_language;
  std::string_view utterance_id;
  int sample_rate = 16000;
  std::span<const std::uint8_t> audio;  // s16le mono
};
Message synthesized_message(const SynthesizedPiece& piece, bool binary, UnixMs now);

}  // namespace fluentgate::worker
