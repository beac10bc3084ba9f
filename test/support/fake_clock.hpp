// A clock that stands still until a test moves it.
#pragma once

#include "core/domain/clock.hpp"

namespace fluentgate::test {

class FakeClock final : public Clock {
 public:
  UnixMs unix_ms() const noexcept override { return now_unix_ms; }
  SteadyUs steady_us() const noexcept override { return now_us; }
  void advance(std::int64_t ms) {
    now_unix_ms += ms;
    now_us += ms * 1000;
  }
  UnixMs now_unix_ms = 1'700'000'000'000;
  SteadyUs now_us = 5'000'000'000;
};

}  // namespace fluentgate::test
