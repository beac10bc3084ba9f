#include "test/soak/check_audio.hpp"

namespace fluentgate::soak {

void AudioChecker::opened(int listener, int room, const std::vector<int>& listening, bool together) {
  Listener& who = listeners_[listener];
  who.room = room;
  who.allowed = {listening.begin(), listening.end()};
  who.asked = listening;
  who.first = listening.front();
  who.changed_ms = journal_.now_ms();
  who.together = together;
  who.suppressed.clear();
  who.restored_ms.clear();
}

void AudioChecker::asked_for(int listener, const std::vector<int>& listening) {
  Listener& who = listeners_[listener];
  who.allowed.insert(listening.begin(), listening.end());
  who.asked = listening;
  who.changed_ms = journal_.now_ms();
}

void AudioChecker::told(int listener, const std::vector<int>& listening) {
  Listener& who = listeners_[listener];
  who.first = listening.front();
  who.changed_ms = journal_.now_ms();
  if (listening == who.asked) who.allowed = {listening.begin(), listening.end()};
}

void AudioChecker::speaks(int person, int language) { spoken_[person] = {language, journal_.now_ms()}; }

void AudioChecker::suppressed(int listener, int speaker) { listeners_[listener].suppressed.insert(speaker); }

void AudioChecker::restored(int listener, int speaker) {
  Listener& who = listeners_[listener];
  who.suppressed.erase(speaker);
  who.restored_ms[speaker] = journal_.now_ms();
}

bool AudioChecker::unannounced(int listener, int speaker) const {
  const auto found = listeners_.find(listener);
  return found != listeners_.end() && found->second.together && !found->second.suppressed.contains(speaker);
}

void AudioChecker::frame(int listener, const ChunkMark& mark) {
  ++frames_;
  Listener& who = listeners_[listener];
  const Ms now = journal_.now_ms();
  const std::string what = person_name(listener) + " heard chunk " + std::to_string(mark.counter) + " of " + person_name(mark.person) + " in " +
                           room_name(mark.room) + ", " + std::string(languages[mark.spoken]) + " as " + std::string(languages[mark.language]);
  if (mark.room != who.room) journal_.violation(right, what + ": it is in " + room_name(who.room));
  if (mark.person == listener) journal_.violation(right, what + ": itself");
  if (!who.allowed.contains(mark.language)) journal_.violation(right, what + ": it does not listen in that language");
  const auto spoken = spoken_.find(mark.person);
  const bool steady = now > who.changed_ms + change_ms && (spoken == spoken_.end() || now > spoken->second.second + change_ms);
  if (steady && mark.spoken == who.first) journal_.violation(right, what + ": it understands the original");
  journal_.held(right);

  std::int64_t& newest = who.newest.try_emplace({mark.person, mark.language}, -1).first->second;
  if (static_cast<std::int64_t>(mark.counter) <= newest) journal_.violation(order, what + ": after chunk " + std::to_string(newest));
  newest = mark.counter;
  journal_.held(order);

  if (!who.together) return;
  if (!who.suppressed.contains(mark.person)) {
    const auto restored = who.restored_ms.find(mark.person);
    if (restored == who.restored_ms.end() || now > restored->second + restore_ms) {
      journal_.violation(suppressed_first, what + ": the original was not suppressed before");
      who.suppressed.insert(mark.person);  // one violation for one event that is missing
    }
  }
  journal_.held(suppressed_first);
}

}  // namespace fluentgate::soak
