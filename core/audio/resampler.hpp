// One mono stream from one sample rate to another (speexdsp, quality 5), without the filter's delay.
//
// Length: the filter looks `latency` input samples ahead (2 to 5 ms). At the start of a stream its silence is skipped, so that output sample
// k is the input at time k / out_rate; what is still in the filter comes with drain(). Over a stream of N samples, all process() calls and
// drain() together append exactly ceil(N * out_rate / in_rate) samples, however the stream was cut.
// Equal rates: samples are passed on as they are, at once.
//
// Thread: any, one at a time. Move-only; a Resampler that was moved from may only be assigned to or destroyed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/domain/result.hpp"

struct SpeexResamplerState_;

namespace fluentgate::audio {

inline constexpr int sample_rate_min = 8000;
inline constexpr int sample_rate_max = 48000;

class Resampler {
 public:
  // Rates in Hz, sample_rate_min to sample_rate_max. Errors: unsupported_sample_rate, out_of_memory.
  static Result<Resampler> make(int in_rate, int out_rate);

  // Appends what `in` completes to `out`; may be nothing for a few milliseconds at the start of a stream.
  void process(std::span<const std::int16_t> in, std::vector<std::int16_t>& out);
  // Appends the stream's tail; the next process() begins a new stream.
  void drain(std::vector<std::int16_t>& out);
  // Forgets the stream, tail included.
  void reset();

  // How far the filter looks ahead, in input samples; 0 where rates are equal.
  std::size_t latency_samples() const noexcept;
  int in_rate() const noexcept { return in_rate_; }
  int out_rate() const noexcept { return out_rate_; }

 private:
  struct Free {
    void operator()(SpeexResamplerState_* state) const noexcept;
  };
  using State = std::unique_ptr<SpeexResamplerState_, Free>;

  Resampler(int in_rate, int out_rate, State state) noexcept;
  void convert(std::span<const std::int16_t> in, std::vector<std::int16_t>& out);

  int in_rate_;
  int out_rate_;
  State state_;  // null: equal rates
  // Samples in and out since the start of the stream, less the whole seconds that both have, so that a stream of any length never overflows.
  std::int64_t taken_ = 0;
  std::int64_t given_ = 0;
};

}  // namespace fluentgate::audio
