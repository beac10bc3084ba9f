// The sequence numbers of audio.raw: from 0, by exactly 1 per published chunk of a (room, user) (CONTRACT 2). Thread: loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/domain/clock.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/limits.hpp"

namespace fluentgate {

// Knows the next number of every speaker it has seen. What came before this process lived is told by recovered(), and until
// recovery_done() nobody gets a number.
class SequenceBook {
 public:
  explicit SequenceBook(std::int64_t lookback_ms, std::size_t speakers_max = limits::sequence_speakers_max)
      : lookback_ms_(lookback_ms), speakers_max_(speakers_max) {}
  SequenceBook(const SequenceBook&) = delete;
  SequenceBook& operator=(const SequenceBook&) = delete;
  // A record of the log, read back: the speaker goes on after the highest. A number that we never gave (negative, or above
  // limits::sequence_number_max) is not looked at.
  void recovered(const RoomId& room, const UserId& user, std::int64_t sequence_number, SteadyMs now);
  void recovery_done() noexcept { ready_ = true; }
  bool ready() const noexcept { return ready_; }
  // The number the next chunk gets; nothing while recovery is under way.
  std::optional<std::int64_t> next(const RoomId& room, const UserId& user) const;
  // What next() would say if recovery were done; nothing: the speaker has never been seen.
  std::optional<std::int64_t> known(const RoomId& room, const UserId& user) const;
  // The number returned by next() is used.
  void used(const RoomId& room, const UserId& user, SteadyMs now);
  // While more than speakers_max are known: forgets those silent longest, if for more than lookback_ms (the log would not be read back
  // further either). Who spoke since is never forgotten, so no number of the lookback repeats; nor is anybody without need, since a number
  // must not repeat after a long silence.
  void forget_before(SteadyMs now);
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  using Recency = std::list<const std::string*>;  // keys of entries_, which stay where they are; silent longest first
  struct Entry { std::int64_t next = 0; SteadyMs used_ms = 0; Recency::iterator place; };
  static std::string key(const RoomId& room, const UserId& user);
  Entry& touched(const RoomId& room, const UserId& user, SteadyMs now);

  std::int64_t lookback_ms_;
  std::size_t speakers_max_;
  bool ready_ = false;
  std::unordered_map<std::string, Entry> entries_;
  Recency recency_;
};

}  // namespace fluentgate
