// At most one line a second per key, then how many were held back: for what a broken worker or client would otherwise say thousands of
// times. Thread: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "core/domain/clock.hpp"
#include "core/domain/limits.hpp"
#include "core/domain/ports.hpp"

namespace fluentgate::logging {

class RateLimitedLog {
 public:
  static constexpr std::int64_t period_ms = 1000;

  // Both must outlive it.
  RateLimitedLog(Logger& logger, const Clock& clock) : logger_(logger), clock_(clock) {}

  // Lines of one key share an allowance (with the category; "malformed/text.original"). The line after held-back ones ends in
  // " (N more like it held back)". Over limits::log_rate_keys_max keys those not heard of in the last second are forgotten, and if none is, new
  // ones share a single allowance.
  void write(LogLevel level, std::string_view category, std::string_view key, std::string_view text) noexcept;
  // Says what was held back of keys that fell silent, with the last text. To be called every second or so.
  void sweep() noexcept;
  // Lines held back since the beginning, for fluentgate_log_lines_suppressed_total.
  std::uint64_t held_back() const noexcept { return held_back_.load(std::memory_order_relaxed); }

 private:
  struct Entry {
    SteadyMs written_ms = 0;
    std::uint64_t held = 0;
    LogLevel level = LogLevel::warn;
    std::string category;
    std::string text;  // the last one held back
  };
  void say(Entry& entry, LogLevel level, std::string_view category, std::string_view text, SteadyMs now);  // mutex_ held
  void sweep_locked(SteadyMs now);

  Logger& logger_;
  const Clock& clock_;
  std::atomic<std::uint64_t> held_back_{0};
  std::mutex mutex_;  // guards entries_
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace fluentgate::logging
