// The table of metrics and its text for Prometheus (CONTRACT 6; exposition format 0.0.4).
#include "core/metrics/registry.hpp"

#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "core/domain/limits.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::metrics;

namespace {

bool has_line(const std::string& text, const std::string& line) { return ("\n" + text).find("\n" + line + "\n") != std::string::npos; }

const Metric* row(std::string_view name) {
  for (const Metric& metric : metric_table()) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

std::string labels_of(const Metric& metric) {
  std::string out;
  for (std::size_t i = 0; i < metric.label_count(); ++i) out += (i == 0 ? "" : ",") + std::string(metric.labels[i]);
  return out;
}

}  // namespace

TEST(the_metrics_of_the_contract_have_their_names_types_and_labels) {
  const struct { const char* name; Type type; const char* labels; } wanted[] = {
      {"fluentgate_stage_latency_seconds", Type::histogram, "stage,source,target"},
      {"fluentgate_messages_malformed_total", Type::counter, "topic,reason"},
      {"fluentgate_audio_dropped_seconds_total", Type::counter, "reason"},
      {"fluentgate_frames_skipped_total", Type::counter, "reason"},
      {"fluentgate_sessions", Type::gauge, "endpoint"},
      {"fluentgate_rooms", Type::gauge, ""},
      {"fluentgate_kafka_up", Type::gauge, ""},
      {"fluentgate_redis_up", Type::gauge, ""},
  };
  for (const auto& want : wanted) {
    const Metric* metric = row(want.name);
    CHECK(metric != nullptr);
    CHECK(metric->type == want.type);
    CHECK_EQ(labels_of(*metric), want.labels);
  }
}

TEST(every_row_is_well_formed) {
  std::set<std::string_view> names;
  for (const Metric& metric : metric_table()) {
    CHECK(names.insert(metric.name).second);
    CHECK(metric.name.starts_with("fluentgate_"));
    CHECK_EQ(metric.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos);
    CHECK_EQ(metric.name.ends_with("_total"), metric.type == Type::counter);
    CHECK(!metric.help.empty() && metric.help.ends_with("."));
    CHECK_EQ(metric.type == Type::histogram, !metric.buckets.empty());
    CHECK(metric.children_max > 0);
    for (std::size_t i = 1; i < metric.buckets.size(); ++i) CHECK(metric.buckets[i - 1] < metric.buckets[i]);
  }
  const auto buckets = row("fluentgate_stage_latency_seconds")->buckets;
  CHECK_EQ(buckets.front(), 0.001);
  CHECK_EQ(buckets.back(), 30.0);
}

TEST(each_row_is_rendered_with_help_and_type_once_and_known_children_with_zero) {
  const Registry registry("1.2.3");
  const std::string text = registry.render();
  for (const Metric& metric : metric_table()) {
    const std::string type = "# TYPE " + std::string(metric.name) + " " + std::string(name_of(metric.type));
    CHECK(has_line(text, type));
    CHECK_EQ(text.find(type + "\n"), text.rfind(type + "\n"));
    CHECK(text.find("# HELP " + std::string(metric.name) + " ") != std::string::npos);
  }
  CHECK(has_line(text, "fluentgate_kafka_up 0"));
  CHECK(has_line(text, "fluentgate_sessions{endpoint=\"audio\"} 0"));
  CHECK(has_line(text, "fluentgate_frames_skipped_total{reason=\"stale\"} 0"));
  CHECK(has_line(text, "fluentgate_build_info{version=\"1.2.3\"} 1"));
  CHECK_EQ(text.back(), '\n');
}

TEST(counters_and_gauges_show_what_was_added) {
  Registry registry("");
  registry.counter(CounterId::chunks_published).add();
  registry.counter(CounterId::chunks_published).add(2);
  registry.counter(CounterId::audio_dropped_seconds, {"buffer_full"}).add(0.25);
  registry.gauge(GaugeId::sessions, {"audio"}).add(3);
  registry.gauge(GaugeId::sessions, {"audio"}).add(-1);
  registry.gauge(GaugeId::outbox_bytes).set(1e15);
  const std::string text = registry.render();
  CHECK(has_line(text, "fluentgate_chunks_published_total 3"));
  CHECK(has_line(text, "fluentgate_audio_dropped_seconds_total{reason=\"buffer_full\"} 0.25"));
  CHECK(has_line(text, "fluentgate_sessions{endpoint=\"audio\"} 2"));
  CHECK(has_line(text, "fluentgate_outbox_bytes 1000000000000000"));
}

TEST(a_counter_never_goes_back) {
  Registry registry("");
  Counter& counter = registry.counter(CounterId::frames_delivered);
  counter.add(5);
  counter.add(-3);
  counter.add(std::nan(""));
  CHECK_EQ(counter.value(), 5.0);
}

TEST(a_histogram_is_cumulative_and_its_bounds_are_inclusive) {
  Registry registry("");
  Histogram& histogram = registry.histogram(HistogramId::stage_latency_seconds, {"synthesis", "en", "es"});
  for (const double seconds : {0.001, 0.0011, 0.3, 45.0, -1.0}) histogram.observe(seconds);
  histogram.observe(std::nan(""));
  CHECK_EQ(histogram.count(), 5u);
  const std::string text = registry.render();
  const std::string labels = "{stage=\"synthesis\",source=\"en\",target=\"es\"";
  CHECK(has_line(text, "fluentgate_stage_latency_seconds_bucket" + labels + ",le=\"0.001\"} 2"));
  CHECK(has_line(text, "fluentgate_stage_latency_seconds_bucket" + labels + ",le=\"0.0025\"} 3"));
  CHECK(has_line(text, "fluentgate_stage_latency_seconds_bucket" + labels + ",le=\"30\"} 4"));
  CHECK(has_line(text, "fluentgate_stage_latency_seconds_bucket" + labels + ",le=\"+Inf\"} 5"));
  CHECK(has_line(text, "fluentgate_stage_latency_seconds_count" + labels + "} 5"));
  CHECK(text.find("fluentgate_stage_latency_seconds_sum" + labels + "} 45.302") != std::string::npos);
}

TEST(label_values_are_escaped) {
  Registry registry("");
  registry.counter(CounterId::chunk_publish_errors, {"a\"b\\c\nd"}).add();
  CHECK(has_line(registry.render(), "fluentgate_chunk_publish_errors_total{reason=\"a\\\"b\\\\c\\nd\"} 1"));
}

TEST(a_child_stays_the_same) {
  Registry registry("");
  Counter& first = registry.counter(CounterId::closes, {"1000"});
  for (int i = 0; i < 50; ++i) registry.counter(CounterId::closes, {std::to_string(i)});
  CHECK(&registry.counter(CounterId::closes, {"1000"}) == &first);
}

TEST(languages_are_bounded_and_told_apart_without_regard_to_case) {
  Registry registry("");
  Histogram& es = registry.histogram(HistogramId::stage_latency_seconds, {"translation", "en", "es-MX"});
  CHECK(&registry.histogram(HistogramId::stage_latency_seconds, {"translation", "EN", "es-mx"}) == &es);
  for (std::size_t i = 2; i < limits::metric_languages_max; ++i) {
    registry.histogram(HistogramId::stage_latency_seconds, {"translation", "en", "x" + std::to_string(i)});
  }
  Histogram& rest = registry.histogram(HistogramId::stage_latency_seconds, {"translation", "en", "-"});
  CHECK(&registry.histogram(HistogramId::stage_latency_seconds, {"translation", "en", "toomany"}) == &rest);
  CHECK(&registry.histogram(HistogramId::stage_latency_seconds, {"translation", "en", "es-MX"}) == &es);
}

TEST(an_unknown_language_is_a_dash_and_no_target_is_empty) {
  Registry registry("");
  Histogram& unknown = registry.histogram(HistogramId::stage_latency_seconds, {"transcript", "", ""});
  for (const char* no_language : {"-", "e n", "e\nn", "this-is-far-too-long-for-a-language-tag"}) {
    CHECK(&registry.histogram(HistogramId::stage_latency_seconds, {"transcript", no_language, ""}) == &unknown);
  }
  unknown.observe(1);
  CHECK(has_line(registry.render(), "fluentgate_stage_latency_seconds_count{stage=\"transcript\",source=\"-\",target=\"\"} 1"));
}

TEST(label_combinations_are_bounded) {
  Registry registry("");
  for (int i = 0; i < 10000; ++i) registry.counter(CounterId::messages_malformed, {"topic", std::to_string(i)}).add();
  const std::size_t bound = row("fluentgate_messages_malformed_total")->children_max;
  const std::string text = registry.render();
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = text.find("\nfluentgate_messages_malformed_total{", at)) != std::string::npos; ++at) ++lines;
  CHECK_EQ(lines, bound + 1);
  CHECK(has_line(text, "fluentgate_messages_malformed_total{topic=\"-\",reason=\"-\"} " + std::to_string(10000 - bound)));
}

TEST(pairs_of_languages_beyond_the_bound_keep_their_stage) {
  Registry registry("");
  const auto tag = [](int i) { return "l" + std::to_string(i); };
  for (const char* stage : {"egress", "synthesis", "translation"}) {
    for (int a = 0; a < 32; ++a) {
      for (int b = 0; b < 32; ++b) registry.histogram(HistogramId::stage_latency_seconds, {stage, tag(a), tag(b)});
    }
  }
  registry.histogram(HistogramId::stage_latency_seconds, {"mouth_to_ear", tag(1), tag(2)}).observe(1);
  CHECK(has_line(registry.render(), "fluentgate_stage_latency_seconds_count{stage=\"mouth_to_ear\",source=\"-\",target=\"-\"} 1"));
}

TEST(any_thread_may_add_and_render) {
  Registry registry("");
  const auto work = [&] {
    Counter& counter = registry.counter(CounterId::frames_received);
    for (int i = 0; i < 10000; ++i) {
      counter.add();
      registry.histogram(HistogramId::loop_turn_seconds).observe(0.001);
    }
  };
  std::thread first(work), second(work);
  for (int i = 0; i < 20; ++i) CHECK(!registry.render().empty());
  first.join();
  second.join();
  CHECK_EQ(registry.counter(CounterId::frames_received).value(), 20000.0);
  CHECK_EQ(registry.histogram(HistogramId::loop_turn_seconds).count(), 20000u);
}
