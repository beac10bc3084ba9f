// Memory and descriptors of processes over time: the line through what was sampled once warm, and what it grows by over the run. Thread: any.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "test/soak/journal.hpp"

namespace fluentgate::soak {

struct Sample {
  Ms at_ms = 0;
  double value = 0;
};

struct Trend {
  double first = 0, last = 0;     // of the fitted line
  double per_hour = 0;
  Ms over_ms = 0;
  double growth() const noexcept { return last - first; }
};
// Least squares. Nothing with fewer than 10 samples or less than a minute.
std::optional<Trend> trend(const std::vector<Sample>& samples);

class GrowthChecker {
 public:
  static constexpr std::string_view flat = "memory and descriptors are flat";
  // Once warm, over what was measured of one process. In a run that is over before histories and windows are full, memory still fills them.
  static constexpr double memory_growth_mb_max = 12.0, memory_growth_share_max = 0.10, filling_growth_mb_max = 60.0, descriptor_growth_max = 8.0;

  explicit GrowthChecker(Journal& journal) : journal_(journal) {}

  // of_ours: sockets that we have open to it, which it may have descriptors for.
  void sample(const std::string& process, double memory_mb, int descriptors, int of_ours);
  struct Row {
    std::string process;
    std::optional<Trend> memory_mb, descriptors;
    double memory_now_mb = 0;
    int descriptors_now = 0;
  };
  // Without what came in the first warm_ms of each process's life.
  std::vector<Row> rows(Ms warm_ms) const;
  // filling: the run was too short for all to be full.
  void finish(Ms warm_ms, bool filling);

 private:
  struct Process {
    std::vector<Sample> memory_mb, descriptors;
    int descriptors_now = 0;
  };
  Journal& journal_;
  std::map<std::string, Process> processes_;
};

}  // namespace fluentgate::soak
