// libopus' encoder and repacketizer: frames of equal length, then one packet of them.
#include "core/audio/opus_mono_encoder.hpp"

#include <opus.h>

#include <array>
#include <string>
#include <utility>

namespace fluentgate::audio {

namespace {

// Frame lengths of CELT in samples, longest first. Every duration of a packet is a multiple of one of them.
constexpr std::array<std::size_t, 4> frame_lengths{960, 480, 240, 120};
constexpr std::size_t packet_samples_max = 5760;  // 120 ms
constexpr std::size_t frame_bytes_max = 1276;     // 1275 of sound (RFC 6716, 3.2.1) and the first byte

::OpusEncoder* encoder_of(void* state) { return static_cast<::OpusEncoder*>(state); }
::OpusRepacketizer* repacketizer_of(void* state) { return static_cast<::OpusRepacketizer*>(state); }

Error failed(int code) { return Error{"bad_opus", std::string("Opus encoder: ") + opus_strerror(code)}; }

}  // namespace

void OpusMonoEncoder::FreeEncoder::operator()(void* state) const noexcept { opus_encoder_destroy(encoder_of(state)); }
void OpusMonoEncoder::FreeRepacketizer::operator()(void* state) const noexcept { opus_repacketizer_destroy(repacketizer_of(state)); }

OpusMonoEncoder::OpusMonoEncoder(Encoder encoder, Repacketizer repacketizer) noexcept
    : encoder_(std::move(encoder)), repacketizer_(std::move(repacketizer)) {}

Result<OpusMonoEncoder> OpusMonoEncoder::make() {
  int error = OPUS_OK;
  Encoder encoder(opus_encoder_create(sample_rate, 1, OPUS_APPLICATION_RESTRICTED_LOWDELAY, &error));
  Repacketizer repacketizer(opus_repacketizer_create());
  if (!encoder || !repacketizer) return Error{"out_of_memory", std::string("Opus encoder: ") + opus_strerror(encoder ? OPUS_ALLOC_FAIL : error)};
  for (const int done : {opus_encoder_ctl(encoder_of(encoder.get()), OPUS_SET_BITRATE(bitrate)),
                         opus_encoder_ctl(encoder_of(encoder.get()), OPUS_SET_BANDWIDTH(OPUS_BANDWIDTH_FULLBAND))}) {
    if (done != OPUS_OK) return failed(done);
  }
  return OpusMonoEncoder(std::move(encoder), std::move(repacketizer));
}

Status OpusMonoEncoder::encode(std::span<const std::int16_t> pcm, std::vector<std::uint8_t>& packet) {
  packet.clear();
  std::size_t length = 0;
  for (const std::size_t candidate : frame_lengths) {
    if (length == 0 && pcm.size() % candidate == 0) length = candidate;
  }
  if (pcm.empty() || pcm.size() > packet_samples_max || length == 0) {
    return Error{"bad_duration", "Opus encoder: " + std::to_string(pcm.size()) + " samples, allowed are multiples of 2.5 ms up to 120 ms"};
  }
  const std::size_t count = pcm.size() / length;
  frames_.resize(count * frame_bytes_max);  // the repacketizer points into it until the packet is out
  ::OpusRepacketizer* const repacketizer = repacketizer_of(repacketizer_.get());
  opus_repacketizer_init(repacketizer);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t* const frame = frames_.data() + i * frame_bytes_max;
    const opus_int32 written = opus_encode(encoder_of(encoder_.get()), pcm.data() + i * length, static_cast<int>(length), frame, frame_bytes_max);
    if (written < 0) return failed(written);
    if (const int added = opus_repacketizer_cat(repacketizer, frame, written); added != OPUS_OK) return failed(added);
  }
  packet.resize(count * (frame_bytes_max + 1) + 2);  // a first byte, a count, and up to two bytes of length for each frame
  const opus_int32 written = opus_repacketizer_out(repacketizer, packet.data(), static_cast<opus_int32>(packet.size()));
  packet.resize(written < 0 ? 0 : static_cast<std::size_t>(written));
  if (written < 0) return failed(written);
  return ok();
}

void OpusMonoEncoder::reset() { opus_encoder_ctl(encoder_of(encoder_.get()), OPUS_RESET_STATE); }

}  // namespace fluentgate::audio
