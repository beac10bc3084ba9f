// Who sits in one room: our own seats as the loop gave them, the others' as Redis told, and the snapshot that is being taken. State only, no commands.
// Thread: redis.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/cluster.hpp"
#include "core/wire/room_message.hpp"

namespace fluentgate::redis {

struct OwnSeat {
  PeerSeat seat;
  std::uint64_t version = 0;  // of seat(): an answer about an older one doesn't count
  bool told = false;          // Redis has answered that it has this one
};

struct OtherSeat {
  PeerSeat seat;
  std::string value;  // as it is kept in the hash
};

// Field of fg:seats:{room}. Instance names have no blank.
std::string seat_field(const std::string& instance, const UserId& user);

class RoomSeats {
 public:
  using Key = std::pair<std::string, UserId>;  // instance, user

  std::map<UserId, OwnSeat> own;
  std::map<Key, OtherSeat> others;

  std::uint64_t number = 0;      // of its open()
  int unconfirmed = 2;           // channels not yet subscribed
  bool load_failed = false;      // to be tried again
  SteadyMs load_begun_ms = 0;

  // A snapshot is asked for: messages before its mark are in it, those after it are not.
  void begin_load(std::int64_t mark);
  bool loading() const noexcept { return mark_ != 0; }
  std::int64_t mark() const noexcept { return mark_; }
  void mark_seen(std::int64_t mark) noexcept { mark_seen_ = mark_seen_ || mark == mark_; }
  void abandon_load() noexcept { mark_ = 0; }

  // The snapshot's seats of others, and which of their instances live. Error-free values only.
  void snapshot(std::map<Key, OtherSeat> found) { snapshot_ = std::move(found); }
  std::set<std::string> snapshot_instances() const;
  void set_live(std::set<std::string> live) { live_ = std::move(live); }
  bool load_complete() const noexcept { return loading() && mark_seen_ && snapshot_ && live_; }
  // Makes the snapshot, and what came after it, the truth. Returns the seats of instances that don't live.
  std::map<Key, OtherSeat> finish_load();

  // A message about another's seat. True: it is news that can be told now; false: nothing new, in the snapshot, or kept until that is there.
  bool take(const wire::SeatMessage& message);
  bool take(const wire::SeatGoneMessage& message);

 private:
  bool apply(const wire::SeatMessage& message);
  bool apply(const wire::SeatGoneMessage& message);

  std::int64_t mark_ = 0;
  bool mark_seen_ = false;
  std::optional<std::map<Key, OtherSeat>> snapshot_;
  std::optional<std::set<std::string>> live_;
  std::vector<wire::RoomMessage> kept_;  // after the mark, before the snapshot is complete
};

}  // namespace fluentgate::redis
