// Frames and captions on their way in: both formats, who wants them, conversion, malformed records.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "core/audio/opus_codec.hpp"
#include "core/audio/pcm.hpp"
#include "test/integration/kafka_world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

Bytes sine(int rate, int milliseconds, double hertz = 440.0) {
  std::vector<std::int16_t> samples;
  for (int i = 0; i < rate * milliseconds / 1000; ++i)
    samples.push_back(static_cast<std::int16_t>(10000.0 * std::sin(2.0 * std::numbers::pi * hertz * i / rate)));
  return audio::to_bytes(samples);
}

struct Listening : KafkaWorld {
  Listening() {
    interest.set(RoomId("room-1"), languages("es,fr"));
    interest.set(RoomId("quiet"), {});
  }
  SynthesizedFrame frame(std::size_t index) {
    if (!sink.wait<SynthesizedFrame>(index + 1)) FAIL("no frame " + std::to_string(index) + "\n" + log.all());
    return sink.all<SynthesizedFrame>()[index];
  }
};

}  // namespace

TEST(frame_in_json_arrives_decoded) {
  Listening world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  const Bytes pcm = sine(16000, 20);
  worker.produce({"audio.synthesized", "room-1", synthesized("room-1", "ann", "es", pcm, 16000, 4), {{"fg-ingest-ms", "1763805600123"}}});
  const SynthesizedFrame frame = world.frame(0);
  CHECK_EQ(frame.room.value, "room-1");
  CHECK_EQ(frame.speaker.value, "ann");
  CHECK_EQ(frame.language.spelling(), "es");
  CHECK_EQ(frame.sequence_number, 4);
  CHECK_EQ(frame.ingest_ms, 1763805600123);
  CHECK(frame.pcm != nullptr && *frame.pcm == pcm);
  CHECK_EQ(frame.duration_us, 20000);
  CHECK(frame.kafka_ms > 0 && frame.arrival_ms >= frame.kafka_ms - 1000);
}

TEST(frame_in_binary_arrives_as_it_is) {
  Listening world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  const Bytes pcm = sine(16000, 20);
  worker.produce({"audio.synthesized", "room-1", std::string(pcm.begin(), pcm.end()),
                  {{"fg-room", "room-1"}, {"fg-user", "ann"}, {"fg-seq", "9"}, {"fg-rate", "16000"}, {"fg-enc", "linear16"}, {"fg-lang", "es"}}});
  const SynthesizedFrame frame = world.frame(0);
  CHECK(frame.pcm != nullptr && *frame.pcm == pcm);
  CHECK_EQ(frame.sequence_number, 9);
}

TEST(frame_that_nobody_wants_is_noted_without_audio_and_other_rooms_not_at_all) {
  Listening world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  const Bytes pcm = sine(16000, 20);
  worker.produce({PeerMessage{"audio.synthesized", "k", synthesized("elsewhere", "ann", "es", pcm), {}, 0, 0},
                  PeerMessage{"audio.synthesized", "k", synthesized("room-1", "ann", "de", pcm), {}, 0, 0},
                  PeerMessage{"audio.synthesized", "k", synthesized("quiet", "ann", "es", pcm), {}, 0, 0},
                  PeerMessage{"audio.synthesized", "k", synthesized("room-1", "ann", "es-MX", pcm), {}, 0, 0}});
  CHECK(world.frame(2).pcm != nullptr);
  const auto frames = world.sink.all<SynthesizedFrame>();
  CHECK_EQ(frames.size(), 3u);
  CHECK(frames[0].pcm == nullptr);
  CHECK_EQ(frames[0].language.spelling(), "de");
  CHECK(frames[1].pcm == nullptr);
  CHECK_EQ(frames[1].room.value, "quiet");
  CHECK_EQ(frames[2].language.spelling(), "es-MX");
}

TEST(frames_of_another_rate_are_resampled_without_seams) {
  Listening world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  const Bytes whole = sine(24000, 500);
  std::vector<PeerMessage> messages;
  const std::size_t piece = 24000 / 10 * 2 / 5;  // 20 ms
  for (std::size_t at = 0; at < whole.size(); at += piece) {
    const Bytes part(whole.begin() + static_cast<std::ptrdiff_t>(at), whole.begin() + static_cast<std::ptrdiff_t>(std::min(whole.size(), at + piece)));
    messages.push_back({"audio.synthesized", "room-1", synthesized("room-1", "ann", "es", part, 24000), {}, 0, 0});
  }
  worker.produce(messages);
  world.frame(messages.size() - 1);
  std::vector<std::int16_t> heard;
  for (const SynthesizedFrame& frame : world.sink.all<SynthesizedFrame>()) {
    CHECK(frame.pcm != nullptr);
    CHECK_EQ(frame.sample_rate, 16000);
    audio::append_samples(*frame.pcm, heard);
  }
  CHECK_EQ(heard.size(), 8000u);  // 500 ms, to its end
  // A seam would be a step that the sine never makes.
  const double step_max = 10000.0 * 2.0 * std::numbers::pi * 440.0 / 16000.0 * 1.1;
  for (std::size_t i = 200; i < heard.size(); ++i) CHECK(std::abs(heard[i] - heard[i - 1]) <= step_max);
}

TEST(frames_in_opus_are_decoded) {
  Listening world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  auto encoder = audio::OpusEncoder::make(48000, 32000);
  CHECK(encoder.ok());
  const std::vector<std::int16_t> samples = audio::to_samples(sine(48000, 20));
  std::vector<std::uint8_t> packet;
  CHECK(encoder.value().encode(samples, packet).ok());
  worker.produce({"audio.synthesized", "room-1", synthesized("room-1", "ann", "es", packet, 48000, 0, "opus")});
  const SynthesizedFrame frame = world.frame(0);
  CHECK(frame.pcm != nullptr);
  CHECK_EQ(frame.pcm->size(), 640u);
  CHECK_EQ(frame.duration_us, 20000);
}

TEST(sentence_of_a_megabyte_passes_whole) {
  Listening world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  const Bytes pcm(1u << 20, 3);
  worker.produce({"audio.synthesized", "room-1", synthesized("room-1", "ann", "es", pcm)});
  CHECK_EQ(world.frame(0).pcm->size(), pcm.size());
}

TEST(malformed_records_are_counted_and_the_stream_goes_on) {
  Listening world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  const std::string lang = R"(,"target_language":"es","audio_data":"AAAA")";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"not_json", "{\"event_type\":"},
      {"not_an_object", "[1,2]"},
      {"missing_room", event("audio.synthesized", R"("user_id":"ann")" + lang)},
      {"missing_user", event("audio.synthesized", R"("room_id":"room-1")" + lang)},
      {"missing_language", event("audio.synthesized", R"("room_id":"room-1","user_id":"ann","audio_data":"AAAA")")},
      {"missing_audio", event("audio.synthesized", R"("room_id":"room-1","user_id":"ann","target_language":"es")")},
      {"bad_language", synthesized("room-1", "ann", "-", {1, 2})},
      {"bad_base64", event("audio.synthesized", R"("room_id":"room-1","user_id":"ann","target_language":"es","audio_data":"!!!!")")},
      {"odd_bytes", synthesized("room-1", "ann", "es", {1, 2, 3})},
      {"odd_bytes", synthesized("room-1", "ann", "fr", {1, 2, 3})},  // also where nobody listens to it
      {"bad_encoding", synthesized("room-1", "ann", "es", {1, 2}, 16000, 0, "mp3")},
      {"bad_sample_rate", synthesized("room-1", "ann", "es", {1, 2}, 1)},
      {"bad_opus", synthesized("room-1", "ann", "es", {255, 255, 255}, 48000, 0, "opus")},
  };
  std::vector<PeerMessage> messages;
  for (const auto& [reason, value] : cases) messages.push_back({"audio.synthesized", "room-1", value, {}, 0, 0});
  messages.push_back({"audio.synthesized", "room-1", synthesized("room-1", "ann", "es", {1, 2}), {}, 0, 0});
  worker.produce(messages);
  CHECK(world.frame(0).pcm != nullptr);
  const auto found = world.sink.all<kafka::Malformed>();
  CHECK_EQ(found.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CHECK_EQ(found[i].reason, cases[i].first);
    CHECK_EQ(static_cast<int>(found[i].topic), 0);
  }
}

TEST(malformed_records_are_logged_once_a_second_and_copied_where_asked) {
  Listening world;
  world.settings.kafka.dlq = true;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  std::vector<PeerMessage> messages;
  for (int i = 0; i < 20; ++i) messages.push_back({"text.original", "some-key", "nonsense " + std::to_string(i), {{"x-own", "kept"}}, 0, 1});
  messages.push_back({"text.original", "room-1", transcription("room-1", "ann", "hello"), {}, 0, 1});
  worker.produce(messages);
  CHECK(world.sink.wait<Caption>(1));
  CHECK_EQ(world.sink.all<kafka::Malformed>().size(), 20u);
  CHECK_EQ(static_cast<int>(world.sink.all<kafka::Malformed>().front().topic), 1);
  CHECK(world.log.count("malformed message(s) in text.original") <= 2);
  const auto& copies = worker.read("dlq.text.original", 20);
  std::set<std::string> values;
  for (const PeerRecord& copy : copies) {
    values.insert(copy.value);
    CHECK_EQ(copy.key, "some-key");
    CHECK_EQ(copy.header("x-own"), "kept");
    CHECK(copy.header("fg-error").has_value());
  }
  CHECK_EQ(values.size(), 20u);
}

TEST(captions_of_every_room_arrive_with_their_position) {
  Listening world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  worker.produce({"text.original", "elsewhere", transcription("elsewhere", "bob", "good morning", 3), {}, 0, 2});
  worker.produce({"text.translated", "elsewhere", translation("elsewhere", "bob", "buenos dias", 3), {}, 0, 2});
  CHECK(world.sink.wait<Caption>(2));
  auto captions = world.sink.all<Caption>();
  // Between topics there is no order.
  std::sort(captions.begin(), captions.end(), [](const Caption& a, const Caption& b) { return a.position.topic < b.position.topic; });
  CHECK_EQ(captions[0].text, "good morning");
  CHECK(captions[0].type == CaptionType::original);
  CHECK_EQ(static_cast<int>(captions[0].position.topic), 1);
  CHECK_EQ(captions[0].position.partition, 2);
  CHECK_EQ(captions[0].position.offset, 0);
  CHECK(!captions[0].replayed);
  CHECK(captions[0].arrival_ms > 0);
  CHECK_EQ(captions[1].text, "buenos dias");
  CHECK_EQ(static_cast<int>(captions[1].position.topic), 2);
  const auto seen = world.sink.all<kafka::RecordSeen>();
  CHECK_EQ(seen.size(), 2u);
  CHECK_EQ(seen[0].position.partition, 2);
}

TEST(last_record_before_the_read_back_is_seen_but_no_caption) {
  // Without history nothing is wanted of what was there; the last record is seen all the same, since a client may have it in its cursor.
  Listening world;
  world.settings.captions.history_ms = 0;
  world.use_outside_cluster();
  KafkaPeer worker(world.address());
  const UnixMs now = world.clock.unix_ms();
  for (int i = 0; i < 3; ++i)
    worker.produce({PeerMessage{"text.original", "k", transcription("room-1", "ann", "an hour ago", i), {}, now - 3600000 + i, 0}});
  world.start_and_wait();
  worker.produce({"text.original", "k", transcription("room-1", "ann", "now"), {}, 0, 0});
  CHECK(world.sink.wait<Caption>(1));
  CHECK_EQ(world.sink.all<Caption>().front().text, "now");
  const auto seen = world.sink.all<kafka::RecordSeen>();
  CHECK_EQ(seen.size(), 2u);
  CHECK_EQ(seen[0].position.offset, 2);
  CHECK_EQ(seen[0].position.timestamp_ms, now - 3600000 + 2);
  CHECK_EQ(seen[1].position.offset, 3);
  for (const auto& opened : world.sink.all<kafka::PartitionOpened>()) {
    const bool written = opened.topic == 1 && opened.partition == 0;
    CHECK_EQ(opened.offset, written ? 2 : 0);  // an empty partition begins where it begins
    CHECK_EQ(opened.end, written ? 3 : 0);
  }
}

TEST(captions_from_before_are_read_back_as_replayed_and_old_ones_are_left_out) {
  Listening world;
  world.use_outside_cluster();
  KafkaPeer worker(world.address());
  const UnixMs now = world.clock.unix_ms();
  worker.produce({PeerMessage{"text.original", "k", transcription("room-1", "ann", "an hour ago"), {}, now - 3600000, 0},
                  PeerMessage{"text.original", "k", transcription("room-1", "ann", "a minute ago"), {}, now - 60000, 0}});
  worker.produce({"audio.synthesized", "k", synthesized("room-1", "ann", "es", {1, 2}), {}, 0, 0});
  world.start_and_wait();
  worker.produce({"text.original", "k", transcription("room-1", "ann", "now"), {}, 0, 0});
  worker.produce({"audio.synthesized", "k", synthesized("room-1", "ann", "es", {5, 6, 7, 8}), {}, 0, 0});
  CHECK(world.sink.wait<Caption>(2));
  const auto captions = world.sink.all<Caption>();
  CHECK_EQ(captions[0].text, "a minute ago");
  CHECK(captions[0].replayed);
  CHECK_EQ(captions[1].text, "now");
  CHECK(!captions[1].replayed);
  CHECK_EQ(captions[1].position.offset, 2);
  // Audio is never replayed.
  CHECK_EQ(world.frame(0).pcm->size(), 4u);
  bool told = false;
  for (const auto& opened : world.sink.all<kafka::PartitionOpened>()) {
    if (opened.topic == 1 && opened.partition == 0) {
      told = true;
      CHECK_EQ(opened.offset, 0);
      CHECK_EQ(opened.end, 2);
    }
  }
  CHECK(told);
}
