#include "core/gateway/playback.hpp"

#include <algorithm>
#include <utility>

#include "core/domain/hearing.hpp"
#include "core/domain/limits.hpp"
#include "core/wire/server_event.hpp"
#include "core/wire/ws_frame.hpp"

namespace fluentgate::gateway {

namespace {
constexpr std::size_t recent_frames_max = 256;  // per speaker, for mouth_to_ear

// A slow listener's gap lasts while anything of before still waits for it.
bool lasts(const SkippedGap& gap, const Participant& listener) { return gap.reason == SkipReason::slow && !listener.audio->flushed(); }

}  // namespace

Playback::Playback(Core& core, SuppressionService& suppression, LatencyTracker& latency)
    : core_(core), suppression_(suppression), latency_(latency),
      report_(std::make_shared<LatencyReport>(core.logger, core.metrics, core.settings.log.latency_sample)) {}

void Playback::take(SynthesizedFrame frame) {
  if (core_.rooms.find(frame.room.value) == nullptr) return;  // the last participant has left meanwhile
  taken_[frame.room].push_back(std::move(frame));
}

void Playback::flush() {
  for (auto& [id, frames] : taken_) {
    if (frames.empty()) continue;
    if (Room* room = core_.rooms.find(id.value)) flush_room(*room, frames);
  }
  taken_.clear();
}

Playback::Routed Playback::route(Room& room, const SynthesizedFrame& frame, SteadyMs now) {
  core_.metrics.frame_received();
  Speaker& speaker = room.speaker(frame.speaker);
  speaker.produced.note(frame.language, now);
  if (!speaker.spoken_told && !speaker.spoken && frame.source_language) {
    if (auto tag = LanguageTag::parse(*frame.source_language)) {
      speaker.spoken = *tag;
      room.demand_changed();
      suppression_.spoken_changed(room, speaker);
    }
  }
  const UnixMs kafka_ms = frame.kafka_ms > 0 ? frame.kafka_ms : frame.arrival_ms;  // a record may have no timestamp
  Routed routed{&frame, &speaker, frame.ingest_ms.value_or(kafka_ms), static_cast<std::int32_t>((frame.duration_us + 500) / 1000), {}, false, {}};
  const UnixMs now_unix = core_.clock.unix_ms();
  const std::int64_t age_ms = std::max<std::int64_t>(0, now_unix - routed.made_ms);
  routed.stale = core_.settings.audio.max_age_ms > 0 && age_ms > core_.settings.audio.max_age_ms;
  if (!frame.pcm || frame.pcm->empty()) return routed;
  FrameLatency latency = latency_.frame_arrived(frame);
  if ((latency.source.empty() || latency.source == "-") && speaker.spoken) latency.source = speaker.spoken->spelling();
  const std::int64_t since_arrival_ms = std::max<std::int64_t>(0, (core_.clock.steady_us() - frame.arrival_us) / 1000);
  if (latency.pipeline_ms) {
    routed.latency_ms = *latency.pipeline_ms + since_arrival_ms;
    if (frame.sequence_number) {
      speaker.recent.push_back({*frame.sequence_number, *routed.latency_ms});
      if (speaker.recent.size() > recent_frames_max) speaker.recent.pop_front();
    }
  }
  routed.trace = std::make_shared<FrameTrace>(
      report_, LatencyReport::Frame{room.id(), frame.speaker, frame.sequence_number, frame.language.spelling(), std::move(latency), frame.arrival_us});
  return routed;
}

void Playback::flush_room(Room& room, const std::vector<SynthesizedFrame>& frames) {
  const SteadyMs now = core_.clock.steady_ms();
  std::vector<Routed> routed;
  routed.reserve(frames.size());
  std::vector<std::vector<const Routed*>> heard(room.groups().size());
  for (const auto& frame : frames) {
    // In order: what a listener hears of this frame depends on what had been produced until now.
    const Routed& next = routed.emplace_back(route(room, frame, now));
    if (!frame.pcm || frame.pcm->empty()) continue;  // noted as produced; nothing to hear
    const auto produced = next.speaker->produced.current(now);
    for (std::size_t g = 0; g < heard.size(); ++g) {
      if (hears(room.groups()[g].hearing, next.speaker->spoken, produced, frame.language)) heard[g].push_back(&next);
    }
  }
  for (std::size_t g = 0; g < heard.size(); ++g) {
    if (!heard[g].empty()) write_group(room, room.groups()[g], heard[g], now);
  }
}

void Playback::write_group(Room& room, const ListenerGroup& group, const std::vector<const Routed*>& heard, SteadyMs now) {
  std::vector<const Routed*> fresh;
  for (const Routed* routed : heard) {
    if (!routed->stale) {
      fresh.push_back(routed);
      continue;
    }
    for (const auto& member : group.members) {
      if (!core_.settings.audio.hear_self && member.participant->user == routed->frame->speaker) continue;
      skipped(*member.participant, routed->speaker->number, routed->duration_ms, SkipReason::stale);
    }
  }
  if (fresh.empty()) return;
  Joined plain, framed;
  for (const auto& member : group.members) {
    Joined& joined = member.session->framed() ? framed : plain;
    if (!joined.buffer) joined = join(fresh, member.session->framed(), nullptr);
    write_member(room, member, fresh, joined, now);
  }
}

void Playback::write_member(Room& room, const ListenerGroup::Member& member, const std::vector<const Routed*>& heard, const Joined& joined,
                            SteadyMs now) {
  Participant& listener = *member.participant;
  const bool hear_self = core_.settings.audio.hear_self;
  bool own = false;
  bool gap = false;
  for (const Routed* routed : heard) {
    if (listener.user == routed->frame->speaker) {
      own = true;
      continue;
    }
    suppression_.before_frame(room, listener, *routed->speaker, *routed->frame, now);
    gap = gap || !listener.gaps.empty();
  }
  const auto on_skip = [&](Session&, std::uint32_t speaker, std::int64_t audio_ms, SkipReason reason) { skipped(listener, speaker, audio_ms, reason); };
  const bool leave_out = own && !hear_self;
  if (!leave_out && !gap) {
    core_.metrics.frames_delivered(heard.size());
    return member.session->send_audio(joined.buffer, joined.slices, on_skip);
  }
  // Own speech left out, or a gap to tell of: slices, and in the framed format a buffer, of this listener's own.
  std::vector<const Routed*> mine;
  for (const Routed* routed : heard) {
    if (!leave_out || listener.user != routed->frame->speaker) mine.push_back(routed);
  }
  if (mine.empty()) return;
  core_.metrics.frames_delivered(mine.size());
  if (gap && member.session->framed()) {
    const Joined personal = join(mine, true, &listener);
    for (const Routed* routed : mine) end_gap(room, listener, routed->speaker->number);
    return member.session->send_audio(personal.buffer, personal.slices, on_skip);
  }
  if (gap) {
    for (const Routed* routed : mine) end_gap(room, listener, routed->speaker->number);
  }
  personal_.clear();
  for (std::size_t i = 0; i < heard.size(); ++i) {
    if (!leave_out || listener.user != heard[i]->frame->speaker) personal_.push_back(joined.slices[i]);
  }
  member.session->send_audio(joined.buffer, personal_, on_skip);
}

Playback::Joined Playback::join(const std::vector<const Routed*>& heard, bool framed, Participant* listener) const {
  Joined joined{std::make_shared<Bytes>(), {}};
  std::size_t size = 0;
  for (const Routed* routed : heard) size += routed->frame->pcm->size() + (framed ? 512 : 16);
  joined.buffer->reserve(size);
  joined.slices.reserve(heard.size());
  for (const Routed* routed : heard) {
    const SynthesizedFrame& frame = *routed->frame;
    const auto begin = static_cast<std::uint32_t>(joined.buffer->size());
    if (framed) {
      wire::AudioFrameHeader header;
      header.speaker_id = frame.speaker.value;
      header.language = frame.language.spelling();
      header.sequence_number = frame.sequence_number;
      if (frame.utterance_id) header.utterance_id = *frame.utterance_id;
      header.sample_rate = frame.sample_rate;
      header.encoding = Encoding::linear16;
      header.duration_ms = routed->duration_ms;
      header.latency_ms = routed->latency_ms;
      header.skipped_ms = 0;
      if (listener != nullptr) {
        for (auto& gap : listener->gaps) {
          // What is queued may be skipped itself, and its header with it: a slow listener's gap is told in the first one behind it.
          if (gap.speaker == routed->speaker->number && !lasts(gap, *listener)) *header.skipped_ms += std::exchange(gap.header_ms, 0);
        }
      }
      wire::append_framed_audio(*joined.buffer, header, *frame.pcm);
    } else {
      wire::append_frame(*joined.buffer, wire::Opcode::binary, *frame.pcm);
    }
    joined.slices.push_back({begin, static_cast<std::uint32_t>(joined.buffer->size()), routed->speaker->number, routed->duration_ms,
                             routed->made_ms, &routed->trace});
  }
  return joined;
}

void Playback::skipped(Participant& listener, std::uint32_t speaker, std::int64_t audio_ms, SkipReason reason) {
  core_.metrics.frames_skipped(name_of(reason));
  const SteadyMs now = core_.clock.steady_ms();
  for (auto& gap : listener.gaps) {
    if (gap.speaker == speaker && gap.reason == reason) {
      if (gap.skipped_ms == 0) gap.since_ms = now;
      gap.skipped_ms += audio_ms;
      gap.header_ms += audio_ms;
      return;
    }
  }
  listener.gaps.push_back({speaker, reason, audio_ms, audio_ms, now});
}

void Playback::tell_gap(Room& room, Participant& listener, SkippedGap& gap) {
  if (gap.skipped_ms > 0 && listener.audio) {
    tell(listener.audio, wire::skipped_event(room.speaker_by_number(gap.speaker).user.value, gap.skipped_ms, name_of(gap.reason)));
  }
  gap.skipped_ms = 0;
}

// A frame of this speaker is about to be written again: the gap is over.
void Playback::end_gap(Room& room, Participant& listener, std::uint32_t speaker) {
  for (auto it = listener.gaps.begin(); it != listener.gaps.end();) {
    if (it->speaker != speaker || lasts(*it, listener)) {
      ++it;
      continue;
    }
    tell_gap(room, listener, *it);
    it = listener.gaps.erase(it);
  }
}

void Playback::pump(Participant& listener) {
  if (!listener.audio) return;
  const auto keep = listener.audio;
  keep->pump([&](Session&, std::uint32_t speaker, std::int64_t audio_ms, SkipReason reason) { skipped(listener, speaker, audio_ms, reason); });
}

void Playback::tick() {
  const SteadyMs now = core_.clock.steady_ms();
  for (auto& [id, room] : core_.rooms.rooms()) {
    for (auto& [user, participant] : room->participants()) {
      for (auto& gap : participant->gaps) {
        if (gap.skipped_ms > 0 && now - gap.since_ms >= limits::skipped_event_ms) tell_gap(*room, *participant, gap);
      }
    }
  }
}

}  // namespace fluentgate::gateway
