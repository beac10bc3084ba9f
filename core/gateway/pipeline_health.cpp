#include "core/gateway/pipeline_health.hpp"

#include "core/domain/limits.hpp"

namespace fluentgate::gateway {

namespace {
constexpr std::int64_t slow_broker_ms = 500;  // an acknowledgement that takes longer: degraded
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
  PipelineState next = PipelineState::ok;
  if (away || oldest_unacked_ms > limits::pipeline_down_ms) {
    next = PipelineState::down;
  } else if (oldest_unacked_ms > slow_broker_ms) {
    next = PipelineState::degraded;
  }
  const bool changed = next != state_;
  state_ = next;
  return changed;
}

}  // namespace fluentgate::gateway
