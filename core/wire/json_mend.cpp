// One pass: strings for their escapes, numbers for their size.
#include "core/wire/json_mend.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace fluentgate::wire {
namespace {

constexpr std::string_view replacement = "\\ufffd";
constexpr std::string_view no_number_of_ours = "1e300";
constexpr std::size_t escape_bytes = 6;  // \uXXXX

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// The code unit of a \uXXXX at `at`, if there is one.
std::optional<unsigned> unit_at(std::string_view text, std::size_t at) {
  if (text.size() < escape_bytes || at > text.size() - escape_bytes || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  const char* const begin = text.data() + at + 2;
  const auto [end, error] = std::from_chars(begin, begin + 4, unit, 16);
  return error == std::errc() && end == begin + 4 ? std::optional(unit) : std::nullopt;
}

bool high(std::optional<unsigned> unit) noexcept { return unit && *unit >= 0xD800 && *unit <= 0xDBFF; }
bool low(std::optional<unsigned> unit) noexcept { return unit && *unit >= 0xDC00 && *unit <= 0xDFFF; }

// Appends what the escape at `at` becomes; returns how long it was.
std::size_t append_escape(std::string& out, std::string_view text, std::size_t at) {
  const auto unit = unit_at(text, at);
  if (high(unit) && low(unit_at(text, at + escape_bytes))) {
    out += text.substr(at, 2 * escape_bytes);
    return 2 * escape_bytes;
  }
  if (high(unit) || low(unit)) {
    out += replacement;
    return escape_bytes;
  }
  const std::size_t size = std::min<std::size_t>(2, text.size() - at);  // an escaped quote doesn't end the string
  out += text.substr(at, size);
  return size;
}

// RFC 8259, section 6.
bool is_number(std::string_view token) noexcept {
  std::size_t at = token.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t first = at;
    while (at < token.size() && is_digit(token[at])) ++at;
    return at - first;
  };
  const bool zero = at < token.size() && token[at] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (at < token.size() && token[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == token.size();
}

bool fits(std::string_view token) noexcept {
  const char* const end = token.data() + token.size();
  if (token.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t negative = 0;
    std::uint64_t positive = 0;
    return token.starts_with('-') ? std::from_chars(token.data(), end, negative).ec == std::errc()
                                  : std::from_chars(token.data(), end, positive).ec == std::errc();
  }
  double real = 0;
  return std::from_chars(token.data(), end, real).ec == std::errc();
}

}  // namespace

std::string mended_json(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  bool in_string = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (in_string && c == '\\') {
      at += append_escape(out, text, at);
      continue;
    }
    if (!in_string && (c == '-' || is_digit(c))) {
      const std::size_t end = std::min(text.find_first_not_of("0123456789+-.eE", at), text.size());
      const std::string_view token = text.substr(at, end - at);
      out += is_number(token) && !fits(token) ? no_number_of_ours : token;
      at = end;
      continue;
    }
    if (c == '"') in_string = !in_string;
    out += c;
    ++at;
  }
  return out;
}

}  // namespace fluentgate::wire
