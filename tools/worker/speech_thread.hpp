// A thread that recognizes: its speakers' chunks in order, their streams' ends by the clock. The queue is bounded by bytes; when it is full
// push() waits, and so does Kafka: a worker that is too slow falls behind, it loses nothing.
// Thread: push() by one other.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "tools/worker/speaker.hpp"

namespace fluentgate::worker {

class SpeechThread {
 public:
  static constexpr std::size_t waiting_bytes_max = 32u << 20;  // 17 minutes of linear16
  static constexpr std::size_t speakers_max = 4096;            // remembered; beyond, the one silent for longest is forgotten
  static constexpr SteadyUs speaker_idle_us = 30'000'000;      // forgotten after

  explicit SpeechThread(SpeechContext& context);
  ~SpeechThread();
  SpeechThread(const SpeechThread&) = delete;
  SpeechThread& operator=(const SpeechThread&) = delete;

  void push(Chunk chunk);
  void stop();

 private:
  void run();
  void tick();
  Speaker& speaker_of(const ChunkInfo& info);

  SpeechContext& context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool stopping_ = false;
  std::unordered_map<std::string, std::unique_ptr<Speaker>> speakers_;  // of the thread
  std::thread thread_;
};

}  // namespace fluentgate::worker
