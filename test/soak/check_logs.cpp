#include "test/soak/check_logs.hpp"

#include <algorithm>
#include <iterator>

namespace fluentgate::soak {
namespace {

constexpr std::string_view crash_words[] = {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:",
                                            "terminate called", "Assertion", "Segmentation fault", "stack smashing", "buffer overflow"};

std::string_view level_of(std::string_view line) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos) return {};
  const std::size_t second = line.find(' ', first + 1);
  return line.substr(first + 1, second == std::string_view::npos ? second : second - first - 1);
}

}  // namespace

void LogChecker::line(const std::string& source, std::string_view line) {
  const auto has = [line](std::string_view part) { return line.find(part) != std::string_view::npos; };
  const bool crash = std::any_of(std::begin(crash_words), std::end(crash_words), has);
  const bool error = level_of(line) == "error" && std::none_of(expected_.begin(), expected_.end(), has);
  if (crash || error) journal_.violation(quiet, source + ": " + std::string(line));
  journal_.held(quiet);
}

void LogChecker::read(const std::string& source, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (const std::string_view one = text.substr(0, end); !one.empty()) line(source, one);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
}

}  // namespace fluentgate::soak
