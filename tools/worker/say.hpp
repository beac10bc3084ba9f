// One line on stderr, whole even from several threads; and one that is said at most once a second, with how many it stands for.
// Thread: any.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>

namespace fluentgate::worker {

void say(std::string_view text);

class SaySometimes {
 public:
  explicit SaySometimes(std::int64_t every_ms = 1000) : every_ms_(every_ms) {}
  void operator()(std::string_view text);
  std::uint64_t count() const;

 private:
  const std::int64_t every_ms_;
  mutable std::mutex mutex_;
  std::int64_t last_ms_ = -1'000'000'000;
  std::uint64_t unsaid_ = 0;
  std::uint64_t count_ = 0;
};

std::int64_t unix_ms_now() noexcept;
std::int64_t steady_us_now() noexcept;

}  // namespace fluentgate::worker
