// BCP 47 syntax as far as matching needs it, and RFC 4647 lookup without an allocation: every candidate is a prefix of the tag's key.
#include "core/domain/language.hpp"

#include <algorithm>

#include "core/domain/limits.hpp"

namespace fluentgate {
namespace {

constexpr std::size_t subtag_bytes_max = 8;  // RFC 5646, 2.1

bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alphanumeric(char c) noexcept { return is_alpha(c) || (c >= '0' && c <= '9'); }
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool well_formed(std::string_view text) noexcept {
  if (text.empty() || text.size() > limits::language_tag_bytes_max) return false;
  bool first = true;
  for (;;) {
    const std::size_t dash = text.find('-');
    const std::string_view subtag = text.substr(0, dash);
    if (subtag.empty() || subtag.size() > subtag_bytes_max) return false;
    if (!std::all_of(subtag.begin(), subtag.end(), first ? is_alpha : is_alphanumeric)) return false;
    // Of one letter only x (private use) and i (grandfathered) begin a tag, and never alone.
    if (first && subtag.size() == 1 && (dash == std::string_view::npos || (lower(subtag[0]) != 'x' && lower(subtag[0]) != 'i'))) return false;
    if (dash == std::string_view::npos) return true;
    text.remove_prefix(dash + 1);
    first = false;
  }
}

// What a client sent, fit for an error text: short, and ASCII whatever it was, so that no log line or JSON is broken by it.
std::string quoted(std::string_view text) {
  constexpr std::size_t shown_bytes_max = limits::language_tag_bytes_max + 5;
  std::string out = "\"";
  for (char c : text.substr(0, shown_bytes_max)) out += c >= 0x20 && c < 0x7f && c != '"' && c != '\\' ? c : '?';
  if (text.size() > shown_bytes_max) out += "...";
  return out += '"';
}

Error bad_language(std::string text) { return Error{"bad_language", std::move(text)}; }

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view blanks = " \t";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// The next shorter range of RFC 4647, 3.4: the last subtag goes, and with it a single-character one that would then be last. Empty: none is left.
std::string_view cut(std::string_view key) noexcept {
  const std::size_t dash = key.rfind('-');
  if (dash == std::string_view::npos) return {};
  key = key.substr(0, dash);
  const std::size_t before = key.rfind('-');
  const std::size_t last = before == std::string_view::npos ? 0 : before + 1;
  if (key.size() - last > 1) return key;
  return before == std::string_view::npos ? std::string_view{} : key.substr(0, before);
}

bool extends(std::string_view longer, std::string_view shorter) noexcept {
  return longer.size() > shorter.size() && longer[shorter.size()] == '-' && longer.starts_with(shorter);
}

bool lookup_reaches(std::string_view from, std::string_view to) noexcept {
  for (; !from.empty() && from.size() >= to.size(); from = cut(from)) {
    if (from == to) return true;
  }
  return false;
}

template <class Accepts>
std::optional<std::size_t> first_of(std::span<const LanguageTag> tags, Accepts accepts) noexcept {
  for (std::size_t i = 0; i < tags.size(); ++i) {
    if (accepts(std::string_view(tags[i].key()))) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> match_one(std::string_view wanted, std::span<const LanguageTag> produced) noexcept {
  for (std::string_view range = wanted; !range.empty(); range = cut(range)) {
    if (const auto found = first_of(produced, [range](std::string_view key) { return key == range; })) return found;
  }
  return first_of(produced, [wanted](std::string_view key) { return extends(key, wanted); });
}

}  // namespace

Result<LanguageTag> LanguageTag::parse(std::string_view text) {
  if (!well_formed(text)) return bad_language(quoted(text) + " is not a BCP 47 language tag");
  std::string key(text);
  std::transform(key.begin(), key.end(), key.begin(), lower);
  return LanguageTag(std::string(text), std::move(key));
}

Result<LanguageList> parse_language_list(std::string_view comma_separated) {
  LanguageList list;
  std::string_view rest = trimmed(comma_separated);
  if (rest.empty()) return list;
  for (std::size_t count = 1;; ++count) {
    const std::size_t comma = rest.find(',');
    const std::string_view element = trimmed(rest.substr(0, comma));
    if (count > limits::language_list_max) {
      return bad_language("more than " + std::to_string(limits::language_list_max) + " languages, from " + quoted(element) + " on");
    }
    auto tag = LanguageTag::parse(element);
    if (!tag) return tag.error();
    if (std::find(list.begin(), list.end(), *tag) == list.end()) list.push_back(std::move(*tag));
    if (comma == std::string_view::npos) return list;
    rest.remove_prefix(comma + 1);
  }
}

std::optional<std::size_t> best_match(std::span<const LanguageTag> priority, std::span<const LanguageTag> produced) noexcept {
  for (const LanguageTag& wanted : priority) {
    if (const auto found = match_one(wanted.key(), produced)) return found;
  }
  return std::nullopt;
}

bool related(const LanguageTag& a, const LanguageTag& b) noexcept { return lookup_reaches(a.key(), b.key()) || lookup_reaches(b.key(), a.key()); }

std::string join(std::span<const LanguageTag> list) {
  std::string out;
  for (const LanguageTag& tag : list) {
    if (!out.empty()) out += ',';
    out += tag.spelling();
  }
  return out;
}

}  // namespace fluentgate
