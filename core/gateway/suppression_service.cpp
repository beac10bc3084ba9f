#include "core/gateway/suppression_service.hpp"

#include "core/domain/hearing.hpp"
#include "core/domain/limits.hpp"
#include "core/wire/server_event.hpp"

namespace fluentgate::gateway {

void SuppressionService::before_frame(const Room& room, Participant& listener, const Speaker& speaker, const SynthesizedFrame& frame, SteadyMs now) {
  if (!listener.suppression_of(speaker.number).frame_ready(now)) return;
  const auto& options = core_.settings.suppress;
  const bool duck = options.mode == config::SuppressMode::duck;
  wire::SuppressOriginal event;
  event.speaker_id = speaker.user.value;
  event.language = frame.language.spelling();
  event.mode = duck ? "duck" : "mute";
  event.gain = options.gain.value_or(duck ? 0.15 : 0.0);
  event.fade_ms = options.fade_ms;
  if (frame.utterance_id) event.utterance_id = *frame.utterance_id;
  event.timestamp_ms = core_.clock.unix_ms();
  core_.metrics.suppressed();
  const auto socket = tell_event(core_, room, listener, wire::suppress_original_event(event));
  if (listener.audio && socket && socket != listener.audio) listener.audio->hold_audio_for(socket);
}

void SuppressionService::restore(const Room& room, Participant& listener, const Speaker& speaker, RestoreReason reason) {
  core_.metrics.restored(name_of(reason));
  tell_event(core_, room, listener, wire::restore_original_event(speaker.user.value, reason, core_.settings.suppress.fade_ms));
}

void SuppressionService::hearing_changed(Room& room, Participant& listener, const Hearing& before, SteadyMs now) {
  for (std::uint32_t number = 0; number < listener.suppression.size(); ++number) {
    Speaker& speaker = room.speaker_by_number(number);
    const auto produced = speaker.produced.current(now);
    const auto was = best_match(before.listening, produced);
    const auto is = best_match(listener.hearing.listening, produced);
    if (was && was == is && !listener.hearing.understands_speech_in(speaker.spoken)) continue;
    if (const auto reason = listener.suppression[number].end(RestoreReason::language_changed)) restore(room, listener, speaker, *reason);
  }
}

void SuppressionService::spoken_changed(Room& room, Speaker& speaker) {
  for (auto& [user, listener] : room.participants()) {
    if (speaker.number >= listener->suppression.size() || !listener->hearing.understands_speech_in(speaker.spoken)) continue;
    if (const auto reason = listener->suppression[speaker.number].end(RestoreReason::language_changed)) restore(room, *listener, speaker, *reason);
  }
}

void SuppressionService::speaker_left(Room& room, Speaker& speaker) {
  for (auto& [user, listener] : room.participants()) {
    if (speaker.number >= listener->suppression.size()) continue;
    if (const auto reason = listener->suppression[speaker.number].end(RestoreReason::speaker_left)) restore(room, *listener, speaker, *reason);
  }
}

void SuppressionService::pipeline_down() {
  for (auto& [id, room] : core_.rooms.rooms()) {
    for (auto& [user, listener] : room->participants()) {
      for (std::uint32_t number = 0; number < listener->suppression.size(); ++number) {
        const auto reason = listener->suppression[number].end(RestoreReason::pipeline_down);
        if (reason) restore(*room, *listener, room->speaker_by_number(number), *reason);
      }
    }
  }
}

void SuppressionService::tick(SteadyMs now) {
  for (auto& [id, room] : core_.rooms.rooms()) {
    for (Speaker* speaker : room->speakers()) {
      if (speaker->audio_gone_ms && now - *speaker->audio_gone_ms >= limits::speaker_gone_ms) {
        speaker->audio_gone_ms.reset();
        speaker_left(*room, *speaker);
      }
    }
    for (auto& [user, listener] : room->participants()) {
      for (std::uint32_t number = 0; number < listener->suppression.size(); ++number) {
        Suppression& state = listener->suppression[number];
        if (state.state() == Suppression::State::original) continue;
        const Speaker& speaker = room->speaker_by_number(number);
        if (const auto reason = state.tick(now, speaker.voice, core_.settings.suppress.stall_ms)) restore(*room, *listener, speaker, *reason);
      }
    }
  }
}

}  // namespace fluentgate::gateway
