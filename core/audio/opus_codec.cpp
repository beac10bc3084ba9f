// libopus behind move-only objects and Result.
#include "core/audio/opus_codec.hpp"

#include <opus.h>

#include <array>
#include <string>
#include <utility>

namespace fluentgate::audio {

namespace {

constexpr int bitrate_min = 6000;
constexpr int bitrate_max = 510000;
constexpr int frames_max = 48;  // of one packet: 120 ms of 2.5 ms (RFC 6716, 3.2.5)
constexpr std::size_t packet_read_bytes_max = 1u << 24;  // padding has no limit of its own (3.2.5); libopus counts in 32 bits

Error bad_opus(std::string text) { return Error{"bad_opus", "Opus packet: " + std::move(text)}; }

Error bad_rate(int rate) {
  return Error{"unsupported_sample_rate", "sample rate " + std::to_string(rate) + ", Opus allows 8000, 12000, 16000, 24000 and 48000 Hz"};
}

}  // namespace

Result<std::int64_t> opus_packet_us(std::span<const std::uint8_t> packet) {
  if (packet.empty()) return bad_opus("empty");
  if (packet.size() > packet_read_bytes_max) return bad_opus("too long");
  const auto length = static_cast<opus_int32>(packet.size());
  std::array<opus_int16, frames_max> sizes{};
  const int frames = opus_packet_parse(packet.data(), length, nullptr, nullptr, sizes.data(), nullptr);
  if (frames < 0) return bad_opus(opus_strerror(frames));
  const int samples = opus_packet_get_nb_samples(packet.data(), length, 48000);
  if (samples <= 0) return bad_opus(samples == 0 ? "no frames" : opus_strerror(samples));
  return std::int64_t{samples} * 1'000'000 / 48000;
}

void OpusDecoder::Free::operator()(void* state) const noexcept { opus_decoder_destroy(static_cast<::OpusDecoder*>(state)); }

OpusDecoder::OpusDecoder(int sample_rate, State state) noexcept
    : sample_rate_(sample_rate), state_(std::move(state)) {}

Result<OpusDecoder> OpusDecoder::make(int sample_rate) {
  if (!is_opus_rate(sample_rate)) return bad_rate(sample_rate);
  int error = OPUS_OK;
  // A decoder of one channel mixes stereo packets down itself.
  State state(opus_decoder_create(sample_rate, 1, &error));
  if (!state) return Error{"out_of_memory", std::string("Opus decoder: ") + opus_strerror(error)};
  return OpusDecoder(sample_rate, std::move(state));
}

Status OpusDecoder::decode(std::span<const std::uint8_t> packet, std::vector<std::int16_t>& out) {
  const auto duration_us = opus_packet_us(packet);
  if (!duration_us) return duration_us.error();
  const auto samples = static_cast<std::size_t>(*duration_us * sample_rate_ / 1'000'000);
  const std::size_t before = out.size();
  out.resize(before + samples);
  const int decoded = opus_decode(static_cast<::OpusDecoder*>(state_.get()), packet.data(), static_cast<opus_int32>(packet.size()), out.data() + before,
                                  static_cast<int>(samples), 0);
  if (decoded < 0) {
    out.resize(before);
    return bad_opus(opus_strerror(decoded));
  }
  out.resize(before + static_cast<std::size_t>(decoded));
  return ok();
}

void OpusEncoder::Free::operator()(void* state) const noexcept { opus_encoder_destroy(static_cast<::OpusEncoder*>(state)); }

OpusEncoder::OpusEncoder(int sample_rate, int channels, State state) noexcept
    : sample_rate_(sample_rate), channels_(channels), state_(std::move(state)) {}

Result<OpusEncoder> OpusEncoder::make(int sample_rate, int bitrate, int channels) {
  if (!is_opus_rate(sample_rate)) return bad_rate(sample_rate);
  if (channels != 1 && channels != 2) return Error{"bad_channels", "Opus encoder: " + std::to_string(channels) + " channels, allowed are 1 and 2"};
  if (bitrate < bitrate_min || bitrate > bitrate_max) {
    return Error{"bad_bitrate", "Opus encoder: " + std::to_string(bitrate) + " bit/s, allowed are " + std::to_string(bitrate_min) + " to " +
                                    std::to_string(bitrate_max)};
  }
  int error = OPUS_OK;
  State state(opus_encoder_create(sample_rate, channels, OPUS_APPLICATION_VOIP, &error));
  if (!state) return Error{"out_of_memory", std::string("Opus encoder: ") + opus_strerror(error)};
  error = opus_encoder_ctl(static_cast<::OpusEncoder*>(state.get()), OPUS_SET_BITRATE(bitrate));
  if (error != OPUS_OK) return Error{"bad_bitrate", std::string("Opus encoder: ") + opus_strerror(error)};
  return OpusEncoder(sample_rate, channels, std::move(state));
}

Status OpusEncoder::encode(std::span<const std::int16_t> pcm, std::vector<std::uint8_t>& packet) {
  packet.clear();
  const auto channels = static_cast<std::size_t>(channels_);
  if (pcm.empty() || pcm.size() % channels != 0 || pcm.size() / channels > static_cast<std::size_t>(sample_rate_) * opus_packet_ms_max / 1000) {
    return Error{"bad_duration", "Opus encoder: " + std::to_string(pcm.size()) + " samples, allowed are 2.5, 5, 10, 20, 40 or 60 ms"};
  }
  packet.resize(opus_packet_bytes_max);
  const opus_int32 written = opus_encode(static_cast<::OpusEncoder*>(state_.get()), pcm.data(), static_cast<int>(pcm.size() / channels), packet.data(),
                                         static_cast<opus_int32>(packet.size()));
  if (written < 0) {
    packet.clear();
    return Error{"bad_duration", std::string("Opus encoder: ") + opus_strerror(written)};
  }
  packet.resize(static_cast<std::size_t>(written));
  return ok();
}

}  // namespace fluentgate::audio
