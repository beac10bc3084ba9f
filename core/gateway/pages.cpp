#include "core/gateway/pages.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/metrics/merge.hpp"
#include "core/wire/json_write.hpp"

namespace fluentgate::gateway {

namespace {

Page text_page(int status, std::string type, std::string body) { return {status, std::move(type), {{"Cache-Control", "no-store"}}, std::move(body)}; }

Page refused(const auth::Refusal& refusal) {
  Page page;
  page.status = refusal.status();
  for (const auto& [name, value] : refusal.headers()) {
    if (name == "Content-Type") {
      page.content_type = value;
    } else {
      page.headers.emplace_back(name, value);
    }
  }
  page.body = refusal.body();
  return page;
}

}  // namespace

std::optional<Page> Pages::page(const PageRequest& request, const auth::Admission& admission, const auth::Gate& gate, bool draining) const {
  std::string_view path = request.path;
  const std::string& prefix = hub_.core.settings.prefix;
  const bool under_prefix = path.starts_with(prefix) && path.size() > prefix.size() && path[prefix.size()] == '/';
  if (under_prefix) path.remove_prefix(prefix.size());
  const bool known = path == "/healthz" || path == "/readyz" || path == "/metrics";
  if (!known) return under_prefix && path.ends_with(".vtt") ? captions_page(request, admission, gate) : std::nullopt;
  if (request.method != "GET" && request.method != "HEAD") {
    Page page = text_page(405, "text/plain; charset=utf-8", "method not allowed\n");
    page.headers.emplace_back("Allow", "GET, HEAD");
    return page;
  }
  if (path == "/healthz") return text_page(200, "text/plain; charset=utf-8", "ok\n");
  if (request.forwarded || !access_.allows(request.peer_address)) return text_page(403, "text/plain; charset=utf-8", "forbidden\n");
  if (path == "/metrics") return text_page(200, "text/plain; version=0.0.4; charset=utf-8", metrics());
  return ready_page(draining);
}

void Pages::publish(bool draining) const {
  if (siblings_ != nullptr) siblings_->publish(ready(draining), hub_.core.metrics.render());
}

// Of all processes, as if one had counted: with a label `process`, the others' as of the last second.
std::string Pages::metrics() const {
  const std::string own = hub_.core.metrics.render();
  if (siblings_ == nullptr) return own;
  const auto others = siblings_->others();
  std::vector<metrics::ProcessMetrics> all{{siblings_->process(), own}};
  for (const auto& other : others) all.push_back({other.process, other.metrics});
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.process < b.process; });
  return metrics::merge(all);
}

Page Pages::ready_page(bool draining) const {
  const auto& broker = hub_.health.broker();
  wire::ObjectWriter kafka;
  kafka.boolean("connected", broker.connected).boolean("positioned", broker.positioned).boolean("embedded", hub_.core.settings.kafka.embedded());
  if (hub_.core.settings.kafka.embedded()) kafka.text("bootstrap", bootstrap_);
  bool all_ready = ready(draining);
  wire::ObjectWriter page;
  std::string processes;
  if (siblings_ != nullptr) {
    publish(draining);  // first: once one process has said that all are ready, the others must find the same
    int count = all_ready ? 1 : 0;
    for (const auto& other : siblings_->others()) count += other.ready ? 1 : 0;
    all_ready = count == siblings_->processes();
    processes = wire::ObjectWriter().integer("ready", count).integer("total", siblings_->processes()).finish();
  }
  page.boolean("ready", all_ready).boolean("draining", draining).raw("kafka", kafka.finish());
  if (const auto redis = hub_.health.redis()) page.raw("redis", wire::ObjectWriter().boolean("connected", *redis).finish());
  page.text("pipeline", wire::name_of(hub_.health.state()));
  if (!processes.empty()) page.raw("processes", processes);
  return text_page(all_ready ? 200 : 503, "application/json", page.finish() + "\n");
}

// GET {prefix}/captions/{room}.vtt with the token of any captions client; what isn't that is admission's to refuse.
std::optional<Page> Pages::captions_page(const PageRequest& request, const auth::Admission& admission, const auth::Gate& gate) const {
  auth::UpgradeRequest upgrade;
  upgrade.method = request.method;
  upgrade.path = request.path;
  upgrade.query = request.query;
  upgrade.authorization = request.authorization;
  upgrade.cookie = request.cookie;
  upgrade.origin = request.origin;
  const auto verdict = admission.decide(upgrade, gate, hub_.core.clock.unix_ms());
  if (const auto* refusal = std::get_if<auth::Refusal>(&verdict)) {
    hub_.core.metrics.refused(refusal->code);
    return refused(*refusal);
  }
  const auto& admitted = std::get<auth::Admitted>(verdict);
  if (!admitted.vtt) return std::nullopt;
  return text_page(200, "text/vtt; charset=utf-8", hub_.captions.webvtt(admitted.room));
}

}  // namespace fluentgate::gateway
