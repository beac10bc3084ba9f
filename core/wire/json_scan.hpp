// A small strict reader of JSON (RFC 8259) for what clients send: it checks everything and hands out the members of the outer object as
// spans of the original text, so that they can be passed on byte for byte. It allocates nothing per value, does not recurse and takes
// linear time: hostile input costs no more than its length. Thread: any.
//
// Stricter than some: no byte order mark, no NaN, no comments, no leading zeros or '+', control characters only escaped, valid UTF-8,
// at most limits::json_depth_max deep (the outermost value being 1). As RFC 8259's grammar (8.2) has it, an escape of half a surrogate pair
// is taken: browsers write it for a text cut inside an emoji. Decoded, it becomes the three bytes U+D800 to U+DFFF would have, which equal no
// valid UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/domain/result.hpp"

namespace fluentgate::wire {

enum class JsonType : std::uint8_t { object, array, string, number, boolean, null };

struct JsonMember {
  std::string_view raw;    // from the key's quote to the value's last byte
  std::string_view key;    // decoded; valid until the next call of next()
  std::string_view value;  // raw
  JsonType type = JsonType::null;
};

// The members of an object, in the order of the text, repeated keys too.
//   ObjectScanner scanner(text);
//   while (auto member = scanner.next()) ...
//   if (!scanner.status()) ...            // only now is the whole text known to be good
class ObjectScanner {
 public:
  explicit ObjectScanner(std::string_view text) noexcept : text_(text) {}
  // Nothing at the end and at the first error.
  std::optional<JsonMember> next();
  // After next() gave nothing. Errors: "invalid_json", "not_an_object" (valid JSON of another kind); the text says where.
  Status status() const;

 private:
  std::optional<JsonMember> fail(const char* reason, std::size_t at) noexcept;
  std::optional<JsonMember> not_an_object();
  std::optional<JsonMember> end();

  enum class State : std::uint8_t { start, members, done, failed, other_value };
  std::string_view text_;
  std::string key_;
  std::size_t at_ = 0;
  const char* reason_ = nullptr;
  State state_ = State::start;
};

// The elements of an array, given its raw value as a scanner handed it out (already checked).
class ArrayScanner {
 public:
  explicit ArrayScanner(std::string_view array) noexcept : text_(array) {}
  struct Element { std::string_view value; JsonType type = JsonType::null; };
  std::optional<Element> next();

 private:
  std::string_view text_;
  std::size_t at_ = 1;
};

// Of raw values that a scanner handed out.
std::string decoded_string(std::string_view raw);
// Any JSON number without a fractional part that fits: 16000, 16000.0, 1.6e4.
std::optional<std::int64_t> integer_value(std::string_view raw);
// Finite ones only.
std::optional<double> number_value(std::string_view raw);

}  // namespace fluentgate::wire
