// BCP 47 language tags and how a listener's list is matched against what is produced (RFC 4647, 3.4 lookup; CONTRACT 1).
// Thread: any. Nothing here knows about rooms.
#pragma once

#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/result.hpp"

namespace fluentgate {

// A well-formed tag: its spelling is kept, comparison is without regard to case (RFC 5646, 2.1.1).
class LanguageTag {
 public:
  // Errors: code "bad_language". Accepts subtags of 1 to 8 alphanumerics joined by '-', the first of 2 to 8 letters (or x- or i-); at most
  // limits::language_tag_bytes_max bytes.
  static Result<LanguageTag> parse(std::string_view text);

  const std::string& spelling() const noexcept { return spelling_; }
  const std::string& key() const noexcept { return key_; }  // lower case
  friend bool operator==(const LanguageTag& a, const LanguageTag& b) noexcept { return a.key_ == b.key_; }
  friend auto operator<=>(const LanguageTag& a, const LanguageTag& b) noexcept { return a.key_ <=> b.key_; }
  friend std::ostream& operator<<(std::ostream& out, const LanguageTag& tag) { return out << tag.spelling_; }

 private:
  LanguageTag(std::string spelling, std::string key) : spelling_(std::move(spelling)), key_(std::move(key)) {}
  std::string spelling_;
  std::string key_;
};

using LanguageList = std::vector<LanguageTag>;  // in order of preference, without repeats, at most limits::language_list_max

// Splits at commas, trims blanks, drops repeats. An empty text gives an empty list; an empty or bad element, or more than
// limits::language_list_max elements, is an error "bad_language" that names the element.
Result<LanguageList> parse_language_list(std::string_view comma_separated);

// The index in `produced` that a listener with this priority list hears: for each of its tags in order, the tag itself, then RFC 4647
// lookup truncation (zh-Hant-TW, zh-Hant, zh; a single-character subtag goes with the one after it), then a produced tag that extends it
// (the first in `produced`).
std::optional<std::size_t> best_match(std::span<const LanguageTag> priority, std::span<const LanguageTag> produced) noexcept;

// Whether lookup in either direction joins the two: equal, or one is the other cut at a subtag boundary.
bool related(const LanguageTag& a, const LanguageTag& b) noexcept;

// "es,fr-CA", as spelled.
std::string join(std::span<const LanguageTag> list);

}  // namespace fluentgate
