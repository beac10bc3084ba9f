// suppress_original and restore_original as listeners are told of them (CONTRACT 3).
#include "test/unit/gateway/world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

std::string restored(const std::string& speaker, const std::string& reason) {
  return R"({"type":"restore_original","speaker_id":")" + speaker + R"(","reason":")" + reason + R"(","fade_ms":200})";
}
const Bytes loud = [] {
  Bytes pcm;
  for (int i = 0; i < 320; ++i) {
    pcm.push_back(0);
    pcm.push_back(i % 2 == 0 ? 0x40 : 0xc0);
  }
  return pcm;
}();

}  // namespace

TEST(suppression_is_told_once_and_in_full) {
  World world;
  Client audio = world.audio("a", {.listen = "es-MX"});
  Client signaling = world.signaling("a", {.listen = "es-MX"});
  SynthesizedFrame frame = world.frame("speaker", "es");
  frame.utterance_id = "u";
  world.play(frame);
  world.tick(60000);  // a long pause between phrases changes nothing
  world.play("speaker", "es");
  const auto told = signaling.events("suppress_original");
  CHECK_EQ(told.size(), 1u);
  CHECK_EQ(told[0], R"({"type":"suppress_original","speaker_id":"speaker","language":"es","mode":"mute","gain":0.0,"fade_ms":200,)"
                    R"("utterance_id":"u","timestamp_ms":)" + std::to_string(world.clock.unix_ms() - 60000) + "}");
  CHECK(audio.events("suppress_original").empty());
}

TEST(suppression_is_told_for_each_speaker_and_each_listener) {
  World world;
  Client a = world.audio("a", {.listen = "es"});
  Client b = world.audio("b", {.listen = "es"});
  world.play("s1", "es");
  world.play("s2", "es");
  world.play("s1", "es");
  CHECK_EQ(a.events("suppress_original").size(), 2u);
  CHECK_EQ(b.events("suppress_original").size(), 2u);
}

TEST(suppression_by_ducking_has_a_gain) {
  config::Settings settings;
  settings.suppress.mode = config::SuppressMode::duck;
  settings.suppress.fade_ms = 50;
  World world(settings);
  Client a = world.audio("a", {.listen = "es"});
  world.play("speaker", "es");
  CHECK(has(a.events("suppress_original").at(0), R"("mode":"duck","gain":0.15,"fade_ms":50,)"));
}

TEST(suppression_ends_when_synthesis_stalls_and_begins_again) {
  World world;
  Client speaker = world.audio("speaker");
  Client a = world.audio("a", {.listen = "es"});
  world.play("speaker", "es");
  a.texts();
  for (int i = 0; i < 249; ++i) {
    world.clock.advance(20);
    speaker.binary(loud);
    world.tick();
  }
  CHECK(a.events("restore_original").empty());
  world.clock.advance(40);
  speaker.binary(loud);
  world.tick();
  CHECK_EQ(a.events("restore_original"), std::vector<std::string>{restored("speaker", "stalled")});
  world.tick(1000);
  CHECK(a.events("restore_original").empty());
  world.play("speaker", "es");
  CHECK_EQ(a.events("suppress_original").size(), 1u);
}

TEST(suppression_outlasts_silence_that_is_sent) {
  World world;
  Client speaker = world.audio("speaker");
  Client a = world.audio("a", {.listen = "es"});
  world.play("speaker", "es");
  for (int i = 0; i < 500; ++i) {
    world.clock.advance(20);
    speaker.binary(Bytes(640));
    world.tick();
  }
  CHECK(a.events("restore_original").empty());
}

TEST(suppression_ends_when_the_listener_changes_language) {
  World world;
  Client a = world.audio("a", {.listen = "es"});
  Client signaling = world.signaling("a", {.listen = "es"});
  world.play("speaker", "es");
  signaling.text(R"({"type":"set_language","listening_language":["es","ca"]})");
  CHECK(signaling.events("restore_original").empty());  // it hears the same as before
  signaling.text(R"({"type":"set_language","listening_language":"fr"})");
  CHECK_EQ(signaling.events("restore_original"), std::vector<std::string>{restored("speaker", "language_changed")});
  world.play("speaker", "fr");
  CHECK_EQ(signaling.events("suppress_original").size(), 1u);
}

TEST(suppression_ends_when_the_speaker_turns_out_to_be_understood) {
  World world;
  Client speaker = world.audio("speaker");
  Client a = world.audio("a", {.listen = "es", .understands = "en"});
  world.play("speaker", "es");
  CHECK_EQ(a.events("suppress_original").size(), 1u);  // an unknown language counts as different
  world.say(world.caption("speaker", CaptionType::original, "en", "hello"));
  CHECK_EQ(a.events("restore_original"), std::vector<std::string>{restored("speaker", "language_changed")});
}

TEST(suppression_ends_when_a_frame_tells_that_the_speaker_is_understood) {
  World world;
  Client a = world.audio("a", {.listen = "es", .understands = "en"});
  world.play("speaker", "es");
  a.texts();
  SynthesizedFrame frame = world.frame("speaker", "es");
  frame.source_language = "en";
  world.play(std::move(frame));
  CHECK_EQ(a.events("restore_original").size(), 1u);
}

TEST(suppression_ends_when_the_speaker_says_a_language_that_is_understood) {
  World world;
  Client speaker = world.audio("speaker", {.speak = "de"});
  Client a = world.audio("a", {.listen = "es", .understands = "en"});
  world.play("speaker", "es");
  a.texts();
  speaker.text(R"({"type":"start","speaking_language":"en"})");
  CHECK_EQ(a.events("restore_original"), std::vector<std::string>{restored("speaker", "language_changed")});
}

TEST(suppression_ends_three_seconds_after_the_speakers_audio_is_gone) {
  World world;
  Client speaker = world.audio("speaker");
  Client a = world.audio("a", {.listen = "es"});
  world.play("speaker", "es");
  a.texts();
  speaker.gone();
  world.tick(2999);
  CHECK(a.events("restore_original").empty());
  world.tick(1);
  CHECK_EQ(a.events("restore_original"), std::vector<std::string>{restored("speaker", "speaker_left")});
}

TEST(suppression_outlasts_a_speaker_that_reconnects_in_time) {
  World world;
  Client speaker = world.audio("speaker");
  Client a = world.audio("a", {.listen = "es"});
  world.play("speaker", "es");
  a.texts();
  speaker.gone();
  world.tick(2900);
  Client again = world.audio("speaker");
  world.tick(5000);
  CHECK(a.events("restore_original").empty());
}

TEST(suppression_ends_when_the_speaker_leaves) {
  World world;
  Client speaker = world.signaling("speaker");
  Client a = world.audio("a", {.listen = "es"});
  world.play("speaker", "es");
  a.texts();
  speaker.gone();
  CHECK_EQ(a.events("restore_original"), std::vector<std::string>{restored("speaker", "speaker_left")});
}

TEST(suppression_ends_when_the_pipeline_is_down) {
  World world;
  Client a = world.audio("a", {.listen = "es"});
  Client b = world.audio("b", {.listen = "fr"});
  world.play("speaker", "es");
  a.texts();
  b.texts();
  world.hub->suppression.pipeline_down();
  CHECK_EQ(a.events("restore_original"), std::vector<std::string>{restored("speaker", "pipeline_down")});
  CHECK(b.texts().empty());  // nothing was suppressed for it
}

TEST(suppression_is_told_again_to_a_newer_socket) {
  World world;
  Client audio = world.audio("a", {.listen = "es"});
  Client captions = world.captions("a");
  world.play("speaker", "es");
  Client newer = world.audio("a", {.listen = "es"});
  world.play("speaker", "es");
  CHECK_EQ(newer.events("suppress_original").size(), 1u);
  newer.gone();
  Client third = world.audio("a", {.listen = "es"});
  world.play("speaker", "es");
  CHECK_EQ(third.events("suppress_original").size(), 1u);
  Client signaling = world.signaling("a", {.listen = "es"});
  world.play("speaker", "es");
  CHECK_EQ(signaling.events("suppress_original").size(), 1u);
}
