#include "core/auth/refusal.hpp"

#include <cstdio>

namespace fluentgate::auth {
namespace {

// Details are our own text, UTF-8 where a configured claim name is; what came from outside was made printable before. Quotes can be in it.
void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

int Refusal::status() const noexcept {
  if (code == CloseCode::rate_limited && instance_limit) return 503;
  return close_code_row(code).http_status;
}

std::vector<std::pair<std::string_view, std::string>> Refusal::headers() const {
  std::vector<std::pair<std::string_view, std::string>> list{{"Content-Type", "application/json"}};
  if (code == CloseCode::method_not_allowed) list.emplace_back("Allow", "GET");
  if (code == CloseCode::upgrade_required) list.emplace_back("Upgrade", "websocket");
  if (code == CloseCode::unauthorized) list.emplace_back("WWW-Authenticate", "Bearer error=\"invalid_token\"");
  if (retry_after_s) list.emplace_back("Retry-After", std::to_string(*retry_after_s));
  return list;
}

std::string Refusal::body() const {
  std::string text = "{\"code\":" + std::to_string(static_cast<int>(code)) + ",\"reason\":";
  append_json_string(text, close_code_row(code).reason);
  text += ",\"detail\":";
  append_json_string(text, detail);
  return text + "}";
}

bool Refusal::as_close(config::RejectMode mode) const noexcept {
  return mode == config::RejectMode::close && can_close && close_code_row(code).as_close;
}

}  // namespace fluentgate::auth
