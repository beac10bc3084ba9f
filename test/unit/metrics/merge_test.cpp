// Several processes' metrics as one text.
#include "core/metrics/merge.hpp"

#include <array>
#include <string>

#include "core/metrics/registry.hpp"
#include "test/support/check.hpp"

using namespace fluentgate::metrics;

TEST(merge_labels_each_sample_and_keeps_a_metrics_samples_together) {
  const std::array<ProcessMetrics, 2> two{{{0, "# HELP a_total An a.\n# TYPE a_total counter\na_total{x=\"1\"} 5\n# HELP b A b.\n# TYPE b gauge\nb 2\n"},
                                           {1, "# HELP a_total An a.\n# TYPE a_total counter\na_total{x=\"}y {\"} 7\n# HELP b A b.\n# TYPE b gauge\nb 3\n"}}};
  CHECK_EQ(merge(two),
           "# HELP a_total An a.\n# TYPE a_total counter\na_total{process=\"0\",x=\"1\"} 5\na_total{process=\"1\",x=\"}y {\"} 7\n"
           "# HELP b A b.\n# TYPE b gauge\nb{process=\"0\"} 2\nb{process=\"1\"} 3\n");
}

TEST(merge_tells_what_a_metric_is_once_also_without_samples) {
  const std::array<ProcessMetrics, 2> two{{{0, "# HELP a An a.\n# TYPE a counter\n"}, {1, "# HELP a An a.\n# TYPE a counter\na{} 1\n"}}};
  CHECK_EQ(merge(two), "# HELP a An a.\n# TYPE a counter\na{process=\"1\"} 1\n");
}

TEST(merge_of_a_registry_loses_no_line) {
  Registry registry("1.0");
  registry.histogram(HistogramId::stage_latency_seconds, {"egress", "en", "es"}).observe(0.1);
  const std::string text = registry.render();
  const std::array<ProcessMetrics, 1> one{{{4, text}}};
  std::string merged = merge(one);
  for (const std::string label : {"process=\"4\",", "{process=\"4\"}"}) {
    for (std::size_t at = merged.find(label); at != std::string::npos; at = merged.find(label)) merged.erase(at, label.size());
  }
  CHECK_EQ(merged, text);
}
