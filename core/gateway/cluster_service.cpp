// ClusterService: seats, presence and languages over all instances. What comes from Redis is in cluster_inbound.cpp.
#include "core/gateway/cluster_service.hpp"

#include <algorithm>
#include <utility>

#include "core/domain/limits.hpp"
#include "core/gateway/hub.hpp"
#include "core/wire/server_event.hpp"

namespace fluentgate::gateway {

namespace {
constexpr SteadyMs voice_note_ms = 1000;
static_assert(voice_note_ms < limits::voice_pause_ms);
}  // namespace

ClusterService::RoomState* ClusterService::state_of(const RoomId& room) {
  const auto found = rooms_.find(room);
  return found == rooms_.end() ? nullptr : &found->second;
}

void ClusterService::room_opened(Room& room) {
  RoomState& state = rooms_[room.id()];
  state = RoomState{};
  state.opened_ms = core_.clock.steady_ms();
  ++unsettled_;
  bus_.open(room.id());
  if (on_room) on_room(room.id(), true);
}

void ClusterService::room_closed(const RoomId& room) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  if (!found->second.settled) --unsettled_;
  rooms_.erase(found);
  bus_.close(room);
  if (on_room) on_room(room, false);
}

// --- seats ---

PeerSeat ClusterService::seat_of(const Participant& participant) const {
  PeerSeat seat;
  seat.user = participant.user;
  seat.instance = bus_.instance();
  seat.display_name = participant.display_name;
  seat.role = participant.role;
  seat.speaking_spelled = participant.speaking_spelled;
  seat.hearing = participant.hearing;
  if (participant.audio) seat.audio_since_us = participant.audio_since_us;
  if (participant.signaling) seat.signaling_since_us = participant.signaling_since_us;
  seat.languages_set_us = participant.languages_set_us;
  return seat;
}

void ClusterService::tell_seat(Room& room, const Participant& participant) {
  RoomState* state = state_of(room.id());
  if (state == nullptr) return;
  if (!participant.audio && !participant.signaling) return gone(room, participant.user);  // captions sockets alone are nobody's peer
  PeerSeat seat = seat_of(participant);
  const auto told = state->told.find(participant.user);
  if (told != state->told.end() && told->second == seat) return;
  bus_.seat(room.id(), seat);
  if (on_seat) on_seat(room.id(), participant.user, &seat);
  state->told.insert_or_assign(participant.user, std::move(seat));
}

void ClusterService::gone(const Room& room, const UserId& user) {
  RoomState* state = state_of(room.id());
  if (state == nullptr || state->told.erase(user) == 0) return;
  bus_.unseat(room.id(), user);
  if (on_seat) on_seat(room.id(), user, nullptr);
}

void ClusterService::withdraw() {
  for (auto& [id, state] : rooms_) {
    Room* room = core_.rooms.find(id.value);
    for (const auto& [user, seat] : state.told) {
      bus_.unseat(id, user);
      if (on_seat) on_seat(id, user, nullptr);
      if (room != nullptr && seat.signaling_since_us && room->peers().signaling(user) == nullptr) {
        publish_presence(*room, user, wire::user_left_event(user.value));
      }
    }
    state.told.clear();
  }
}

ClusterService::Before ClusterService::before(const Room& room, const UserId& user) const {
  Before was;
  if (const PeerSeat* seat = room.peers().audio(user)) {
    was.audio_since_us = seat->audio_since_us;
    was.hearing = seat->hearing;
  }
  if (const PeerSeat* seat = room.peers().signaling(user)) was.signaling_since_us = seat->signaling_since_us;
  return was;
}

// Everything here that depends on what other instances have of the user.
void ClusterService::after(Room& room, const UserId& user, const Before& was) {
  const Before is = before(room, user);
  const auto here = room.find(user);
  if (is.audio_since_us.has_value() != was.audio_since_us.has_value() || is.hearing != was.hearing) room.demand_changed();
  if (Speaker* speaker = room.find_speaker(user.value); speaker != nullptr && is.audio_since_us.has_value() != was.audio_since_us.has_value()) {
    if (is.audio_since_us) {
      speaker->audio_gone_ms.reset();
    } else if (!here || !here->audio) {
      speaker->audio_gone_ms = core_.clock.steady_ms();
    }
  }
  if (here) {
    if (here->audio && !here->signaling && is.signaling_since_us != was.signaling_since_us) {  // its events go to another socket now, which knows of nothing
      here->event_socket_changed();
      here->listeners_told = "{}";
      room.demand_changed();
    }
    merge_languages(room, *here);
    contest(room, *here);
  } else {
    learn_spoken(room, user);
  }
  presence_changed(room, user, false);
}

// Of a user who has no socket here: its seat says what it speaks, and where it has none, events may.
void ClusterService::learn_spoken(Room& room, const UserId& user) {
  const PeerSeat* seat = room.peers().languages(user);
  if (seat == nullptr || !seat->speaking_spelled) {
    if (Speaker* speaker = room.find_speaker(user.value)) speaker->spoken_told = false;
    return;
  }
  if (const auto tag = LanguageTag::parse(*seat->speaking_spelled)) hub_.spoken_told(room, user, *tag);
}

// Both sockets of one kind: the newer one stays (CONTRACT 1, 4009). The other instance comes to the same result by the same rule.
void ClusterService::contest(Room& room, Participant& participant) {
  const auto loses = [&](const std::shared_ptr<Session>& session, std::int64_t since_us, const std::optional<std::int64_t>& other_us, const PeerSeat* other) {
    return session && session->open() && since_us != 0 && other != nullptr && other_us.value_or(0) != 0 &&
           newer_socket(*other_us, other->instance, since_us, bus_.instance());
  };
  const PeerSeat* audio = room.peers().audio(participant.user);
  if (loses(participant.audio, participant.audio_since_us, audio ? audio->audio_since_us : std::nullopt, audio)) {
    hub_.flush_replaced(room, participant.user);
    participant.audio->close(CloseCode::replaced);
  }
  const PeerSeat* signaling = room.peers().signaling(participant.user);
  if (loses(participant.signaling, participant.signaling_since_us, signaling ? signaling->signaling_since_us : std::nullopt, signaling)) {
    participant.signaling->close(CloseCode::replaced);
    participant.event_socket_changed();
  }
}

// --- presence ---

bool ClusterService::awaits_view(const RoomId& room, const UserId& user) const {
  const auto found = rooms_.find(room);
  return found != rooms_.end() && found->second.awaiting.contains(user);
}

void ClusterService::signaling_joined(Room& room, Participant& participant) {
  RoomState* state = state_of(room.id());
  if (state == nullptr) return;
  if (!state->settled && bus_.connected()) {
    state->awaiting.insert(participant.user);
    return;
  }
  if (!state->settled) settle(room, *state);
  hub_.presence.tell_existing(room, participant);
  presence_changed(room, participant.user, true);
}

// Present is who has a signaling socket anywhere. Everybody here is told of a change once; who caused it tells FluentMeet's clients too.
void ClusterService::presence_changed(Room& room, const UserId& user, bool by_us) {
  RoomState* state = state_of(room.id());
  if (state == nullptr || !state->settled) return;
  const auto participant = room.find(user);
  const bool here = participant && participant->present();
  const PeerSeat* seat = room.peers().signaling(user);
  const bool present = here || seat != nullptr;
  if (present == state->shown.contains(user)) return;
  if (present) {
    state->shown.insert(user);
    const wire::Peer peer = here ? PresenceService::peer_of(*participant) : PresenceService::peer_of(*seat);
    hub_.presence.tell_joined(room, peer);
    if (by_us) publish_presence(room, user, wire::user_joined_event(peer));
    return;
  }
  state->shown.erase(user);
  hub_.presence.tell_left(room, user);
  if (by_us) publish_presence(room, user, wire::user_left_event(user.value));
  if (Speaker* speaker = room.find_speaker(user.value)) hub_.suppression.speaker_left(room, *speaker);
}

// Of the instances that are left in the room, one tells FluentMeet's clients who was lost with another.
bool ClusterService::speaks_for(const Room& room) const {
  const auto others = room.peers().instances();
  return std::none_of(others.begin(), others.end(), [&](std::string_view name) { return name < bus_.instance(); });
}

void ClusterService::settle(Room& room, RoomState& state) {
  if (!std::exchange(state.settled, true)) --unsettled_;
  for (const auto& [user, seats] : room.peers().users()) {
    if (room.peers().signaling(user) != nullptr) state.shown.insert(user);
  }
  for (const auto& [user, participant] : room.participants()) {
    if (!participant->present() || !state.shown.insert(user).second) continue;
    publish_presence(room, user, wire::user_joined_event(PresenceService::peer_of(*participant)));
  }
  for (const UserId& user : std::exchange(state.awaiting, {})) {
    if (const auto participant = room.find(user); participant && participant->present()) {
      hub_.presence.tell_existing(room, *participant);
      hub_.heartbeat(participant->signaling);
    }
  }
}

void ClusterService::tick(SteadyMs now) {
  if (unsettled_ == 0) return;
  for (auto& [id, state] : rooms_) {
    if (state.settled || now - state.opened_ms < limits::room_view_ms) continue;
    if (Room* room = core_.rooms.find(id.value)) settle(*room, state);
  }
}

bool ClusterService::is_guest(const RoomId& room, const std::string& user) const {
  const auto found = rooms_.find(room);
  return found != rooms_.end() && found->second.guests.contains(user);
}

// --- languages ---

void ClusterService::languages_said(Participant& participant) const {
  participant.languages_set_us = std::max(now_us(), participant.languages_set_us + 1);
}

void ClusterService::merge_languages(Room& room, Participant& participant) {
  const RoomState* state = state_of(room.id());
  const PeerSeat* seat = room.peers().languages(participant.user);
  const bool first = !participant.languages_merged;
  participant.languages_merged = !first || seat != nullptr || (state != nullptr && state->viewed);
  if (seat == nullptr) return;
  if (first) return adopt(room, participant, *seat, true);
  const PeerSeat own = seat_of(participant);
  // A socket that Redis has not dated yet is the newest.
  if ((participant.audio && participant.audio_since_us == 0) || (participant.signaling && participant.signaling_since_us == 0)) return;
  const bool newer = seat->languages_set_us != own.languages_set_us
                         ? seat->languages_set_us > own.languages_set_us
                         : newer_socket(newest_since_us(*seat), seat->instance, newest_since_us(own), own.instance);
  if (newer) adopt(room, participant, *seat, false);
}

// `first`: the participant has just come, and what it says of itself here is news. Else the seat is the newer one. What only tokens say (0) takes nothing
// back where it says nothing.
void ClusterService::adopt(Room& room, Participant& participant, const PeerSeat& from, bool first) {
  const bool told = from.languages_set_us > 0;
  const auto takes = [&](bool said, bool here_empty, bool there_empty) {
    if (first) return !said && (told || here_empty);
    return told || !there_empty;
  };
  const bool said_something = first && (participant.said.listening || participant.said.understands || participant.said.speaking);
  Hearing hearing = participant.hearing;
  if (takes(participant.said.listening, hearing.listening.empty(), from.hearing.listening.empty())) hearing.listening = from.hearing.listening;
  if (takes(participant.said.understands, hearing.understands.empty(), from.hearing.understands.empty())) hearing.understands = from.hearing.understands;
  std::optional<std::string> speaking = participant.speaking_spelled;
  if (takes(participant.said.speaking, !speaking, !from.speaking_spelled)) speaking = from.speaking_spelled;
  participant.languages_set_us = std::max(participant.languages_set_us, from.languages_set_us + (said_something ? 1 : 0));
  if (hearing == participant.hearing && speaking == participant.speaking_spelled) return tell_seat(room, participant);
  hub_.take_languages(room, participant, std::move(hearing), speaking);
  if (!first) hub_.tell_language(participant);
  tell_seat(room, participant);
}

void ClusterService::voiced(Room& room, Participant& participant) {
  const SteadyMs now = core_.clock.steady_ms();
  if (now - participant.voice_told_ms < voice_note_ms) return;
  participant.voice_told_ms = now;
  if (room.peers().listening()) note(room, wire::VoicedNote{participant.user});
}

}  // namespace fluentgate::gateway
