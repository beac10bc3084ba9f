// The forms that text options must have.
#include "core/config/option_forms.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace fluentgate::config {

namespace {

constexpr std::size_t prefix_bytes_max = 128;
constexpr std::size_t topic_bytes_max = 249;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

template <class Allowed>
bool all_are(std::string_view text, Allowed&& is_allowed) {
  return std::all_of(text.begin(), text.end(), is_allowed);
}

}  // namespace

bool is_prefix(std::string_view text) {
  if (text.size() < 2 || text.size() > prefix_bytes_max || text.front() != '/' || text.back() == '/') return false;
  if (!all_are(text, [](char c) { return is_alphanumeric(c) || std::string_view("/._~-").find(c) != std::string_view::npos; })) return false;
  for (std::string_view rest = text.substr(1);;) {
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") return false;
    if (slash == std::string_view::npos) return true;
    rest.remove_prefix(slash + 1);
  }
}

bool is_topic(std::string_view text) {
  return !text.empty() && text.size() <= topic_bytes_max && text != "." && text != ".." &&
         all_are(text, [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_origin(std::string_view text) {
  if (text == "null") return true;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view scheme = text.substr(0, colon), host = text.substr(colon + 3);
  if (!all_are(scheme, [](char c) { return is_alphanumeric(c) || c == '+' || c == '-' || c == '.'; })) return false;
  return !host.empty() && all_are(host, [](char c) { return !is_control(c) && std::string_view(" /?#@*,").find(c) == std::string_view::npos; });
}

bool is_cookie_name(std::string_view text) {
  return !text.empty() && all_are(text, [](char c) {
    return !is_control(c) && static_cast<unsigned char>(c) < 0x80 && std::string_view("()<>@,;:\\\"/[]?={} \t").find(c) == std::string_view::npos;
  });
}

bool is_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  if (address.find('\0') != std::string::npos) return false;
  std::array<unsigned char, 16> bytes{};
  int bits = 0;
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) bits = 32;
  else if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) bits = 128;
  else return false;
  if (slash == std::string_view::npos) return true;
  const std::string_view length = text.substr(slash + 1);
  int value = -1;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), value);
  return error == std::errc{} && end == length.data() + length.size() && value >= 0 && value <= bits;
}

bool is_text(std::string_view text) { return !std::any_of(text.begin(), text.end(), is_control); }

}  // namespace fluentgate::config
