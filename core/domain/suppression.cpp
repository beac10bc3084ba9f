// The moves of suppression: see suppression.hpp and CONTRACT 3.
#include "core/domain/suppression.hpp"

#include <algorithm>

#include "core/domain/limits.hpp"

namespace fluentgate {

void VoiceRun::voiced(SteadyMs now) noexcept {
  if (!since(now)) started_ = now;
  last_ = now;
  any_ = true;
}

std::optional<SteadyMs> VoiceRun::since(SteadyMs now) const noexcept {
  if (!any_ || now - last_ > limits::voice_pause_ms) return std::nullopt;
  return started_;
}

bool Suppression::frame_ready(SteadyMs now) noexcept {
  last_frame_ms_ = now;
  if (state_ == State::suppressed) return false;
  state_ = State::suppressed;
  return true;
}

std::optional<RestoreReason> Suppression::tick(SteadyMs now, const VoiceRun& voice, std::int64_t stall_ms) noexcept {
  if (state_ == State::original) return std::nullopt;
  const std::optional<SteadyMs> voiced_since = voice.since(now);
  // A silent speaker stalls nobody: between phrases the original stays suppressed.
  if (!voiced_since || now - std::max(*voiced_since, last_frame_ms_) < stall_ms) return std::nullopt;
  state_ = State::original;
  return RestoreReason::stalled;
}

std::optional<RestoreReason> Suppression::end(RestoreReason reason) noexcept {
  if (state_ == State::original) return std::nullopt;
  state_ = State::original;
  return reason;
}

}  // namespace fluentgate
