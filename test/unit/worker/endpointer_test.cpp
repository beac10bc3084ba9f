// When the endpointer says that a phrase begins and ends, on made-up signals and on recorded speech.
#include "tools/worker/endpointer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "test/support/check.hpp"
#include "test/unit/worker/recording.hpp"

using namespace fluentgate;
using namespace fluentgate::worker;

namespace {

// A signal in stretches of noise (always there) and of a "voice", a tone whose loudness swings as syllables do.
class Signal {
 public:
  explicit Signal(double noise_dbfs) : noise_(32768 * std::pow(10, noise_dbfs / 20)) {}
  void add(int ms, double voice_dbfs = -200) {
    const double amplitude = 32768 * std::pow(10, voice_dbfs / 20) * std::numbers::sqrt2;
    for (int i = 0; i < ms * 16; ++i) {
      const double t = static_cast<double>(samples.size()) / 16000;
      const double syllable = 0.5 + 0.5 * std::sin(2 * std::numbers::pi * 4 * t);
      const double value = noise_ * normal_(random_) + amplitude * syllable * std::sin(2 * std::numbers::pi * 220 * t);
      samples.push_back(static_cast<std::int16_t>(std::clamp(value, -32768.0, 32767.0)));
    }
  }
  std::vector<std::int16_t> samples;

 private:
  double noise_;
  std::mt19937 random_{7};
  std::normal_distribution<double> normal_;
};

struct Phrase {
  int begin_ms = 0;
  int end_ms = 0;
  int last_voice_ms = 0;
};

std::vector<Phrase> phrases(std::span<const std::int16_t> samples, EndpointerSettings settings = {}) {
  Endpointer endpointer(settings);
  std::vector<Phrase> found;
  for (std::size_t at = 0; at + Endpointer::frame_samples <= samples.size(); at += Endpointer::frame_samples) {
    const int now_ms = static_cast<int>((at + Endpointer::frame_samples) / 16);
    const auto event = endpointer.feed(samples.subspan(at, Endpointer::frame_samples));
    if (event == Endpointer::Event::begin) found.push_back({now_ms, 0, 0});
    if (event == Endpointer::Event::end) {
      found.back().end_ms = now_ms;
      found.back().last_voice_ms = now_ms - endpointer.silence_ms();
    }
  }
  return found;
}

}  // namespace

TEST(two_phrases_with_a_pause_are_two) {
  Signal signal(-60);
  signal.add(1000);
  signal.add(1500, -20);
  signal.add(700);
  signal.add(1000, -20);
  signal.add(700);
  const auto found = phrases(signal.samples);
  CHECK_EQ(found.size(), 2u);
  CHECK(found[0].begin_ms >= 1000 && found[0].begin_ms <= 1120);
  CHECK(found[0].last_voice_ms >= 2450 && found[0].last_voice_ms <= 2560);
  CHECK(found[0].end_ms - found[0].last_voice_ms <= 330);
  CHECK(found[1].begin_ms >= 3200 && found[1].begin_ms <= 3320);
}

TEST(a_stop_between_syllables_does_not_cut) {
  Signal signal(-60);
  signal.add(500);
  for (int i = 0; i < 5; ++i) {
    signal.add(300, -20);
    signal.add(150);
  }
  signal.add(600);
  CHECK_EQ(phrases(signal.samples).size(), 1u);
}

TEST(a_click_is_no_phrase) {
  Signal signal(-60);
  signal.add(1000);
  signal.add(20, -10);
  signal.add(1000);
  CHECK_EQ(phrases(signal.samples).size(), 0u);
}

TEST(silence_and_steady_noise_are_no_phrase) {
  CHECK_EQ(phrases(std::vector<std::int16_t>(16000 * 5, 0)).size(), 0u);
  Signal quiet(-58);
  quiet.add(5000);
  CHECK_EQ(phrases(quiet.samples).size(), 0u);
}

TEST(a_fan_that_starts_is_learnt_and_speech_over_it_still_found) {
  Signal signal(-30);
  signal.add(8000);  // loud from the first sample: taken for a phrase until it is known
  signal.add(1500, -10);
  signal.add(1500);
  const auto found = phrases(signal.samples);
  CHECK(!found.empty());
  const Phrase& last = found.back();
  CHECK(last.begin_ms >= 8000 && last.begin_ms <= 8200);
  CHECK(last.last_voice_ms >= 9400 && last.last_voice_ms <= 9600);
  CHECK(last.end_ms != 0);
}

TEST(a_long_phrase_ends_after_a_shorter_pause) {
  const auto wait_after = [](int spoken_ms) {
    Signal signal(-60);
    signal.add(1000);
    signal.add(spoken_ms, -20);
    signal.add(1000);
    const auto found = phrases(signal.samples);
    CHECK_EQ(found.size(), 1u);
    return found[0].end_ms - found[0].last_voice_ms;
  };
  const EndpointerSettings settings;
  CHECK(wait_after(500) >= settings.hangover_ms - 20);
  CHECK_EQ(wait_after(6000), settings.hangover_long_ms);
  CHECK_EQ(wait_after(14000), settings.hangover_soft_ms);
}

TEST(an_endless_phrase_is_cut) {
  Signal signal(-60);
  signal.add(500);
  signal.add(45000, -20);
  const auto found = phrases(signal.samples);
  CHECK(found.size() >= 2);
  CHECK(found[0].end_ms - found[0].begin_ms <= EndpointerSettings{}.phrase_max_ms);
}

TEST(finish_ends_an_open_phrase_once) {
  Signal signal(-60);
  signal.add(500);
  signal.add(500, -20);
  Endpointer endpointer;
  for (std::size_t at = 0; at + 160 <= signal.samples.size(); at += 160) endpointer.feed(std::span(signal.samples).subspan(at, 160));
  CHECK(endpointer.in_phrase());
  CHECK_EQ(endpointer.finish(), Endpointer::Event::end);
  CHECK_EQ(endpointer.finish(), Endpointer::Event::none);
}

TEST(each_recorded_sentence_is_one_phrase_and_ends_soon_after_its_last_word) {
  for (const test::Recording& recording : test::recordings()) {
    std::vector<std::int16_t> samples = recording.samples;
    const int spoken_ms = static_cast<int>(samples.size() / 16);
    samples.resize(samples.size() + 16000);
    const auto found = phrases(samples);
    CHECK_EQ(found.size(), 1u);
    CHECK(found[0].begin_ms <= 600);
    CHECK(found[0].last_voice_ms >= spoken_ms - 500);
    CHECK(found[0].end_ms - found[0].last_voice_ms <= 330);
  }
}
