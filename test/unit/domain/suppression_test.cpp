// When a listener is to hear a speaker's original voice (CONTRACT 3).
#include "core/domain/suppression.hpp"

#include "core/domain/limits.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

constexpr std::int64_t stall_ms = 5000;

// Voice in chunks of 100 ms from `from` to `to`.
void speak(VoiceRun& voice, SteadyMs from, SteadyMs to) {
  for (SteadyMs at = from; at <= to; at += 100) voice.voiced(at);
}

}  // namespace

TEST(voice_run_lasts_over_short_pauses_and_ends_after_long_ones) {
  VoiceRun voice;
  CHECK(!voice.since(0));
  voice.voiced(1000);
  CHECK_EQ(*voice.since(1000), 1000);
  voice.voiced(1000 + limits::voice_pause_ms);  // not more than the pause
  CHECK_EQ(*voice.since(3000), 1000);
  CHECK_EQ(*voice.since(3000 + limits::voice_pause_ms), 1000);
  CHECK(!voice.since(3001 + limits::voice_pause_ms));
  voice.voiced(9000);
  CHECK_EQ(*voice.since(9000), 9000);
}

TEST(the_first_frame_suppresses_and_the_next_ones_say_nothing) {
  Suppression suppression;
  CHECK(suppression.state() == Suppression::State::original);
  CHECK(suppression.frame_ready(100));
  CHECK(suppression.state() == Suppression::State::suppressed);
  CHECK(!suppression.frame_ready(120));
  CHECK(!suppression.frame_ready(60000));
}

TEST(a_pause_between_phrases_does_not_restore) {
  Suppression suppression;
  VoiceRun voice;
  speak(voice, 0, 3000);
  CHECK(suppression.frame_ready(3500));
  for (SteadyMs now = 3500; now < 600000; now += 500) CHECK(!suppression.tick(now, voice, stall_ms));
  CHECK(suppression.state() == Suppression::State::suppressed);
}

TEST(speech_without_synthesis_for_stall_ms_restores_once) {
  Suppression suppression;
  VoiceRun voice;
  CHECK(suppression.frame_ready(1000));
  speak(voice, 0, 5900);
  CHECK(!suppression.tick(5999, voice, stall_ms));
  CHECK(suppression.tick(6000, voice, stall_ms) == RestoreReason::stalled);
  CHECK(suppression.state() == Suppression::State::original);
  CHECK(!suppression.tick(7000, voice, stall_ms));
  CHECK(suppression.frame_ready(7500));  // synthesis returned
}

TEST(a_stall_counts_from_the_start_of_the_voice_after_a_silence) {
  Suppression suppression;
  VoiceRun voice;
  CHECK(suppression.frame_ready(1000));
  speak(voice, 60000, 64900);
  CHECK(!suppression.tick(64999, voice, stall_ms));
  CHECK(suppression.tick(65000, voice, stall_ms) == RestoreReason::stalled);
}

TEST(a_speaker_who_fell_silent_before_stall_ms_stalls_nobody_however_short_that_is) {
  Suppression suppression;
  VoiceRun voice;
  speak(voice, 0, 1500);
  CHECK(suppression.frame_ready(1000));
  for (SteadyMs now = 1500; now < 60000; now += 50) CHECK(!suppression.tick(now, voice, 1000));
}

TEST(voice_that_comes_in_long_messages_stalls_too) {
  Suppression suppression;
  VoiceRun voice;
  CHECK(suppression.frame_ready(0));
  for (SteadyMs at = 0; at <= 5000; at += 1000) voice.voiced(at);
  CHECK(suppression.tick(5900, voice, stall_ms) == RestoreReason::stalled);
}

TEST(another_event_socket_is_told_with_the_next_frame_and_gets_the_original_back_before_it) {
  Suppression suppression;
  suppression.socket_changed();
  CHECK(!suppression.end(RestoreReason::speaker_left));  // nothing was suppressed
  CHECK(suppression.frame_ready(0));
  suppression.socket_changed();
  CHECK(suppression.frame_ready(10));
  CHECK(!suppression.frame_ready(20));
  suppression.socket_changed();
  CHECK(suppression.end(RestoreReason::speaker_left) == RestoreReason::speaker_left);
  CHECK(suppression.frame_ready(30));
}

TEST(frames_that_keep_coming_keep_it_suppressed) {
  Suppression suppression;
  VoiceRun voice;
  CHECK(suppression.frame_ready(0));
  for (SteadyMs now = 0; now < 60000; now += 100) {
    voice.voiced(now);
    if (now % 4900 == 0 && now > 0) CHECK(!suppression.frame_ready(now));
    CHECK(!suppression.tick(now, voice, stall_ms));
  }
}

TEST(an_end_tells_its_reason_only_where_the_original_was_suppressed) {
  for (const RestoreReason reason : {RestoreReason::language_changed, RestoreReason::speaker_left, RestoreReason::pipeline_down}) {
    Suppression suppression;
    CHECK(!suppression.end(reason));
    CHECK(suppression.frame_ready(10));
    CHECK(suppression.end(reason) == reason);
    CHECK(!suppression.end(reason));
    CHECK(suppression.frame_ready(20));
  }
}

TEST(restore_reasons_have_the_names_of_the_contract) {
  CHECK_EQ(name_of(RestoreReason::stalled), "stalled");
  CHECK_EQ(name_of(RestoreReason::language_changed), "language_changed");
  CHECK_EQ(name_of(RestoreReason::speaker_left), "speaker_left");
  CHECK_EQ(name_of(RestoreReason::pipeline_down), "pipeline_down");
}
