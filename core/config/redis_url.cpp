// Scheme, then what is before the last @, then host, port and database.
#include "core/config/redis_url.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace fluentgate::config {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::optional<int> number(std::string_view text, int from, int to) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size() || value < from || value > to) return std::nullopt;
  return value;
}

Error bad(const char* what) { return Error{"bad_url", what}; }

}  // namespace

Result<RedisUrl> parse_redis_url(std::string_view text) {
  RedisUrl url;
  if (text.starts_with("rediss://")) {
    url.tls = true;
    text.remove_prefix(9);
  } else if (text.starts_with("redis://")) {
    text.remove_prefix(8);
  } else {
    return bad("begins with neither redis:// nor rediss://");
  }
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; })) {
    return bad("has a blank or a control character");
  }
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    const std::string_view who = text.substr(0, at);
    text.remove_prefix(at + 1);
    const std::size_t colon = who.find(':');
    const auto user = percent_decoded(colon == std::string_view::npos ? std::string_view() : who.substr(0, colon));
    const auto password = percent_decoded(colon == std::string_view::npos ? who : who.substr(colon + 1));
    if (!user || !password) return bad("has a bad percent-escape before the @");
    url.user = *user;
    url.password = *password;
  }
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::string_view database = text.substr(slash + 1);
    text = text.substr(0, slash);
    if (!database.empty()) {
      const auto parsed = number(database, 0, 1'000'000);
      if (!parsed) return bad("has a database that is no number");
      url.database = *parsed;
    }
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return bad("has a [ without its ]");
    url.host = std::string(text.substr(1, end - 1));
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':') return bad("has something other than a port behind the ]");
  } else {
    const std::size_t colon = text.find(':');
    url.host = std::string(text.substr(0, colon));
    port = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
  }
  if (url.host.empty()) return bad("names no host");
  if (!port.empty()) {
    const auto parsed = number(port.substr(1), 1, 65535);
    if (!parsed) return bad("has a port that is not 1 to 65535");
    url.port = *parsed;
  }
  return url;
}

}  // namespace fluentgate::config
