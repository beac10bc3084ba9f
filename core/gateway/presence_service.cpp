#include "core/gateway/presence_service.hpp"

#include <utility>
#include <vector>

#include "core/wire/server_event.hpp"

namespace fluentgate::gateway {

namespace {

wire::Peer peer_of(const Participant& participant) {
  wire::Peer peer;
  peer.user_id = participant.user.value;
  if (!participant.display_name.empty()) peer.display_name = participant.display_name;
  if (!participant.role.empty()) peer.role = participant.role;
  if (participant.speaking_spelled) peer.speaking_language = *participant.speaking_spelled;
  if (!participant.hearing.listening.empty()) peer.listening_language = participant.hearing.listening.front().spelling();
  return peer;
}

}  // namespace

std::string PresenceService::existing(const Room& room, const Participant& but) {
  std::vector<wire::Peer> users;
  for (const auto& [id, other] : room.participants()) {
    if (other.get() != &but && other->present()) users.push_back(peer_of(*other));
  }
  return wire::existing_users_event(users);
}

void PresenceService::joined(Room& room, Participant& participant) {
  tell(participant.signaling, existing(room, participant));
  const SharedBytes message = text_message(wire::user_joined_event(peer_of(participant)));
  for (auto& [id, other] : room.participants()) {
    if (other.get() != &participant && other->present()) other->signaling->send(message);
  }
}

void PresenceService::rejoined(Room& room, Participant& participant) { tell(participant.signaling, existing(room, participant)); }

void PresenceService::left(Room& room, Participant& participant) {
  const SharedBytes message = text_message(wire::user_left_event(participant.user.value));
  for (auto& [id, other] : room.participants()) {
    if (other.get() != &participant && other->present()) other->signaling->send(message);
  }
}

void PresenceService::relay(Room& room, Participant& from, std::string_view object, const wire::Relay& relay) {
  if (relay.target_user_id) {
    const auto target = room.find(UserId(*relay.target_user_id));
    if (!target || !target->present()) {
      return tell(from.signaling, wire::error_event(wire::ErrorCode::unknown_peer, "no such user in this room: " + *relay.target_user_id));
    }
    core_.metrics.signaling_relayed(1);
    return tell(target->signaling, wire::relay_text(object, from.user.value));
  }
  const SharedBytes message = text_message(wire::relay_text(object, from.user.value));
  std::size_t receivers = 0;
  for (auto& [id, other] : room.participants()) {
    if (other.get() == &from || !other->present()) continue;
    other->signaling->send(message);
    ++receivers;
  }
  core_.metrics.signaling_relayed(receivers);
}

void PresenceService::tell_demand() {
  for (auto& [id, room] : core_.rooms.rooms()) {
    std::uint64_t& told = told_version_[id];
    if (told == room->demand_version()) continue;
    told = room->demand_version();
    for (auto& [user, participant] : room->participants()) {
      if (!participant->audio) continue;
      wire::ListenerCounts counts;
      for (const auto& demand : room->demand_for(user, room->speaker(user).spoken)) counts.emplace(demand.language.spelling(), demand.count);
      std::string languages = wire::languages_object(counts);
      if (languages == participant->listeners_told) continue;
      tell(participant->event_socket(), wire::listeners_event(languages));
      participant->listeners_told = std::move(languages);
    }
  }
}

}  // namespace fluentgate::gateway
