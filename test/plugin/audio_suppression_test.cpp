// CONTRACT 3, suppress_original and restore_original; section 6, mouth to ear.
#include <chrono>

#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

using namespace std::chrono_literals;

const TokenClaims listener{.user = "bob", .listening_language = "es"};
const TokenClaims speaker{.user = "speaker", .speaking_language = "en"};

PeerMessage frame(int seed, const std::string& language = "es") {
  return synthesized({.pcm = pcm_bytes(640, seed), .language = language, .number = seed, .utterance = "u" + std::to_string(seed)});
}

void check_suppress(const std::string& event, const std::string& mode, const std::string& gain, int fade_ms) {
  CHECK(keys(event) == (std::vector<std::string>{"type", "speaker_id", "language", "mode", "gain", "fade_ms", "utterance_id", "timestamp_ms"}));
  CHECK_EQ(text_member(event, "type"), std::string("suppress_original"));
  CHECK_EQ(text_member(event, "speaker_id"), std::string("speaker"));
  CHECK_EQ(text_member(event, "language"), std::string("es"));
  CHECK_EQ(text_member(event, "mode"), mode);
  CHECK_EQ(member(event, "gain"), gain);
  CHECK_EQ(number_member(event, "fade_ms"), fade_ms);
  CHECK_EQ(text_member(event, "utterance_id"), std::string("u1"));
  CHECK(number_member(event, "timestamp_ms") <= now_ms() && number_member(event, "timestamp_ms") > now_ms() - 10000);
}

std::string restored(const std::string& reason, int fade_ms = 200) {
  return "{\"type\":\"restore_original\",\"speaker_id\":\"speaker\",\"reason\":\"" + reason + "\",\"fade_ms\":" + std::to_string(fade_ms) + "}";
}

TEST(without_signaling_it_comes_before_the_first_frame_and_once) {
  World world;
  Client audio = world.audio(listener);
  audio.until_pong();
  world.worker.produce({frame(1), frame(2)});
  check_suppress(audio.text(), "mute", "0.0", 200);
  CHECK_EQ(static_cast<int>(audio.next().opcode), static_cast<int>(Frame::binary));
  CHECK_EQ(static_cast<int>(audio.next().opcode), static_cast<int>(Frame::binary));
  world.worker.produce(frame(3));
  CHECK_EQ(static_cast<int>(audio.next().opcode), static_cast<int>(Frame::binary));
  CHECK(audio.until_pong().empty());
}

TEST(with_signaling_it_is_there_when_the_first_frame_is) {
  World world({"suppress.mode=duck", "suppress.fade_ms=150"});
  Client signaling = world.signaling(listener);
  Client audio = world.audio(listener);
  signaling.until_pong();
  world.worker.produce(frame(1));
  CHECK(audio.bytes() == pcm_bytes(640, 1));
  const auto there = signaling.ws().connection().receive_within(0ms);  // written before: on loopback it has arrived before
  CHECK(there.has_value());
  const std::size_t begin = there->find('{');
  CHECK(begin != std::string::npos);
  check_suppress(there->substr(begin), "duck", "0.15", 150);
  for (const std::string& text : audio.texts_until_pong()) CHECK_EQ(text.find("suppress_original"), std::string::npos);
}

TEST(it_is_told_per_speaker_and_the_gain_is_an_option) {
  World world({"suppress.gain=0.25"});
  Client audio = world.audio(listener);
  world.worker.produce(frame(1));
  check_suppress(audio.event("suppress_original"), "mute", "0.25", 200);
  world.worker.produce(synthesized({.pcm = pcm_bytes(640), .user = "other"}));
  CHECK_EQ(text_member(audio.event("suppress_original"), "speaker_id"), std::string("other"));
}

TEST(voice_without_synthesis_gives_the_original_back_and_synthesis_takes_it_again) {
  World world({"suppress.stall_ms=300", "suppress.fade_ms=80", "limits.messages_per_s=100000"});
  Client voice = world.audio(speaker);
  Client audio = world.audio(listener);
  world.worker.produce(frame(1));
  audio.event("suppress_original");
  CHECK(audio.bytes() == pcm_bytes(640, 1));
  // Silence and quiet noise are no voice, however long.
  const std::int64_t since = now_ms();
  while (now_ms() - since < 700) {
    voice.audio(silence(20));
    voice.audio(pcm_bytes(640));
    voice.until_pong();
    for (const std::string& text : audio.texts_until_pong()) CHECK_EQ(text.find("restore_original"), std::string::npos);
  }
  const std::int64_t voiced_since = now_ms();
  std::string told;
  while (told.empty() && now_ms() - voiced_since < 5000) {
    voice.audio(tone(20));
    voice.until_pong();
    for (const std::string& text : audio.texts_until_pong()) {
      if (text.find("restore_original") != std::string::npos) told = text;
    }
  }
  CHECK_EQ(told, restored("stalled", 80));
  CHECK(now_ms() - voiced_since >= 290);
  world.worker.produce(frame(2));
  audio.event("suppress_original");
  CHECK(audio.bytes() == pcm_bytes(640, 2));
  world.wait_metric("fluentgate_originals_restored_total{reason=\"stalled\"} 1");
}

TEST(a_speaker_who_leaves_signaling_gives_the_original_back_at_once) {
  World world;
  Client voice = world.signaling(speaker);
  Client audio = world.audio(listener);
  Client signaling = world.signaling(listener);
  world.worker.produce(frame(1));
  signaling.event("suppress_original");
  voice.ws().send_close();
  CHECK_EQ(signaling.event("user_left"), std::string("{\"type\":\"user_left\",\"user_id\":\"speaker\"}"));
  CHECK_EQ(signaling.text(), restored("speaker_left"));
}

TEST(a_speaker_whose_audio_is_gone_for_3_s_has_left) {
  World world;
  Client audio = world.audio(listener);
  std::optional<Client> voice = world.audio(speaker);
  world.worker.produce(frame(1));
  audio.event("suppress_original");
  voice.reset();
  const std::int64_t since = now_ms();
  CHECK_EQ(audio.event("restore_original"), restored("speaker_left"));
  CHECK(now_ms() - since >= 2900 && now_ms() - since < 6000);
}

TEST(another_language_gives_the_original_back) {
  World world;
  Client audio = world.audio(listener);
  world.worker.produce(frame(1));
  audio.event("suppress_original");
  audio.send("{\"type\":\"set_language\",\"listening_language\":\"fr\"}");
  CHECK_EQ(audio.event("restore_original"), restored("language_changed"));
  world.worker.produce(frame(2, "fr"));
  CHECK_EQ(text_member(audio.event("suppress_original"), "language"), std::string("fr"));
  audio.send("{\"type\":\"set_language\",\"listening_language\":\"fr,es\"}");  // still French that is heard
  for (const std::string& text : audio.texts_until_pong()) CHECK_EQ(text.find("restore_original"), std::string::npos);
}

TEST(played_measures_from_mouth_to_ear) {
  World world;
  Client voice = world.audio(speaker);
  Client audio = world.audio(listener);
  PeerMessage heard = frame(1);
  heard.headers = {{"fg-ingest-ms", std::to_string(now_ms() - 1000)}};
  world.worker.produce(heard);
  CHECK(audio.bytes() == pcm_bytes(640, 1));
  audio.send("{\"type\":\"played\",\"speaker_id\":\"speaker\",\"sequence_number\":1,\"buffered_ms\":60000}");
  world.wait_metric("fluentgate_stage_latency_seconds_count{stage=\"mouth_to_ear\",source=\"en\",target=\"es\"} 1");
  world.wait_metric("fluentgate_stage_latency_seconds_bucket{stage=\"mouth_to_ear\",source=\"en\",target=\"es\",le=\"30\"} 0");
  // What can't be matched counts nowhere; what is malformed is told.
  audio.send("{\"type\":\"played\",\"speaker_id\":\"speaker\",\"sequence_number\":99,\"buffered_ms\":1}");
  audio.send("{\"type\":\"played\",\"speaker_id\":\"nobody\",\"sequence_number\":1,\"buffered_ms\":1}");
  audio.send("{\"type\":\"played\",\"speaker_id\":\"speaker\",\"sequence_number\":1}");
  audio.refused("invalid_json");
  world.wait_metric("fluentgate_stage_latency_seconds_count{stage=\"mouth_to_ear\",source=\"en\",target=\"es\"} 1");
}

}  // namespace
}  // namespace fluentgate::test
