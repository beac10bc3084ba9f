// Where the time of a frame went (CONTRACT 6): exact where workers copy fg-ingest-ms along, correlated by (room, user, sequence number)
// while that is plausible, else unknown. Thread: loop. All times of events are unix ms of this machine.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/domain/limits.hpp"
#include "core/domain/media.hpp"

namespace fluentgate {

// Milliseconds, unknown where empty; never negative.
struct FrameLatency {
  std::optional<std::int64_t> stt_ms;       // ingest → the original's arrival
  std::optional<std::int64_t> mt_ms;        // → the translated's arrival
  std::optional<std::int64_t> tts_ms;       // → the frame's arrival
  std::optional<std::int64_t> pipeline_ms;  // ingest → the frame's arrival; known also where single stages aren't
  std::string source;                       // the speaker's language, "-" unknown
};

class LatencyTracker {
 public:
  void chunk_published(const RoomId& room, const UserId& user, std::int64_t sequence_number, UnixMs ingest_ms);
  // Returns the stages that this caption ends, where known: stt for an original, mt for a translated one.
  std::optional<std::int64_t> caption_arrived(const Caption& caption);
  FrameLatency frame_arrived(const SynthesizedFrame& frame);
  void forget(const RoomId& room, const UserId& user);
  std::size_t speakers() const noexcept { return speakers_.size(); }

 private:
  struct Utterance;
  struct Speaker;
  std::unordered_map<std::string, Speaker> speakers_;
};

// The log line of CONTRACT 6; values percent-encoded so that no name can forge a line. The words after "latency " only.
std::string latency_line(const RoomId& room, const UserId& speaker, std::optional<std::int64_t> sequence_number, std::string_view source,
                         std::string_view target, const FrameLatency& latency, std::int64_t egress_ms);
// Everything but A-Z a-z 0-9 - . _ ~ : @ + , becomes %XX (bytes of UTF-8).
std::string percent_encoded(std::string_view text);

}  // namespace fluentgate
