// The sequence numbers of audio.raw: from 0, by exactly 1 per published chunk of a (room, user) (CONTRACT 2). Thread: loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/domain/clock.hpp"
#include "core/domain/ids.hpp"

namespace fluentgate {

// Knows the next number of every speaker it has seen. What came before this process lived is told by recovered(), and until
// recovery_done() nobody gets a number.
class SequenceBook {
 public:
  explicit SequenceBook(std::int64_t lookback_ms) : lookback_ms_(lookback_ms) {}
  // A record of the log, read back: the speaker goes on after the highest.
  void recovered(const RoomId& room, const UserId& user, std::int64_t sequence_number, SteadyMs now);
  void recovery_done() noexcept { ready_ = true; }
  bool ready() const noexcept { return ready_; }
  // The number the next chunk gets; nothing while recovery is under way.
  std::optional<std::int64_t> next(const RoomId& room, const UserId& user) const;
  // The number returned by next() is used.
  void used(const RoomId& room, const UserId& user, SteadyMs now);
  // Forgets speakers silent for lookback_ms: the log would not be read back further either.
  void forget_before(SteadyMs now);
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry { std::int64_t next = 0; SteadyMs used_ms = 0; };
  static std::string key(const RoomId& room, const UserId& user);
  std::int64_t lookback_ms_;
  bool ready_ = false;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace fluentgate
