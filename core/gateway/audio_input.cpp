#include "core/gateway/audio_input.hpp"

#include <string>

#include "core/audio/pcm.hpp"
#include "core/domain/voice.hpp"

namespace fluentgate::gateway {

AudioInput::AudioInput(const config::Settings& settings, const Clock& clock)
    : settings_(settings), clock_(clock),
      chunker_(settings.audio.chunk_ms, settings.audio.max_chunk_ms, settings.audio.flush_ms, pipeline_rate) {}

AudioInput::Outcome AudioInput::audio(std::span<const std::uint8_t> message) {
  Outcome out;
  if (muted_) {
    // dropped silently, takes no number
  } else if (refused_) {
    out.refusal = refused_;
  } else if (message.empty()) {
    out.refusal = refusal(wire::ErrorCode::empty_message, "an audio message was empty; expected " +
                          std::string(encoding_ == Encoding::opus ? "one Opus packet" : "s16le PCM"));
  } else if (encoding_ == Encoding::opus) {
    opus(message, out);
  } else {
    linear16(message, out);
  }
  return out;
}

void AudioInput::linear16(std::span<const std::uint8_t> message, Outcome& out) {
  if (message.size() % 2 != 0) {
    out.refusal = refusal(wire::ErrorCode::odd_bytes, "s16le PCM has an even number of bytes, got " + std::to_string(message.size()));
    return;
  }
  out.voiced = dbfs(message) >= settings_.suppress.voice_dbfs;
  if (!resampler_) return cut(message, out);
  std::vector<std::int16_t> samples;
  resampler_->process(audio::to_samples(message), samples);
  cut(audio::to_bytes(samples), out);
}

void AudioInput::opus(std::span<const std::uint8_t> message, Outcome& out) {
  const auto duration_us = audio::opus_packet_us(message);
  std::vector<std::int16_t> samples;
  Status decoded = duration_us ? decoder_->decode(message, samples) : Status(duration_us.error());
  if (!decoded) {
    out.refusal = refusal(wire::ErrorCode::bad_opus, decoded.error().text);
    return;
  }
  const Bytes pcm = audio::to_bytes(samples);
  out.voiced = dbfs(pcm) >= settings_.suppress.voice_dbfs;
  if (!passes_opus()) return cut(pcm, out);
  Bytes packet(message.begin(), message.end());
  if (audio::is_opus_stereo(message)) {
    if (Status mixed = mix_down(samples, packet); !mixed) {
      out.refusal = refusal(wire::ErrorCode::bad_opus, mixed.error().text);
      return;
    }
  } else if (mono_encoder_) {
    mono_encoder_->reset();  // what passes as it is does not go through it
  }
  out.pieces.push_back({Encoding::opus, published_opus_rate, std::move(packet), clock_.unix_ms(), *duration_us});
}

// The pipeline's Opus is mono: one packet of the same duration. The encoder is made with the first one that needs it.
Status AudioInput::mix_down(std::span<const std::int16_t> mono, Bytes& packet) {
  if (!mono_encoder_) {
    auto made = audio::OpusMonoEncoder::make();
    if (!made) return made.error();
    mono_encoder_ = std::move(made).value();
  }
  return mono_encoder_->encode(mono, packet);
}

void AudioInput::cut(std::span<const std::uint8_t> pcm, Outcome& out) {
  if (pcm.empty()) return;
  std::vector<Chunker::Cut> cuts;
  chunker_.feed(pcm, clock_.unix_ms(), clock_.steady_ms(), cuts);
  for (auto& cut : cuts) {
    const std::int64_t duration_us = pcm_us(cut.pcm.size(), pipeline_rate);
    out.pieces.push_back({Encoding::linear16, pipeline_rate, std::move(cut.pcm), cut.ingest_ms, duration_us});
  }
}

// Everything that is still held back: the resampler's tail, then the chunker's rest.
void AudioInput::drain(Outcome& out) {
  if (resampler_) {
    std::vector<std::int16_t> tail;
    resampler_->drain(tail);
    cut(audio::to_bytes(tail), out);
  }
  if (auto rest = chunker_.flush()) {
    const std::int64_t duration_us = pcm_us(rest->pcm.size(), pipeline_rate);
    out.pieces.push_back({Encoding::linear16, pipeline_rate, std::move(rest->pcm), rest->ingest_ms, duration_us});
  }
}

AudioInput::Outcome AudioInput::start(const wire::Start& start) {
  Outcome out;
  drain(out);
  refused_.reset();
  encoding_ = start.encoding;
  resampler_.reset();
  decoder_.reset();
  mono_encoder_.reset();
  if (start.encoding == Encoding::opus) {
    if (auto decoder = audio::OpusDecoder::make(passes_opus() ? published_opus_rate : pipeline_rate)) {
      decoder_ = std::move(decoder).value();
    } else {
      out.refusal = refusal(wire::ErrorCode::unsupported_encoding, decoder.error().text);
    }
  } else if (start.sample_rate != pipeline_rate) {
    if (auto resampler = audio::Resampler::make(start.sample_rate, pipeline_rate)) {
      resampler_ = std::move(resampler).value();
    } else {
      out.refusal = refusal(wire::ErrorCode::unsupported_sample_rate, resampler.error().text);
    }
  }
  if (out.refusal) refused_ = out.refusal;
  return out;
}

AudioInput::Outcome AudioInput::mute() {
  Outcome out;
  drain(out);
  muted_ = true;
  return out;
}

AudioInput::Outcome AudioInput::flush() {
  Outcome out;
  drain(out);
  return out;
}

AudioInput::Outcome AudioInput::tick() {
  Outcome out;
  const auto due = chunker_.flush_due();
  if (due && clock_.steady_ms() >= *due) drain(out);
  return out;
}

}  // namespace fluentgate::gateway
