// CPU time and memory of a process, as Linux tells them in /proc. Thread: any.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace fluentgate::bench {

struct ProcessUsage {
  double cpu_s = 0;                        // user and system, of all threads that live and of those that ended
  std::map<std::string, double> thread_s;  // by the thread's name, the first thread as "main" (fluentgate-host's loop); several of one name added up
  std::int64_t rss_bytes = 0;
};

// Nothing: there is no such process.
std::optional<ProcessUsage> usage_of(int pid);

}  // namespace fluentgate::bench
