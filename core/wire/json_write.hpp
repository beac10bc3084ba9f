// Writing JSON by hand, byte for byte as the contract shows it: strings escaped after RFC 8259, 7, integers, nulls. Thread: any.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fluentgate::wire {

// Appends `text` in quotes. Control characters, '"' and '\' are escaped; what is not valid UTF-8 becomes U+FFFD, so that what we send is
// always valid JSON.
void append_json_string(std::string& out, std::string_view text);
void append_json_integer(std::string& out, std::int64_t value);
// The shortest decimal form that reads back as the same number, always with a point or an exponent ("0.0"); what is not finite is null.
void append_json_real(std::string& out, double value);

// One object, member by member in the order of the calls. Names are literals of ours and are not escaped.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::size_t reserve = 128) { out_.reserve(reserve); }

  ObjectWriter& text(std::string_view name, std::string_view value);
  ObjectWriter& text(std::string_view name, const std::optional<std::string>& value);  // null where unknown
  ObjectWriter& text(std::string_view name, const char* value) { return text(name, std::string_view(value)); }
  ObjectWriter& text(std::string_view name, const std::string& value) { return text(name, std::string_view(value)); }
  ObjectWriter& integer(std::string_view name, std::int64_t value);
  ObjectWriter& integer(std::string_view name, const std::optional<std::int64_t>& value);
  ObjectWriter& real(std::string_view name, double value);
  // A template, so that a pointer or a number is never taken for a truth value.
  template <std::same_as<bool> B>
  ObjectWriter& boolean(std::string_view name, B value) { return raw(name, value ? "true" : "false"); }
  ObjectWriter& null(std::string_view name) { return raw(name, "null"); }
  // `value` is JSON already.
  ObjectWriter& raw(std::string_view name, std::string_view value);
  // ",name:value,..." as it stands, for members that are echoed.
  ObjectWriter& members(std::string_view comma_led) { out_ += comma_led; return *this; }
  std::string finish() { out_ += '}'; return std::move(out_); }

 private:
  void begin(std::string_view name);
  std::string out_{};
  bool any_ = false;
};

}  // namespace fluentgate::wire
