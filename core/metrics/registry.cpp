#include "core/metrics/registry.hpp"

#include <charconv>
#include <cmath>

#include "core/domain/limits.hpp"

namespace fluentgate::metrics {
namespace {

constexpr std::string_view other = "-";

bool holds_language(std::string_view label) noexcept { return label == "source" || label == "target"; }

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    char text[64];
    constexpr double exact_integers_below = 9007199254740992.0;  // 2^53
    const bool integer = std::abs(value) < exact_integers_below && std::trunc(value) == value;
    const auto end = integer ? std::to_chars(text, text + sizeof text, static_cast<std::int64_t>(value)) : std::to_chars(text, text + sizeof text, value);
    out.append(text, end.ptr);
  }
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out.push_back(c);
    }
  }
}

// name{labels,le="..."} and a blank.
void append_sample(std::string& out, const Metric& metric, std::string_view suffix, const std::vector<std::string>& values, const double* bound = nullptr) {
  out += metric.name;
  out += suffix;
  if (!values.empty() || bound != nullptr) {
    out.push_back('{');
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out.push_back(',');
      out += metric.labels[i];
      out += "=\"";
      append_escaped(out, values[i], true);
      out.push_back('"');
    }
    if (bound != nullptr) {
      if (!values.empty()) out.push_back(',');
      out += "le=\"";
      append_number(out, *bound);
      out.push_back('"');
    }
    out.push_back('}');
  }
  out.push_back(' ');
}

void append_child(std::string& out, const Metric& metric, const std::vector<std::string>& values, const Counter& child) {
  append_sample(out, metric, "", values);
  append_number(out, child.value());
  out.push_back('\n');
}

void append_child(std::string& out, const Metric& metric, const std::vector<std::string>& values, const Gauge& child) {
  append_sample(out, metric, "", values);
  append_number(out, child.value());
  out.push_back('\n');
}

void append_child(std::string& out, const Metric& metric, const std::vector<std::string>& values, const Histogram& child) {
  // The count is made of the buckets as read here, so that +Inf and _count agree while others observe.
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i <= child.bounds().size(); ++i) {
    cumulative += child.count_in(i);
    const double bound = i < child.bounds().size() ? child.bounds()[i] : INFINITY;
    append_sample(out, metric, "_bucket", values, &bound);
    out += std::to_string(cumulative);
    out.push_back('\n');
  }
  append_sample(out, metric, "_sum", values);
  append_number(out, child.sum());
  out.push_back('\n');
  append_sample(out, metric, "_count", values);
  out += std::to_string(cumulative);
  out.push_back('\n');
}

template <class Families>
void append_families(std::string& out, const Families& families) {
  for (const auto& family : families) {
    const Metric& metric = *family.metric;
    out += "# HELP ";
    out += metric.name;
    out.push_back(' ');
    append_escaped(out, metric.help, false);
    out += "\n# TYPE ";
    out += metric.name;
    out.push_back(' ');
    out += name_of(metric.type);
    out.push_back('\n');
    for (const auto& [values, child] : family.children) append_child(out, metric, values, *child);
  }
}

template <class Child>
std::unique_ptr<Child> make_child(const Metric& metric) {
  if constexpr (std::is_same_v<Child, Histogram>) {
    return std::make_unique<Histogram>(metric.buckets);
  } else {
    return std::make_unique<Child>();
  }
}

}  // namespace

std::uint64_t Histogram::count() const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) sum += count_in(i);
  return sum;
}

Registry::Registry(std::string_view version) {
  for (const Metric& metric : metric_table()) {
    switch (metric.type) {
      case Type::counter: counters_.push_back({&metric, {}}); break;
      case Type::gauge: gauges_.push_back({&metric, {}}); break;
      case Type::histogram: histograms_.push_back({&metric, {}}); break;
    }
  }
  for (auto& family : counters_) make_known(family);
  for (auto& family : gauges_) make_known(family);
  for (auto& family : histograms_) make_known(family);
  gauge(GaugeId::build_info, {version}).set(1);
}

// What can be named beforehand is shown with 0, so that a rate over it has a beginning.
template <class Child>
void Registry::make_known(Family<Child>& family) {
  if (family.metric->label_count() == 0) child(family, {});
  for (const std::string_view value : family.metric->known) child(family, {value});
}

// mutex_ is held.
std::string Registry::language(std::string_view tag) {
  if (tag.empty() || tag == other || tag.size() > limits::language_tag_bytes_max) return std::string(other);
  std::string key;
  for (const char c : tag) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (!upper && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') return std::string(other);
    key.push_back(upper ? static_cast<char>(c - 'A' + 'a') : c);
  }
  if (languages_.contains(key)) return key;
  if (languages_.size() >= limits::metric_languages_max) return std::string(other);
  languages_.insert(key);
  return key;
}

template <class Child>
Child& Registry::child(Family<Child>& family, Values given) {
  const Metric& metric = *family.metric;
  const std::size_t count = metric.label_count();
  std::vector<std::string> values(count);
  const std::lock_guard lock(mutex_);
  auto value = given.begin();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view text = value == given.end() ? std::string_view{} : *value++;
    const bool no_target = metric.labels[i] == "target" && text.empty();
    values[i] = holds_language(metric.labels[i]) && !no_target ? language(text) : std::string(text);
  }
  if (const auto found = family.children.find(values); found != family.children.end()) return *found->second;
  if (family.children.size() >= metric.children_max) {
    for (std::size_t i = 0; i < count; ++i) {
      if (holds_language(metric.labels[i])) values[i] = other;
    }
    // An eighth more than the bound is kept for stages without languages; after that there is one child for all the rest.
    const bool still_bounded = family.children.size() < metric.children_max + metric.children_max / 8;
    const bool has_languages = count > 0 && holds_language(metric.labels[count - 1]);
    if (!family.children.contains(values) && !(has_languages && still_bounded)) values.assign(count, std::string(other));
  }
  std::unique_ptr<Child>& child = family.children[values];
  if (!child) child = make_child<Child>(metric);
  return *child;
}

Counter& Registry::counter(CounterId id, Values values) { return child(counters_[static_cast<std::size_t>(id)], values); }
Gauge& Registry::gauge(GaugeId id, Values values) { return child(gauges_[static_cast<std::size_t>(id)], values); }
Histogram& Registry::histogram(HistogramId id, Values values) { return child(histograms_[static_cast<std::size_t>(id)], values); }

std::string Registry::render() const {
  std::string out;
  const std::lock_guard lock(mutex_);
  append_families(out, counters_);
  append_families(out, gauges_);
  append_families(out, histograms_);
  return out;
}

}  // namespace fluentgate::metrics
