// CONTRACT 2, late listeners: what is too old is skipped and told, and who reads too slowly is, too, and closed in the end.
#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

const TokenClaims listener{.user = "bob", .listening_language = "es"};

Synthesis aged(int seed, std::int64_t age_ms, std::size_t bytes = 640) {
  return {.pcm = pcm_bytes(bytes, seed), .headers = {{"fg-ingest-ms", std::to_string(now_ms() - age_ms)}}};
}

std::string stale_event(std::int64_t ms) {
  return "{\"type\":\"skipped\",\"speaker_id\":\"speaker\",\"skipped_ms\":" + std::to_string(ms) + ",\"reason\":\"stale\"}";
}

TEST(stale_frames_are_skipped_with_one_event_for_the_gap) {
  World world;
  Client plain = world.audio(listener);
  Client with_header = world.audio({.user = "eve", .listening_language = "es"}, "", "fluentgate.audio.v1");
  world.worker.produce({synthesized(aged(1, 4000)), synthesized(aged(2, 5000)), synthesized(aged(3, 60000, 1280)), synthesized(aged(4, 100)),
                        synthesized(aged(5, 100))});
  CHECK_EQ(plain.event("skipped"), stale_event(80));
  CHECK(plain.bytes() == pcm_bytes(640, 4));
  CHECK(plain.bytes() == pcm_bytes(640, 5));
  for (const std::string& text : plain.texts_until_pong()) CHECK_EQ(text.find("skipped"), std::string::npos);

  CHECK_EQ(with_header.event("skipped"), stale_event(80));
  const FramedAudio first = framed(with_header.bytes());
  CHECK(first.audio == pcm_bytes(640, 4));
  CHECK_EQ(number_member(first.header, "skipped_ms"), 80);
  const FramedAudio second = framed(with_header.bytes());
  CHECK_EQ(number_member(second.header, "skipped_ms"), 0);
  world.wait_metric("fluentgate_frames_skipped_total{reason=\"stale\"} 6");
}

TEST(without_a_header_age_is_by_the_log_and_the_future_is_not_old) {
  World world({"audio.max_age_ms=2000"});
  Client client = world.audio(listener);
  world.worker.produce(synthesized({.pcm = pcm_bytes(640, 1), .timestamp_ms = now_ms() - 10000}));
  world.worker.produce(synthesized({.pcm = pcm_bytes(640, 2)}));
  CHECK_EQ(client.event("skipped"), stale_event(20));
  CHECK(client.bytes() == pcm_bytes(640, 2));
  world.worker.produce(synthesized(aged(3, -60000)));
  CHECK(client.bytes() == pcm_bytes(640, 3));
}

TEST(a_gap_that_lasts_is_told_after_a_second) {
  World world;
  Client client = world.audio(listener);
  const std::int64_t since = now_ms();
  world.worker.produce({synthesized(aged(1, 10000)), synthesized(aged(2, 10000))});
  CHECK_EQ(client.event("skipped"), stale_event(40));
  const std::int64_t took = now_ms() - since;
  if (took < 950 || took > 4000) FAIL("told after " + std::to_string(took) + " ms");
  // What follows is a new sum, told at the gap's end.
  world.worker.produce({synthesized(aged(3, 10000)), synthesized(aged(4, 0))});
  CHECK_EQ(client.event("skipped"), stale_event(20));
  CHECK(client.bytes() == pcm_bytes(640, 4));
}

TEST(a_slow_listener_misses_the_oldest_and_is_told) {
  World world({"limits.outbox_bytes=2000000", "audio.max_age_ms=60000"});
  Client slow = world.audio(listener, "", "fluentgate.audio.v1");
  Client quick = world.audio({.user = "eve", .listening_language = "es"});
  constexpr int frames = 24;
  for (int i = 0; i < frames; ++i) {
    world.worker.produce(synthesized_binary({.pcm = pcm_bytes(800'000, i + 1), .number = i}));
    CHECK(quick.bytes() == pcm_bytes(800'000, i + 1));  // nobody else waits for the slow one
  }
  std::int64_t told_ms = 0;
  std::int64_t header_ms = 0;
  std::int64_t missed = 0;
  std::int64_t next_number = 0;
  while (next_number < frames) {
    const Frame frame = slow.next();
    if (frame.opcode == Frame::text) {
      if (text_member(frame.payload, "type") != "skipped") continue;
      CHECK_EQ(text_member(frame.payload, "reason"), std::string("slow"));
      CHECK_EQ(text_member(frame.payload, "speaker_id"), std::string("speaker"));
      told_ms += number_member(frame.payload, "skipped_ms");
      continue;
    }
    const std::int64_t number = number_member(framed(frame.payload).header, "sequence_number");
    header_ms += number_member(framed(frame.payload).header, "skipped_ms");
    CHECK(number >= next_number);  // in order, whole
    CHECK(framed(frame.payload).audio == pcm_bytes(800'000, static_cast<int>(number) + 1));
    missed += number - next_number;
    next_number = number + 1;
  }
  CHECK(missed > 0);
  world.wait_metric("fluentgate_frames_skipped_total{reason=\"slow\"} " + std::to_string(missed));
  // The rest of the sum comes at the gap's end, with the next frame.
  world.worker.produce(synthesized_binary({.pcm = pcm_bytes(640), .number = frames}));
  while (true) {
    const Frame frame = slow.next();
    if (frame.opcode == Frame::binary) {
      header_ms += number_member(framed(frame.payload).header, "skipped_ms");
      break;
    }
    if (text_member(frame.payload, "type") == "skipped") told_ms += number_member(frame.payload, "skipped_ms");
  }
  CHECK_EQ(told_ms, missed * 25000);
  CHECK_EQ(header_ms, told_ms);  // no header was skipped along with its frame
}

TEST(who_stays_too_slow_is_closed_4008) {
  World world({"limits.outbox_bytes=500000", "limits.slow_close_ms=300", "audio.max_age_ms=60000"});
  Client slow = world.audio(listener);
  Client quick = world.audio({.user = "eve", .listening_language = "es"});
  for (int i = 0; i < 24; ++i) {  // more than the kernel's buffers of a connection hold
    world.worker.produce(synthesized_binary({.pcm = pcm_bytes(800'000, i + 1), .number = i}));
    quick.bytes();
  }
  world.wait_metric("fluentgate_closes_total{code=\"4008\"} 1");
  CHECK_EQ(slow.ws().close_code(), 4008);
  world.wait_metric("fluentgate_sessions{endpoint=\"audio\"} 1");
}

}  // namespace
}  // namespace fluentgate::test
