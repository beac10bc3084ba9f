// What waits for Kafka, and what becomes of it when it waits too long.
#include "core/domain/chunk_buffer.hpp"

#include <algorithm>
#include <cassert>

namespace fluentgate {
namespace {

std::size_t cost_of(const AudioChunk& chunk) noexcept {
  return sizeof(AudioChunk) + chunk.audio.size() + chunk.room.value.size() + chunk.user.value.size() + chunk.source_language.size() +
         chunk.wanted.size();
}

}  // namespace

ChunkBuffer::ChunkBuffer(BufferBudget& budget, std::int64_t buffer_ms, std::int64_t inflight_ms)
    : budget_(budget), buffer_us_(buffer_ms * 1000), inflight_us_max_(inflight_ms * 1000) {}

ChunkBuffer::~ChunkBuffer() {
  for (const AudioChunk& chunk : waiting_) budget_.bytes -= cost_of(chunk);
}

bool ChunkBuffer::over(bool waits_for_kafka) const noexcept {
  if (waiting_.empty()) return false;
  if (budget_.bytes > budget_.bytes_max) return true;
  return waits_for_kafka && waiting_us_ > buffer_us_ && !(waiting_.size() == 1 && inflight_us_ == 0);
}

void ChunkBuffer::drop_oldest() noexcept {
  const AudioChunk& chunk = waiting_.front();
  budget_.bytes -= cost_of(chunk);
  waiting_us_ -= chunk.duration_us;
  untold_us_ += chunk.duration_us + chunk.gap_ms * 1000;
  waiting_.pop_front();
}

std::int64_t ChunkBuffer::push(AudioChunk chunk, bool waits_for_kafka) {
  budget_.bytes += cost_of(chunk);
  waiting_us_ += chunk.duration_us;
  waiting_.push_back(std::move(chunk));
  const std::int64_t before_us = waiting_us_;
  while (over(waits_for_kafka)) drop_oldest();
  tell_gap();
  return before_us - waiting_us_;
}

void ChunkBuffer::tell_gap() noexcept {
  if (waiting_.empty()) return;
  waiting_.front().gap_ms += untold_us_ / 1000;
  untold_us_ %= 1000;
}

void ChunkBuffer::lost(std::int64_t duration_us) noexcept {
  untold_us_ += duration_us;
  tell_gap();
}

const AudioChunk* ChunkBuffer::peek() const noexcept {
  if (waiting_.empty()) return nullptr;
  const AudioChunk& next = waiting_.front();
  if (inflight_us_ > 0 && inflight_us_ + next.duration_us > inflight_us_max_) return nullptr;
  return &next;
}

AudioChunk ChunkBuffer::take() {
  assert(!waiting_.empty());
  AudioChunk chunk = std::move(waiting_.front());
  waiting_.pop_front();
  budget_.bytes -= cost_of(chunk);
  waiting_us_ -= chunk.duration_us;
  inflight_us_ += chunk.duration_us;
  return chunk;
}

void ChunkBuffer::put_back(AudioChunk chunk) {
  chunk.sequence_number = -1;  // it is numbered anew when it leaves, should older ones be dropped with it
  settled(chunk.duration_us);
  budget_.bytes += cost_of(chunk);
  waiting_us_ += chunk.duration_us;
  waiting_.push_front(std::move(chunk));
}

void ChunkBuffer::settled(std::int64_t duration_us) noexcept { inflight_us_ = std::max<std::int64_t>(0, inflight_us_ - duration_us); }

}  // namespace fluentgate
