// Opus packets (RFC 6716) to and from s16 samples, with libopus. Thread: any, one at a time per object. Move-only; one that was moved from may
// only be assigned to or destroyed. Bad packets are an error with the code bad_opus, leave the stream usable and append nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/domain/result.hpp"

namespace fluentgate::audio {

inline constexpr int opus_packet_ms_max = 120;             // RFC 6716, 3.2.5 [R5]
inline constexpr std::size_t opus_packet_bytes_max = 4000;  // what the encoder may make; libopus' own recommendation

// Whether one of 8000, 12000, 16000, 24000, 48000: what libopus decodes to and encodes from.
constexpr bool is_opus_rate(int rate) noexcept { return rate == 8000 || rate == 12000 || rate == 16000 || rate == 24000 || rate == 48000; }

// The duration of a packet in microseconds (RFC 6716, 3.1), its framing checked by the rules of 3.4 [R1 to R7]. Error: bad_opus.
Result<std::int64_t> opus_packet_us(std::span<const std::uint8_t> packet);

class OpusDecoder {
 public:
  // Errors: unsupported_sample_rate, out_of_memory.
  static Result<OpusDecoder> make(int sample_rate);

  // Appends the packet's samples, mono; a stereo packet is mixed down. An empty packet is bad_opus, not concealment.
  Status decode(std::span<const std::uint8_t> packet, std::vector<std::int16_t>& out);

  int sample_rate() const noexcept { return sample_rate_; }

 private:
  struct Free {
    void operator()(void* state) const noexcept;
  };
  using State = std::unique_ptr<void, Free>;  // libopus' OpusDecoder; its global name would hide ours from whoever is `using` this namespace
  OpusDecoder(int sample_rate, State state) noexcept;

  int sample_rate_;
  State state_;
};

class OpusEncoder {
 public:
  // `bitrate` in bit/s, 6000 to 510000; tuned for speech. Errors: unsupported_sample_rate, bad_bitrate, bad_channels (not 1 or 2), out_of_memory.
  static Result<OpusEncoder> make(int sample_rate, int bitrate, int channels = 1);

  // One packet of 2.5, 5, 10, 20, 40 or 60 ms: `pcm` is that many samples per channel, interleaved; `packet` is replaced. Error: bad_duration.
  Status encode(std::span<const std::int16_t> pcm, std::vector<std::uint8_t>& packet);

  int sample_rate() const noexcept { return sample_rate_; }

 private:
  struct Free {
    void operator()(void* state) const noexcept;
  };
  using State = std::unique_ptr<void, Free>;  // libopus' OpusEncoder
  OpusEncoder(int sample_rate, int channels, State state) noexcept;

  int sample_rate_;
  int channels_;
  State state_;
};

}  // namespace fluentgate::audio
