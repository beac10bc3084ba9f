// What hosts wrote: no line of level error, and nothing of a sanitizer's or of a crash. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "test/soak/journal.hpp"

namespace fluentgate::soak {

class LogChecker {
 public:
  static constexpr std::string_view quiet = "no errors in the hosts' logs";

  explicit LogChecker(Journal& journal) : journal_(journal) {}

  // Parts of lines of level error that the run itself brings about.
  void expect(std::string part) { expected_.push_back(std::move(part)); }
  // More of a log: text as TIMESTAMP LEVEL CATEGORY: TEXT, or what a process wrote to stderr. Whole lines.
  void read(const std::string& source, std::string_view text);

 private:
  void line(const std::string& source, std::string_view line);

  Journal& journal_;
  std::vector<std::string> expected_;
};

}  // namespace fluentgate::soak
