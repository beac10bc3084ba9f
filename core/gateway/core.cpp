#include "core/gateway/core.hpp"

#include "core/wire/ws_frame.hpp"

namespace fluentgate::gateway {

SharedBytes text_message(std::string_view json) {
  return wire::text_frame(json);
}

void tell(const std::shared_ptr<Session>& session, std::string_view json) {
  if (session && session->open()) session->send(text_message(json));
}

std::shared_ptr<Session> tell_event(Core& core, const Room& room, const Participant& participant, std::string json) {
  if (participant.signaling && participant.signaling->open()) {
    tell(participant.signaling, json);
    return participant.signaling;
  }
  // While Redis is away the audio socket gets it: an event that nobody reads would leave the original silent.
  if (core.bus != nullptr && core.bus->connected() && room.peers().signaling(participant.user) != nullptr) {
    core.bus->unicast(room.id(), participant.user, {}, std::move(json));
    return nullptr;
  }
  tell(participant.audio, json);
  return participant.audio;
}

}  // namespace fluentgate::gateway
