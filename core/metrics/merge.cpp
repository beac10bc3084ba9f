#include "core/metrics/merge.hpp"

#include <map>
#include <vector>

namespace fluentgate::metrics {
namespace {

struct Family {
  const ProcessMetrics* from = nullptr;  // whose HELP and TYPE are told
  std::string head;
  std::string samples;
};

// `name{a="b"} 1` and `name 1` alike. A label's value may hold any character, but the name before the first brace or blank may not.
void append_sample(std::string& out, std::string_view line, const std::string& label) {
  const std::size_t at = line.find_first_of("{ ");
  if (at == std::string_view::npos) return;
  out += line.substr(0, at);
  out += '{';
  out += label;
  if (line[at] == '{') {
    if (at + 1 < line.size() && line[at + 1] != '}') out += ',';
    out += line.substr(at + 1);
  } else {
    out += '}';
    out += line.substr(at);
  }
  out += '\n';
}

}  // namespace

std::string merge(std::span<const ProcessMetrics> processes) {
  std::vector<std::string> order;
  std::map<std::string, Family, std::less<>> families;
  for (const ProcessMetrics& one : processes) {
    const std::string label = "process=\"" + std::to_string(one.process) + "\"";
    std::string_view rest = one.text;
    Family* family = nullptr;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) {
        const std::string_view name = line.substr(7, line.find(' ', 7) - 7);
        const auto [found, added] = families.try_emplace(std::string(name));
        family = &found->second;
        if (added) {
          order.emplace_back(name);
          family->from = &one;
        }
        if (family->from == &one) family->head.append(line).append("\n");
      } else if (!line.empty() && family != nullptr) {
        append_sample(family->samples, line, label);
      }
    }
  }
  std::string out;
  for (const std::string& name : order) {
    const Family& family = families.find(name)->second;
    out += family.head;
    out += family.samples;
  }
  return out;
}

}  // namespace fluentgate::metrics
