// CONTRACT 2, gateway to client: the bytes that a listener gets, whatever the worker wrote.
#include "core/audio/opus_codec.hpp"
#include "core/audio/pcm.hpp"
#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

const TokenClaims listener{.user = "bob", .listening_language = "es"};

TEST(pure_pcm_is_nothing_but_the_audio) {
  World world;
  Client none = world.audio(listener);
  Client pcm = world.audio({.user = "eve", .listening_language = "es"}, "", "fluentgate.audio.pcm");
  world.worker.produce(synthesized({.pcm = pcm_bytes(640, 1), .number = 5}));
  world.worker.produce(synthesized_binary({.pcm = pcm_bytes(642, 2)}));
  world.worker.produce(synthesized_binary({.pcm = "{}" + pcm_bytes(640, 3)}));  // begins like JSON
  for (Client* client : {&none, &pcm}) {
    CHECK(client->bytes() == pcm_bytes(640, 1));
    CHECK(client->bytes() == pcm_bytes(642, 2));
    CHECK(client->bytes() == "{}" + pcm_bytes(640, 3));
  }
}

TEST(framed_messages_have_the_header_of_the_contract) {
  World world;
  Client client = world.audio(listener, "", "fluentgate.audio.v1");
  world.worker.produce(synthesized({.pcm = pcm_bytes(640), .number = 7, .utterance = "u-1",
                                    .headers = {{"fg-ingest-ms", std::to_string(now_ms() - 400)}}}));
  const FramedAudio known = framed(client.bytes());
  CHECK(keys(known.header) == (std::vector<std::string>{"speaker_id", "language", "sequence_number", "utterance_id", "sample_rate", "encoding",
                                                        "duration_ms", "latency_ms", "skipped_ms"}));
  CHECK_EQ(text_member(known.header, "speaker_id"), std::string("speaker"));
  CHECK_EQ(text_member(known.header, "language"), std::string("es"));
  CHECK_EQ(number_member(known.header, "sequence_number"), 7);
  CHECK_EQ(text_member(known.header, "utterance_id"), std::string("u-1"));
  CHECK_EQ(number_member(known.header, "sample_rate"), 16000);
  CHECK_EQ(text_member(known.header, "encoding"), std::string("linear16"));
  CHECK_EQ(number_member(known.header, "duration_ms"), 20);
  CHECK(number_member(known.header, "latency_ms") >= 400 && number_member(known.header, "latency_ms") < 10000);
  CHECK_EQ(number_member(known.header, "skipped_ms"), 0);
  CHECK(known.audio == pcm_bytes(640));

  world.worker.produce(synthesized({.pcm = pcm_bytes(100, 2)}));
  const FramedAudio unknown = framed(client.bytes());
  CHECK_EQ(unknown.header, std::string("{\"speaker_id\":\"speaker\",\"language\":\"es\",\"sequence_number\":null,\"utterance_id\":null,"
                                       "\"sample_rate\":16000,\"encoding\":\"linear16\",\"duration_ms\":3,\"latency_ms\":null,\"skipped_ms\":0}"));
  CHECK(unknown.audio == pcm_bytes(100, 2));
}

TEST(another_rate_and_opus_are_converted_to_the_output_rate) {
  World world;
  Client client = world.audio(listener);
  world.worker.produce(synthesized({.pcm = tone(1000, 24000), .sample_rate = 24000}));
  CHECK_EQ(client.bytes().size(), std::size_t{32000});  // nothing of its end waits for another frame

  auto encoder = audio::OpusEncoder::make(48000, 32000);
  CHECK(static_cast<bool>(encoder));
  const std::string pcm = tone(20, 48000);
  std::vector<std::uint8_t> packet;
  CHECK(static_cast<bool>(encoder->encode(audio::to_samples({reinterpret_cast<const std::uint8_t*>(pcm.data()), pcm.size()}), packet)));
  world.worker.produce(synthesized_binary({.pcm = {packet.begin(), packet.end()}, .sample_rate = 48000, .encoding = "opus"}));
  CHECK_EQ(client.bytes().size(), std::size_t{640});
}

TEST(the_output_rate_is_an_option_and_such_audio_passes_unchanged) {
  World world({"audio.output_sample_rate=24000"});
  Client client = world.audio(listener, "", "fluentgate.audio.v1");
  world.worker.produce(synthesized({.pcm = pcm_bytes(960), .sample_rate = 24000}));
  const FramedAudio same = framed(client.bytes());
  CHECK(same.audio == pcm_bytes(960));
  CHECK_EQ(number_member(same.header, "sample_rate"), 24000);
  CHECK_EQ(number_member(same.header, "duration_ms"), 20);
  world.worker.produce(synthesized({.pcm = tone(1000)}));
  CHECK_EQ(framed(client.bytes()).audio.size(), std::size_t{48000});
}

TEST(one_message_may_hold_a_whole_sentence) {
  World world({"limits.outbox_bytes=4096"});  // bounds what waits, never a single message
  Client client = world.audio(listener);
  const std::string sentence = pcm_bytes(1'000'000);
  world.worker.produce(synthesized_binary({.pcm = sentence}));
  CHECK(client.bytes() == sentence);
}

TEST(frames_of_a_room_go_to_that_room_only) {
  World world;
  Client here = world.audio(listener);
  Client there = world.audio({.user = "bob", .room = "r2", .listening_language = "es"});
  world.worker.produce(synthesized({.pcm = pcm_bytes(640, 1), .room = "r2"}));
  world.worker.produce(synthesized({.pcm = pcm_bytes(640, 2), .room = "nobody.hosts.this"}));
  world.worker.produce(synthesized({.pcm = pcm_bytes(640, 3)}));
  CHECK(there.bytes() == pcm_bytes(640, 1));
  CHECK(here.bytes() == pcm_bytes(640, 3));
}

TEST(frames_are_neither_filtered_nor_reordered_by_number) {
  World world;
  Client client = world.audio(listener);
  const std::int64_t numbers[] = {5, 3, 3, 0, 9};
  for (const std::int64_t number : numbers)
    world.worker.produce(synthesized({.pcm = pcm_bytes(640, static_cast<int>(number) + 1), .number = number}));
  for (const std::int64_t number : numbers) CHECK(client.bytes() == pcm_bytes(640, static_cast<int>(number) + 1));
}

TEST(what_was_in_the_log_before_is_not_played) {
  Cluster cluster;
  KafkaPeer before(cluster.address());
  before.produce(synthesized({.pcm = pcm_bytes(640, 1)}));
  World world(cluster);
  Client client = world.audio(listener);
  world.worker.produce(synthesized({.pcm = pcm_bytes(640, 2)}));
  CHECK(client.bytes() == pcm_bytes(640, 2));
}

TEST(malformed_records_of_each_kind_are_counted_and_the_stream_goes_on) {
  World world;
  Client client = world.audio(listener);
  Client captions = world.captions({.user = "bob"});
  const auto raw = [](const char* topic, const std::string& value, const KafkaHeaders& headers = {}) {
    return PeerMessage{topic, "r1", value, headers, 0, -1};
  };
  const auto payload = [&](const std::string& members) { return raw("audio.synthesized", "{\"payload\":{" + members + "}}"); };
  const std::string who = "\"room_id\":\"r1\",\"user_id\":\"speaker\"";
  const std::string full = who + ",\"target_language\":\"es\"";
  PeerMessage odd = synthesized({.pcm = "abc"});
  world.worker.produce({raw("audio.synthesized", "{\"payload\":"), raw("audio.synthesized", ""), raw("audio.synthesized", "[]"),
                        raw("audio.synthesized", "{\"payload\":7}"), payload("\"user_id\":\"speaker\",\"target_language\":\"es\""),
                        payload("\"room_id\":\"r1\",\"target_language\":\"es\""), payload(who),
                        payload(who + ",\"target_language\":\"x y\""), payload(full),
                        payload(full + ",\"audio_data\":\"***\""), odd, payload(full + ",\"audio_data\":\"AAA=\",\"sample_rate\":1"),
                        payload(full + ",\"audio_data\":\"AAA=\",\"encoding\":\"mp3\""),
                        raw("audio.synthesized", "\x03", {{"fg-room", "r1"}, {"fg-user", "speaker"}, {"fg-lang", "es"}, {"fg-enc", "opus"}}),
                        raw("audio.synthesized", "{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}"),
                        raw("audio.synthesized", "{\"event_type\":\"text.translation\",\"payload\":{}}"),
                        raw("audio.synthesized", "abcd", {{"fg-room", "r1"}, {"fg-lang", "es"}}),
                        raw("text.original", "\xff\xfe"), raw("text.original", "{\"payload\":{" + who + ",\"source_language\":\"en\"}}"),
                        raw("text.translated", "{\"payload\":{" + who + ",\"text\":\"x\"}}")});
  world.worker.produce(synthesized({.pcm = pcm_bytes(640)}));
  world.worker.produce(transcript({.text = "still here"}));
  CHECK(client.bytes() == pcm_bytes(640));
  CHECK_EQ(text_member(captions.text(), "text"), std::string("still here"));
  const std::pair<const char*, int> counted[] = {
      {"not_json", 2}, {"not_an_object", 2}, {"missing_room", 1}, {"missing_user", 2}, {"missing_language", 1}, {"bad_language", 1},
      {"missing_audio", 1}, {"bad_base64", 1}, {"odd_bytes", 1}, {"bad_sample_rate", 1}, {"bad_encoding", 1}, {"bad_opus", 1},
      {"too_deep", 1}, {"bad_event_type", 1}};
  for (const auto& [reason, count] : counted) {
    world.wait_metric("fluentgate_messages_malformed_total{topic=\"audio.synthesized\",reason=\"" + std::string(reason) + "\"} " +
                      std::to_string(count));
  }
  world.wait_metric("fluentgate_messages_malformed_total{topic=\"text.original\",reason=\"not_json\"} 1");
  world.wait_metric("fluentgate_messages_malformed_total{topic=\"text.original\",reason=\"missing_text\"} 1");
  world.wait_metric("fluentgate_messages_malformed_total{topic=\"text.translated\",reason=\"missing_language\"} 1");
}

TEST(malformed_records_are_copied_to_the_dead_letter_topic_where_asked) {
  World world({"kafka.dlq=true"});
  const std::string value("\x00\xff{\"", 4);
  world.worker.produce(PeerMessage{"text.original", "r1", value, {{"a", "1"}, {"b", "2"}}, 0, -1});
  const PeerRecord copy = world.worker.read("dlq.text.original", 1)[0];
  CHECK(copy.value == value);
  CHECK_EQ(copy.key, std::string("r1"));
  CHECK(copy.headers == (KafkaHeaders{{"a", "1"}, {"b", "2"}, {"fg-error", "not_json"}}));
}

}  // namespace
}  // namespace fluentgate::test
