// What the services of one gateway share. Owned by Gateway's implementation; every reference outlives the services. Thread: loop.
#pragma once

#include "core/config/settings.hpp"
#include "core/domain/clock.hpp"
#include "core/domain/cluster.hpp"
#include "core/domain/membership.hpp"
#include "core/domain/ports.hpp"
#include "core/domain/room.hpp"
#include "core/domain/session.hpp"
#include "core/gateway/gateway_metrics.hpp"
#include "core/kafka/interest.hpp"

namespace fluentgate::gateway {

struct Core {
  const config::Settings& settings;
  const Clock& clock;
  Logger& logger;
  GatewayMetrics& metrics;
  ConnectionManager& rooms;
  kafka::Interest& interest;
  SessionBounds bounds;
  RoomBus* bus = nullptr;           // the other instances; null without Redis
  MemberLookup* members = nullptr;  // null where the token alone decides
};

// `json` as one unmasked WebSocket text message.
SharedBytes text_message(std::string_view json);
// Sends it if the session is there and open.
void tell(const std::shared_ptr<Session>& session, std::string_view json);
// An event of the participant: to its signaling socket here, else to the one on another instance, else to its audio socket. Gives the socket here that
// got it; null where it went to another instance, or nowhere.
std::shared_ptr<Session> tell_event(Core& core, const Room& room, const Participant& participant, std::string json);

}  // namespace fluentgate::gateway
