// Audio that waits for Kafka (CONTRACT 4, "If Kafka is away").
#include "core/domain/chunk_buffer.hpp"

#include <string>

#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

constexpr std::size_t plenty = 1u << 30;

// A chunk of so many ms that carries its name where it can be read back.
AudioChunk chunk(std::int64_t duration_ms, std::string name = "") {
  AudioChunk out;
  out.room = RoomId("room");
  out.user = UserId("ana");
  out.source_language = std::move(name);
  out.duration_us = duration_ms * 1000;
  out.audio = Bytes(static_cast<std::size_t>(duration_ms) * 32);
  return out;
}

std::string names(ChunkBuffer& buffer) {
  std::string out;
  while (!buffer.empty()) {
    const AudioChunk next = buffer.take();
    buffer.settled(next.duration_us);
    out += next.source_language;
    if (next.gap_ms > 0) out += "(" + std::to_string(next.gap_ms) + ")";
    out += ' ';
  }
  return out;
}

}  // namespace

TEST(chunk_buffer_gives_back_in_order) {
  BufferBudget budget{0, plenty};
  ChunkBuffer buffer(budget, 30000, 1000);
  CHECK(buffer.empty());
  CHECK(buffer.peek() == nullptr);
  CHECK_EQ(buffer.push(chunk(100, "a")), 0);
  CHECK_EQ(buffer.push(chunk(200, "b")), 0);
  CHECK_EQ(buffer.waiting_us(), 300000);
  CHECK(budget.bytes > 300u * 32);
  CHECK_EQ(names(buffer), "a b ");
  CHECK_EQ(buffer.waiting_us(), 0);
  CHECK_EQ(budget.bytes, 0u);
}

TEST(chunk_buffer_holds_exactly_buffer_ms_and_drops_the_oldest_beyond) {
  BufferBudget budget{0, plenty};
  ChunkBuffer buffer(budget, 300, 1000);
  for (const char* name : {"a", "b", "c"}) CHECK_EQ(buffer.push(chunk(100, name)), 0);
  CHECK_EQ(buffer.push(chunk(1, "d")), 100000);
  CHECK_EQ(names(buffer), "b(100) c d ");
}

TEST(chunk_buffer_sums_the_gap_on_the_chunk_behind_it) {
  BufferBudget budget{0, plenty};
  ChunkBuffer buffer(budget, 300, 1000);
  for (const char* name : {"a", "b", "c", "d", "e"}) (void)buffer.push(chunk(100, name));
  CHECK_EQ(names(buffer), "c(200) d e ");
}

TEST(chunk_buffer_keeps_fractions_of_a_gap) {
  BufferBudget budget{0, plenty};
  ChunkBuffer buffer(budget, 1, 1000);
  for (int i = 0; i < 2; ++i) {
    AudioChunk half = chunk(0);
    half.duration_us = 750;
    (void)buffer.push(std::move(half));
  }
  CHECK_EQ(buffer.peek()->gap_ms, 0);
  AudioChunk last = chunk(1, "z");
  CHECK_EQ(buffer.push(std::move(last)), 750);
  CHECK_EQ(names(buffer), "z(1) ");  // 1.5 ms were dropped
}

TEST(chunk_buffer_tells_a_gap_to_the_next_push_if_none_is_left) {
  BufferBudget budget{0, plenty};
  ChunkBuffer buffer(budget, 300, 1000);
  (void)buffer.push(chunk(50, "a"));
  (void)buffer.take();  // in flight, so a chunk longer than buffer_ms has no way out
  CHECK_EQ(buffer.push(chunk(400, "b")), 400000);
  CHECK(buffer.empty());
  CHECK_EQ(buffer.push(chunk(50, "c")), 0);
  CHECK_EQ(names(buffer), "c(400) ");
}

TEST(chunk_buffer_lets_a_chunk_longer_than_buffer_ms_pass_when_kafka_is_there) {
  BufferBudget budget{0, plenty};
  ChunkBuffer buffer(budget, 300, 1000);
  CHECK_EQ(buffer.push(chunk(400, "a")), 0);
  CHECK(buffer.peek() != nullptr);
  // It does not outlive the next one, though.
  CHECK_EQ(buffer.push(chunk(100, "b")), 400000);
  CHECK_EQ(names(buffer), "b(400) ");
}

TEST(chunk_buffer_budget_is_shared_and_drops_the_oldest_of_who_pushes) {
  BufferBudget budget{0, plenty};
  ChunkBuffer ana(budget, 30000, 1000);
  ChunkBuffer ben(budget, 30000, 1000);
  (void)ana.push(chunk(100, "a"));
  (void)ana.push(chunk(100, "b"));
  (void)ben.push(chunk(100, "c"));
  budget.bytes_max = budget.bytes;
  CHECK_EQ(ana.push(chunk(100, "d")), 100000);
  CHECK_EQ(budget.bytes, budget.bytes_max);
  CHECK_EQ(ben.waiting_us(), 100000);
  CHECK_EQ(names(ana), "b(100) d ");
  CHECK_EQ(names(ben), "c ");
}

TEST(chunk_buffer_drops_the_new_chunk_last_when_others_hold_the_budget) {
  BufferBudget budget{0, plenty};
  ChunkBuffer ana(budget, 30000, 1000);
  ChunkBuffer ben(budget, 30000, 1000);
  (void)ana.push(chunk(100, "a"));
  budget.bytes_max = budget.bytes;
  CHECK_EQ(ben.push(chunk(100, "b")), 100000);
  CHECK(ben.empty());
  CHECK_EQ(budget.bytes, budget.bytes_max);
}

TEST(chunk_buffer_budget_counts_tiny_chunks_by_what_they_cost) {
  BufferBudget budget{0, 100000};
  ChunkBuffer buffer(budget, 30000, 1000);
  for (int i = 0; i < 10000; ++i) {
    AudioChunk tiny = chunk(0);
    tiny.duration_us = 62;
    tiny.audio = Bytes(2);
    (void)buffer.push(std::move(tiny));
  }
  CHECK(buffer.waiting_us() < 62 * 1000);
  CHECK(budget.bytes <= budget.bytes_max);
}

TEST(chunk_buffer_hands_out_up_to_inflight_ms) {
  BufferBudget budget{0, plenty};
  ChunkBuffer buffer(budget, 30000, 200);
  for (const char* name : {"a", "b", "c"}) (void)buffer.push(chunk(100, name));
  CHECK_EQ(buffer.take().source_language, "a");
  CHECK(buffer.peek() != nullptr);  // 200 ms exactly
  CHECK_EQ(buffer.take().source_language, "b");
  CHECK(buffer.peek() == nullptr);
  CHECK_EQ(buffer.inflight_us(), 200000);
  buffer.settled(100000);
  CHECK_EQ(buffer.peek()->source_language, "c");
}

TEST(chunk_buffer_lets_one_chunk_fly_however_long) {
  BufferBudget budget{0, plenty};
  ChunkBuffer buffer(budget, 30000, 200);
  (void)buffer.push(chunk(5000, "a"));
  (void)buffer.push(chunk(1, "b"));
  CHECK(buffer.peek() != nullptr);
  (void)buffer.take();
  CHECK(buffer.peek() == nullptr);
  buffer.settled(5000000);
  CHECK_EQ(buffer.peek()->source_language, "b");
}

TEST(chunk_buffer_never_drops_what_was_handed_over) {
  BufferBudget budget{0, plenty};
  ChunkBuffer buffer(budget, 300, 1000);
  (void)buffer.push(chunk(300, "a"));
  const AudioChunk flying = buffer.take();
  CHECK_EQ(buffer.push(chunk(300, "b")), 0);
  CHECK_EQ(flying.source_language, "a");
  CHECK_EQ(flying.gap_ms, 0);
}

TEST(chunk_buffer_puts_back_in_front_without_a_number) {
  BufferBudget budget{0, plenty};
  ChunkBuffer buffer(budget, 30000, 1000);
  (void)buffer.push(chunk(100, "a"));
  (void)buffer.push(chunk(100, "b"));
  const std::size_t bytes = budget.bytes;
  AudioChunk refused = buffer.take();
  refused.sequence_number = 7;
  buffer.put_back(std::move(refused));
  CHECK_EQ(buffer.inflight_us(), 0);
  CHECK_EQ(buffer.waiting_us(), 200000);
  CHECK_EQ(budget.bytes, bytes);
  CHECK_EQ(buffer.peek()->sequence_number, -1);
  CHECK_EQ(names(buffer), "a b ");
}

TEST(chunk_buffer_carries_a_told_gap_on_when_its_chunk_is_dropped_after_put_back) {
  BufferBudget budget{0, plenty};
  ChunkBuffer buffer(budget, 200, 1000);
  for (const char* name : {"a", "b", "c"}) (void)buffer.push(chunk(100, name));
  buffer.put_back(buffer.take());  // b, with a gap of 100 ms
  CHECK_EQ(buffer.push(chunk(100, "d")), 100000);
  CHECK_EQ(names(buffer), "c(200) d ");
}

TEST(chunk_buffer_settles_no_more_than_flies) {
  BufferBudget budget{0, plenty};
  ChunkBuffer buffer(budget, 30000, 1000);
  buffer.settled(1);
  CHECK_EQ(buffer.inflight_us(), 0);
}

TEST(chunk_buffer_returns_its_share_of_the_budget_when_it_goes) {
  BufferBudget budget{0, plenty};
  {
    ChunkBuffer buffer(budget, 30000, 1000);
    (void)buffer.push(chunk(100));
    CHECK(budget.bytes > 0);
  }
  CHECK_EQ(budget.bytes, 0u);
}
