// Hub: a speaker's audio from the socket to the uploads, and what the pipeline says of it.
#include <algorithm>

#include "core/gateway/hub.hpp"
#include "core/wire/server_event.hpp"

namespace fluentgate::gateway {

void Hub::publish(Seat& seat, Encoding encoding, int sample_rate, Bytes audio, UnixMs ingest_ms, std::int64_t duration_us) {
  AudioChunk chunk;
  chunk.room = seat.room->id();
  chunk.user = seat.participant->user;
  chunk.encoding = encoding;
  chunk.sample_rate = sample_rate;
  chunk.source_language = seat.participant->speaking_spelled.value_or("");
  chunk.ingest_ms = ingest_ms;
  chunk.duration_us = duration_us;
  chunk.audio = std::move(audio);
  core.metrics.audio_received(duration_us);
  uploads.push(std::move(chunk));
}

void Hub::voiced(Seat& seat) {
  seat.room->speaker(seat.participant->user).voice.voiced(core.clock.steady_ms());
  if (cluster) cluster->voiced(*seat.room, *seat.participant);
}

void Hub::played(Seat& seat, const wire::Played& message) {
  const Speaker* speaker = seat.room->find_speaker(message.speaker.value);
  if (speaker == nullptr || !message.sequence_number) return;
  const auto frame = std::find_if(speaker->recent.rbegin(), speaker->recent.rend(),
                                  [&](const Speaker::Heard& heard) { return heard.sequence_number == *message.sequence_number; });
  if (frame == speaker->recent.rend()) return;
  const std::string source = speaker->spoken ? speaker->spoken->spelling() : "-";
  const auto& listening = seat.participant->hearing.listening;
  core.metrics.stage("mouth_to_ear", source, listening.empty() ? "-" : listening.front().spelling(),
                     (frame->end_to_end_ms + message.buffered_ms) * 1000);
}

// Who listens now: a worker that gets the chunk after an outage makes nothing for those who have left.
void Hub::before_publish(AudioChunk& chunk) {
  Room* room = core.rooms.find(chunk.room.value);
  chunk.wanted = room == nullptr ? "" : room->wanted_from(room->speaker(chunk.user));
  // Who left last here may have spoken to listeners elsewhere, of whom this instance knows nothing any more.
  chunk.wanted_known = room != nullptr || !cluster;
}

void Hub::chunk_published(const AudioChunk& chunk) {
  latency.chunk_published(chunk.room, chunk.user, chunk.sequence_number, chunk.ingest_ms);
  core.metrics.chunk_published();
}

// As the participant tells it, else what the pipeline heard.
std::string Hub::spoken_in(const AudioChunk& chunk) {
  if (!chunk.source_language.empty()) return chunk.source_language;
  Room* room = core.rooms.find(chunk.room.value);
  const Speaker* speaker = room == nullptr ? nullptr : room->find_speaker(chunk.user.value);
  return speaker != nullptr && speaker->spoken ? speaker->spoken->spelling() : "";
}

void Hub::chunk_refused(const std::string& error, std::int64_t duration_us) {
  core.metrics.chunk_refused(error);
  core.metrics.audio_dropped("refused", duration_us);
}

void Hub::audio_dropped(const RoomId& room, const UserId& user, const SpeechUploads::Dropped& dropped) {
  const std::int64_t dropped_ms = dropped.us() / 1000;
  const auto cause = dropped.refused_us == 0  ? wire::DropCause::waited
                     : dropped.waited_us == 0 ? wire::DropCause::refused
                                              : wire::DropCause::both;
  core.logger.write(LogLevel::warn, "kafka", "audio dropped: room=" + percent_encoded(room.value) + " speaker=" + percent_encoded(user.value) +
                                                 " dropped_ms=" + std::to_string(dropped_ms) +
                                                 " refused_ms=" + std::to_string(dropped.refused_us / 1000));
  Room* here = core.rooms.find(room.value);
  const auto participant = here == nullptr ? nullptr : here->find(user);
  if (participant) tell(participant->audio ? participant->audio : participant->signaling, wire::audio_dropped_event(dropped_ms, cause));
}

void Hub::numbers_conflict(const RoomId& room, const UserId& user, const std::string& text) {
  core.metrics.numbers_conflict();
  core.logger.write(LogLevel::error, "redis",
                    "sequence numbers: room=" + percent_encoded(room.value) + " speaker=" + percent_encoded(user.value) + ": " + text);
}

void Hub::caption_arrived(Caption caption) {
  Room* room = core.rooms.find(caption.room.value);
  if (!caption.replayed && room != nullptr) {
    if (caption.source_language) learn_spoken(*room, caption.speaker, *caption.source_language);
    core.metrics.caption_received(name_of(caption.type));
    if (const auto stage_ms = latency.caption_arrived(caption)) {
      const std::string source = caption.source_language ? caption.source_language->spelling() : "-";
      const bool original = caption.type == CaptionType::original;
      core.metrics.stage(original ? "transcript" : "translation", source, original ? "" : caption.language.spelling(), *stage_ms * 1000);
    }
  }
  captions.caption(std::move(caption));
}

// What the pipeline heard, as long as the participant says nothing of its own.
void Hub::learn_spoken(Room& room, const UserId& user, const LanguageTag& spoken) {
  Speaker& speaker = room.speaker(user);
  if (speaker.spoken_told || speaker.spoken == spoken) return;
  speaker.spoken = spoken;
  room.demand_changed();
  suppression.spoken_changed(room, speaker);
}

}  // namespace fluentgate::gateway
