// A journal on a clock that stands still until a test moves it.
#pragma once

#include "test/soak/journal.hpp"
#include "test/support/check.hpp"

namespace fluentgate::soak {

struct Run {
  Ms now = 1000;
  Journal journal{[this] { return now; }};
  // How many violations of this invariant there are; fails where there are any of another.
  std::size_t of(std::string_view invariant) const {
    std::size_t count = 0;
    for (const Violation& one : journal.violations()) {
      if (one.invariant != invariant) FAIL("a violation of " + one.invariant + ": " + one.text);
      ++count;
    }
    return count;
  }
  std::string shown() const {
    std::string text;
    for (const Violation& one : journal.violations()) text += one.invariant + ": " + one.text + "\n";
    return text;
  }
};

}  // namespace fluentgate::soak

#define CHECK_WELL(run) \
  do { if ((run).journal.violation_count() != 0) FAIL((run).shown()); } while (false)
