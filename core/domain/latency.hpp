// Where the time of a frame went (CONTRACT 6): exact where workers copy fg-ingest-ms along, correlated by (room, user, sequence number)
// while that is plausible, else unknown. Thread: loop. All times of events are unix ms of this machine.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/domain/limits.hpp"
#include "core/domain/media.hpp"

namespace fluentgate {

// Milliseconds, unknown where empty; never negative. Where all are known, stt + mt + tts = pipeline.
struct FrameLatency {
  std::optional<std::int64_t> stt_ms;       // ingest → the original's arrival
  std::optional<std::int64_t> mt_ms;        // → the translated's arrival
  std::optional<std::int64_t> tts_ms;       // → the frame's arrival
  std::optional<std::int64_t> pipeline_ms;  // ingest → the frame's arrival; known also where single stages aren't
  std::string source;                       // the speaker's language, "-" unknown
};

// Whether the numbers that a worker puts on what it makes of one speaker are the numbers of that speaker's chunks. One per speaker and topic.
//
// The rule. A chunk's number says when the speech came in only if the worker took it from the chunk. Workers that count for themselves (the
// first utterance 1, the next 2, while dozens of chunks go by in between) name chunks that lie ever further back. So a number is believed if
//   1. the chunk it names was published here and is remembered, and arrival - ingest (the implied latency) is 0 to correlated_ms_max;
//   2. it keeps pace: against the oldest of the last `samples_max` different numbers, the numbers have gone up by at least half of what the
//      newest published chunk's number has gone up in the same time (else they drift; forgiven while the implied latency has grown by
//      no more than drift_ms_max, as jitter does that too);
//   3. it is no count from 1: while every different number heard so far is 1, 2, 3, ... in turn, and counting_lag_chunks newer chunks are
//      out and the implied latency is over counting_ms_max, only a proven pace (rule 2 over that many chunks) and an implied latency
//      within counting_proven_ms_max convince;
//   4. before a pace is proven, the implied latency is within unproven_ms_max.
// A number heard again (the pieces of one utterance, several languages) keeps the verdict of its first hearing, for unproven_ms_max. A count
// that begins again at 0 or 1 is judged afresh. The rule prefers unknown: a worker that gives an utterance its first chunk's number goes unbelieved for one
// utterance where the second is over twice as long as the first.
class Numbering {
 public:
  static constexpr std::int64_t correlated_ms_max = 60000;
  static constexpr std::int64_t unproven_ms_max = 10000;
  static constexpr std::int64_t drift_ms_max = 500;
  static constexpr std::int64_t counting_ms_max = 500;
  static constexpr std::int64_t counting_proven_ms_max = 5000;
  static constexpr std::int64_t counting_lag_chunks = 4;
  static constexpr std::size_t samples_max = 8;

  // `number`: the worker's; `newest`: of the chunk published last; `implied_ms`: arrival minus the ingest of the chunk so numbered.
  bool believes(std::int64_t number, std::int64_t newest, std::int64_t implied_ms) noexcept;

 private:
  struct Sample {
    std::int64_t number = 0;
    std::int64_t newest = 0;
    std::int64_t implied_ms = 0;
    bool believed = false;
  };
  bool judge(std::int64_t number, std::int64_t newest, std::int64_t implied_ms) const noexcept;
  const Sample& oldest() const noexcept { return samples_[size_ < samples_max ? 0 : next_]; }
  const Sample& latest() const noexcept { return samples_[(next_ + samples_max - 1) % samples_max]; }

  std::array<Sample, samples_max> samples_{};
  std::size_t size_ = 0;
  std::size_t next_ = 0;
  std::int64_t heard_ = 0;           // different numbers since the beginning
  bool counts_from_one_ = true;      // all of them in turn: 1, 2, 3, ...
};

// The ingest of an utterance is, in this order: the frame's own fg-ingest-ms, that of its translated or original caption, the chunk that the frame's
// number names, if believed. A header is taken if it says 0 to header_ms_max ago. Captions belong to a frame by an equal sequence number or,
// finals only, by an equal utterance_id; of several the last one that had arrived before the next stage. All frames of an utterance
// are measured in the same way; the first one's tts_ms is the time to sound, later pieces arrive later by nature.
class LatencyTracker {
 public:
  static constexpr std::int64_t header_ms_max = 3600000;

  LatencyTracker();
  ~LatencyTracker();
  LatencyTracker(const LatencyTracker&) = delete;
  LatencyTracker& operator=(const LatencyTracker&) = delete;

  void chunk_published(const RoomId& room, const UserId& user, std::int64_t sequence_number, UnixMs ingest_ms);
  // Returns the stage that this caption ends, where known: stt for an original, mt for a translated one. Interim captions end none, and what was
  // read back from before the start is not looked at.
  std::optional<std::int64_t> caption_arrived(const Caption& caption);
  FrameLatency frame_arrived(const SynthesizedFrame& frame);
  void forget(const RoomId& room, const UserId& user);
  // At most limits::latency_speakers_max; beyond, the one unheard for longest is forgotten.
  std::size_t speakers() const noexcept { return speakers_.size(); }

 private:
  struct Speaker;
  Speaker& speaker_of(const RoomId& room, const UserId& user);
  std::unordered_map<std::string, std::unique_ptr<Speaker>> speakers_;
  std::list<const std::string*> recency_;  // keys of speakers_, last heard first
};

// The log line of CONTRACT 6; values percent-encoded so that no name can forge a line. The words after "latency " only.
std::string latency_line(const RoomId& room, const UserId& speaker, std::optional<std::int64_t> sequence_number, std::string_view source,
                         std::string_view target, const FrameLatency& latency, std::int64_t egress_ms);
// Everything but A-Z a-z 0-9 - . _ ~ : @ + , becomes %XX (bytes of UTF-8).
std::string percent_encoded(std::string_view text);

}  // namespace fluentgate
