#include "test/soak/check_growth.hpp"

#include <algorithm>
#include <cstdio>

namespace fluentgate::soak {
namespace {

constexpr std::size_t samples_min = 10;
constexpr Ms span_min_ms = 60000;

std::vector<Sample> warm(const std::vector<Sample>& samples, Ms warm_ms) {
  std::vector<Sample> out;
  for (const Sample& sample : samples) {
    if (sample.at_ms >= samples.front().at_ms + warm_ms) out.push_back(sample);
  }
  return out;
}

std::string shown(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

}  // namespace

std::optional<Trend> trend(const std::vector<Sample>& samples) {
  if (samples.size() < samples_min || samples.back().at_ms - samples.front().at_ms < span_min_ms) return std::nullopt;
  double mean_at = 0, mean = 0;
  for (const Sample& sample : samples) {
    mean_at += static_cast<double>(sample.at_ms);
    mean += sample.value;
  }
  const auto count = static_cast<double>(samples.size());
  mean_at /= count;
  mean /= count;
  double both = 0, square = 0;
  for (const Sample& sample : samples) {
    const double away = static_cast<double>(sample.at_ms) - mean_at;
    both += away * (sample.value - mean);
    square += away * away;
  }
  const double slope = both / square;
  Trend out;
  out.first = mean + slope * (static_cast<double>(samples.front().at_ms) - mean_at);
  out.last = mean + slope * (static_cast<double>(samples.back().at_ms) - mean_at);
  out.per_hour = slope * 3600000.0;
  out.over_ms = samples.back().at_ms - samples.front().at_ms;
  return out;
}

void GrowthChecker::sample(const std::string& process, double memory_mb, int descriptors, int of_ours) {
  Process& found = processes_[process];
  found.memory_mb.push_back({journal_.now_ms(), memory_mb});
  found.descriptors.push_back({journal_.now_ms(), static_cast<double>(descriptors - of_ours)});
  found.descriptors_now = descriptors;
}

std::vector<GrowthChecker::Row> GrowthChecker::rows(Ms warm_ms) const {
  std::vector<Row> out;
  for (const auto& [name, process] : processes_) {
    Row row;
    row.process = name;
    row.memory_mb = trend(warm(process.memory_mb, warm_ms));
    row.descriptors = trend(warm(process.descriptors, warm_ms));
    row.memory_now_mb = process.memory_mb.back().value;
    row.descriptors_now = process.descriptors_now;
    out.push_back(std::move(row));
  }
  return out;
}

void GrowthChecker::finish(Ms warm_ms, bool filling) {
  for (const Row& row : rows(warm_ms)) {
    if (row.memory_mb) {
      const double allowed = filling ? filling_growth_mb_max : std::max(memory_growth_mb_max, row.memory_mb->first * memory_growth_share_max);
      if (row.memory_mb->growth() > allowed) {
        journal_.violation(flat, row.process + ": memory grew by " + shown(row.memory_mb->growth()) + " MB in " + clock_text(row.memory_mb->over_ms) +
                                     ", allowed are " + shown(allowed));
      }
      journal_.held(flat);
    }
    if (row.descriptors) {
      if (row.descriptors->growth() > descriptor_growth_max) {
        journal_.violation(flat, row.process + ": descriptors beside those of our sockets grew by " + shown(row.descriptors->growth()));
      }
      journal_.held(flat);
    }
  }
}

}  // namespace fluentgate::soak
