// Pieces of a synthesis and interim captions over a real Redis, beside the same sentences in Kafka.
#include "core/redis/pipeline_channels.hpp"

#include <thread>

#include "core/wire/base64.hpp"
#include "test/integration/redis/link_world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

Bytes pcm(int ms, std::uint8_t value, int rate = 24000) { return Bytes(static_cast<std::size_t>(rate / 1000 * ms) * 2, value); }

// As json.dumps(event.model_dump(), default=str) writes it.
std::string synthesized(const Bytes& audio, int number = 1, const std::string& language = "es", const std::string& room = "r1", int rate = 24000) {
  std::string text;
  wire::base64_append(text, audio);
  return R"({"event_id": "7d4448f2-2b7d-4b0e-9a57-2e2a9f2c1a11", "event_type": "audio.synthesized", "timestamp": "2026-11-22 10:00:00.123456+00:00", "payload": {"room_id": ")" +
         room + R"(", "user_id": "ann", "sequence_number": )" + std::to_string(number) + R"(, "audio_data": ")" + text + R"(", "target_language": ")" + language +
         R"(", "sample_rate": )" + std::to_string(rate) + R"(, "encoding": "linear16"}})";
}

std::string caption(const std::string& text, const std::string& more = R"("is_final": false)") {
  return R"({"event": "caption", "type": "original", "speaker_id": "ann", "speaker_name": "Ann", "text": ")" + text +
         R"(", "source_language": "en", "sequence_number": 3, "timestamp_ms": 1795341600123, )" + more + "}";
}

struct Channels {
  RedisServer redis;
  config::Settings settings;
  kafka::Interest interest;
  kafka::ChannelOverlap overlap;
  CollectingSink sink;
  LinkWorld world{redis.url()};
  std::unique_ptr<redis::PipelineChannels> channels;
  std::unique_ptr<kafka::FrameMaker> of_kafka;
  wire::EventParser parser;

  Channels() {
    settings.audio.output_sample_rate = 24000;
    interest.set(RoomId("r1"), parse_language_list("es").value());
    channels = std::make_unique<redis::PipelineChannels>(settings, *world.link, sink, interest, overlap, world.log, world.clock);
    of_kafka = std::make_unique<kafka::FrameMaker>(24000, interest, &overlap, world.clock);
    channels->open(RoomId("r1"));
    wait_subscribed();
  }
  ~Channels() { world.link->stop(0); }

  void wait_subscribed() {
    if (!world.told.wait_up()) FAIL("no connection\n" + world.log.all());
    for (int i = 0; i < 500 && redis.ask({"PUBSUB", "NUMSUB", "pipeline:captions:r1"}).find('1', 20) == std::string::npos; ++i) std::this_thread::yield();
  }
  void publish(const std::string& channel, const std::string& payload) { redis.ask({"PUBLISH", channel, payload}); }
  std::vector<SynthesizedFrame> frames(std::size_t count) {
    if (!sink.wait<SynthesizedFrame>(count)) FAIL("no frame " + std::to_string(count) + "\n" + world.log.all());
    return sink.all<SynthesizedFrame>();
  }
  // What the loop would get of this record of audio.synthesized.
  std::optional<SynthesizedFrame> whole(const std::string& value) {
    wire::KafkaRecord record;
    record.value = value;
    auto event = parser.synthesized(record);
    if (!event) FAIL(event.error().text);
    auto frame = of_kafka->whole(*event, 1);
    if (!frame) FAIL(frame.error().text);
    return std::move(frame).value();
  }
};

}  // namespace

TEST(channels_pieces_are_heard_and_the_whole_is_left_out) {
  Channels world;
  world.publish("pipeline:audio:r1", synthesized(pcm(100, 1)));
  world.publish("pipeline:audio:r1", synthesized(pcm(50, 2)));
  const auto frames = world.frames(2);
  CHECK(frames[0].pcm != nullptr && *frames[0].pcm == pcm(100, 1));
  CHECK(frames[1].pcm != nullptr && *frames[1].pcm == pcm(50, 2));
  CHECK_EQ(frames[0].speaker.value, "ann");
  CHECK_EQ(frames[0].language.spelling(), "es");
  CHECK_EQ(frames[0].sequence_number, 1);
  CHECK_EQ(frames[0].sample_rate, 24000);
  CHECK_EQ(frames[0].duration_us, 100000);
  CHECK(!frames[0].ingest_ms);
  CHECK(frames[0].kafka_ms == frames[0].arrival_ms && frames[0].kafka_ms > 0);
  CHECK(!world.whole(synthesized(pcm(150, 3))));
  CHECK(world.whole(synthesized(pcm(150, 3), 2)).has_value());
  CHECK(world.whole(synthesized(pcm(150, 3), 1, "fr")).has_value());  // noted as produced
}

TEST(channels_pieces_of_a_heard_whole_are_left_out) {
  Channels world;
  CHECK(world.whole(synthesized(pcm(150, 3)))->pcm != nullptr);
  world.publish("pipeline:audio:r1", synthesized(pcm(150, 3)));  // what FluentMeet's workers do that don't stream
  world.publish("pipeline:audio:r1", synthesized(pcm(20, 4), 2));
  CHECK_EQ(world.frames(1)[0].sequence_number, 2);
}

TEST(channels_redis_lost_among_the_pieces_costs_nothing_of_the_sentence) {
  Channels world;
  Bytes sentence = pcm(100, 1);
  for (const auto& part : {pcm(100, 2), pcm(300, 3)}) sentence.insert(sentence.end(), part.begin(), part.end());
  world.publish("pipeline:audio:r1", synthesized(pcm(100, 1)));
  world.publish("pipeline:audio:r1", synthesized(pcm(100, 2)));
  world.frames(2);
  world.redis.kill();
  CHECK(world.world.told.wait_down());
  // While it is away whole sentences of Kafka are heard, and of this one the rest.
  const auto next = world.whole(synthesized(pcm(80, 9), 2));
  CHECK(next && *next->pcm == pcm(80, 9));
  const auto rest = world.whole(synthesized(sentence));
  CHECK(rest && *rest->pcm == pcm(300, 3));
  CHECK_EQ(rest->duration_us, 300000);
  world.redis.start();
  world.wait_subscribed();
  world.publish("pipeline:audio:r1", synthesized(pcm(60, 5), 3));
  CHECK_EQ(world.frames(3)[2].sequence_number, 3);
  CHECK(!world.whole(synthesized(pcm(60, 5), 3)));
}

TEST(channels_interim_captions_are_taken_and_finals_left_out) {
  Channels world;
  world.publish("pipeline:captions:r1", caption("the final", R"("is_final": true)"));
  world.publish("pipeline:captions:r1", caption("good mor"));
  CHECK(world.sink.wait<Caption>(1));
  const auto captions = world.sink.all<Caption>();
  CHECK_EQ(captions.size(), 1u);
  CHECK_EQ(captions[0].text, "good mor");
  CHECK_EQ(captions[0].room.value, "r1");
  CHECK(!captions[0].is_final && !captions[0].replayed);
  CHECK_EQ(captions[0].event_ms, 1795341600123);
  CHECK(captions[0].arrival_ms > 0);
  CHECK(world.overlap.interims_come());
}

TEST(channels_malformed_messages_are_counted_and_logged_once_a_second) {
  Channels world;
  world.publish("pipeline:audio:r1", "{");
  world.publish("pipeline:audio:r1", "[]");
  world.publish("pipeline:audio:r1", synthesized(Bytes(3, 1)));
  world.publish("pipeline:audio:r1", synthesized(pcm(10, 1), 1, "es", "another"));
  for (int i = 0; i < 10; ++i) world.publish("pipeline:captions:r1", R"({"event": "caption", "text": "whose?"})");
  CHECK(world.sink.wait<kafka::Malformed>(14));
  const auto found = world.sink.all<kafka::Malformed>();
  const char* reasons[] = {"not_json", "not_an_object", "odd_bytes", "missing_room"};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK_EQ(found[i].reason, reasons[i]);
    CHECK_EQ(static_cast<int>(found[i].topic), static_cast<int>(kafka::audio_channel));
  }
  CHECK_EQ(found[13].reason, "missing_user");
  CHECK_EQ(static_cast<int>(found[13].topic), static_cast<int>(kafka::captions_channel));
  const std::size_t lines = world.world.log.count("malformed message(s) in pipeline:captions, missing_user");
  CHECK(lines >= 1 && lines <= 2);
  world.publish("pipeline:audio:r1", synthesized(pcm(10, 1)));
  world.frames(1);
}

TEST(channels_of_a_closed_room_are_not_read) {
  Channels world;
  world.channels->close(RoomId("r1"));
  world.channels->open(RoomId("r2"));
  world.interest.set(RoomId("r2"), parse_language_list("es").value());
  for (int i = 0; i < 5000 && world.redis.ask({"PUBSUB", "CHANNELS"}).find("captions:r1") != std::string::npos; ++i) std::this_thread::yield();
  world.publish("pipeline:audio:r1", synthesized(pcm(10, 1)));
  for (int i = 0; i < 5000 && world.redis.ask({"PUBSUB", "CHANNELS"}).find("audio:r2") == std::string::npos; ++i) std::this_thread::yield();
  world.publish("pipeline:audio:r2", synthesized(pcm(10, 1), 8, "es", "r2"));
  CHECK_EQ(world.frames(1)[0].room.value, "r2");
}
