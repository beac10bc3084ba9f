// Time as the core sees it: injected, so that tests own it. Thread: any.
#pragma once

#include <cstdint>

namespace fluentgate {

using UnixMs = std::int64_t;    // milliseconds since 1970, may step
using SteadyMs = std::int64_t;  // milliseconds of a clock that never goes back; origin unspecified
using SteadyUs = std::int64_t;  // the same in microseconds

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixMs unix_ms() const noexcept = 0;
  virtual SteadyUs steady_us() const noexcept = 0;
  SteadyMs steady_ms() const noexcept { return steady_us() / 1000; }
};

}  // namespace fluentgate
