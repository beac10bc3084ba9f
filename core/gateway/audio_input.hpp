// What comes in on one audio socket: format, mute, decoding, resampling and re-cutting, until there are chunks (CONTRACT 2). Thread: loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/audio/opus_codec.hpp"
#include "core/audio/opus_mono_encoder.hpp"
#include "core/audio/resampler.hpp"
#include "core/config/settings.hpp"
#include "core/domain/chunker.hpp"
#include "core/domain/clock.hpp"
#include "core/domain/media.hpp"
#include "core/wire/client_message.hpp"
#include "core/wire/error_code.hpp"

namespace fluentgate::gateway {

class AudioInput {
 public:
  static constexpr int pipeline_rate = 16000;  // Hz, of linear16 in audio.raw
  static constexpr int published_opus_rate = audio::OpusMonoEncoder::sample_rate;  // Hz, of Opus in audio.raw

  // A piece of audio ready to be published; room, user, languages and demand are the caller's.
  struct Piece {
    Encoding encoding = Encoding::linear16;
    int sample_rate = pipeline_rate;
    Bytes audio;
    UnixMs ingest_ms = 0;
    std::int64_t duration_us = 0;
  };
  struct Outcome {
    std::vector<Piece> pieces;
    std::optional<wire::Refusal> refusal;  // to be told as `error`; the socket lives on
    bool voiced = false;                   // at or above suppress.voice_dbfs
  };

  AudioInput(const config::Settings& settings, const Clock& clock);

  // One message of audio in the current format.
  Outcome audio(std::span<const std::uint8_t> message);
  // A new format. What was buffered comes out first.
  Outcome start(const wire::Start& start);
  // A `start` that was refused: audio is refused until a good one.
  void refuse_audio(const wire::Refusal& refusal) { refused_ = refusal; }
  Outcome mute();
  void unmute() noexcept { muted_ = false; }
  Outcome flush();
  // flush() if audio.flush_ms have gone by without audio.
  Outcome tick();
  bool muted() const noexcept { return muted_; }

 private:
  void linear16(std::span<const std::uint8_t> message, Outcome& out);
  void opus(std::span<const std::uint8_t> message, Outcome& out);
  Status mix_down(std::span<const std::int16_t> mono, Bytes& packet);
  bool passes_opus() const noexcept { return settings_.audio.pipeline_encoding == config::PipelineEncoding::opus; }
  void cut(std::span<const std::uint8_t> pcm, Outcome& out);
  void drain(Outcome& out);
  static wire::Refusal refusal(wire::ErrorCode code, std::string detail) { return {code, std::move(detail), false}; }

  const config::Settings& settings_;
  const Clock& clock_;
  Chunker chunker_;
  std::optional<audio::Resampler> resampler_;   // where the client's rate is another
  std::optional<audio::OpusDecoder> decoder_;   // where the client sends Opus
  std::optional<audio::OpusMonoEncoder> mono_encoder_;  // where it sends stereo and Opus is passed on
  Encoding encoding_ = Encoding::linear16;
  bool muted_ = false;
  std::optional<wire::Refusal> refused_;
};

}  // namespace fluentgate::gateway
