// Hub: how sockets come into a room and leave it.
#include <algorithm>
#include <utility>

#include "core/gateway/hub.hpp"
#include "core/gateway/sockets.hpp"

namespace fluentgate::gateway {

// The participant of this token in this room, made or brought up to date. What a client says in its query wins over what an earlier
// socket of it had; claims alone don't take back what set_language or an earlier query said.
std::shared_ptr<Participant> Hub::participant_for(Room& room, const auth::Admitted& admitted) {
  auto participant = room.find(admitted.claims.user);
  if (!participant) {
    participant = std::make_shared<Participant>();
    participant->user = admitted.claims.user;
    room.participants().emplace(participant->user, participant);
    if (core.members != nullptr) core.members->watch(room.id(), participant->user);
  }
  Participant& p = *participant;
  if (admitted.claims.name) p.display_name = *admitted.claims.name;
  if (admitted.claims.role) p.role = *admitted.claims.role;
  // Of several tokens the one that lasts longest keeps the sockets; an exact choice is made by `refresh`.
  const bool first = !p.has_sockets();
  if (first || !admitted.claims.exp_s || (p.exp_s && *admitted.claims.exp_s > *p.exp_s)) {
    if (p.exp_s != admitted.claims.exp_s) p.expiry_warned = false;
    p.exp_s = admitted.claims.exp_s;
  }
  const bool control = admitted.endpoint != Endpoint::captions;
  const bool adopt = control ? !p.languages_settled : first;
  // Of a token with other claims than the last one's, those that differ are news; one that says nothing takes nothing back.
  const Hearing claimed{admitted.claims.listening, admitted.claims.understands};
  const auto news = [&](bool given, const auto& claim, const auto& claim_before) {
    return adopt || (control && (given || (!std::empty(claim) && claim != claim_before)));
  };
  Hearing hearing = p.hearing;
  if (news(admitted.listening_given, claimed.listening, p.claimed.listening)) hearing.listening = admitted.hearing.listening;
  if (news(admitted.understands_given, claimed.understands, p.claimed.understands)) hearing.understands = admitted.hearing.understands;
  if (control) {
    p.said.listening = p.said.listening || admitted.listening_given;
    p.said.understands = p.said.understands || admitted.understands_given;
    p.said.speaking = p.said.speaking || admitted.speaking_given;
  }
  const bool said_now = control && (admitted.listening_given || admitted.understands_given || admitted.speaking_given);
  const auto speaking_before = p.speaking_spelled;
  bool changed = hearing != p.hearing;
  change_hearing(room, p, std::move(hearing));
  if (news(admitted.speaking_given, admitted.claims.speaking_language.value_or(""), p.claimed_speaking.value_or(""))) {
    p.speaking_spelled = admitted.speaking_language;
    p.speaking.reset();
    if (p.speaking_spelled) {
      if (auto tag = LanguageTag::parse(*p.speaking_spelled)) p.speaking = *tag;
    }
  }
  if (control || first) {
    p.claimed = claimed;
    p.claimed_speaking = admitted.claims.speaking_language;
  }
  if (control) p.languages_settled = true;
  speaking_changed(room, p);
  changed = changed || p.speaking_spelled != speaking_before;
  if (cluster && (said_now || (changed && !first))) cluster->languages_said(p);
  return participant;
}

void Hub::change_hearing(Room& room, Participant& participant, Hearing hearing) {
  if (participant.hearing == hearing) return;
  if (participant.audio) room.remove_listener(participant);
  const Hearing before = std::exchange(participant.hearing, std::move(hearing));
  if (participant.audio) room.add_listener(participant);
  room.demand_changed();
  suppression.hearing_changed(room, participant, before, core.clock.steady_ms());
}

// What the participant says it speaks decides for the room; where it says nothing, events may tell.
void Hub::speaking_changed(Room& room, Participant& participant) {
  if (participant.speaking) spoken_told(room, participant.user, *participant.speaking);
}

void Hub::spoken_told(Room& room, const UserId& user, const LanguageTag& tag) {
  Speaker& speaker = room.speaker(user);
  speaker.spoken_told = true;
  if (speaker.spoken && *speaker.spoken == tag) return;
  speaker.spoken = tag;
  room.demand_changed();
  suppression.spoken_changed(room, speaker);
}

void Hub::take_languages(Room& room, Participant& participant, Hearing hearing, const std::optional<std::string>& speaking) {
  participant.speaking_spelled = speaking;
  participant.speaking.reset();
  if (speaking) {
    if (auto tag = LanguageTag::parse(*speaking)) participant.speaking = *tag;
  }
  speaking_changed(room, participant);
  change_hearing(room, participant, std::move(hearing));
  core.interest.set(room.id(), room.listened());
}

// The older socket is closed by the newer one, but may be gone only much later: its last words come first, in the language it spoke.
void Hub::flush_replaced(const Room& room, const UserId& user) {
  const auto participant = room.find(user);
  if (!participant || !participant->audio) return;
  const auto older = audio_sockets_.find(participant->audio->id());
  if (older == audio_sockets_.end()) return;
  if (const auto socket = older->second.lock()) socket->flush();
}

void Hub::seat_audio(Room& room, Participant& participant, const std::shared_ptr<Session>& session) {
  if (participant.audio) {
    room.remove_listener(participant);
    participant.audio->close(CloseCode::replaced);
  }
  // A new socket has missed nothing; and if it is where events go, it knows of nothing that is suppressed.
  participant.gaps.clear();
  if (!participant.signaling) participant.event_socket_changed();
  participant.audio = session;
  participant.audio_since_us = cluster ? cluster->since_of_new_us() : 0;
  participant.listeners_told = "{}";
  room.add_listener(participant);
  room.speaker(participant.user).audio_gone_ms.reset();
}

void Hub::seat_signaling(Room& room, Participant& participant, const std::shared_ptr<Session>& session) {
  const bool replacing = participant.signaling != nullptr;
  if (replacing) participant.signaling->close(CloseCode::replaced);
  participant.signaling = session;
  participant.signaling_since_us = cluster ? cluster->since_of_new_us() : 0;
  // A new signaling socket knows of nothing that is suppressed: it is told with the next frame.
  participant.event_socket_changed();
  participant.listeners_told = "{}";
  if (participant.audio) room.demand_changed();
  playback.pump(participant);  // its audio may have waited for the socket that is replaced
  if (cluster) return cluster->signaling_joined(room, participant);
  presence.tell_existing(room, participant);
  if (!replacing) presence.tell_joined(room, PresenceService::peer_of(participant));
}

Seat Hub::join(auth::Admitted admitted, Transport& transport) {
  Seat seat;
  seat.room = core.rooms.open(admitted.room);
  Room& room = *seat.room;
  if (cluster && room.empty()) cluster->room_opened(room);
  if (admitted.endpoint == Endpoint::audio) flush_replaced(room, admitted.claims.user);
  seat.participant = participant_for(room, admitted);
  if (cluster) cluster->merge_languages(room, *seat.participant);
  seat.session = std::make_shared<Session>(next_session_++, admitted.endpoint, admitted.framed, transport, core.bounds, core.clock);
  ++sessions_;
  ++sessions_by_user_[admitted.claims.user];
  core.metrics.sessions(admitted.endpoint, 1);
  core.metrics.rooms(core.rooms.rooms().size());
  switch (admitted.endpoint) {
    case Endpoint::audio: seat_audio(room, *seat.participant, seat.session); break;
    case Endpoint::signaling: seat_signaling(room, *seat.participant, seat.session); break;
    case Endpoint::captions: seat.participant->captions.push_back(seat.session); break;
  }
  if (cluster) cluster->tell_seat(room, *seat.participant);
  core.interest.set(room.id(), room.listened());
  if (admitted.endpoint == Endpoint::captions) {
    captions.subscribe(room, seat.session, admitted.caption);
  } else if (admitted.endpoint == Endpoint::audio || !cluster || !cluster->awaits_view(room.id(), seat.participant->user)) {
    heartbeat(seat.session);
  }
  return seat;
}

void Hub::leave(Seat& seat) {
  if (!seat.session) return;
  Room& room = *seat.room;
  Participant& participant = *seat.participant;
  const Endpoint endpoint = seat.session->endpoint();
  seat.session->detach();
  audio_sockets_.erase(seat.session->id());
  --sessions_;
  if (const auto of_user = sessions_by_user_.find(participant.user); of_user != sessions_by_user_.end() && --of_user->second == 0) {
    sessions_by_user_.erase(of_user);
  }
  core.metrics.sessions(endpoint, -1);
  if (participant.audio == seat.session) {
    room.remove_listener(participant);
    participant.audio.reset();
    participant.gaps.clear();
    if (room.peers().audio(participant.user) == nullptr) room.speaker(participant.user).audio_gone_ms = core.clock.steady_ms();
  } else if (participant.signaling == seat.session) {
    participant.signaling.reset();
    participant.event_socket_changed();
    playback.pump(participant);  // its audio may have waited for this socket
    if (cluster) {
      cluster->signaling_left(room, participant.user);
    } else {
      presence.tell_left(room, participant.user);
      suppression.speaker_left(room, room.speaker(participant.user));
    }
  } else if (endpoint == Endpoint::captions) {
    captions.unsubscribe(*seat.session);
    std::erase(participant.captions, seat.session);
  }
  if (!participant.has_sockets() && room.find(participant.user) == seat.participant) {
    // Nobody is here to tell what is spoken: events may, until the participant comes back.
    Speaker* speaker = room.find_speaker(participant.user.value);
    if (speaker != nullptr && !room.peers().has(participant.user)) speaker->spoken_told = false;
    room.participants().erase(participant.user);
    if (cluster) cluster->gone(room, participant.user);
    if (core.members != nullptr) core.members->unwatch(room.id(), participant.user);
  } else if (cluster && participant.has_sockets()) {
    cluster->tell_seat(room, participant);
  }
  seat.session.reset();
  release_room(room);
}

std::optional<auth::LimitReached> Hub::over_limit(const RoomId& room_id, const UserId& user, Endpoint endpoint) const {
  const config::Limits& limits = core.settings.limits;
  const ConnectionManager& rooms = core.rooms;
  const Room* room = rooms.find(room_id.value);
  const auto participant = room == nullptr ? nullptr : room->find(user);
  const bool replaces = participant && ((endpoint == Endpoint::audio && participant->audio) || (endpoint == Endpoint::signaling && participant->signaling));
  if (replaces) return std::nullopt;
  if (sessions_ >= limits.sessions) return auth::LimitReached{"this instance has as many sockets as limits.sessions allows", true};
  if (room == nullptr && rooms.rooms().size() >= limits.rooms) return auth::LimitReached{"this instance has as many rooms as limits.rooms allows", true};
  if (room != nullptr && !participant && room->participants().size() >= limits.room_participants) return auth::LimitReached{"the room is full"};
  const auto of_user = sessions_by_user_.find(user);
  if (of_user != sessions_by_user_.end() && of_user->second >= limits.sessions_per_user) {
    return auth::LimitReached{"this user has as many sockets as limits.sessions_per_user allows"};
  }
  return std::nullopt;
}

void Hub::release_room(Room& room) {
  const RoomId id = room.id();
  if (core.rooms.find(id.value) != &room) return;  // the last socket of a room that is gone already
  if (!room.empty()) return core.interest.set(id, room.listened());
  for (const Speaker* speaker : room.speakers()) latency.forget(id, speaker->user);
  core.interest.erase(id);
  presence.forget(id);
  if (cluster) cluster->room_closed(id);
  core.rooms.close_if_empty(id);
  core.metrics.rooms(core.rooms.rooms().size());
}

}  // namespace fluentgate::gateway
