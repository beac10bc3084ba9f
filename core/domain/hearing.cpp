// The routing rule: who understands a speaker, what is produced of the speech, and which of it a listener hears.
#include "core/domain/hearing.hpp"

#include <algorithm>

#include "core/domain/limits.hpp"

namespace fluentgate {

bool Hearing::understands_speech_in(const std::optional<LanguageTag>& spoken) const noexcept {
  if (!spoken) return false;
  if (!listening.empty() && related(listening.front(), *spoken)) return true;
  return std::any_of(understands.begin(), understands.end(), [&](const LanguageTag& tag) { return related(tag, *spoken); });
}

void ProducedLanguages::note(const LanguageTag& tag, SteadyMs now) {
  (void)current(now);  // a language that comes back after its time-out is a new one, and goes to the end
  const auto found = std::find(tags_.begin(), tags_.end(), tag);
  if (found != tags_.end()) {
    SteadyMs& seen = seen_[static_cast<std::size_t>(found - tags_.begin())];
    seen = std::max(seen, now);
    return;
  }
  if (tags_.size() >= limits::produced_languages_max) {
    const auto oldest = std::min_element(seen_.begin(), seen_.end());
    tags_.erase(tags_.begin() + (oldest - seen_.begin()));
    seen_.erase(oldest);
  }
  tags_.push_back(tag);
  seen_.push_back(now);
}

std::span<const LanguageTag> ProducedLanguages::current(SteadyMs now) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < tags_.size(); ++i) {
    if (now - seen_[i] > timeout_ms_) continue;
    if (kept != i) {
      tags_[kept] = std::move(tags_[i]);
      seen_[kept] = seen_[i];
    }
    ++kept;
  }
  tags_.erase(tags_.begin() + static_cast<std::ptrdiff_t>(kept), tags_.end());
  seen_.resize(kept);
  return tags_;
}

bool hears(const Hearing& hearing, const std::optional<LanguageTag>& spoken, std::span<const LanguageTag> produced,
           const LanguageTag& language) noexcept {
  if (hearing.understands_speech_in(spoken)) return false;
  const auto best = best_match(hearing.listening, produced);
  return best && produced[*best] == language;
}

}  // namespace fluentgate
