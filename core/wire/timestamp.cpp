// Calendar arithmetic is std::chrono's; the text is cut by hand, since this is done for every chunk and every event.
#include "core/wire/timestamp.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace fluentgate::wire {
namespace {

constexpr int year_min = 1970;
constexpr int year_max = 2500;

// Takes exactly `digits` digits off the front; -1 if they aren't there.
int take_number(std::string_view& text, std::size_t digits) noexcept {
  if (text.size() < digits) return -1;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) noexcept {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// The milliseconds of a fraction of any length; -1 if there is no digit.
int take_fraction_ms(std::string_view& text) noexcept {
  int ms = 0;
  int digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), ++digits) {
    if (digits < 3) ms = ms * 10 + (text.front() - '0');
  }
  if (digits == 0) return -1;
  for (; digits < 3; ++digits) ms *= 10;
  return ms;
}

// Minutes east of Greenwich, with everything of the text used up.
std::optional<int> offset_minutes(std::string_view text) noexcept {
  if (text.empty() || text == "Z" || text == "z") return 0;
  const bool west = text.front() == '-';
  if (!take(text, "+-")) return std::nullopt;
  const int hours = take_number(text, 2);
  if (hours < 0 || hours > 23) return std::nullopt;
  int minutes = 0;
  if (!text.empty()) {
    take(text, ":");
    minutes = take_number(text, 2);
    if (minutes < 0 || minutes > 59 || !text.empty()) return std::nullopt;
  }
  return (west ? -1 : 1) * (hours * 60 + minutes);
}

void put(char* to, int value, int digits) noexcept {
  for (int i = digits - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::optional<UnixMs> parse_timestamp(std::string_view text) noexcept {
  const int year = take_number(text, 4);
  if (year < year_min || year > year_max || !take(text, "-")) return std::nullopt;
  const int month = take_number(text, 2);
  if (!take(text, "-")) return std::nullopt;
  const int day = take_number(text, 2);
  if (month < 1 || day < 1 || !take(text, "Tt ")) return std::nullopt;
  const int hour = take_number(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ":")) return std::nullopt;
  const int minute = take_number(text, 2);
  if (minute < 0 || minute > 59) return std::nullopt;
  int second = 0;
  int ms = 0;
  if (take(text, ":")) {
    second = take_number(text, 2);
    if (second < 0 || second > 60) return std::nullopt;  // 60: a leap second
    if (take(text, ".,")) ms = take_fraction_ms(text);
    if (ms < 0) return std::nullopt;
  }
  const std::optional<int> offset = offset_minutes(text);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!offset || !date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t minutes = (days * 24 + hour) * 60 + minute - *offset;
  return (minutes * 60 + second) * 1000 + ms;
}

void append_timestamp(std::string& out, UnixMs time) {
  constexpr std::int64_t max = 16756761600000 - 1;  // 2501-01-01
  time = std::clamp<UnixMs>(time, 0, max);
  const std::int64_t seconds = time / 1000;
  // Consecutive chunks fall into the same second: its text is kept.
  struct Second {
    std::int64_t seconds = -1;
    char text[33] = "0000-00-00T00:00:00.000000+00:00";
  };
  thread_local Second cached;
  if (cached.seconds != seconds) {
    const std::chrono::sys_seconds moment{std::chrono::seconds(seconds)};
    const auto day = std::chrono::floor<std::chrono::days>(moment);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(moment - day);
    put(cached.text, static_cast<int>(date.year()), 4);
    put(cached.text + 5, static_cast<int>(static_cast<unsigned>(date.month())), 2);
    put(cached.text + 8, static_cast<int>(static_cast<unsigned>(date.day())), 2);
    put(cached.text + 11, static_cast<int>(clock.hours().count()), 2);
    put(cached.text + 14, static_cast<int>(clock.minutes().count()), 2);
    put(cached.text + 17, static_cast<int>(clock.seconds().count()), 2);
    cached.seconds = seconds;
  }
  put(cached.text + 20, static_cast<int>(time % 1000), 3);
  out.append(cached.text, sizeof cached.text - 1);
}

}  // namespace fluentgate::wire
