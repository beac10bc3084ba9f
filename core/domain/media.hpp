// What flows through the gateway: a chunk of speech in, a frame of synthesized speech out, a caption. Plain values, moved between threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/language.hpp"

namespace fluentgate {

enum class Encoding : std::uint8_t { linear16, opus };
constexpr std::string_view name_of(Encoding e) noexcept { return e == Encoding::opus ? "opus" : "linear16"; }

using Bytes = std::vector<std::uint8_t>;
using SharedBytes = std::shared_ptr<const Bytes>;

// Duration of s16le mono PCM.
constexpr std::int64_t pcm_us(std::size_t bytes, int sample_rate) noexcept {
  return static_cast<std::int64_t>(bytes / 2) * 1'000'000 / sample_rate;
}

// A position in Kafka's log.
struct LogPosition {
  std::uint8_t topic = 0;        // index into the consumer's list of topics: 0 audio_synthesized, 1 text_original, 2 text_translated
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0; // Kafka's
};

// One event for audio.raw. `audio` is s16le mono PCM or one Opus packet.
struct AudioChunk {
  RoomId room;
  UserId user;
  std::int64_t sequence_number = -1;  // given when handed to the producer
  Encoding encoding = Encoding::linear16;
  int sample_rate = 16000;            // Hz; 48000 for Opus
  std::string source_language;        // as the participant spelled it; empty: unknown
  UnixMs ingest_ms = 0;               // arrival of its first byte
  std::int64_t duration_us = 0;
  std::int64_t gap_ms = 0;            // dropped directly before this chunk (header fg-gap-ms when > 0)
  std::string wanted;                 // header fg-wanted
  bool wanted_known = true;           // false: the header is left out, so that workers make every language
  Bytes audio;
};

// One synthesized frame, decoded and converted to what listeners of `audio.output_sample_rate` hear.
struct SynthesizedFrame {
  RoomId room;
  UserId speaker;
  LanguageTag language;
  std::optional<std::int64_t> sequence_number;
  std::optional<std::string> utterance_id;
  std::optional<std::string> source_language;  // as the message told, if it did
  int sample_rate = 16000;          // Hz, of `pcm`
  std::int64_t duration_us = 0;
  SharedBytes pcm;                  // s16le mono; null where nobody listens in this language (it is then only noted as produced)
  std::optional<UnixMs> ingest_ms;  // header fg-ingest-ms
  UnixMs kafka_ms = 0;              // the record's timestamp
  UnixMs arrival_ms = 0;            // when this process had it
  SteadyUs arrival_us = 0;
};

enum class CaptionType : std::uint8_t { original, translated };
constexpr std::string_view name_of(CaptionType t) noexcept { return t == CaptionType::original ? "original" : "translated"; }

struct Caption {
  RoomId room;
  CaptionType type = CaptionType::original;
  UserId speaker;
  LanguageTag language;                        // of `text`
  std::optional<LanguageTag> source_language;  // of the speech
  std::string text;
  std::optional<std::string> original_text;    // translated captions, where known
  bool is_final = true;
  std::optional<std::int64_t> sequence_number;
  std::optional<std::string> utterance_id;     // as the worker sent it
  std::optional<std::int64_t> revision;        // as the worker sent it
  std::optional<std::string> speaker_name;     // filled in by the caption service, where the speaker is known
  std::optional<UnixMs> event_ms;              // the event's own timestamp
  std::optional<UnixMs> ingest_ms;             // header fg-ingest-ms
  LogPosition position;
  UnixMs arrival_ms = 0;
  bool replayed = false;                       // read back from before the start: fills the history, is not shown live
};

}  // namespace fluentgate
