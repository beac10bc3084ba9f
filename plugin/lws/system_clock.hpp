// The machine's clocks, for the core. Thread: any.
#pragma once

#include <chrono>

#include "core/domain/clock.hpp"

namespace fluentgate::lws_plugin {

class SystemClock final : public Clock {
 public:
  UnixMs unix_ms() const noexcept override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  SteadyUs steady_us() const noexcept override {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
};

}  // namespace fluentgate::lws_plugin
