// speexdsp's resampler, with its delay taken out at both ends of a stream.
#include "core/audio/resampler.hpp"

#include <speex/speex_resampler.h>

#include <algorithm>
#include <string>
#include <utility>

namespace fluentgate::audio {

namespace {

constexpr int quality = 5;
constexpr std::size_t block_samples = 4800;  // what speexdsp is given at once: its counts are 32 bits wide, a message's are not

}  // namespace

void Resampler::Free::operator()(SpeexResamplerState_* state) const noexcept { speex_resampler_destroy(state); }

Resampler::Resampler(int in_rate, int out_rate, State state) noexcept : in_rate_(in_rate), out_rate_(out_rate), state_(std::move(state)) {}

Result<Resampler> Resampler::make(int in_rate, int out_rate) {
  for (const int rate : {in_rate, out_rate}) {
    if (rate < sample_rate_min || rate > sample_rate_max) {
      return Error{"unsupported_sample_rate", "sample rate " + std::to_string(rate) + ", allowed are " + std::to_string(sample_rate_min) +
                                                  " to " + std::to_string(sample_rate_max) + " Hz"};
    }
  }
  if (in_rate == out_rate) return Resampler(in_rate, out_rate, nullptr);
  int error = RESAMPLER_ERR_SUCCESS;
  State state(speex_resampler_init(1, static_cast<spx_uint32_t>(in_rate), static_cast<spx_uint32_t>(out_rate), quality, &error));
  if (!state) return Error{"out_of_memory", std::string("resampler: ") + speex_resampler_strerror(error)};
  speex_resampler_skip_zeros(state.get());
  return Resampler(in_rate, out_rate, std::move(state));
}

void Resampler::process(std::span<const std::int16_t> in, std::vector<std::int16_t>& out) {
  if (!state_) {
    out.insert(out.end(), in.begin(), in.end());
    return;
  }
  const std::size_t before = out.size();
  convert(in, out);
  taken_ += static_cast<std::int64_t>(in.size());
  given_ += static_cast<std::int64_t>(out.size() - before);
  // Whole seconds say nothing about the length of the tail.
  const std::int64_t seconds = std::min(taken_ / in_rate_, given_ / out_rate_);
  taken_ -= seconds * in_rate_;
  given_ -= seconds * out_rate_;
}

void Resampler::drain(std::vector<std::int16_t>& out) {
  if (!state_) return;
  // Output samples of the stream: those whose time, k / out_rate, lies within it.
  const std::int64_t wanted = (taken_ * out_rate_ + in_rate_ - 1) / in_rate_ - given_;
  if (wanted > 0) {
    const std::size_t end = out.size() + static_cast<std::size_t>(wanted);
    // Silence behind the stream pushes its end out of the filter; one sample more than its delay covers the rounding of the position.
    const std::vector<std::int16_t> silence(latency_samples() + 1, std::int16_t{0});
    convert(silence, out);
    out.resize(end);
  }
  reset();
}

void Resampler::reset() {
  taken_ = 0;
  given_ = 0;
  if (!state_) return;
  speex_resampler_reset_mem(state_.get());
  speex_resampler_skip_zeros(state_.get());
}

std::size_t Resampler::latency_samples() const noexcept {
  return state_ ? static_cast<std::size_t>(speex_resampler_get_input_latency(state_.get())) : 0;
}

void Resampler::convert(std::span<const std::int16_t> in, std::vector<std::int16_t>& out) {
  while (!in.empty()) {
    const std::size_t take = std::min(in.size(), block_samples);
    const std::size_t room = take * static_cast<std::size_t>(out_rate_) / static_cast<std::size_t>(in_rate_) + 2;
    const std::size_t before = out.size();
    out.resize(before + room);
    auto in_count = static_cast<spx_uint32_t>(take);
    auto out_count = static_cast<spx_uint32_t>(room);
    // It fails only for null or overlapping buffers, which these are not.
    speex_resampler_process_int(state_.get(), 0, in.data(), &in_count, out.data() + before, &out_count);
    out.resize(before + out_count);
    in = in.subspan(in_count);
  }
}

}  // namespace fluentgate::audio
