#include "core/auth/credentials.hpp"

#include <algorithm>

namespace fluentgate::auth {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool equal_without_case(std::string_view text, std::string_view lower) noexcept {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
}

}  // namespace

std::string_view bearer_token(std::string_view authorization) noexcept {
  const std::string_view text = trimmed(authorization);
  const std::size_t blank = std::min(text.find(' '), text.size());
  if (!equal_without_case(text.substr(0, blank), "bearer")) return {};
  return trimmed(text.substr(blank));
}

std::string_view cookie_value(std::string_view header, std::string_view name) noexcept {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(';'), header.size());
    const std::string_view pair = trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || trimmed(pair.substr(0, equals)) != name) continue;
    std::string_view value = trimmed(pair.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (!value.empty()) return value;
  }
  return {};
}

FoundToken find_token(const Query& query, const std::optional<std::string_view>& authorization, const std::optional<std::string_view>& cookie,
                      std::string_view cookie_name) {
  if (const Query::Parameter* parameter = query.find("token"); parameter != nullptr && parameter->value && !parameter->value->empty()) {
    return {TokenPlace::query, *parameter->value};
  }
  if (authorization) {
    if (const std::string_view token = bearer_token(*authorization); !token.empty()) return {TokenPlace::header, std::string(token)};
  }
  if (cookie && !cookie_name.empty()) {
    if (const std::string_view token = cookie_value(*cookie, cookie_name); !token.empty()) return {TokenPlace::cookie, std::string(token)};
  }
  return {};
}

}  // namespace fluentgate::auth
