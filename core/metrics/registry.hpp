// Counters, gauges and histograms by the rows of metric_table(), and their text for Prometheus (exposition format 0.0.4).
// Thread: any. Adding to a child is a few relaxed atomic operations; looking one up takes a lock, so callers on a hot path keep the reference,
// which stays good as long as the registry.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/metrics/metric_table.hpp"

namespace fluentgate::metrics {

class Counter {
 public:
  // Negative amounts and NaN are ignored: a counter never goes back.
  void add(double amount = 1) noexcept {
    if (amount > 0) value_.fetch_add(amount, std::memory_order_relaxed);
  }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double change) noexcept { value_.fetch_add(change, std::memory_order_relaxed); }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  // `bounds` must outlive it.
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}
  // Seconds. Negative ones count as 0; NaN is ignored.
  void observe(double seconds) noexcept {
    if (seconds != seconds) return;
    if (seconds < 0) seconds = 0;
    std::size_t at = 0;
    while (at < bounds_.size() && seconds > bounds_[at]) ++at;  // some twenty bounds: cheaper than a binary search
    counts_[at].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(seconds, std::memory_order_relaxed);
  }
  std::span<const double> bounds() const noexcept { return bounds_; }
  std::uint64_t count_in(std::size_t bucket) const noexcept { return counts_[bucket].load(std::memory_order_relaxed); }  // not cumulative
  std::uint64_t count() const noexcept;
  double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  std::span<const double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

// Label values, in the order of the row's names. Values missing at the end are empty, those too many are ignored.
// Bounded: the labels `source` and `target` hold languages, of which the first limits::metric_languages_max are told apart (without regard to
// case) and the rest, and what is no language tag, is "-". Over a row's children_max its languages all become "-", then every value does.
class Registry {
 public:
  using Values = std::initializer_list<std::string_view>;

  // `version`: for fluentgate_build_info.
  explicit Registry(std::string_view version);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter& counter(CounterId id, Values values = {});
  Gauge& gauge(GaugeId id, Values values = {});
  Histogram& histogram(HistogramId id, Values values = {});

  // Content type: text/plain; version=0.0.4; charset=utf-8
  std::string render() const;

 private:
  template <class Child>
  struct Family {
    const Metric* metric = nullptr;
    std::map<std::vector<std::string>, std::unique_ptr<Child>> children;
  };
  template <class Child>
  Child& child(Family<Child>& family, Values values);
  std::string language(std::string_view tag);
  template <class Child>
  void make_known(Family<Child>& family);

  mutable std::mutex mutex_;  // guards all below; never what the children count
  std::vector<Family<Counter>> counters_;
  std::vector<Family<Gauge>> gauges_;
  std::vector<Family<Histogram>> histograms_;
  std::set<std::string> languages_;
};

}  // namespace fluentgate::metrics
