// What fluentgate-bench is asked to do, and the mark by which a frame is known again at the other end. Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fluentgate::bench {

struct Load {
  std::string url = "ws://127.0.0.1:7681/ws";
  std::string kafka;                         // HOST:PORT,...; empty: no Kafka, so no listeners, no speakers
  std::string secret;                        // HS256
  std::string topic_synthesized = "audio.synthesized", topic_raw = "audio.raw";
  std::vector<std::string> languages{"es"};  // listeners of a room are dealt out to them in turn; each has a stream of frames of its own
  int rooms = 1;
  int listeners = 0;                         // per room
  int speakers = 0;                          // per room
  int idle = 0;                              // sockets in rooms of their own that hear nothing
  int idle_per_room = 100;
  double rate = 50;                          // chunks per second and speaker
  int chunk_bytes = 640;
  double frames_per_s = 50;                  // per room and language
  int frame_bytes = 640;
  double foreign_per_s = 0;                  // frames in all, of rooms that no gateway hosts
  bool json_frames = false;                  // frames as FluentMeet's JSON events in place of binary
  double seconds = 10, warm_up_s = 2;
  int pid = 0;                               // the gateway's process; 0: nothing is known of it
  bool json = false;

  int streams() const { return listeners > 0 ? rooms * static_cast<int>(languages.size()) : 0; }
  bool needs_kafka() const { return listeners > 0 || speakers > 0 || foreign_per_s > 0; }
};

inline std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

inline std::int64_t unix_ms() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// The first bytes of every frame and chunk, little-endian as the machine is: both ends are this process.
struct Mark {
  std::uint32_t run = 0;         // another run's frames are not ours
  std::uint32_t stream = 0;      // index of the (room, language), or of the speaker
  std::int64_t sequence = 0;     // from 0, without a hole
  std::int64_t handed_over_ns = 0;
};
inline constexpr int mark_bytes = static_cast<int>(sizeof(Mark));

inline void put_mark(std::span<std::uint8_t> audio, const Mark& mark) { std::memcpy(audio.data(), &mark, sizeof mark); }

inline std::optional<Mark> mark_of(std::span<const std::uint8_t> audio, std::uint32_t run) {
  if (audio.size() < sizeof(Mark)) return std::nullopt;
  Mark mark;
  std::memcpy(&mark, audio.data(), sizeof mark);
  return mark.run == run ? std::optional(mark) : std::nullopt;
}

inline std::string room_name(std::uint32_t run, int room) { return "bench-" + std::to_string(run) + "-" + std::to_string(room); }
// A name of its own in each room: a user's sockets are limited over all rooms.
inline std::string speaker_name(int speaker) { return "speaker-" + std::to_string(speaker); }

}  // namespace fluentgate::bench
