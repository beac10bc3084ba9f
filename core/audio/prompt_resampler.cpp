#include "core/audio/prompt_resampler.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/audio/prediction.hpp"

namespace fluentgate::audio {

namespace {

constexpr std::size_t history_max = 2048;    // samples; more than twice the longest look ahead (240) and the places below
constexpr std::size_t margin_samples = 4;    // for the rounding of positions
constexpr std::size_t places_max = 1024;     // where ahead_ may begin

}  // namespace

Result<PromptResampler> PromptResampler::make(int in_rate, int out_rate) {
  auto stream = Resampler::make(in_rate, out_rate);
  if (!stream) return stream.error();
  auto ahead = Resampler::make(in_rate, out_rate);
  if (!ahead) return ahead.error();
  return PromptResampler(std::move(stream).value(), std::move(ahead).value());
}

PromptResampler::PromptResampler(Resampler stream, Resampler ahead) : stream_(std::move(stream)), ahead_(std::move(ahead)) {
  const int common = std::gcd(stream_.in_rate(), stream_.out_rate());
  in_step_ = stream_.in_rate() / common;
  out_step_ = stream_.out_rate() / common;
}

void PromptResampler::process(std::span<const std::int16_t> in, std::vector<std::int16_t>& out) {
  converted_.clear();
  stream_.process(in, converted_);
  taken_ += static_cast<std::int64_t>(in.size());
  // Those that were predicted at the end of the last piece have been heard.
  const auto heard = std::min<std::int64_t>(given_ - exact_, static_cast<std::int64_t>(converted_.size()));
  out.insert(out.end(), converted_.begin() + heard, converted_.end());
  exact_ += static_cast<std::int64_t>(converted_.size());
  given_ = std::max(given_, exact_);
  remember(in);
  const std::int64_t wanted = (taken_ * out_step_ + in_step_ - 1) / in_step_ - given_;
  if (wanted > 0) predict(static_cast<std::size_t>(wanted), out);
}

void PromptResampler::reset() {
  stream_.reset();
  history_.clear();
  taken_ = 0;
  exact_ = 0;
  given_ = 0;
}

void PromptResampler::remember(std::span<const std::int16_t> in) {
  in = in.last(std::min(in.size(), history_max));
  const std::size_t kept = std::min(history_.size(), history_max - in.size());
  history_.erase(history_.begin(), history_.end() - static_cast<std::ptrdiff_t>(kept));
  history_.insert(history_.end(), in.begin(), in.end());
}

// Where in the history ahead_ begins: far enough before the end that its filter is full when it counts, and where a sample in and a sample out
// fall together: exactly between all rates in use, for whose steps there is room, and as nearly as can be between others. `first`: that sample out.
std::size_t PromptResampler::start_of_prediction(std::int64_t& first) const {
  const std::int64_t begin = taken_ - static_cast<std::int64_t>(history_.size());
  const std::size_t needed = 2 * stream_.latency_samples() + margin_samples;
  const std::size_t latest = history_.size() > needed ? history_.size() - needed : 0;
  std::size_t best = latest;
  std::int64_t least = in_step_;
  for (std::size_t i = 0; i <= std::min(latest, places_max) && least > 0; ++i) {
    const std::int64_t past = (begin + static_cast<std::int64_t>(latest - i)) * out_step_ % in_step_;
    const std::int64_t off = std::min(past, in_step_ - past);
    if (off < least) {
      least = off;
      best = latest - i;
    }
  }
  first = ((begin + static_cast<std::int64_t>(best)) * out_step_ + in_step_ / 2) / in_step_;
  return best;
}

void PromptResampler::predict(std::size_t count, std::vector<std::int16_t>& out) {
  std::int64_t first = 0;
  const std::size_t start = start_of_prediction(first);
  guess_.assign(history_.begin() + static_cast<std::ptrdiff_t>(start), history_.end());
  append_prediction(history_, stream_.latency_samples() + margin_samples, guess_);
  converted_.clear();
  ahead_.reset();
  ahead_.process(guess_, converted_);
  const auto from = std::min(static_cast<std::size_t>(given_ - first), converted_.size());
  const std::size_t made = std::min(count, converted_.size() - from);
  const auto begin = converted_.begin() + static_cast<std::ptrdiff_t>(from);
  out.insert(out.end(), begin, begin + static_cast<std::ptrdiff_t>(made));
  out.insert(out.end(), count - made, std::int16_t{0});  // none: the margin covers them
  given_ += static_cast<std::int64_t>(count);
}

}  // namespace fluentgate::audio
