// Who is in a room, and who listens in which language: existing_users, user_joined, user_left, listeners (CONTRACT 3); relay between peers.
// Thread: loop.
#pragma once

#include <string_view>
#include <unordered_map>

#include "core/domain/room.hpp"
#include "core/gateway/core.hpp"
#include "core/wire/client_message.hpp"

namespace fluentgate::gateway {

class PresenceService {
 public:
  explicit PresenceService(Core& core) : core_(core) {}

  // The participant's first signaling socket is open: tells it who is there, and the others that it came.
  void joined(Room& room, Participant& participant);
  // A newer signaling socket took the place of an older one: only existing_users.
  void rejoined(Room& room, Participant& participant);
  void left(Room& room, Participant& participant);

  // Relays a message that parse_signaling() took for a Relay. Answers unknown_peer itself.
  void relay(Room& room, Participant& from, std::string_view object, const wire::Relay& relay);

  // `listeners` to whoever's demand changed since the last call.
  void tell_demand();
  void forget(const RoomId& room) { told_version_.erase(room); }

 private:
  static std::string existing(const Room& room, const Participant& but);
  Core& core_;
  std::unordered_map<RoomId, std::uint64_t, IdHash, IdEqual> told_version_;
};

}  // namespace fluentgate::gateway
