// Who is in a room, and who listens in which language: existing_users, user_joined, user_left, listeners (CONTRACT 3); relay between peers.
// Knows what other instances have (Room::peers) as the cluster service keeps it. Thread: loop.
#pragma once

#include <string_view>
#include <unordered_map>

#include "core/domain/room.hpp"
#include "core/gateway/core.hpp"
#include "core/wire/client_message.hpp"
#include "core/wire/server_event.hpp"

namespace fluentgate::gateway {

class PresenceService {
 public:
  explicit PresenceService(Core& core) : core_(core) {}

  static wire::Peer peer_of(const Participant& participant);
  static wire::Peer peer_of(const PeerSeat& seat);

  // existing_users to the participant's signaling socket: everybody else who is present, on any instance.
  void tell_existing(Room& room, Participant& participant);
  // To the signaling sockets here, the user's own left out.
  void tell_joined(Room& room, const wire::Peer& peer);
  void tell_left(Room& room, const UserId& user);
  // To every signaling socket here but this user's (null: to all); gives how many there were.
  std::size_t tell_all(Room& room, const UserId* but, std::string_view json);

  // Relays a message that parse_signaling() took for a Relay, to other instances too. Answers unknown_peer itself. `elsewhere`: the target is known to
  // be reachable over the room's channel though no instance of ours has it.
  void relay(Room& room, Participant& from, std::string_view object, const wire::Relay& relay, bool elsewhere = false);

  // `listeners` to whoever's demand changed since the last call.
  void tell_demand();
  void forget(const RoomId& room) { told_version_.erase(room); }

 private:
  void relay_to(Room& room, Participant& from, const UserId& to, std::string message, bool elsewhere);
  Core& core_;
  std::unordered_map<RoomId, std::uint64_t, IdHash, IdEqual> told_version_;
};

}  // namespace fluentgate::gateway
