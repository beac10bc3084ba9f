// What waits for one socket: slices of shared, already framed buffers. An idle session's outbox owns no memory. Thread: loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/domain/media.hpp"

namespace fluentgate {

// Told when a frame reaches a socket; the last owner's end says that no more sockets wait for it.
class DeliveryTrace {
 public:
  virtual ~DeliveryTrace() = default;
  virtual void written(SteadyUs now) noexcept = 0;
};

// One WebSocket message that waits. Audio can be skipped, the rest can't.
struct OutboxItem {
  SharedBytes buffer;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::int32_t audio_ms = -1;        // duration of an audio frame; -1: not audio
  std::uint32_t speaker = 0;         // the caller's number for the audio's speaker
  UnixMs made_ms = 0;                // of audio: ingest or Kafka time, for the age check when it is written at last; 0: unknown
  std::shared_ptr<DeliveryTrace> trace;  // of audio; may be null
  std::uint32_t size() const noexcept { return end - begin; }
};

class Outbox {
 public:
  // Adds at the end. If more than `bytes_max` wait then, the oldest audio items are taken out, never the one just added, and each is
  // handed to `skipped` (may be empty; must not call this outbox). Returns false if the bound is still exceeded (only text, or a single
  // large message, is left); the item is in all the same.
  bool push(OutboxItem item, std::size_t bytes_max, const std::function<void(const OutboxItem&)>& skipped);
  bool empty() const noexcept { return head_ == items_.size(); }
  std::size_t size() const noexcept { return items_.size() - head_; }
  std::size_t bytes() const noexcept { return bytes_; }
  const OutboxItem& front() const noexcept { return items_[head_]; }
  // The longest run of items from the front that lie side by side in one buffer: one write sends them all.
  std::span<const OutboxItem> front_run() const noexcept;
  // Takes the first `count` (at most size()) out and lets go of their buffers. The last one takes the outbox's own memory along.
  void pop(std::size_t count) noexcept;

 private:
  void skip_audio(std::size_t bytes_max, const std::function<void(const OutboxItem&)>& skipped);

  std::vector<OutboxItem> items_;  // waiting: [head_, end); what has left is compacted away in push()
  std::size_t head_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace fluentgate
