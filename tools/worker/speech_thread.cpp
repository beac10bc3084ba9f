// See speech_thread.hpp.
#include "tools/worker/speech_thread.hpp"

#include <algorithm>
#include <chrono>

namespace fluentgate::worker {
namespace {

constexpr auto tick_every = std::chrono::milliseconds(20);
constexpr SteadyUs tick_us = 20'000;

// No room or user holds a NUL in it (both are text), so the two never run together.
std::string key_of(const ChunkInfo& info) { return info.room + '\0' + info.user; }

}  // namespace

SpeechThread::SpeechThread(SpeechContext& context) : context_(context) {
  thread_ = std::thread([this] { run(); });
}

SpeechThread::~SpeechThread() { stop(); }

void SpeechThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SpeechThread::push(Chunk chunk) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || waiting_bytes_ < waiting_bytes_max; });
    if (stopping_) return;
    waiting_bytes_ += chunk.audio.size();
    waiting_.push_back(std::move(chunk));
  }
  changed_.notify_all();
}

Speaker& SpeechThread::speaker_of(const ChunkInfo& info) {
  auto& slot = speakers_[key_of(info)];
  if (slot == nullptr) {
    slot = std::make_unique<Speaker>(context_, key_of(info));
    if (speakers_.size() > speakers_max) {
      const Speaker* mine = slot.get();
      auto oldest = speakers_.end();
      for (auto it = speakers_.begin(); it != speakers_.end(); ++it) {
        if (it->second.get() != mine && (oldest == speakers_.end() || it->second->last_chunk_us() < oldest->second->last_chunk_us())) oldest = it;
      }
      speakers_.erase(oldest);  // references to other elements stay good
    }
  }
  return *slot;
}

void SpeechThread::tick() {
  const SteadyUs now = steady_us_now();
  for (auto& [key, speaker] : speakers_) speaker->on_tick(now);
  std::erase_if(speakers_, [now](const auto& entry) { return now - entry.second->last_chunk_us() > speaker_idle_us; });
}

void SpeechThread::run() {
  SteadyUs ticked = 0;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (waiting_.empty()) changed_.wait_for(lock, tick_every, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) break;
    if (!waiting_.empty()) {
      Chunk chunk = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= chunk.audio.size();
      lock.unlock();
      changed_.notify_all();
      speaker_of(*chunk.info).on_chunk(chunk, steady_us_now());
    } else {
      lock.unlock();
    }
    if (const SteadyUs now = steady_us_now(); now - ticked >= tick_us) {
      ticked = now;
      tick();
    }
    lock.lock();
  }
  lock.unlock();
  speakers_.clear();
}

}  // namespace fluentgate::worker
