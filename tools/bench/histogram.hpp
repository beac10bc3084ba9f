// Latencies in microseconds: 32 steps per doubling, so a quantile is right within 3 %. Thread: one.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace fluentgate::bench {

class Histogram {
 public:
  void add(std::int64_t us) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
    ++counts_[step_of(value)];
    ++count_;
    max_us_ = std::max(max_us_, us);
  }
  std::int64_t count() const { return count_; }
  std::int64_t max_us() const { return max_us_; }
  // The upper end of the step that holds the quantile, at most the maximum; 0 where nothing was added.
  std::int64_t quantile_us(double q) const {
    const auto wanted = static_cast<std::int64_t>(q * static_cast<double>(count_));
    std::int64_t seen = 0;
    for (std::size_t step = 0; step < counts_.size(); ++step) {
      seen += counts_[step];
      if (seen > wanted) return std::min(max_us_, upper_end(step));
    }
    return max_us_;
  }

 private:
  static constexpr int step_bits = 5;
  static constexpr std::size_t steps = (64 - step_bits) << step_bits;
  static std::size_t step_of(std::uint64_t value) {
    if (value < (1u << step_bits)) return value;
    const int shift = static_cast<int>(std::bit_width(value)) - 1 - step_bits;
    return std::min<std::size_t>(steps - 1, (static_cast<std::size_t>(shift) << step_bits) + static_cast<std::size_t>(value >> shift));
  }
  static std::int64_t upper_end(std::size_t step) {
    if (step < (1u << step_bits)) return static_cast<std::int64_t>(step);
    const std::size_t shift = (step >> step_bits) - 1;
    return static_cast<std::int64_t>(((step & ((1u << step_bits) - 1)) + (1u << step_bits) + 1) << shift);
  }
  std::array<std::int64_t, steps> counts_{};
  std::int64_t count_ = 0, max_us_ = 0;
};

}  // namespace fluentgate::bench
