// What the redis thread tells the loop, and the one way to tell it. Plain values, in the order in which Redis sent them per room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/domain/cluster.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/media.hpp"
#include "core/domain/numbering.hpp"

namespace fluentgate::redis {

// Sent on every change. `connected`: commands are answered and every channel is subscribed again.
struct BusState { bool connected = false; };
// Every seat of the room on other instances that live. complete false: directly after Redis came back, others may not have told theirs again yet, so who is
// missing is not gone; a complete one follows within 5 s.
struct RoomView { RoomId room; std::vector<PeerSeat> seats; bool complete = true; };
// A seat was taken or changed, ours too (which brings the `since` of new sockets).
struct SeatTold { RoomId room; PeerSeat seat; };
struct SeatGone { RoomId room; UserId user; std::string instance; };
// Its lease ran out: all of its seats are gone.
struct InstanceGone { std::string instance; };
// A note of another instance (RoomBus::note).
struct RoomNote { RoomId room; std::string instance, json; };
// A message on the room's channel: of the backend, of FluentMeet's own service (both: `instance` empty) or of another of our instances. Our own are left out.
struct Push {
  RoomId room;
  std::optional<UserId> target;  // unicast; as it was spelled
  std::string sender;            // of a broadcast: who is left out; empty: nobody
  std::string data;              // the JSON value byte for byte
  std::string instance;
};
// The user is no longer a field of room:{room_id}:participants.
struct MemberGone { RoomId room; UserId user; };

using Inbound = std::variant<BusState, RoomView, SeatTold, SeatGone, InstanceGone, RoomNote, Push, MemberGone, NumberNews>;

class InboundSink {
 public:
  virtual ~InboundSink() = default;
  // Thread: any. Never blocks on the loop.
  virtual void deliver(std::vector<Inbound> batch) noexcept = 0;
};

}  // namespace fluentgate::redis
