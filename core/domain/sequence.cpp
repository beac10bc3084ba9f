// A map from speaker to next number, in order of last use.
#include "core/domain/sequence.hpp"

#include <algorithm>

namespace fluentgate {

// The length in front keeps ("a", "bc") and ("ab", "c") apart, whatever bytes a name has.
std::string SequenceBook::key(const RoomId& room, const UserId& user) {
  std::string out = std::to_string(room.value.size());
  out.reserve(out.size() + 1 + room.value.size() + user.value.size());
  out += ':';
  out += room.value;
  out += user.value;
  return out;
}

SequenceBook::Entry& SequenceBook::touched(const RoomId& room, const UserId& user, SteadyMs now) {
  const auto [found, added] = entries_.try_emplace(key(room, user));
  Entry& entry = found->second;
  if (added) {
    entry.place = recency_.insert(recency_.end(), &found->first);
    entry.used_ms = now;
  } else {
    recency_.splice(recency_.end(), recency_, entry.place);
    entry.used_ms = std::max(entry.used_ms, now);
  }
  return entry;
}

void SequenceBook::recovered(const RoomId& room, const UserId& user, std::int64_t sequence_number, SteadyMs now) {
  if (sequence_number < 0 || sequence_number > limits::sequence_number_max) return;
  Entry& entry = touched(room, user, now);
  entry.next = std::max(entry.next, sequence_number + 1);
}

std::optional<std::int64_t> SequenceBook::next(const RoomId& room, const UserId& user) const {
  if (!ready_) return std::nullopt;
  const auto found = entries_.find(key(room, user));
  return found == entries_.end() ? 0 : found->second.next;
}

std::optional<std::int64_t> SequenceBook::known(const RoomId& room, const UserId& user) const {
  const auto found = entries_.find(key(room, user));
  if (found == entries_.end()) return std::nullopt;
  return found->second.next;
}

void SequenceBook::used(const RoomId& room, const UserId& user, SteadyMs now) { ++touched(room, user, now).next; }

void SequenceBook::forget_before(SteadyMs now) {
  while (entries_.size() > speakers_max_) {
    const auto oldest = entries_.find(*recency_.front());
    if (now - oldest->second.used_ms <= lookback_ms_) return;
    recency_.pop_front();
    entries_.erase(oldest);
  }
}

}  // namespace fluentgate
