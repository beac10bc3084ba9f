// The moves of suppression: see suppression.hpp and CONTRACT 3.
#include "core/domain/suppression.hpp"

#include <algorithm>

#include "core/domain/limits.hpp"

namespace fluentgate {

namespace {
constexpr std::int64_t voice_breath_max_ms = 500;  // silence after which a speaker is no longer speaking
}

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
  if (!voiced_since) return std::nullopt;
  const SteadyMs from = std::max(*voiced_since, last_frame_ms_);
  if (now - from < stall_ms) return std::nullopt;
  // Voice is known by the message, which may be long: where the last one is older than a breath, it has to have come after stall_ms.
  const std::int64_t breath_ms = std::min(voice_breath_max_ms, stall_ms / 4);
  if (now - voice.last() > breath_ms && voice.last() - from < stall_ms) return std::nullopt;
  state_ = State::original;
  return RestoreReason::stalled;
}

std::optional<RestoreReason> Suppression::end(RestoreReason reason) noexcept {
  if (state_ == State::original) return std::nullopt;
  state_ = State::original;
  return reason;
}

}  // namespace fluentgate
