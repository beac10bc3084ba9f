// The grammar of RFC 8259 as one cursor over the text; nesting is a bit per level, since there are at most 64.
#include "core/wire/json_scan.hpp"

#include <charconv>
#include <cmath>

#include "core/domain/limits.hpp"
#include "core/wire/utf8.hpp"

namespace fluentgate::wire {
namespace {

static_assert(limits::json_depth_max <= 64, "a level is a bit of a word");

// Moves over one piece of JSON. `reason` is null as long as all is good.
struct Cursor {
  std::string_view text;
  std::size_t at = 0;
  const char* reason = nullptr;

  bool more() const noexcept { return at < text.size(); }
  char peek() const noexcept { return more() ? text[at] : '\0'; }
  bool fail(const char* why) noexcept {
    if (reason == nullptr) reason = why;
    return false;
  }
  void skip_blanks() noexcept {
    while (more() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) ++at;
  }
  bool take(char c) noexcept {
    if (!more() || text[at] != c) return false;
    ++at;
    return true;
  }
  bool string();
  bool escape();
  bool number();
  bool digits();
  bool word(std::string_view expected);
  bool scalar(JsonType& type);
  bool value(JsonType& type, std::size_t depth);
  bool container(std::size_t depth);
};

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool Cursor::escape() {
  const char c = peek();
  if (c == 'u') {
    if (text.size() - at < 5) return fail("an unfinished escape");
    for (std::size_t i = 1; i <= 4; ++i) {
      if (hex_value(text[at + i]) < 0) return fail("a bad \\u escape");
    }
    at += 5;
    return true;
  }
  if (!more() || std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) return fail("a bad escape");
  ++at;
  return true;
}

// With the opening quote ahead.
bool Cursor::string() {
  if (!take('"')) return fail("a string expected");
  while (more()) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c == '"') {
      ++at;
      return true;
    }
    if (c == '\\') {
      ++at;
      if (!escape()) return false;
    } else if (c < 0x20) {
      return fail("a control character in a string");
    } else if (c < 0x80) {
      ++at;
    } else {
      const std::size_t size = utf8_sequence_size(text.substr(at, 4));
      if (size == 0) return fail("bad UTF-8");
      at += size;
    }
  }
  return fail("an unfinished string");
}

bool Cursor::digits() {
  if (!is_digit(peek())) return fail("a digit expected");
  while (is_digit(peek())) ++at;
  return true;
}

bool Cursor::number() {
  take('-');
  if (!take('0') && !digits()) return false;
  if (take('.') && !digits()) return false;
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    return digits();
  }
  return true;
}

bool Cursor::word(std::string_view expected) {
  if (text.substr(at, expected.size()) != expected) return fail("a value expected");
  at += expected.size();
  return true;
}

bool Cursor::scalar(JsonType& type) {
  switch (peek()) {
    case '"': type = JsonType::string; return string();
    case 't': type = JsonType::boolean; return word("true");
    case 'f': type = JsonType::boolean; return word("false");
    case 'n': type = JsonType::null; return word("null");
    default: break;
  }
  type = JsonType::number;
  if (peek() != '-' && !is_digit(peek())) return fail("a value expected");
  return number();
}

// One value; `depth` is that of what holds it.
bool Cursor::value(JsonType& type, std::size_t depth) {
  if (peek() != '{' && peek() != '[') return scalar(type);
  type = peek() == '{' ? JsonType::object : JsonType::array;
  return container(depth);
}

// A whole object or array, with the bracket ahead.
bool Cursor::container(std::size_t outer_depth) {
  std::uint64_t objects = 0;  // bit 0: the innermost open level is an object
  std::size_t levels = 0;
  for (;;) {
    // Here a value is due.
    skip_blanks();
    bool closed = false;
    if (peek() == '{' || peek() == '[') {
      const bool object = text[at++] == '{';
      objects = (objects << 1) | (object ? 1u : 0u);
      ++levels;
      if (outer_depth + levels > limits::json_depth_max) return fail("nested too deep");
      skip_blanks();
      closed = peek() == (object ? '}' : ']');
    } else {
      JsonType type;
      if (!scalar(type)) return false;
      closed = true;
    }
    // After a value: close what ends here, then a comma leads to the next.
    if (closed) {
      for (;;) {
        skip_blanks();
        const bool object = (objects & 1) != 0;
        if (!take(object ? '}' : ']')) break;
        objects >>= 1;
        if (--levels == 0) return true;
      }
      if (!take(',')) return fail(more() ? "a comma or a closing bracket expected" : "unfinished");
    }
    if ((objects & 1) != 0) {
      skip_blanks();
      if (!string()) return false;
      skip_blanks();
      if (!take(':')) return fail("a colon expected");
    }
  }
}

void append_code_point(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 63));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 63));
    out += static_cast<char>(0x80 | (c & 63));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 63));
    out += static_cast<char>(0x80 | ((c >> 6) & 63));
    out += static_cast<char>(0x80 | (c & 63));
  }
}

std::uint32_t hex4(std::string_view four) noexcept {
  std::uint32_t value = 0;
  for (const char c : four) value = value << 4 | static_cast<std::uint32_t>(hex_value(c));
  return value;
}

// `inner`: without the quotes, checked.
void append_decoded(std::string& out, std::string_view inner) {
  for (std::size_t i = 0; i < inner.size();) {
    const std::size_t backslash = inner.find('\\', i);
    out += inner.substr(i, backslash - i);
    if (backslash == std::string_view::npos) return;
    const char kind = inner[backslash + 1];
    i = backslash + 2;
    switch (kind) {
      case 'b': out += '\b'; continue;
      case 'f': out += '\f'; continue;
      case 'n': out += '\n'; continue;
      case 'r': out += '\r'; continue;
      case 't': out += '\t'; continue;
      case 'u': break;
      default: out += kind; continue;
    }
    std::uint32_t code = hex4(inner.substr(i, 4));
    i += 4;
    if (code >= 0xD800 && code < 0xDC00 && inner.substr(i, 2) == "\\u") {
      const std::uint32_t low = hex4(inner.substr(i + 2, 4));
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        i += 6;
      }
    }
    append_code_point(out, code);
  }
}

}  // namespace

std::optional<JsonMember> ObjectScanner::fail(const char* reason, std::size_t at) noexcept {
  state_ = State::failed;
  reason_ = reason;
  at_ = at;
  return std::nullopt;
}

std::optional<JsonMember> ObjectScanner::end() {
  Cursor cursor{text_, at_};
  cursor.skip_blanks();
  if (cursor.more()) return fail("something after the end", cursor.at);
  state_ = State::done;
  return std::nullopt;
}

std::optional<JsonMember> ObjectScanner::not_an_object() {
  Cursor cursor{text_, at_};
  JsonType type;
  if (!cursor.value(type, 0)) return fail(cursor.reason, cursor.at);
  at_ = cursor.at;
  end();
  if (state_ == State::done) state_ = State::other_value;
  return std::nullopt;
}

std::optional<JsonMember> ObjectScanner::next() {
  if (state_ != State::start && state_ != State::members) return std::nullopt;
  Cursor cursor{text_, at_};
  cursor.skip_blanks();
  if (state_ == State::start) {
    if (!cursor.more()) return fail("nothing but blanks", cursor.at);
    if (cursor.peek() != '{') {
      at_ = cursor.at;
      return not_an_object();
    }
    ++cursor.at;
    cursor.skip_blanks();
    if (cursor.take('}')) {
      at_ = cursor.at;
      return end();
    }
  } else if (cursor.take('}')) {
    at_ = cursor.at;
    return end();
  } else if (!cursor.take(',')) {
    return fail(cursor.more() ? "a comma or a closing bracket expected" : "unfinished", cursor.at);
  } else {
    cursor.skip_blanks();
  }
  state_ = State::members;

  JsonMember member;
  const std::size_t begin = cursor.at;
  if (!cursor.string()) return fail(cursor.reason, cursor.at);
  const std::string_view key = text_.substr(begin + 1, cursor.at - begin - 2);
  cursor.skip_blanks();
  if (!cursor.take(':')) return fail("a colon expected", cursor.at);
  cursor.skip_blanks();
  const std::size_t value = cursor.at;
  if (!cursor.value(member.type, 1)) return fail(cursor.reason, cursor.at);
  at_ = cursor.at;
  member.value = text_.substr(value, at_ - value);
  member.raw = text_.substr(begin, at_ - begin);
  member.key = key;
  if (key.find('\\') != std::string_view::npos) {
    key_.clear();
    append_decoded(key_, key);
    member.key = key_;
  }
  return member;
}

Status ObjectScanner::status() const {
  if (state_ == State::done) return ok();
  if (state_ == State::other_value) return Error{"not_an_object", "the message is JSON, but not an object"};
  return Error{"invalid_json", std::string(reason_ == nullptr ? "not read to its end" : reason_) + " at byte " + std::to_string(at_)};
}

std::optional<ArrayScanner::Element> ArrayScanner::next() {
  Cursor cursor{text_, at_};
  cursor.skip_blanks();
  if (cursor.take(',')) cursor.skip_blanks();
  if (!cursor.more() || cursor.peek() == ']') return std::nullopt;
  Element element;
  const std::size_t begin = cursor.at;
  if (!cursor.value(element.type, 1)) return std::nullopt;
  at_ = cursor.at;
  element.value = text_.substr(begin, at_ - begin);
  return element;
}

std::string decoded_string(std::string_view raw) {
  std::string text;
  if (raw.size() < 2) return text;
  text.reserve(raw.size() - 2);
  append_decoded(text, raw.substr(1, raw.size() - 2));
  return text;
}

std::optional<std::int64_t> integer_value(std::string_view raw) {
  std::int64_t integer = 0;
  const char* const end = raw.data() + raw.size();
  const auto exact = std::from_chars(raw.data(), end, integer);
  if (exact.ec == std::errc() && exact.ptr == end) return integer;
  const std::optional<double> number = number_value(raw);
  constexpr double exact_max = 9007199254740992.0;  // 2^53: beyond, a double is not this integer alone
  if (!number || std::trunc(*number) != *number || std::fabs(*number) > exact_max) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<double> number_value(std::string_view raw) {
  double number = 0;
  const char* const end = raw.data() + raw.size();
  const auto [at, error] = std::from_chars(raw.data(), end, number);
  if (error != std::errc() || at != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace fluentgate::wire
