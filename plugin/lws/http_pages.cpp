#include "plugin/lws/http_pages.hpp"

#include <variant>

#include "plugin/lws/http_answer.hpp"
#include "plugin/lws/http_request.hpp"
#include "plugin/lws/refusal_answer.hpp"

namespace fluentgate::lws_plugin {
namespace {

std::optional<std::string_view> view(const std::optional<std::string>& text) {
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

std::optional<HttpAnswer> answer_to(const HttpRequest& request, gateway::Gateway& gateway) {
  gateway::PageRequest asked;
  asked.method = request.method;
  asked.path = request.path;
  asked.query = request.query;
  asked.peer_address = request.peer_address;
  asked.forwarded = request.forwarded;
  asked.authorization = view(request.authorization);
  asked.cookie = view(request.cookie);
  asked.origin = view(request.origin);
  if (auto page = gateway.page(asked)) {
    return HttpAnswer{page->status, std::move(page->content_type), std::move(page->headers), std::move(page->body)};
  }
  auth::UpgradeRequest refused;
  refused.method = request.method;
  refused.path = request.path;
  refused.query = request.query;
  refused.authorization = asked.authorization;
  refused.cookie = asked.cookie;
  refused.origin = asked.origin;
  const auto verdict = gateway.admit(refused);
  if (const auto* refusal = std::get_if<auth::Refusal>(&verdict)) return refusal_answer(*refusal);
  return std::nullopt;  // admitted without an upgrade: only WebVTT is, and page() has answered that
}

}  // namespace

int answer_page(lws* wsi, gateway::Gateway& gateway) {
  const HttpRequest request = read_request(wsi);
  const auto answer = answer_to(request, gateway);
  return answer ? answer_request(wsi, request, *answer) : -1;
}

int answer_page_and_close(lws* wsi, gateway::Gateway& gateway) {
  const HttpRequest request = read_request(wsi);
  if (const auto answer = answer_to(request, gateway)) write_answer(wsi, request, *answer, true);
  return -1;
}

}  // namespace fluentgate::lws_plugin
