// JSON strings and numbers as text. Runs of plain ASCII are copied whole: nearly everything that we write is.
#include "core/wire/json_write.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "core/wire/utf8.hpp"

namespace fluentgate::wire {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr char hex[] = "0123456789abcdef";

constexpr bool plain(unsigned char c) noexcept { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

void append_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
  out.append(escape, sizeof escape);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t run = i;
    while (run < text.size() && plain(static_cast<unsigned char>(text[run]))) ++run;
    out.append(text.substr(i, run - i));
    i = run;
    if (i == text.size()) break;
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      append_escape(out, c);
      ++i;
      continue;
    }
    const std::size_t size = utf8_sequence_size(text.substr(i));
    out += size == 0 ? replacement : text.substr(i, size);
    i += size == 0 ? 1 : size;
  }
  out += '"';
}

void append_json_integer(std::string& out, std::int64_t value) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  out.append(buffer.data(), end);
}

void append_json_real(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  std::array<char, 40> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void ObjectWriter::begin(std::string_view name) {
  out_ += any_ ? ",\"" : "{\"";
  any_ = true;
  out_ += name;
  out_ += "\":";
}

ObjectWriter& ObjectWriter::text(std::string_view name, std::string_view value) {
  begin(name);
  append_json_string(out_, value);
  return *this;
}

ObjectWriter& ObjectWriter::text(std::string_view name, const std::optional<std::string>& value) {
  return value ? text(name, std::string_view(*value)) : null(name);
}

ObjectWriter& ObjectWriter::integer(std::string_view name, std::int64_t value) {
  begin(name);
  append_json_integer(out_, value);
  return *this;
}

ObjectWriter& ObjectWriter::integer(std::string_view name, const std::optional<std::int64_t>& value) {
  return value ? integer(name, *value) : null(name);
}

ObjectWriter& ObjectWriter::real(std::string_view name, double value) {
  begin(name);
  append_json_real(out_, value);
  return *this;
}

ObjectWriter& ObjectWriter::raw(std::string_view name, std::string_view value) {
  begin(name);
  out_ += value;
  return *this;
}

}  // namespace fluentgate::wire
