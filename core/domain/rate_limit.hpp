// A token bucket: `rate_per_s` on average, bursts of two seconds' worth (CONTRACT 7, limits.messages_per_s). Thread: loop.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/domain/clock.hpp"

namespace fluentgate {

class TokenBucket {
 public:
  explicit TokenBucket(std::int64_t rate_per_s) : rate_per_s_(rate_per_s), level_(static_cast<double>(rate_per_s) * 2.0) {}
  // Whether one more message is within the rate. 0 messages per second: no limit.
  bool take(SteadyMs now) noexcept {
    if (rate_per_s_ <= 0) return true;
    if (last_ms_ >= 0) {
      const double gained = static_cast<double>(now - last_ms_) * static_cast<double>(rate_per_s_) / 1000.0;
      level_ = std::min(level_ + gained, static_cast<double>(rate_per_s_) * 2.0);
    }
    last_ms_ = now;
    if (level_ < 1.0) return false;
    level_ -= 1.0;
    return true;
  }

 private:
  std::int64_t rate_per_s_;
  double level_;
  SteadyMs last_ms_ = -1;
};

}  // namespace fluentgate
