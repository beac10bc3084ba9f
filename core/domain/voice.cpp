// The level of a piece of speech.
#include "core/domain/voice.hpp"

#include <algorithm>
#include <cmath>

namespace fluentgate {

double dbfs(std::span<const std::uint8_t> pcm_s16le) noexcept {
  const std::size_t samples = pcm_s16le.size() / 2;
  if (samples == 0) return silence_dbfs;
  std::uint64_t sum = 0;  // of squares: 2^30 each, so exact for 2^34 samples
  for (std::size_t i = 0; i < samples; ++i) {
    const auto sample = static_cast<std::int16_t>(static_cast<std::uint16_t>(pcm_s16le[2 * i] | pcm_s16le[2 * i + 1] << 8));
    const std::int64_t value = sample;
    sum += static_cast<std::uint64_t>(value * value);
  }
  if (sum == 0) return silence_dbfs;
  const double mean_square = static_cast<double>(sum) / static_cast<double>(samples);
  return std::max(silence_dbfs, 10.0 * std::log10(mean_square / (32768.0 * 32768.0)));
}

}  // namespace fluentgate
