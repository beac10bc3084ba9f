// ClusterService: what other instances, the meeting backend and FluentMeet's own service tell over Redis (CONTRACT 5).
#include <algorithm>
#include <utility>

#include "core/domain/limits.hpp"
#include "core/gateway/cluster_service.hpp"
#include "core/gateway/hub.hpp"
#include "core/wire/json_scan.hpp"

namespace fluentgate::gateway {

namespace {

template <class... Fs>
struct Overloaded : Fs... { using Fs::operator()...; };
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

// User ids without the blanks around them and without regard to case (ASCII: the ids are UUIDs and e-mail addresses).
std::string folded(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

struct PushedObject {
  bool json = false;  // valid; an object or not
  std::string type;   // empty: none
  std::string user;   // user_id
};

PushedObject look_at(std::string_view data) {
  PushedObject seen;
  wire::ObjectScanner scanner(data);
  while (const auto member = scanner.next()) {
    if (member->type != wire::JsonType::string) continue;
    if (member->key == "type") seen.type = wire::decoded_string(member->value);
    if (member->key == "user_id") seen.user = wire::decoded_string(member->value);
  }
  const Status status = scanner.status();
  seen.json = status || status.error().code == "not_an_object";
  return seen;
}

}  // namespace

void ClusterService::take(redis::Inbound& message) {
  std::visit(Overloaded{[&](redis::BusState& state) { connected(state.connected); },
                        [&](redis::RoomView& one) { view(one); },
                        [&](redis::SeatTold& one) { seat(one); },
                        [&](redis::SeatGone& one) { seat_gone(one); },
                        [&](redis::InstanceGone& one) { instance_gone(one.instance); },
                        [&](redis::RoomNote& one) { noted(one); },
                        [&](redis::Push& one) { pushed(one); },
                        [&](redis::MemberGone& one) { member_gone(one); },
                        [](NumberNews&) {}},  // the uploads'
             message);
}

// Nobody waits for an answer that can't come.
void ClusterService::connected(bool connected) {
  if (connected) return;
  for (auto& [id, state] : rooms_) {
    Room* room = core_.rooms.find(id.value);
    if (room != nullptr && !state.settled) settle(*room, state);
  }
}

void ClusterService::view(redis::RoomView& view) {
  Room* room = core_.rooms.find(view.room.value);
  RoomState* state = state_of(view.room);
  if (room == nullptr || state == nullptr) return;
  std::map<UserId, Before> changed;
  for (const PeerSeat& seat : view.seats) changed.try_emplace(seat.user, before(*room, seat.user));
  if (view.complete) {
    for (const auto& [user, seats] : room->peers().users()) changed.try_emplace(user, before(*room, user));
    room->peers().keep_only(view.seats);
  }
  for (const PeerSeat& seat : view.seats) {
    if (seat.instance != bus_.instance()) room->peers().put(seat);
  }
  for (const auto& [user, was] : changed) after(*room, user, was);
  if (!std::exchange(state->viewed, true)) {
    for (const auto& [user, participant] : room->participants()) participant->languages_merged = true;
  }
  if (!state->settled) settle(*room, *state);
}

// Redis dated the sockets here.
void ClusterService::own_seat(Room& room, const PeerSeat& seat) {
  const auto participant = room.find(seat.user);
  RoomState* state = state_of(room.id());
  if (!participant || state == nullptr) return;
  if (participant->audio && seat.audio_since_us) participant->audio_since_us = *seat.audio_since_us;
  if (participant->signaling && seat.signaling_since_us) participant->signaling_since_us = *seat.signaling_since_us;
  if (const auto told = state->told.find(seat.user); told != state->told.end()) {  // known there already: no news
    if (told->second.audio_since_us && participant->audio) told->second.audio_since_us = participant->audio_since_us;
    if (told->second.signaling_since_us && participant->signaling) told->second.signaling_since_us = participant->signaling_since_us;
  }
  merge_languages(room, *participant);
  contest(room, *participant);
}

void ClusterService::seat(redis::SeatTold& told) {
  Room* room = core_.rooms.find(told.room.value);
  if (room == nullptr) return;
  if (told.seat.instance == bus_.instance()) return own_seat(*room, told.seat);
  const UserId user = told.seat.user;
  const Before was = before(*room, user);
  if (room->peers().put(told.seat)) after(*room, user, was);
}

void ClusterService::seat_gone(const redis::SeatGone& gone) {
  Room* room = core_.rooms.find(gone.room.value);
  if (room == nullptr) return;
  const Before was = before(*room, gone.user);
  if (room->peers().erase(gone.user, gone.instance)) after(*room, gone.user, was);
}

void ClusterService::instance_gone(const std::string& instance) {
  core_.logger.write(LogLevel::warn, "cluster", "instance " + instance + " is gone: its participants leave");
  for (auto& [id, room] : core_.rooms.rooms()) {
    std::map<UserId, Before> was;
    for (const auto& [user, seats] : room->peers().users()) was.emplace(user, before(*room, user));
    for (const UserId& user : room->peers().erase_instance(instance)) {
      const bool left = was[user].signaling_since_us && room->peers().signaling(user) == nullptr;
      const auto here = room->find(user);
      after(*room, user, was[user]);
      if (left && !(here && here->present()) && speaks_for(*room)) publish_presence(*room, user, wire::user_left_event(user.value));
    }
  }
}

void ClusterService::noted(const redis::RoomNote& message) {
  Room* room = core_.rooms.find(message.room.value);
  if (room == nullptr || message.instance == bus_.instance()) return;
  const auto note = wire::parse_note(message.json);
  if (!note) return;  // of a newer version
  if (const auto* refreshed = std::get_if<wire::RefreshedNote>(&*note)) {
    if (const auto participant = room->find(refreshed->user)) hub_.take_expiry(*participant, refreshed->exp_s);
  } else if (const auto* voiced = std::get_if<wire::VoicedNote>(&*note)) {
    room->speaker(voiced->user).voice.voiced(core_.clock.steady_ms());
  } else if (const auto* forbidden = std::get_if<wire::ForbiddenNote>(&*note)) {
    if (const auto participant = room->find(forbidden->user)) hub_.close_all(*participant, CloseCode::forbidden);
  }
}

// Exact ids first, wherever that user is; only what the backend spells in its own way is tried again (CONTRACT 5).
std::optional<UserId> ClusterService::matching(const Room& room, const std::string& user, bool exactly) const {
  UserId exact(user);
  if (exactly || room.find(exact) || room.peers().has(exact)) return exact;
  const std::string wanted = folded(user);
  for (const auto& [id, participant] : room.participants()) {
    if (folded(id.value) == wanted) return id;
  }
  return std::nullopt;
}

void ClusterService::pushed(const redis::Push& push) {
  Room* room = core_.rooms.find(push.room.value);
  if (room == nullptr) return;
  const PushedObject object = look_at(push.data);
  if (!object.json) return core_.logger.write(LogLevel::debug, "cluster", "a push that is no JSON: room=" + percent_encoded(push.room.value));
  const bool of_an_instance = !push.instance.empty();
  if (push.target) return pushed_to(*room, push, object.type);
  if (of_an_instance && (object.type == "user_joined" || object.type == "user_left")) return;  // for FluentMeet's clients: we know it from the seats
  if (!of_an_instance) remember_guest(*room, object.type, object.user);
  const auto sender = push.sender.empty() ? std::nullopt : matching(*room, push.sender, of_an_instance);
  core_.metrics.signaling_relayed(hub_.presence.tell_all(*room, sender ? &*sender : nullptr, push.data));
}

void ClusterService::pushed_to(Room& room, const redis::Push& push, const std::string& type) {
  const bool of_an_instance = !push.instance.empty();
  const auto user = matching(room, push.target->value, of_an_instance);
  const auto participant = user ? room.find(*user) : nullptr;
  if (!participant) return;
  if (!of_an_instance && (type == "removed" || type == "revoked")) {
    core_.logger.write(LogLevel::info, "cluster", type + ": room=" + percent_encoded(room.id().value) + " user=" + percent_encoded(user->value));
    return hub_.close_all(*participant, type == "removed" ? CloseCode::forbidden : CloseCode::unauthorized);
  }
  if (!participant->present()) return;
  core_.metrics.signaling_relayed(1);
  tell(participant->signaling, push.data);
}

// FluentMeet's own service tells of its users in the same way; a client here may then send them offers.
void ClusterService::remember_guest(Room& room, const std::string& type, std::string user) {
  RoomState* state = state_of(room.id());
  if (state == nullptr || user.empty()) return;
  if (type == "user_joined" && state->guests.size() < limits::room_guests_max) state->guests.insert(std::move(user));
  if (type == "user_left") state->guests.erase(user);
}

void ClusterService::member_gone(const redis::MemberGone& gone) {
  if (core_.settings.auth.membership == config::Membership::token) return;
  Room* room = core_.rooms.find(gone.room.value);
  const auto participant = room == nullptr ? nullptr : room->find(gone.user);
  if (!participant) return;
  core_.logger.write(LogLevel::info, "cluster", "no longer a member: room=" + percent_encoded(gone.room.value) + " user=" + percent_encoded(gone.user.value));
  hub_.close_all(*participant, CloseCode::forbidden);
}

}  // namespace fluentgate::gateway
