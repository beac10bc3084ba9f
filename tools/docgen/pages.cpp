// The reference pages as Markdown.
#include "tools/docgen/pages.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <vector>

#include "core/config/option_pages.hpp"
#include "core/domain/close_code.hpp"
#include "core/metrics/metric_table.hpp"
#include "core/wire/error_code.hpp"

namespace fluentgate::docgen {

namespace {

using config::markdown_cell;

std::string generated_from(std::string_view source) { return "<!-- Generated from " + std::string(source) + " by fluentgate-docgen. -->\n"; }

std::string row(std::initializer_list<std::string_view> cells) {
  std::string out = "|";
  for (const std::string_view cell : cells) out.append(" ").append(cell).append(" |");
  return out + "\n";
}

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::vector<CloseCodeRow> sorted_close_codes() {
  const auto table = close_code_table();
  std::vector<CloseCodeRow> rows(table.begin(), table.end());
  std::stable_sort(rows.begin(), rows.end(), [](const CloseCodeRow& a, const CloseCodeRow& b) { return a.code < b.code; });
  return rows;
}

std::string number(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return std::string(text.data(), error == std::errc{} ? end : text.data());
}

std::string labels(const metrics::Metric& metric) {
  std::string out;
  for (std::size_t i = 0; i < metric.label_count(); ++i) out.append(i == 0 ? "" : ", ").append(code(metric.labels[i]));
  std::string known;
  for (const std::string_view value : metric.known) known.append(known.empty() ? "" : ", ").append(code(value));
  return known.empty() ? out : out + ": " + known;
}

}  // namespace

std::string close_codes_markdown() {
  std::string out = generated_from("core/domain/close_code.cpp");
  out +=
      "# Close codes and refusals\n\n"
      "## Close codes\n\n"
      "What a WebSocket is closed with. The reason is the text of the close frame.\n\n"
      "| code | reason | meaning | reconnect |\n|---|---|---|---|\n";
  for (const CloseCodeRow& r : sorted_close_codes()) {
    if (r.as_close) out += row({std::to_string(static_cast<int>(r.code)), r.reason, markdown_cell(r.meaning), markdown_cell(r.reconnect)});
  }
  out +=
      "\n## Refusals before the upgrade\n\n"
      "With `auth.reject = \"http\"` (the default) a handshake is refused by an HTTP status with the body `{\"code\":...,\"reason\":...,\"detail\":...}`; the\n"
      "detail is for people. With `auth.reject = \"close\"` the upgrade of a GET that asks for one is completed and closed at once with the code;\n"
      "405 and 426 stay HTTP. 401 has `WWW-Authenticate`, 405 `Allow: GET`, 426 `Upgrade: websocket`, 429 and 503 `Retry-After`.\n\n"
      "| HTTP status | code | reason | meaning |\n|---|---|---|---|\n";
  for (const CloseCodeRow& r : sorted_close_codes()) {
    if (r.http_status != 0) out += row({std::to_string(r.http_status), std::to_string(static_cast<int>(r.code)), r.reason, markdown_cell(r.meaning)});
  }
  return out;
}

std::string error_codes_markdown() {
  std::string out = generated_from("core/wire/error_code.cpp");
  out +=
      "# Error events\n\n"
      "`{\"type\":\"error\",\"code\":...,\"detail\":...}`: what a client sent could not be used. The detail is for people. None of them closes the socket.\n\n"
      "| code | endpoints | meaning |\n|---|---|---|\n";
  for (const wire::ErrorCodeRow& r : wire::error_code_table()) out += row({code(r.name), markdown_cell(r.endpoints), markdown_cell(r.meaning)});
  return out;
}

std::string metrics_markdown() {
  std::string out = generated_from("core/metrics/metric_table.cpp");
  out +=
      "# Metrics\n\n"
      "`GET /metrics` gives them in the Prometheus text format, to the addresses in `ops.allow` only. Units are in the names. Languages as label values are\n"
      "bounded in number: an unknown one, and one too many, is `-`; a stage without a target has an empty one.\n\n"
      "| name | type | labels | |\n|---|---|---|---|\n";
  for (const metrics::Metric& metric : metrics::metric_table()) {
    std::string help = markdown_cell(metric.help);
    if (!metric.buckets.empty()) {
      help += " Buckets:";
      for (const double bound : metric.buckets) help += " " + number(bound);
      help += ".";
    }
    out += row({code(metric.name), metrics::name_of(metric.type), labels(metric), help});
  }
  return out;
}

}  // namespace fluentgate::docgen
