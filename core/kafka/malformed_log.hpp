// Says that messages can't be read, at most once a second for each source and reason, with how many there were. Thread: the one that reads them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/domain/clock.hpp"
#include "core/domain/ports.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::kafka {

class MalformedLog {
 public:
  MalformedLog(Logger& log, const Clock& clock, std::string_view category) : log_(log), clock_(clock), category_(category) {}
  // `source` is a topic or a channel's kind, of a few; `place` says where in it. True if a line was written now.
  bool note(const std::string& source, const Error& error, const std::string& place);

 private:
  struct Complaint {
    SteadyMs logged_ms = 0;
    std::uint64_t unlogged = 0;
  };
  Logger& log_;
  const Clock& clock_;
  const std::string category_;
  std::map<std::pair<std::string, std::string>, Complaint> complaints_;  // as many as sources times malformed_reasons()
};

}  // namespace fluentgate::kafka
