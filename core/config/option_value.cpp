// A value as text.
#include "core/config/option_value.hpp"

#include <toml++/toml.h>

#include <array>
#include <charconv>
#include <cmath>

namespace fluentgate::config {

namespace {

constexpr std::size_t shown_bytes_max = 120;

template <class T>
Value value_of_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

Value value_of_array(std::string_view text) {
  std::vector<std::string> list;
  try {
    const toml::table parsed = toml::parse("list = " + std::string(text));
    const toml::array* array = parsed["list"].as_array();
    if (array == nullptr || parsed.size() != 1) return {};
    for (const toml::node& node : *array) {
      const auto element = node.value_exact<std::string>();
      if (!element) return {};
      list.push_back(*element);
    }
  } catch (const toml::parse_error&) {
    return {};
  }
  return list;
}

Value value_of_list(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('[')) return value_of_array(text);
  std::vector<std::string> list;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view element = trimmed(text.substr(0, comma));
    if (!element.empty()) list.emplace_back(element);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return list;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.append(1, '\\').append(1, c);
    else if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) out += c;
    else {
      constexpr std::string_view hex = "0123456789ABCDEF";
      out.append("\\u00").append(1, hex[static_cast<unsigned char>(c) >> 4]).append(1, hex[c & 15]);
    }
  }
  return out + "\"";
}

struct Shower {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    std::array<char, 32> text{};
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
    std::string out(text.data(), error == std::errc{} ? end : text.data());
    if (out.find_first_of(".e") == std::string::npos) out += ".0";
    return out;
  }
  std::string operator()(const std::string& value) const { return quoted(value); }
  std::string operator()(const std::vector<std::string>& value) const {
    std::string out = "[";
    for (const std::string& element : value) out.append(out.size() == 1 ? "" : ", ").append(quoted(element));
    return out + "]";
  }
};

}  // namespace

Value value_of_text(OptionType type, std::string_view text) {
  switch (type) {
    case OptionType::boolean:
      if (text == "true") return true;
      if (text == "false") return false;
      return {};
    case OptionType::integer: return value_of_number<std::int64_t>(text);
    case OptionType::number: return value_of_number<double>(text);
    case OptionType::string: return std::string(text);
    case OptionType::list: return value_of_list(text);
  }
  return {};
}

std::string show(const Value& value) { return std::visit(Shower{}, value); }

std::string show_short(const Value& value) {
  std::string text = show(value);
  if (text.size() <= shown_bytes_max) return text;
  std::size_t end = shown_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  return text.substr(0, end) + "...";
}

}  // namespace fluentgate::config
