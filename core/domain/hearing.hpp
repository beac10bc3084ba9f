// Who hears what: the routing rule of CONTRACT 1 and 2, for one listener or a group of listeners with equal preferences.
// Thread: loop.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/language.hpp"

namespace fluentgate {

struct Hearing {
  LanguageList listening;    // in order of preference
  LanguageList understands;  // heard in the original

  // The first listening tag counts as understood; lookup in either direction. An unknown speaker's language is understood by nobody.
  bool understands_speech_in(const std::optional<LanguageTag>& spoken) const noexcept;
  friend bool operator==(const Hearing&, const Hearing&) = default;
};

// The languages in which one speaker's speech is produced in one room: each from the first frame (or caption) in it until
// `timeout_ms` without one. At most limits::produced_languages_max; beyond, the one unseen for longest goes.
class ProducedLanguages {
 public:
  explicit ProducedLanguages(std::int64_t timeout_ms) : timeout_ms_(timeout_ms) {}
  void note(const LanguageTag& tag, SteadyMs now);
  // In the order in which they were first produced; those timed out are forgotten. Valid until the next call.
  std::span<const LanguageTag> current(SteadyMs now);

 private:
  std::int64_t timeout_ms_;
  std::vector<LanguageTag> tags_;
  std::vector<SteadyMs> seen_;
};

// Whether a frame in `language` is heard: the listener doesn't understand the speech, and of what is produced this is its best match.
bool hears(const Hearing& hearing, const std::optional<LanguageTag>& spoken, std::span<const LanguageTag> produced,
           const LanguageTag& language) noexcept;

}  // namespace fluentgate
