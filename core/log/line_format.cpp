#include "core/log/line_format.hpp"

#include <chrono>
#include <cstdio>

#include "core/domain/limits.hpp"

namespace fluentgate::logging {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";
constexpr std::string_view level_names[] = {"error", "warn", "info", "debug"};

// Bytes of the UTF-8 character at the start of `text`; 0 if there is none (RFC 3629: no surrogates, no overlong forms).
std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) { return byte(i) >= low && byte(i) <= high; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    return follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    return follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

bool is_control(std::string_view character) noexcept {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  if (character.size() == 2) return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
  return character == "\xe2\x80\xa8" || character == "\xe2\x80\xa9";
}

void append_text_escape(std::string& out, std::string_view bytes) {
  if (bytes == "\n") {
    out += "\\n";
  } else if (bytes == "\r") {
    out += "\\r";
  } else if (bytes == "\t") {
    out += "\\t";
  } else {
    for (const char c : bytes) {
      const auto byte = static_cast<unsigned char>(c);
      out += "\\x";
      out.push_back(hex_digits[byte >> 4]);
      out.push_back(hex_digits[byte & 15]);
    }
  }
}

void append_json_escape(std::string& out, std::string_view character) {
  if (character == "\n") {
    out += "\\n";
  } else if (character == "\r") {
    out += "\\r";
  } else if (character == "\t") {
    out += "\\t";
  } else if (character.size() == 3) {
    out += character == "\xe2\x80\xa8" ? "\\u2028" : "\\u2029";
  } else {
    const auto code = static_cast<unsigned char>(character.back());  // C1 in UTF-8: the second byte is the code point
    out += "\\u00";
    out.push_back(hex_digits[code >> 4]);
    out.push_back(hex_digits[code & 15]);
  }
}

void append_escaped(std::string& out, Format format, std::string_view text) {
  std::size_t written_at_most = limits::log_line_bytes_max;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    if (character.size() > written_at_most) {
      out += "... (cut)";
      return;
    }
    written_at_most -= character.size();
    text.remove_prefix(character.size());
    if (length == 0) {
      if (format == Format::json) {
        out += "\xef\xbf\xbd";
      } else {
        append_text_escape(out, character);
      }
    } else if (is_control(character)) {
      format == Format::json ? append_json_escape(out, character) : append_text_escape(out, character);
    } else {
      if (format == Format::json && (character == "\"" || character == "\\")) out.push_back('\\');
      out += character;
    }
  }
}

}  // namespace

std::string_view name_of(LogLevel level) noexcept {
  const auto index = static_cast<std::size_t>(level);
  return index < std::size(level_names) ? level_names[index] : level_names[0];
}

std::optional<LogLevel> parse_level(std::string_view name) noexcept {
  for (std::size_t i = 0; i < std::size(level_names); ++i) {
    if (level_names[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

void append_timestamp(std::string& out, UnixMs now) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds{now}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  char text[64];
  const int size = std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                                 static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                                 static_cast<int>(clock.subseconds().count()));
  out.append(text, static_cast<std::size_t>(size));
}

void append_line(std::string& out, Format format, UnixMs now, LogLevel level, std::string_view category, std::string_view text) {
  if (format == Format::json) {
    out += "{\"ts\":\"";
    append_timestamp(out, now);
    out += "\",\"level\":\"";
    out += name_of(level);
    out += "\",\"category\":\"";
    append_escaped(out, format, category);
    out += "\",\"text\":\"";
    append_escaped(out, format, text);
    out += "\"}\n";
    return;
  }
  append_timestamp(out, now);
  out.push_back(' ');
  out += name_of(level);
  out.push_back(' ');
  append_escaped(out, format, category);
  out += category == "latency" ? " " : ": ";
  append_escaped(out, format, text);
  out.push_back('\n');
}

}  // namespace fluentgate::logging
