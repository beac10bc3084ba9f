// Hub: the messages that every control socket understands, tokens, and the pipeline's heartbeat (CONTRACT 1, Control).
#include "core/gateway/hub.hpp"
#include "core/auth/room_right.hpp"
#include "core/domain/limits.hpp"
#include "core/wire/server_event.hpp"

namespace fluentgate::gateway {

void Hub::tell_language(Participant& participant) {
  const SharedBytes message = text_message(
      wire::language_event(participant.hearing.listening, participant.speaking, participant.hearing.understands));
  if (participant.audio) participant.audio->send(message);
  if (participant.signaling) participant.signaling->send(message);
}

void Hub::set_language(Seat& seat, const wire::SetLanguage& message) {
  Room& room = *seat.room;
  Participant& participant = *seat.participant;
  Hearing hearing = participant.hearing;
  if (message.listening) hearing.listening = *message.listening;
  if (message.understands) hearing.understands = *message.understands;
  participant.said.listening = participant.said.listening || message.listening;
  participant.said.understands = participant.said.understands || message.understands;
  participant.said.speaking = participant.said.speaking || message.speaking;
  if (message.speaking) {
    participant.speaking_spelled = message.speaking->spelling();
    participant.speaking = message.speaking;
    speaking_changed(room, participant);
  }
  change_hearing(room, participant, std::move(hearing));
  core.interest.set(room.id(), room.listened());
  tell_language(participant);
  tell_languages_elsewhere(room, participant);
}

void Hub::tell_languages_elsewhere(Room& room, Participant& participant) {
  if (!cluster) return;
  cluster->languages_said(participant);
  cluster->tell_seat(room, participant);
}

void Hub::set_speaking(Seat& seat, const LanguageTag& tag) {
  seat.participant->speaking_spelled = tag.spelling();
  seat.participant->speaking = tag;
  seat.participant->said.speaking = true;
  speaking_changed(*seat.room, *seat.participant);
  tell_languages_elsewhere(*seat.room, *seat.participant);
}

void Hub::close_all(Participant& participant, CloseCode code) {
  if (participant.audio) participant.audio->close(code);
  if (participant.signaling) participant.signaling->close(code);
  for (auto& session : participant.captions) session->close(code);
}

void Hub::refresh(Seat& seat, const wire::Refresh& message) {
  Participant& participant = *seat.participant;
  auto claims = verifier->verify(message.token, core.clock.unix_ms());
  if (!claims) return tell(seat.session, wire::error_event(wire::ErrorCode::invalid_token, claims.error().text));
  if (claims->user != participant.user) {
    return tell(seat.session, wire::error_event(wire::ErrorCode::invalid_token, "the token is another user's"));
  }
  if (const auto refusal = auth::check_room_right(core.settings.auth, core.members, seat.room->id(), *claims)) {
    if (refusal->code != CloseCode::forbidden) return tell(seat.session, wire::error_event(wire::ErrorCode::invalid_token, refusal->detail + ": try again"));
    if (cluster) cluster->note(*seat.room, wire::ForbiddenNote{participant.user});
    return close_all(participant, CloseCode::forbidden);
  }
  take_expiry(participant, claims->exp_s);
  if (cluster) cluster->note(*seat.room, wire::RefreshedNote{participant.user, claims->exp_s});
  tell(seat.session, wire::refreshed_event(claims->exp_s));
}

void Hub::take_expiry(Participant& participant, std::optional<std::int64_t> exp_s) {
  if (participant.exp_s != exp_s) participant.expiry_warned = false;
  participant.exp_s = exp_s;
}

void Hub::heartbeat(const std::shared_ptr<Session>& session) {
  tell(session, wire::pipeline_heartbeat_event(core.clock.unix_ms(), health.state()));
}

void Hub::check_tokens(UnixMs now) {
  constexpr std::int64_t warn_before_ms = 30000;
  const std::int64_t leeway_ms = core.settings.auth.leeway_s * 1000;
  for (auto& [id, room] : core.rooms.rooms()) {
    for (auto& [user, participant] : room->participants()) {
      if (!participant->exp_s) continue;
      const UnixMs exp_ms = *participant->exp_s * 1000;
      if (!participant->expiry_warned && now >= exp_ms - warn_before_ms) {  // also where the token lived too briefly for it to come earlier
        participant->expiry_warned = true;
        const SharedBytes event = text_message(wire::token_expiring_event(*participant->exp_s));
        if (participant->audio) participant->audio->send(event);
        if (participant->signaling) participant->signaling->send(event);
        for (auto& session : participant->captions) tell(session, wire::captions_token_expiring_event(*participant->exp_s));
      }
      if (now >= exp_ms + leeway_ms) close_all(*participant, CloseCode::unauthorized);
    }
  }
}

}  // namespace fluentgate::gateway
