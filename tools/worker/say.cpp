// See say.hpp.
#include "tools/worker/say.hpp"

#include <chrono>
#include <cstdio>
#include <string>

#include "core/wire/timestamp.hpp"

namespace fluentgate::worker {

std::int64_t unix_ms_now() noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int64_t steady_us_now() noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void say(std::string_view text) {
  std::string line;
  wire::append_timestamp(line, unix_ms_now());
  line += " worker ";
  // What was received may be quoted in it: one call is one line.
  for (const char c : text) line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void SaySometimes::operator()(std::string_view text) {
  std::uint64_t unsaid = 0;
  {
    const std::lock_guard lock(mutex_);
    ++count_;
    const std::int64_t now = steady_us_now() / 1000;
    if (now - last_ms_ < every_ms_) {
      ++unsaid_;
      return;
    }
    last_ms_ = now;
    unsaid = unsaid_;
    unsaid_ = 0;
  }
  std::string line(text);
  if (unsaid > 0) line += " (and " + std::to_string(unsaid) + " more)";
  say(line);
}

std::uint64_t SaySometimes::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace fluentgate::worker
