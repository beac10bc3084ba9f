// The way of a frame from the mailbox to the sockets: routing by language, one joined buffer per group of listeners, skipping what is
// late (CONTRACT 2). The hot path of the program. Thread: loop.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "core/domain/latency.hpp"
#include "core/domain/media.hpp"
#include "core/domain/room.hpp"
#include "core/gateway/core.hpp"
#include "core/gateway/latency_report.hpp"
#include "core/gateway/suppression_service.hpp"

namespace fluentgate::gateway {

class Playback {
 public:
  Playback(Core& core, SuppressionService& suppression, LatencyTracker& latency);

  // Notes a frame for this turn.
  void take(SynthesizedFrame frame);
  // Routes and writes all that was taken since the last call, in order.
  void flush();
  // A session skipped audio by itself, for the participant it belongs to.
  void skipped(Participant& listener, std::uint32_t speaker, std::int64_t audio_ms, SkipReason reason);
  // Writes what waits for this participant's audio socket.
  void pump(Participant& listener);
  // `skipped` events that are due although the gap lasts.
  void tick();

 private:
  struct Routed {  // a frame of this turn, with what is known of it
    const SynthesizedFrame* frame;
    Speaker* speaker;
    UnixMs made_ms;
    std::int32_t duration_ms;
    std::optional<std::int64_t> latency_ms;
    bool stale;
    std::shared_ptr<DeliveryTrace> trace;
  };
  struct Joined {  // the frames that a group hears, in one wire format
    std::shared_ptr<Bytes> buffer;
    std::vector<Session::FrameSlice> slices;
  };
  void flush_room(Room& room, const std::vector<SynthesizedFrame>& frames);
  Routed route(Room& room, const SynthesizedFrame& frame, SteadyMs now);
  void write_group(Room& room, const ListenerGroup& group, const std::vector<const Routed*>& heard, SteadyMs now);
  void write_member(Room& room, const ListenerGroup::Member& member, const std::vector<const Routed*>& heard, const Joined& joined, SteadyMs now);
  Joined join(const std::vector<const Routed*>& heard, bool framed, Participant* listener) const;
  void end_gap(Room& room, Participant& listener, std::uint32_t speaker);
  void tell_gap(Room& room, Participant& listener, SkippedGap& gap);

  Core& core_;
  SuppressionService& suppression_;
  LatencyTracker& latency_;
  std::shared_ptr<LatencyReport> report_;
  std::unordered_map<RoomId, std::vector<SynthesizedFrame>, IdHash, IdEqual> taken_;
  std::vector<Session::FrameSlice> personal_;  // scratch
};

}  // namespace fluentgate::gateway
