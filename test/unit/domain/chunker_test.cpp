// Chunking (CONTRACT 2). The PCM is a ramp, so that every byte can be told by its place.
#include "core/domain/chunker.hpp"

#include <random>

#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

constexpr int rate = 16000;
constexpr std::size_t bytes_per_ms = 32;

class Ramp {
 public:
  Bytes take(std::size_t size) {
    Bytes out(size);
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(next_++ % 251);
    return out;
  }
 private:
  std::size_t next_ = 0;
};

Bytes joined(const std::vector<Chunker::Cut>& cuts) {
  Bytes out;
  for (const auto& cut : cuts) out.insert(out.end(), cut.pcm.begin(), cut.pcm.end());
  return out;
}

}  // namespace

TEST(chunker_passes_each_message_through_by_default) {
  Chunker chunker(0, 10000, 500, rate);
  Ramp ramp;
  std::vector<Chunker::Cut> out;
  const Bytes first = ramp.take(2);
  const Bytes second = ramp.take(640);
  chunker.feed(first, 100, 1, out);
  chunker.feed(second, 120, 2, out);
  CHECK_EQ(out.size(), 2u);
  CHECK(out[0].pcm == first);
  CHECK_EQ(out[0].ingest_ms, 100);
  CHECK(out[1].pcm == second);
  CHECK_EQ(out[1].ingest_ms, 120);
  CHECK(!chunker.flush());
  CHECK(!chunker.flush_due());
}

TEST(chunker_splits_a_message_longer_than_max_chunk_ms) {
  Chunker chunker(0, 100, 500, rate);
  std::vector<Chunker::Cut> out;
  Ramp ramp;
  chunker.feed(ramp.take(100 * bytes_per_ms), 7, 0, out);
  CHECK_EQ(out.size(), 1u);
  out.clear();
  const Bytes longer = ramp.take(100 * bytes_per_ms + 2);
  chunker.feed(longer, 8, 0, out);
  CHECK_EQ(out.size(), 2u);
  CHECK_EQ(out[0].pcm.size(), 100 * bytes_per_ms);
  CHECK_EQ(out[1].pcm.size(), 2u);
  CHECK_EQ(out[1].ingest_ms, 8);
  CHECK(joined(out) == longer);
}

TEST(chunker_cuts_to_exactly_chunk_ms) {
  Chunker chunker(250, 10000, 500, rate);
  std::vector<Chunker::Cut> out;
  Ramp ramp;
  for (int i = 0; i < 12; ++i) chunker.feed(ramp.take(20 * bytes_per_ms), i * 20, i * 20, out);
  CHECK_EQ(out.size(), 0u);  // 240 ms
  chunker.feed(ramp.take(20 * bytes_per_ms), 240, 240, out);
  CHECK_EQ(out.size(), 1u);
  CHECK_EQ(out[0].pcm.size(), 250 * bytes_per_ms);
  CHECK_EQ(out[0].ingest_ms, 0);
  const auto rest = chunker.flush();
  CHECK(rest.has_value());
  CHECK_EQ(rest->pcm.size(), 10 * bytes_per_ms);
  CHECK_EQ(rest->ingest_ms, 240);  // its first byte came with the last message
}

TEST(chunker_cuts_one_long_message_into_many) {
  Chunker chunker(100, 10000, 500, rate);
  std::vector<Chunker::Cut> out;
  chunker.feed(Ramp().take(350 * bytes_per_ms), 5, 0, out);
  CHECK_EQ(out.size(), 3u);
  CHECK_EQ(chunker.flush()->pcm.size(), 50 * bytes_per_ms);
}

TEST(chunker_leaves_nothing_at_an_exact_end) {
  Chunker chunker(100, 10000, 500, rate);
  std::vector<Chunker::Cut> out;
  chunker.feed(Ramp().take(60 * bytes_per_ms), 5, 0, out);
  chunker.feed(Ramp().take(40 * bytes_per_ms), 6, 0, out);
  CHECK_EQ(out.size(), 1u);
  CHECK_EQ(out[0].ingest_ms, 5);
  CHECK(!chunker.flush());
  CHECK(!chunker.flush_due());
}

TEST(chunker_flush_gives_the_rest_once) {
  Chunker chunker(250, 10000, 500, rate);
  std::vector<Chunker::Cut> out;
  chunker.feed(Ramp().take(2), 5, 0, out);
  CHECK_EQ(chunker.flush()->pcm.size(), 2u);
  CHECK(!chunker.flush());
}

TEST(chunker_flush_is_due_flush_ms_after_the_last_audio) {
  Chunker chunker(250, 10000, 500, rate);
  std::vector<Chunker::Cut> out;
  CHECK(!chunker.flush_due());
  chunker.feed(Ramp().take(64), 5, 1000, out);
  CHECK_EQ(chunker.flush_due().value(), 1500);
  chunker.feed(Ramp().take(64), 5, 1200, out);
  CHECK_EQ(chunker.flush_due().value(), 1700);
  chunker.feed({}, 5, 1600, out);  // no audio
  CHECK_EQ(chunker.flush_due().value(), 1700);
  (void)chunker.flush();
  CHECK(!chunker.flush_due());
}

TEST(chunker_never_exceeds_max_chunk_ms_when_recutting) {
  Chunker chunker(500, 100, 500, rate);
  std::vector<Chunker::Cut> out;
  chunker.feed(Ramp().take(200 * bytes_per_ms), 5, 0, out);
  CHECK_EQ(out.size(), 2u);
  CHECK_EQ(out[0].pcm.size(), 100 * bytes_per_ms);
}

TEST(chunker_of_the_shortest_duration_still_advances) {
  Chunker chunker(1, 1, 500, 500);  // half a sample: one is the least
  std::vector<Chunker::Cut> out;
  chunker.feed(Ramp().take(6), 5, 0, out);
  CHECK_EQ(out.size(), 3u);
}

TEST(chunker_loses_and_moves_no_byte_whatever_the_messages) {
  std::mt19937 random(20261122);
  for (const std::int64_t chunk_ms : {0, 1, 20, 100, 250}) {
    Chunker chunker(chunk_ms, 120, 500, rate);
    Ramp ramp;
    Bytes all;
    std::vector<Chunker::Cut> out;
    std::vector<UnixMs> arrival;  // by byte
    for (int i = 0; i < 300; ++i) {
      const Bytes message = ramp.take(2 * (random() % 4000));
      all.insert(all.end(), message.begin(), message.end());
      arrival.insert(arrival.end(), message.size(), i);
      chunker.feed(message, i, i, out);
      if (random() % 10 == 0) {
        if (auto rest = chunker.flush()) out.push_back(std::move(*rest));
      }
    }
    if (auto rest = chunker.flush()) out.push_back(std::move(*rest));
    CHECK(joined(out) == all);
    std::size_t place = 0;
    for (const auto& cut : out) {
      CHECK(!cut.pcm.empty());
      CHECK(cut.pcm.size() <= 120 * bytes_per_ms);
      CHECK_EQ(cut.ingest_ms, arrival[place]);
      place += cut.pcm.size();
    }
  }
}
