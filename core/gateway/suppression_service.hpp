// suppress_original and restore_original: who is told what, when (CONTRACT 3). Thread: loop.
#pragma once

#include <string>

#include "core/domain/media.hpp"
#include "core/domain/room.hpp"
#include "core/domain/suppression.hpp"
#include "core/gateway/core.hpp"

namespace fluentgate::gateway {

class SuppressionService {
 public:
  explicit SuppressionService(Core& core) : core_(core) {}

  // A frame of `speaker` is about to be written to the listener: tells it first where needed, and holds the audio until that is written
  // (not where the signaling socket is on another instance).
  void before_frame(const Room& room, Participant& listener, const Speaker& speaker, const SynthesizedFrame& frame, SteadyMs now);
  // The listener's hearing is now another than `before`: what it no longer hears in the same language is restored.
  void hearing_changed(Room& room, Participant& listener, const Hearing& before, SteadyMs now);
  // The speaker speaks another language now: who understands it is given the original back.
  void spoken_changed(Room& room, Speaker& speaker);
  void speaker_left(Room& room, Speaker& speaker);
  void pipeline_down();
  // Stalled synthesis, and speakers whose audio socket has been gone for 3 s.
  void tick(SteadyMs now);

 private:
  void restore(const Room& room, Participant& listener, const Speaker& speaker, RestoreReason reason);
  Core& core_;
};

}  // namespace fluentgate::gateway
