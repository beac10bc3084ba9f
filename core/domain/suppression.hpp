// Whether one listener is to hear one speaker's original voice (CONTRACT 3, suppress_original and restore_original): a state machine per
// (speaker, listener). It decides; the caller writes what it returns. Thread: loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/domain/clock.hpp"

namespace fluentgate {

enum class RestoreReason : std::uint8_t { stalled, language_changed, speaker_left, pipeline_down };
constexpr std::string_view name_of(RestoreReason r) noexcept {
  switch (r) {
    case RestoreReason::stalled: return "stalled";
    case RestoreReason::language_changed: return "language_changed";
    case RestoreReason::speaker_left: return "speaker_left";
    case RestoreReason::pipeline_down: return "pipeline_down";
  }
  return "";
}

// What is known of one speaker's voice, shared by all its listeners.
class VoiceRun {
 public:
  // A chunk at or above suppress.voice_dbfs arrived. A pause of more than limits::voice_pause_ms begins a new run.
  void voiced(SteadyMs now) noexcept;
  // Start of the current run; nothing if the speaker has been silent for more than the pause.
  std::optional<SteadyMs> since(SteadyMs now) const noexcept;
  // Of the last chunk with voice; meaningful while since() is.
  SteadyMs last() const noexcept { return last_; }

 private:
  SteadyMs started_ = 0;
  SteadyMs last_ = 0;
  bool any_ = false;
};

class Suppression {
 public:
  // untold: suppressed, but the socket that events go to now has not heard of it.
  enum class State : std::uint8_t { original, suppressed, untold };

  // A frame is about to be written to the listener. True: tell suppress_original first.
  [[nodiscard]] bool frame_ready(SteadyMs now) noexcept;
  // Another socket takes the events: the next frame tells it, and until then the client may still have the original suppressed.
  void socket_changed() noexcept {
    if (state_ == State::suppressed) state_ = State::untold;
  }
  // Called now and then. Stalled: suppressed, the speaker's current run of voice has lasted stall_ms, counted from the later of its
  // start and the last frame, and it still lasts: who fell silent before that is waiting for nothing.
  [[nodiscard]] std::optional<RestoreReason> tick(SteadyMs now, const VoiceRun& voice, std::int64_t stall_ms) noexcept;
  // The listener's language changed, the speaker left or the pipeline went down: tells the reason if the original was suppressed.
  [[nodiscard]] std::optional<RestoreReason> end(RestoreReason reason) noexcept;
  State state() const noexcept { return state_; }

 private:
  State state_ = State::original;
  SteadyMs last_frame_ms_ = 0;
};

}  // namespace fluentgate
