// Several processes' metrics as one text for Prometheus: each sample with a label `process`, the samples of a metric together, as the format wants them
// (exposition format 0.0.4). Thread: any.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace fluentgate::metrics {

struct ProcessMetrics {
  int process = 0;
  std::string_view text;  // as Registry::render() makes it
};

std::string merge(std::span<const ProcessMetrics> processes);

}  // namespace fluentgate::metrics
