#include "core/gateway/pipeline_health.hpp"

#include "core/domain/limits.hpp"

namespace fluentgate::gateway {

namespace {
constexpr std::int64_t slow_broker_ms = 500;  // an acknowledgement that takes longer: degraded
constexpr std::int64_t redis_start_ms = 1000; // the first connection needs a moment
}

void PipelineHealth::broker(const kafka::BrokerState& state, SteadyMs now) {
  broker_ = state;
  if (state.connected) {
    disconnected_since_ms_.reset();
  } else if (!disconnected_since_ms_) {
    disconnected_since_ms_ = now;
  }
}

bool PipelineHealth::tick(SteadyMs now, std::int64_t oldest_unacked_ms) {
  const bool away = disconnected_since_ms_ && now - *disconnected_since_ms_ >= limits::pipeline_down_ms;
  const bool redis_away = redis_ && !*redis_ && now - started_ms_ >= redis_start_ms;
  PipelineState next = PipelineState::ok;
  if (away || oldest_unacked_ms > limits::pipeline_down_ms) {
    next = PipelineState::down;
  } else if (oldest_unacked_ms > slow_broker_ms || redis_away) {
    next = PipelineState::degraded;
  }
  const bool changed = next != state_;
  state_ = next;
  return changed;
}

}  // namespace fluentgate::gateway
