// What the services of one gateway share. Owned by Gateway's implementation; every reference outlives the services. Thread: loop.
#pragma once

#include "core/config/settings.hpp"
#include "core/domain/clock.hpp"
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
};

// `json` as one unmasked WebSocket text message.
SharedBytes text_message(std::string_view json);
// Sends it if the session is there and open.
void tell(const std::shared_ptr<Session>& session, std::string_view json);

}  // namespace fluentgate::gateway
