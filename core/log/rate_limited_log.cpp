#include "core/log/rate_limited_log.hpp"

namespace fluentgate::logging {
namespace {

constexpr std::string_view shared_key = "\x01rest";  // no category begins with a control character

}  // namespace

void RateLimitedLog::say(Entry& entry, LogLevel level, std::string_view category, std::string_view text, SteadyMs now) {
  if (entry.held == 0) {
    logger_.write(level, category, text);
  } else {
    logger_.write(level, category, std::string(text) + " (" + std::to_string(entry.held) + " more like it held back)");
  }
  entry.held = 0;
  entry.text.clear();
  entry.written_ms = now;
}

void RateLimitedLog::write(LogLevel level, std::string_view category, std::string_view key, std::string_view text) noexcept {
  if (!logger_.enabled(level)) return;
  try {
    const SteadyMs now = clock_.steady_ms();
    std::string name(category);
    name.push_back('/');
    name += key;
    const std::lock_guard lock(mutex_);
    auto at = entries_.find(name);
    if (at == entries_.end() && entries_.size() >= limits::log_rate_keys_max) {
      sweep_locked(now);
      if (entries_.size() >= limits::log_rate_keys_max) {
        name = shared_key;
        at = entries_.find(name);
      }
    }
    if (at == entries_.end()) {
      say(entries_[name], level, category, text, now);
      return;
    }
    Entry& entry = at->second;
    if (now - entry.written_ms >= period_ms) {
      say(entry, level, category, text, now);
      return;
    }
    ++entry.held;
    held_back_.fetch_add(1, std::memory_order_relaxed);
    entry.level = level;
    entry.category = category;
    entry.text = text.substr(0, limits::log_line_bytes_max);
  } catch (...) {  // out of memory: a repeated line is what can be spared
    held_back_.fetch_add(1, std::memory_order_relaxed);
  }
}

void RateLimitedLog::sweep() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    sweep_locked(clock_.steady_ms());
  } catch (...) {  // as above: tried again at the next sweep
  }
}

void RateLimitedLog::sweep_locked(SteadyMs now) {
  for (auto at = entries_.begin(); at != entries_.end();) {
    Entry& entry = at->second;
    if (now - entry.written_ms < period_ms) {
      ++at;
    } else if (entry.held > 0) {
      // The line itself is one of the held.
      --entry.held;
      const std::string category = entry.category;
      const std::string text = entry.text;
      say(entry, entry.level, category, text, now);
      ++at;  // it has just used its allowance
    } else {
      at = entries_.erase(at);
    }
  }
}

}  // namespace fluentgate::logging
