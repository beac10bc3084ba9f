#include "core/gateway/presence_service.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace fluentgate::gateway {

namespace {

wire::Peer peer_of_parts(const UserId& user, const std::string& display_name, const std::string& role, const std::optional<std::string>& speaking,
                         const Hearing& hearing) {
  wire::Peer peer;
  peer.user_id = user.value;
  if (!display_name.empty()) peer.display_name = display_name;
  if (!role.empty()) peer.role = role;
  peer.speaking_language = speaking;
  if (!hearing.listening.empty()) peer.listening_language = hearing.listening.front().spelling();
  return peer;
}

}  // namespace

wire::Peer PresenceService::peer_of(const Participant& p) { return peer_of_parts(p.user, p.display_name, p.role, p.speaking_spelled, p.hearing); }
wire::Peer PresenceService::peer_of(const PeerSeat& s) { return peer_of_parts(s.user, s.display_name, s.role, s.speaking_spelled, s.hearing); }

void PresenceService::tell_existing(Room& room, Participant& participant) {
  std::vector<wire::Peer> users;
  for (const auto& [id, other] : room.participants()) {
    if (other.get() != &participant && other->present()) users.push_back(peer_of(*other));
  }
  for (const auto& [id, seats] : room.peers().users()) {
    if (id == participant.user) continue;
    const auto here = room.participants().find(id);
    if (here != room.participants().end() && here->second->present()) continue;
    if (const PeerSeat* seat = room.peers().signaling(id)) users.push_back(peer_of(*seat));
  }
  std::sort(users.begin(), users.end(), [](const wire::Peer& a, const wire::Peer& b) { return a.user_id < b.user_id; });
  tell(participant.signaling, wire::existing_users_event(users));
}

std::size_t PresenceService::tell_all(Room& room, const UserId* but, std::string_view json) {
  SharedBytes message;
  std::size_t told = 0;
  for (auto& [id, other] : room.participants()) {
    if ((but != nullptr && id == *but) || !other->present()) continue;
    if (!message) message = text_message(json);
    other->signaling->send(message);
    ++told;
  }
  return told;
}

void PresenceService::tell_joined(Room& room, const wire::Peer& peer) {
  const UserId user(peer.user_id);
  tell_all(room, &user, wire::user_joined_event(peer));
}

void PresenceService::tell_left(Room& room, const UserId& user) { tell_all(room, &user, wire::user_left_event(user.value)); }

void PresenceService::relay(Room& room, Participant& from, std::string_view object, const wire::Relay& relay, bool elsewhere) {
  std::string message = wire::relay_text(object, from.user.value);
  if (relay.target_user_id) return relay_to(room, from, UserId(*relay.target_user_id), std::move(message), elsewhere);
  core_.metrics.signaling_relayed(tell_all(room, &from.user, message));
  if (core_.bus != nullptr) core_.bus->broadcast(room.id(), from.user, std::move(message));
}

void PresenceService::relay_to(Room& room, Participant& from, const UserId& to, std::string message, bool elsewhere) {
  const auto target = room.find(to);
  if (target && target->present() && target->signaling->open()) {
    core_.metrics.signaling_relayed(1);
    return tell(target->signaling, message);
  }
  if (room.peers().signaling(to) != nullptr || elsewhere) {
    if (!core_.bus->connected()) {
      return tell(from.signaling, wire::error_event(wire::ErrorCode::unknown_peer, "this user is on another instance, which can't be reached now: " + to.value));
    }
    core_.metrics.signaling_relayed(1);
    return core_.bus->unicast(room.id(), to, from.user, std::move(message));
  }
  tell(from.signaling, wire::error_event(wire::ErrorCode::unknown_peer, "no such user in this room: " + to.value));
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
      tell_event(core_, *room, *participant, wire::listeners_event(languages));
      participant->listeners_told = std::move(languages);
    }
  }
}

}  // namespace fluentgate::gateway
