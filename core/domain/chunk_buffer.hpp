// Audio of one speaker that waits for Kafka (CONTRACT 4, "If Kafka is away"). A chunk gets its number when it leaves here, so what
// is dropped leaves no hole. Thread: loop.
#pragma once

#include <cstdint>
#include <deque>

#include "core/domain/media.hpp"

namespace fluentgate {

// Bytes that wait in all buffers of the process: audio, names and bookkeeping, so that many tiny chunks are bounded too.
struct BufferBudget {
  std::size_t bytes = 0;
  std::size_t bytes_max = 0;  // kafka.buffer_bytes
};

class ChunkBuffer {
 public:
  // The three options of the same names, in ms. `budget` must outlive this.
  ChunkBuffer(BufferBudget& budget, std::int64_t buffer_ms, std::int64_t inflight_ms);
  ~ChunkBuffer();
  ChunkBuffer(const ChunkBuffer&) = delete;
  ChunkBuffer& operator=(const ChunkBuffer&) = delete;

  // Adds a chunk at the end; drops the oldest until buffer_ms and the budget hold (the new one itself last). Returns the microseconds dropped
  // and adds them, as gap_ms, to the chunk that now comes first (or to the next pushed one if none is left). A gap that a dropped chunk told
  // goes on to that chunk as well. A chunk longer than buffer_ms stays if it is alone and nothing is in flight: it is what goes out next.
  // `waits_for_kafka` false: it waits a moment for something else (its number), and only the budget holds.
  std::int64_t push(AudioChunk chunk, bool waits_for_kafka = true);
  // The next chunk, if the inflight bound allows one more (at least one may always be in flight). It stays until take().
  const AudioChunk* peek() const noexcept;
  // Removes it (there is one) and counts its duration as in flight.
  AudioChunk take();
  // Puts a chunk taken a moment ago back in front (the producer refused it), without a number: nothing is lost. The bounds are for push().
  void put_back(AudioChunk chunk);
  // What was taken, or would have been, and never reached Kafka: the next chunk tells of it as gap_ms.
  void lost(std::int64_t duration_us) noexcept;
  // Dropped and told to no chunk yet.
  std::int64_t untold_us() const noexcept { return untold_us_; }
  // A delivery report, good or bad, for a chunk of that duration.
  void settled(std::int64_t duration_us) noexcept;

  bool empty() const noexcept { return waiting_.empty(); }
  std::size_t size() const noexcept { return waiting_.size(); }
  std::int64_t waiting_us() const noexcept { return waiting_us_; }
  std::int64_t inflight_us() const noexcept { return inflight_us_; }

 private:
  bool over(bool waits_for_kafka) const noexcept;
  void drop_oldest() noexcept;
  void tell_gap() noexcept;

  BufferBudget& budget_;
  std::int64_t buffer_us_;
  std::int64_t inflight_us_max_;
  std::deque<AudioChunk> waiting_;
  std::int64_t waiting_us_ = 0;
  std::int64_t inflight_us_ = 0;
  std::int64_t untold_us_ = 0;  // dropped, not yet told to a chunk; less than 1 ms stays for the next time
};

}  // namespace fluentgate
