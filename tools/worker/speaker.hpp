// One speaker's stream: decode, resample, find phrases, recognize them as they are spoken, publish the transcript, and pass the phrase on.
// Thread: one at a time (a speaker belongs to one speech thread). Times are injected, steady microseconds.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/audio/opus_codec.hpp"
#include "core/audio/resampler.hpp"
#include "tools/worker/endpointer.hpp"
#include "tools/worker/events.hpp"
#include "tools/worker/phrase.hpp"
#include "tools/worker/say.hpp"
#include "tools/worker/speech_recognizer.hpp"

namespace fluentgate::worker {

// Shared by all speakers.
struct SpeechContext {
  DecoderPool& decoders;
  Publisher& publisher;
  std::function<void(const PhrasePtr&)> on_phrase;  // only phrases that somebody wants translated
  std::vector<std::string> languages;
  std::shared_ptr<Summary> summary;
  EndpointerSettings endpointer{};
  SaySometimes bad_opus{};
  SaySometimes no_decoder{};
  SaySometimes other_language{10000};
};

class Speaker {
 public:
  static constexpr int interim_ms = 300;       // at most one interim transcript in that time
  static constexpr int lead_in_ms = 300;       // of the sound before a phrase was noticed, the part that is recognized too
  static constexpr int voice_ms_min = 120;     // less is a click or a cough
  static constexpr int silent_stream_ms = 400; // no more audio for that long and a chunk's length: the phrase is over (mute, or a client that sends voice only)

  Speaker(SpeechContext& context, std::string key);
  ~Speaker();

  void on_chunk(const Chunk& chunk, SteadyUs now_us);
  // Ends a phrase whose stream has stopped. Called now and then.
  void on_tick(SteadyUs now_us);
  SteadyUs last_chunk_us() const noexcept { return last_chunk_us_; }

 private:
  bool to_samples(const Chunk& chunk);  // appends to carry_; false: nothing usable
  void on_frame(std::span<const std::int16_t> frame, SteadyUs now_us);
  void begin_phrase();
  void end_phrase(SteadyUs now_us);
  void publish_transcript(const ChunkInfo& at, const std::string& text, bool is_final);
  void maybe_interim(SteadyUs now_us);
  void feed_pending();

  SpeechContext& context_;
  const std::string key_;  // room and user, for the decoder pool
  Endpointer endpointer_;
  std::optional<audio::Resampler> resampler_;
  std::optional<audio::OpusDecoder> opus_;
  std::vector<std::int16_t> decoded_;
  std::vector<std::int16_t> carry_;    // 16 kHz, less than a frame between chunks
  std::vector<std::int16_t> lead_in_;  // 16 kHz, outside of phrases
  std::vector<std::int16_t> pending_;  // of the phrase, not yet fed
  ChunkInfoPtr newest_;
  SteadyUs last_chunk_us_ = 0;
  std::int64_t last_chunk_ms_ = 0;

  // The phrase that is open.
  std::unique_ptr<Decoder> decoder_;
  ChunkInfoPtr last_voiced_;
  std::string utterance_id_;
  std::string last_interim_;
  std::int64_t revision_ = 0;
  SteadyUs last_interim_us_ = 0;
};

}  // namespace fluentgate::worker
