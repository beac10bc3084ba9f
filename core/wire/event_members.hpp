// What readers of workers' JSON share: one parser with its bounds, and members as we take them. Included only where such events are read.
// Thread: one at a time per document.
#pragma once

#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/domain/language.hpp"
#include "core/domain/result.hpp"
#include "core/wire/utf8.hpp"

namespace fluentgate::wire {

using simdjson::dom::element;

inline constexpr std::size_t utterance_id_bytes_max = 512;  // longer ones count as not sent

// Keeps simdjson's buffers between calls.
class EventDocument {
 public:
  // The object that `json` is; views into this document's memory, valid until the next call. Errors: not_json, not_an_object, too_deep.
  Result<simdjson::dom::object> object(std::string_view json);

 private:
  bool reserve(std::size_t bytes);
  simdjson::dom::parser parser_;
};

inline std::optional<std::string_view> string_of(const std::optional<element>& value) {
  std::string_view text;
  if (!value || value->get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

// Integers, also those written as 16000.0.
inline std::optional<std::int64_t> integer_of(const std::optional<element>& value) {
  std::int64_t integer = 0;
  if (!value) return std::nullopt;
  if (value->get_int64().get(integer) == simdjson::SUCCESS) return integer;
  double real = 0;
  constexpr double exact_max = 9007199254740992.0;
  if (!value->is_double() || value->get_double().get(real) != simdjson::SUCCESS) return std::nullopt;
  if (std::trunc(real) != real || std::fabs(real) > exact_max) return std::nullopt;
  return static_cast<std::int64_t>(real);
}

inline std::optional<std::int64_t> count_of(const std::optional<element>& value) {
  const auto integer = integer_of(value);
  return integer && *integer >= 0 ? integer : std::nullopt;
}

// A non-empty id of at most `bytes_max`, or the reason why not.
inline Result<std::string> id(const std::optional<std::string_view>& text, const char* missing, std::size_t bytes_max) {
  if (!text || text->empty()) return Error{missing, "absent, empty or not a string"};
  if (text->size() > bytes_max) return Error{missing, "longer than " + std::to_string(bytes_max) + " bytes"};
  if (!valid_utf8(*text)) return Error{missing, "not UTF-8"};
  return std::string(*text);
}

inline Result<LanguageTag> language(const std::optional<std::string_view>& text) {
  if (!text || text->empty()) return Error{"missing_language", "the language is absent, empty or not a string"};
  return LanguageTag::parse(*text);
}

inline std::optional<std::string> utterance(const std::optional<std::string_view>& text) {
  if (!text || text->empty() || text->size() > utterance_id_bytes_max || !valid_utf8(*text)) return std::nullopt;
  return std::string(*text);
}

}  // namespace fluentgate::wire
