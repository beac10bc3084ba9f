// Chunks on their way to Kafka: numbers, back-pressure, what is dropped and what is told of it (CONTRACT 2 and 4).
#include "core/gateway/speech_uploads.hpp"

#include "test/unit/gateway/world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

struct Uploads final : gateway::SpeechUploads::Listener {
  explicit Uploads(config::Settings given = {}) : settings(std::move(given)) { settings.kafka.inflight_ms = 100; }
  void chunk_published(const AudioChunk&) override { ++published; }
  void before_publish(AudioChunk& chunk) override { chunk.wanted = demand; }
  std::string spoken_in(const AudioChunk& chunk) override { return chunk.source_language; }
  void chunk_acknowledged(const std::string& language, std::int64_t) override {
    ++acknowledged;
    spoken += language + " ";
  }
  void chunk_dropped(std::int64_t duration_us) override { dropped_us += duration_us; }
  void chunk_refused(const std::string& error, std::int64_t) override { refused += error + " "; }
  void audio_dropped(const RoomId&, const UserId& user, const gateway::SpeechUploads::Dropped& dropped) override {
    told += user.value + "=" + std::to_string(dropped.us() / 1000) + " ";
    told_refused_us += dropped.refused_us;
  }
  void numbers_owned(NumberKeeper::Way way, std::int64_t) override { ways += std::string(NumberKeeper::name_of(way)) + " "; }
  void numbers_conflict(const RoomId&, const UserId& user, const std::string&) override { conflicts += user.value + " "; }
  void push(const std::string& user, std::int64_t ms = 20) {
    AudioChunk chunk;
    chunk.room = RoomId("r");
    chunk.user = UserId(user);
    chunk.duration_us = ms * 1000;
    chunk.audio = Bytes(static_cast<std::size_t>(ms) * 32);
    uploads.push(std::move(chunk));
  }
  void settle(std::size_t index, bool good = true) { uploads.settled({publisher.tokens.at(index), good, good ? "" : "_MSG_TIMED_OUT", 1000}); }
  std::string numbers(const std::string& user) const {
    std::string out;
    for (const auto& chunk : publisher.chunks) {
      if (chunk.user.value == user) out += std::to_string(chunk.sequence_number) + " ";
    }
    return out;
  }
  config::Settings settings;
  FakeClock clock;
  FakePublisher publisher;
  int published = 0, acknowledged = 0;
  std::int64_t dropped_us = 0;
  std::int64_t told_refused_us = 0;
  std::string refused, told, demand, spoken, ways, conflicts;
  gateway::SpeechUploads uploads{settings, clock, publisher, *this};
};

}  // namespace

TEST(uploads_number_nobody_before_the_log_is_read_back) {
  Uploads test;
  test.push("a");
  test.uploads.tick();
  CHECK(test.publisher.chunks.empty());
  CHECK(test.uploads.waiting());
  test.uploads.recovered({RoomId("r"), UserId("a"), 41});
  test.uploads.recovery_done();
  test.push("b");
  CHECK_EQ(test.numbers("a"), "42 ");
  CHECK_EQ(test.numbers("b"), "0 ");
}

TEST(uploads_tell_the_demand_of_the_moment_they_are_handed_over) {
  Uploads test;
  test.demand = "es";
  test.push("a");
  test.demand = "fr";
  test.uploads.recovery_done();
  CHECK_EQ(test.publisher.chunks.at(0).wanted, "fr");
}

TEST(uploads_number_by_one_for_each_speaker) {
  Uploads test;
  test.uploads.recovery_done();
  for (int i = 0; i < 3; ++i) {
    test.push("a");
    test.push("b");
  }
  CHECK_EQ(test.numbers("a"), "0 1 2 ");
  CHECK_EQ(test.numbers("b"), "0 1 2 ");
  CHECK_EQ(test.published, 6);
}

TEST(uploads_keep_order_and_numbers_when_the_producer_is_full) {
  Uploads test;
  test.uploads.recovery_done();
  test.publisher.mode = FakePublisher::Mode::queue_full;
  for (int i = 1; i <= 3; ++i) test.push("a", i);
  CHECK(test.publisher.chunks.empty());
  test.publisher.mode = FakePublisher::Mode::takes;
  test.uploads.tick();
  CHECK_EQ(test.numbers("a"), "0 1 2 ");
  CHECK_EQ(test.publisher.chunks[0].duration_us, 1000);
  CHECK_EQ(test.publisher.chunks[2].duration_us, 3000);
  CHECK_EQ(test.told, "");
}

TEST(uploads_hand_over_no_more_than_the_window) {
  Uploads test;
  test.uploads.recovery_done();
  for (int i = 0; i < 7; ++i) test.push("a");  // 140 ms, of which 100 may be ahead
  CHECK_EQ(test.publisher.chunks.size(), 5u);
  CHECK(test.uploads.waiting());
  CHECK_EQ(test.uploads.waiting_us(), 40000);
  test.settle(0);
  CHECK_EQ(test.publisher.chunks.size(), 6u);
  test.settle(1);
  CHECK_EQ(test.publisher.chunks.size(), 7u);
  CHECK(!test.uploads.waiting());
  test.settle(1);  // a report that came twice changes nothing
  CHECK_EQ(test.acknowledged, 2);
}

TEST(uploads_that_drop_leave_no_hole_and_tell_once_a_second) {
  config::Settings settings;
  settings.kafka.buffer_ms = 60;
  Uploads test(settings);
  test.uploads.recovery_done();
  for (int i = 0; i < 8; ++i) test.push("a");  // five handed over, three wait
  test.push("a");
  CHECK_EQ(test.told, "a=20 ");
  test.push("a");
  test.push("a");
  test.uploads.tick();
  CHECK_EQ(test.told, "a=20 ");
  test.clock.advance(1000);
  test.uploads.tick();
  CHECK_EQ(test.told, "a=20 a=40 ");
  for (std::size_t i = 0; i < 5; ++i) test.settle(i);
  CHECK_EQ(test.numbers("a"), "0 1 2 3 4 5 6 7 ");
  CHECK_EQ(test.publisher.chunks.at(5).gap_ms, 60);
  CHECK_EQ(test.publisher.chunks.at(6).gap_ms, 0);
  CHECK_EQ(test.dropped_us, 60000);
  CHECK_EQ(test.told_refused_us, 0);
}

TEST(uploads_that_kafka_will_never_take_are_told_and_leave_a_gap) {
  Uploads test;
  test.uploads.recovery_done();
  test.publisher.mode = FakePublisher::Mode::too_large;
  test.push("a", 50);
  CHECK_EQ(test.refused, "too_large ");
  CHECK_EQ(test.told, "a=50 ");
  CHECK_EQ(test.told_refused_us, 50000);
  test.uploads.tick();
  test.publisher.mode = FakePublisher::Mode::takes;
  test.push("a");
  CHECK_EQ(test.numbers("a"), "0 ");
  CHECK_EQ(test.publisher.chunks.at(0).gap_ms, 50);
}

TEST(uploads_too_large_for_a_message_are_published_in_parts) {
  Uploads test;
  test.settings.kafka.inflight_ms = 10000;
  test.uploads.recovery_done();
  test.publisher.bytes_max = 10000;
  test.push("a", 1000);  // 32000 bytes
  test.push("a");
  CHECK_EQ(test.numbers("a"), "0 1 2 3 4 ");
  std::int64_t duration_us = 0;
  std::size_t bytes = 0;
  for (const auto& chunk : test.publisher.chunks) {
    CHECK_EQ(chunk.audio.size() % 2, 0u);
    CHECK_EQ(chunk.gap_ms, 0);
    CHECK_EQ(chunk.duration_us, pcm_us(chunk.audio.size(), 16000));
    duration_us += chunk.duration_us;
    bytes += chunk.audio.size();
  }
  CHECK_EQ(duration_us, 1'020'000);
  CHECK_EQ(bytes, 32640u);
  CHECK_EQ(test.refused, "");
}

TEST(uploads_that_lost_their_end_tell_it) {
  Uploads test;
  test.uploads.recovery_done();
  test.push("a", 50);
  test.uploads.settled({test.publisher.tokens.at(0), true, "", 1000, 30000});
  CHECK_EQ(test.acknowledged, 1);
  CHECK_EQ(test.refused, "MSG_SIZE_TOO_LARGE ");
  test.uploads.tick();
  CHECK_EQ(test.told, "a=30 ");
  test.push("a");
  CHECK_EQ(test.publisher.chunks.at(1).gap_ms, 30);
}

TEST(uploads_that_the_broker_refuses_free_the_window) {
  Uploads test;
  test.uploads.recovery_done();
  for (int i = 0; i < 6; ++i) test.push("a");
  test.settle(0, false);
  CHECK_EQ(test.refused, "_MSG_TIMED_OUT ");
  CHECK_EQ(test.publisher.chunks.size(), 6u);
  test.uploads.tick();
  CHECK_EQ(test.told, "a=20 ");
}

TEST(uploads_outlive_the_speakers_socket_and_room) {
  World world;
  world.publisher.mode = FakePublisher::Mode::queue_full;
  Client speaker = world.audio("sp");
  speaker.binary(Bytes(640));
  speaker.gone();
  CHECK(world.rooms.find("r") == nullptr);
  world.publisher.mode = FakePublisher::Mode::takes;
  world.tick(100);
  CHECK_EQ(world.publisher.chunks.size(), 1u);
  Client again = world.audio("sp");
  again.binary(Bytes(640));
  CHECK_EQ(world.publisher.chunks.at(1).sequence_number, 1);
}

TEST(uploads_that_are_dropped_are_told_to_the_speaker_and_counted_once) {
  config::Settings settings;
  settings.kafka.buffer_ms = 20;
  World world(settings);
  Client speaker = world.audio("sp");
  speaker.texts();
  world.publisher.mode = FakePublisher::Mode::queue_full;
  for (int i = 0; i < 3; ++i) speaker.binary(Bytes(640));
  world.tick(1000);
  CHECK_EQ(speaker.events("error").size(), 2u);
  CHECK_EQ(world.metric(R"(fluentgate_audio_dropped_seconds_total{reason="buffer_full"})"), 0.04);
  world.publisher.mode = FakePublisher::Mode::too_large;
  world.tick(1000);
  world.tick(1000);
  CHECK_EQ(world.metric(R"(fluentgate_audio_dropped_seconds_total{reason="refused"})"), 0.02);
  CHECK_EQ(world.metric(R"(fluentgate_audio_dropped_seconds_total{reason="buffer_full"})"), 0.04);
}

TEST(uploads_that_are_dropped_say_why) {
  config::Settings settings;
  settings.kafka.buffer_ms = 20;
  World world(settings);
  Client speaker = world.audio("sp");
  speaker.texts();
  const auto told = [&] {
    world.tick(1000);
    std::string all;
    for (const auto& event : speaker.events("error")) all += event;
    return all;
  };
  world.publisher.mode = FakePublisher::Mode::queue_full;
  speaker.binary(Bytes(640));
  speaker.binary(Bytes(640));
  const std::string waited = told();
  CHECK(has(waited, "\"audio waited too long for Kafka and was dropped\",\"dropped_ms\":20"));
  world.publisher.mode = FakePublisher::Mode::too_large;
  const std::string refused = told();
  CHECK(has(refused, "\"audio was refused by Kafka and was dropped\",\"dropped_ms\":20"));
  // Both within the same second are one message.
  speaker.binary(Bytes(640));
  speaker.texts();
  world.publisher.mode = FakePublisher::Mode::queue_full;
  speaker.binary(Bytes(640));
  speaker.binary(Bytes(640));
  world.publisher.mode = FakePublisher::Mode::too_large;
  const std::string both = told();
  CHECK(has(both, "\"audio waited too long for Kafka, or was refused by it, and was dropped\",\"dropped_ms\":60"));
}

TEST(uploads_are_measured_by_the_speakers_language) {
  World world;
  const auto acknowledge = [&] { world.hub->uploads.settled({world.publisher.tokens.back(), true, "", 1000}); };
  const auto count = [&](const std::string& source) {
    return world.metric("fluentgate_stage_latency_seconds_count{stage=\"kafka_ack\",source=\"" + source + "\",target=\"\"}");
  };
  Client told = world.audio("ann", {.speak = "pt-BR"});
  told.binary(Bytes(640));
  told.gone();  // the acknowledgement comes when the room is gone
  acknowledge();
  CHECK_EQ(count("pt-br"), 1);  // labels are in lower case
  Client unknown = world.audio("bob");
  unknown.binary(Bytes(640));
  acknowledge();
  CHECK_EQ(count("-"), 1);
  world.say(world.caption("bob", CaptionType::original, "fr", "bonjour"));  // what the pipeline heard
  unknown.binary(Bytes(640));
  acknowledge();
  CHECK_EQ(count("fr"), 1);
  CHECK_EQ(count("-"), 1);
}
