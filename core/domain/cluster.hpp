// What the core needs of the other instances that serve the same rooms: implemented by core/redis, faked in tests. An instance without Redis has none
// of it. What comes back (views, changes, pushes, numbers) comes through the mailbox as core/redis/inbound.hpp has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/domain/hearing.hpp"
#include "core/domain/ids.hpp"

namespace fluentgate {

// One user in one room as one instance has it: what others must know to name it, to count its language and to reach it.
struct PeerSeat {
  UserId user;
  std::string instance;                         // the one that has the sockets
  std::string display_name, role;               // empty: unknown
  std::optional<std::string> speaking_spelled;  // as in the token
  Hearing hearing;
  // When each socket was opened, in unix microseconds of Redis's clock (of the instance's own while Redis was away); nothing: there is none.
  // Of two of the same user and endpoint the newer wins (4009); equal ones: the greater instance name.
  std::optional<std::int64_t> audio_since_us, signaling_since_us;
  std::int64_t languages_set_us = 0;            // when the participant last said what it hears and speaks, unix microseconds
  friend bool operator==(const PeerSeat&, const PeerSeat&) = default;
};

// The rooms of this instance, towards the others and the backend. Thread: loop. Nothing blocks; while Redis is away seats are kept and told again when it is
// back, and messages are lost (the callers' business: connected()).
class RoomBus {
 public:
  virtual ~RoomBus() = default;
  // This instance's name, as in PeerSeat::instance.
  virtual const std::string& instance() const noexcept = 0;
  virtual bool connected() const noexcept = 0;
  // The room has participants here from now on: a RoomView comes back, then every change, until close().
  virtual void open(const RoomId& room) = 0;
  virtual void close(const RoomId& room) = 0;
  // What is here of this user; replaces what was told before. A socket whose `since` is 0 is new: Redis's clock decides, and SeatTold brings the value.
  virtual void seat(const RoomId& room, const PeerSeat& seat) = 0;
  virtual void unseat(const RoomId& room, const UserId& user) = 0;
  // On the room's channel, in FluentMeet's format (CONTRACT 5): `data` is a JSON object. `sender` may be empty.
  virtual void broadcast(const RoomId& room, const UserId& sender, std::string data) = 0;
  virtual void unicast(const RoomId& room, const UserId& target, const UserId& sender, std::string data) = 0;
  // To the other instances only: `json` is an object that core/wire/room_note makes and reads.
  virtual void note(const RoomId& room, std::string json) = 0;
};

}  // namespace fluentgate
