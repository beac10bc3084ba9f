// Mono Opus packets of any duration that a packet may have, for what was stereo and has been mixed down: one packet in, one packet out.
// libopus encodes 2.5, 5, 10, 20, 40, 60 ms and some more at once; a packet of 30 or 70 ms is several frames in one (RFC 6716, 3.2). Frames
// of one packet share one configuration, so the encoder stays in CELT at full band, which also keeps its delay at 2.5 ms.
// Thread: any, one at a time per object. Move-only; one that was moved from may only be assigned to or destroyed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/domain/result.hpp"

namespace fluentgate::audio {

// Whether a packet holds two channels: the bit `s` of its first byte (RFC 6716, 3.1). Of an empty packet: no.
constexpr bool is_opus_stereo(std::span<const std::uint8_t> packet) noexcept { return !packet.empty() && (packet[0] & 0x04) != 0; }

class OpusMonoEncoder {
 public:
  static constexpr int sample_rate = 48000;  // Hz
  static constexpr int bitrate = 64000;      // bit/s, on average: speech in CELT that a recognizer can't tell from the original

  // Error: out_of_memory.
  static Result<OpusMonoEncoder> make();

  // `pcm`: what one packet held, a multiple of 2.5 ms up to 120 ms; `packet` is replaced. Errors: bad_duration, bad_opus.
  Status encode(std::span<const std::int16_t> pcm, std::vector<std::uint8_t>& packet);
  // Forgets the stream: what comes next does not follow on what came last.
  void reset();

 private:
  struct FreeEncoder {
    void operator()(void* state) const noexcept;
  };
  struct FreeRepacketizer {
    void operator()(void* state) const noexcept;
  };
  using Encoder = std::unique_ptr<void, FreeEncoder>;            // libopus' OpusEncoder
  using Repacketizer = std::unique_ptr<void, FreeRepacketizer>;  // libopus' OpusRepacketizer
  OpusMonoEncoder(Encoder encoder, Repacketizer repacketizer) noexcept;

  Encoder encoder_;
  Repacketizer repacketizer_;
  std::vector<std::uint8_t> frames_;  // of the packet being made; kept for its memory
};

}  // namespace fluentgate::audio
