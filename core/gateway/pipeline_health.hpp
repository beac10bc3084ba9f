// Whether the pipeline behind the gateway works: the state of pipeline_heartbeat (CONTRACT 1) and what readiness needs (CONTRACT 6).
// Thread: loop.
#pragma once

#include <cstdint>
#include <optional>

#include "core/domain/clock.hpp"
#include "core/kafka/inbound.hpp"
#include "core/wire/server_event.hpp"

namespace fluentgate::gateway {

using wire::PipelineState;

class PipelineHealth {
 public:
  explicit PipelineHealth(SteadyMs now) : disconnected_since_ms_(now), started_ms_(now) {}
  void broker(const kafka::BrokerState& state, SteadyMs now);
  // Only where Redis is configured: it counts from now on, and is away until it is said to be there.
  void expect_redis() noexcept { redis_ = false; }
  void redis(bool connected) noexcept { redis_ = connected; }
  // oldest_unacked_ms: how long the oldest message handed to the producer waits for its acknowledgement; 0: none.
  // True when the state changed by it.
  bool tick(SteadyMs now, std::int64_t oldest_unacked_ms);

  PipelineState state() const noexcept { return state_; }
  const kafka::BrokerState& broker() const noexcept { return broker_; }
  bool kafka_ready() const noexcept { return broker_.connected && broker_.positioned; }
  bool ready() const noexcept { return kafka_ready() && redis_.value_or(true); }
  // Nothing where none is configured.
  std::optional<bool> redis() const noexcept { return redis_; }

 private:
  kafka::BrokerState broker_;
  std::optional<SteadyMs> disconnected_since_ms_;
  std::optional<bool> redis_;
  SteadyMs started_ms_;
  PipelineState state_ = PipelineState::ok;
};

}  // namespace fluentgate::gateway
