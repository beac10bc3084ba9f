#include "test/soak/check_chunks.hpp"

#include "test/soak/mark.hpp"

namespace fluentgate::soak {

void ChunkChecker::sent(int person, std::uint32_t counter, int life, int session, Ms chunk_ms) {
  speakers_[person].outstanding.push_back({counter, life, session, journal_.now_ms(), chunk_ms});
  ++sent_;
}

void ChunkChecker::session_ended(int session, bool answered) {
  ended_sessions_.emplace(session, SessionEnd{journal_.now_ms(), answered});
}

void ChunkChecker::life_ended(int life, bool killed) { ended_lives_[life] = killed; }
void ChunkChecker::dropped_told(int person, Ms dropped_ms) { speakers_[person].told_dropped_ms += dropped_ms; }

bool ChunkChecker::excused(Speaker& speaker, const Sent& chunk) {
  if (const auto life = ended_lives_.find(chunk.life); life != ended_lives_.end() && life->second) return true;
  const auto session = ended_sessions_.find(chunk.session);
  if (session != ended_sessions_.end() && !session->second.answered && chunk.at_ms >= session->second.at_ms - unread_ms) {
    speaker.unread.insert(chunk.counter);
    return true;
  }
  if (speaker.told_dropped_ms >= chunk.chunk_ms) {
    speaker.told_dropped_ms -= chunk.chunk_ms;
    return true;
  }
  return false;
}

void ChunkChecker::passed_by(int person, Speaker& speaker, const Sent& chunk, const std::string& by) {
  if (excused(speaker, chunk)) {
    ++lost_excused_;
    return;
  }
  journal_.violation(speech, person_name(person) + ": chunk " + std::to_string(chunk.counter) + ", sent at " + clock_text(chunk.at_ms) + " on socket " +
                                 std::to_string(chunk.session) + " to life " + std::to_string(chunk.life) + ", is not in the log " + by);
}

void ChunkChecker::record(int person, std::int64_t number, std::uint32_t counter) {
  ++records_;
  Speaker& speaker = speakers_[person];
  if (number != speaker.next_number) {
    journal_.violation(numbers, person_name(person) + ": number " + std::to_string(number) + " in place of " + std::to_string(speaker.next_number) +
                                    " (chunk " + std::to_string(counter) + ")");
    speaker.next_number = number;  // one violation for one step
  }
  ++speaker.next_number;
  journal_.held(numbers);
  if (speaker.unread.erase(counter) > 0) {
    --lost_excused_;
    journal_.held(speech);
    return;
  }
  if (static_cast<std::int64_t>(counter) <= speaker.newest_counter) {
    journal_.violation(speech, person_name(person) + ": chunk " + std::to_string(counter) + " comes after chunk " + std::to_string(speaker.newest_counter));
    return;
  }
  speaker.newest_counter = counter;
  while (!speaker.outstanding.empty() && speaker.outstanding.front().counter < counter) {
    const Sent chunk = speaker.outstanding.front();
    speaker.outstanding.pop_front();
    passed_by(person, speaker, chunk, "before chunk " + std::to_string(counter));
  }
  if (speaker.outstanding.empty() || speaker.outstanding.front().counter != counter) {
    journal_.violation(speech, person_name(person) + ": chunk " + std::to_string(counter) + " was never sent");
    return;
  }
  speaker.outstanding.pop_front();
  journal_.held(speech);
}

void ChunkChecker::finish() {
  for (auto& [person, speaker] : speakers_) {
    for (const Sent& chunk : speaker.outstanding) passed_by(person, speaker, chunk, "at the end");
    speaker.outstanding.clear();
  }
}

std::size_t ChunkChecker::outstanding() const {
  std::size_t total = 0;
  for (const auto& [person, speaker] : speakers_) total += speaker.outstanding.size();
  return total;
}

}  // namespace fluentgate::soak
