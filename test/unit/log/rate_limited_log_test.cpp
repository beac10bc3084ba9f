// At most one line a second per key, and how many were held back.
#include "core/log/rate_limited_log.hpp"

#include <vector>

#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::logging;

namespace {

struct FakeClock final : Clock {
  SteadyUs steady = 0;
  UnixMs unix_ms() const noexcept override { return 0; }
  SteadyUs steady_us() const noexcept override { return steady; }
};

struct FakeLogger final : Logger {
  bool enabled(LogLevel level) const noexcept override { return level <= LogLevel::info; }
  void write(LogLevel, std::string_view category, std::string_view text) noexcept override {
    lines.push_back(std::string(category) + ": " + std::string(text));
  }
  std::vector<std::string> lines;
};

struct World {
  FakeLogger logger;
  FakeClock clock;
  RateLimitedLog log{logger, clock};
  void say(std::string_view key, std::string_view text) { log.write(LogLevel::warn, "kafka", key, text); }
};

}  // namespace

TEST(one_line_a_second_per_key_then_how_many_were_held_back) {
  World w;
  for (int i = 0; i < 5; ++i) w.say("k", "bad " + std::to_string(i));
  w.say("other", "fine");
  CHECK_EQ(w.logger.lines.size(), 2u);
  CHECK_EQ(w.logger.lines[0], "kafka: bad 0");
  w.clock.steady = 999'000;
  w.say("k", "bad 5");
  CHECK_EQ(w.logger.lines.size(), 2u);
  w.clock.steady = 1'000'000;
  w.say("k", "bad 6");
  CHECK_EQ(w.logger.lines.back(), "kafka: bad 6 (5 more like it held back)");
  CHECK_EQ(w.log.held_back(), 5u);
}

TEST(a_sweep_tells_of_keys_that_fell_silent_and_then_forgets_them) {
  World w;
  for (int i = 0; i < 4; ++i) w.say("k", "bad " + std::to_string(i));
  w.log.sweep();
  CHECK_EQ(w.logger.lines.size(), 1u);
  w.clock.steady = 1'000'000;
  w.log.sweep();
  CHECK_EQ(w.logger.lines.back(), "kafka: bad 3 (2 more like it held back)");
  w.say("k", "again");  // the sweep's line used the allowance
  CHECK_EQ(w.logger.lines.size(), 2u);
  w.clock.steady = 2'000'000;
  w.log.sweep();
  CHECK_EQ(w.logger.lines.back(), "kafka: again");
  w.clock.steady = 9'000'000;
  w.log.sweep();
  CHECK_EQ(w.logger.lines.size(), 3u);
}

TEST(the_category_is_part_of_the_key) {
  World w;
  w.log.write(LogLevel::warn, "kafka", "k", "one");
  w.log.write(LogLevel::warn, "auth", "k", "two");
  CHECK_EQ(w.logger.lines.size(), 2u);
}

TEST(a_level_that_is_off_costs_and_counts_nothing) {
  World w;
  for (int i = 0; i < 5; ++i) w.log.write(LogLevel::debug, "a", "k", "text");
  CHECK_EQ(w.logger.lines.size(), 0u);
  CHECK_EQ(w.log.held_back(), 0u);
}

TEST(keys_beyond_the_bound_share_one_allowance) {
  World w;
  for (int i = 0; i < 5000; ++i) w.say("key" + std::to_string(i), "text");
  CHECK_EQ(w.logger.lines.size(), limits::log_rate_keys_max + 1);
  CHECK_EQ(w.log.held_back(), 5000 - limits::log_rate_keys_max - 1);
}

TEST(keys_not_heard_of_for_a_second_make_room) {
  World w;
  for (std::size_t i = 0; i < limits::log_rate_keys_max; ++i) w.say("key" + std::to_string(i), "text");
  w.clock.steady = 1'000'000;
  w.say("new 1", "a");
  w.say("new 2", "b");
  CHECK_EQ(w.logger.lines.size(), limits::log_rate_keys_max + 2);
}
