// What rooms that span instances add (CONTRACT 5): the seats of other instances in Room::peers, the ones here told to them, presence by both, which of
// two sockets of a user is the newer one, languages that are in force everywhere, and notes. Exists only where Redis is configured. Thread: loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/domain/cluster.hpp"
#include "core/domain/room.hpp"
#include "core/gateway/core.hpp"
#include "core/redis/inbound.hpp"
#include "core/wire/room_note.hpp"

namespace fluentgate::gateway {

class Hub;

class ClusterService {
 public:
  ClusterService(Hub& hub, Core& core, RoomBus& bus) : hub_(hub), core_(core), bus_(bus) {}

  // Called for every seat here as it is told to the others; null: it is gone. May be empty.
  std::function<void(const RoomId&, const UserId&, const PeerSeat*)> on_seat;
  // Called when a room has its first socket here (open), and when its last is gone. May be empty.
  std::function<void(const RoomId&, bool open)> on_room;

  // --- what happens here, as attendance and control tell it ---
  void room_opened(Room& room);
  void room_closed(const RoomId& room);
  // `since` of a socket that is opened now: 0, so that Redis's clock decides; this instance's own while Redis is away.
  std::int64_t since_of_new_us() const { return bus_.connected() ? 0 : now_us(); }
  // The participant said its languages.
  void languages_said(Participant& participant) const;
  // The participant has its first socket here: what another instance knows of its languages counts.
  void merge_languages(Room& room, Participant& participant);
  // Tells the others what is here of the participant, if that is other than was told.
  void tell_seat(Room& room, const Participant& participant);
  void gone(const Room& room, const UserId& user);  // no sockets here any more
  // A signaling socket was opened: existing_users to it, now or when the room's view has come; user_joined to others if it was present nowhere.
  void signaling_joined(Room& room, Participant& participant);
  // Its existing_users, and the first heartbeat behind it, come with the room's view.
  bool awaits_view(const RoomId& room, const UserId& user) const;
  void signaling_left(Room& room, const UserId& user) { presence_changed(room, user, true); }
  void voiced(Room& room, Participant& participant);
  void note(const Room& room, const wire::RoomNote& note) { bus_.note(room.id(), wire::note_text(note)); }
  // A user of FluentMeet's own service beside us, as that told on the channel.
  bool is_guest(const RoomId& room, const std::string& user) const;

  // --- what comes from Redis ---
  void take(redis::Inbound& message);
  // Rooms whose view has not come in time.
  void tick(SteadyMs now);
  // This instance ends: every seat here is taken back.
  void withdraw();

 private:
  struct RoomState {
    bool viewed = false;                // what other instances have is known
    bool settled = false;               // presence is told; until then it waits for the room's view
    SteadyMs opened_ms = 0;
    std::set<UserId> awaiting;          // whose signaling sockets wait for existing_users
    std::set<UserId> shown;             // present, as the sockets here have been told
    std::set<std::string> guests;       // at most limits::room_guests_max
    std::map<UserId, PeerSeat> told;    // the seats here, as they were told
  };
  // What the others had of a user before a change.
  struct Before {
    std::optional<std::int64_t> audio_since_us, signaling_since_us;
    Hearing hearing;
  };

  std::int64_t now_us() const { return core_.clock.unix_ms() * 1000; }
  RoomState* state_of(const RoomId& room);
  PeerSeat seat_of(const Participant& participant) const;
  Before before(const Room& room, const UserId& user) const;
  void after(Room& room, const UserId& user, const Before& before);
  void learn_spoken(Room& room, const UserId& user);
  void presence_changed(Room& room, const UserId& user, bool by_us);
  void publish_presence(const Room& room, const UserId& user, std::string event) { bus_.broadcast(room.id(), user, std::move(event)); }
  bool speaks_for(const Room& room) const;
  void settle(Room& room, RoomState& state);
  void adopt(Room& room, Participant& participant, const PeerSeat& from, bool first);
  void contest(Room& room, Participant& participant);
  // cluster_inbound.cpp
  void connected(bool connected);
  void view(redis::RoomView& view);
  void own_seat(Room& room, const PeerSeat& seat);
  void seat(redis::SeatTold& told);
  void seat_gone(const redis::SeatGone& gone);
  void instance_gone(const std::string& instance);
  void noted(const redis::RoomNote& note);
  void pushed(const redis::Push& push);
  void pushed_to(Room& room, const redis::Push& push, const std::string& type);
  void remember_guest(Room& room, const std::string& type, std::string user);
  void member_gone(const redis::MemberGone& gone);
  std::optional<UserId> matching(const Room& room, const std::string& user, bool exactly) const;

  Hub& hub_;
  Core& core_;
  RoomBus& bus_;
  std::unordered_map<RoomId, RoomState, IdHash, IdEqual> rooms_;
  std::size_t unsettled_ = 0;
};

}  // namespace fluentgate::gateway
