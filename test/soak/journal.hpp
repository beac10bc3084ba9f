// The time line of a run, and what was found to be broken in it. Thread: one. Time is given by whoever made it: ms since the run began.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fluentgate::soak {

using Ms = std::int64_t;

struct Note {
  Ms at_ms = 0;
  std::string text;
};

struct Violation {
  Ms at_ms = 0;
  std::string invariant, text;
};

class Journal {
 public:
  static constexpr std::size_t violations_max = 40;  // of one invariant shown and kept; beyond: counted

  // `out`, where given, gets each note and violation as it comes.
  explicit Journal(std::function<Ms()> now_ms, std::FILE* out = nullptr) : now_ms_(std::move(now_ms)), out_(out) {}

  Ms now_ms() const { return now_ms_(); }
  void note(std::string text);                    // faults and what belongs to them: shown at once
  void detail(std::string text);                  // what clients do: shown only around a violation
  void violation(std::string_view invariant, std::string text);
  // One that held, so that the report tells how often each was asked.
  void held(std::string_view invariant, std::uint64_t times = 1);

  std::size_t violation_count() const noexcept { return count_; }
  const std::vector<Violation>& violations() const noexcept { return violations_; }
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;
  const Counts& violated() const noexcept { return violated_; }
  const Counts& checks() const noexcept { return checks_; }
  // Notes and details within `around_ms` of a violation: those that came before are kept when it is found, those after as they come.
  std::vector<Note> around(const Violation& violation, Ms around_ms) const;

 private:
  void keep(std::string text);

  const std::function<Ms()> now_ms_;
  std::FILE* const out_;
  std::deque<Note> recent_;      // of the last minute
  std::deque<Note> kept_;        // copied from it around violations, in order
  Ms keep_until_ms_ = -1;
  std::vector<Violation> violations_;
  std::size_t count_ = 0;
  Counts checks_, violated_;
};

std::string clock_text(Ms at_ms);  // "2:05.123"

}  // namespace fluentgate::soak
