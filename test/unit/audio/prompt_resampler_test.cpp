// A stream of another rate whose every piece comes out at once and whole.
#include "core/audio/prompt_resampler.hpp"

#include <algorithm>
#include <string>

#include "core/audio/prediction.hpp"
#include "test/support/check.hpp"
#include "test/unit/audio/tone.hpp"

using namespace fluentgate;
using namespace fluentgate::audio;
using fluentgate::test::rms;
using fluentgate::test::sine;

namespace {

using Samples = std::vector<std::int16_t>;

PromptResampler made(int in, int out) {
  auto resampler = PromptResampler::make(in, out);
  if (!resampler) FAIL(resampler.error().text);
  return std::move(resampler).value();
}

// Two tones, the upper one as high as speech is loud.
Samples sound(int rate, std::size_t samples) {
  Samples out = sine(440, rate, samples, 8000);
  const Samples above = sine(2600, rate, samples, 2000);
  for (std::size_t i = 0; i < samples; ++i) out[i] = static_cast<std::int16_t>(out[i] + above[i]);
  return out;
}

std::size_t due(std::size_t samples, int in, int out) {
  return (samples * static_cast<std::size_t>(out) + static_cast<std::size_t>(in) - 1) / static_cast<std::size_t>(in);
}

}  // namespace

TEST(prompt_resampler_gives_all_of_each_piece_at_once) {
  for (const int in_rate : {8000, 11025, 16000, 22050, 24000, 32000, 44100, 47999, 48000}) {
    for (const int out_rate : {8000, 16000, 24000, 48000}) {
      auto resampler = made(in_rate, out_rate);
      const Samples in = sound(in_rate, 9000);
      Samples out;
      std::size_t at = 0;
      for (const std::size_t piece : {1, 1, 1, 2, 3, 160, 441, 480, 481, 7, 3000, 4000}) {
        resampler.process(std::span(in).subspan(at, piece), out);
        at += piece;
        if (out.size() != due(at, in_rate, out_rate)) {
          FAIL(std::to_string(in_rate) + " to " + std::to_string(out_rate) + ": " + std::to_string(out.size()) + " of " + std::to_string(at));
        }
      }
    }
  }
}

TEST(prompt_resampler_sounds_as_one_however_it_is_cut) {
  for (const int in_rate : {8000, 11025, 22050, 24000, 32000, 44100, 48000}) {
    const Samples in = sound(in_rate, static_cast<std::size_t>(in_rate));
    auto whole = Resampler::make(in_rate, 16000);
    Samples expected;
    whole->process(in, expected);
    whole->drain(expected);
    auto resampler = made(in_rate, 16000);
    const std::size_t piece = static_cast<std::size_t>(in_rate) / 50;
    Samples out;
    for (std::size_t at = 0; at < in.size(); at += piece) resampler.process(std::span(in).subspan(at, std::min(piece, in.size() - at)), out);
    CHECK_EQ(out.size(), expected.size());
    int worst = 0;
    for (std::size_t i = 640; i + 100 < out.size(); ++i) worst = std::max(worst, std::abs(out[i] - expected[i]));
    if (worst > 100) FAIL(std::to_string(in_rate) + ": off by " + std::to_string(worst));  // 1 % of the level: 40 dB below
  }
}

TEST(prompt_resampler_has_the_sound_of_the_very_end) {
  auto resampler = made(24000, 16000);
  Samples in(24000 - 48, 0);  // silence, and then 2 ms of sound: less than the filter's look ahead
  const Samples end = sine(1000, 24000, 48);
  in.insert(in.end(), end.begin(), end.end());
  Samples out;
  resampler.process(in, out);
  CHECK_EQ(out.size(), std::size_t{16000});
  const double level = rms(std::span(out).last(32));
  CHECK(level > 0.9 * rms(end) && level < 1.1 * rms(end));
}

TEST(prompt_resampler_begins_anew_after_reset) {
  auto resampler = made(24000, 16000);
  Samples out;
  resampler.process(Samples(1000, 20000), out);
  resampler.reset();
  out.clear();
  resampler.process(Samples(1000, 0), out);
  CHECK((out == Samples(667, 0)));
}

TEST(prompt_resampler_passes_equal_rates_and_refuses_others) {
  auto resampler = made(16000, 16000);
  const Samples in = sound(16000, 333);
  Samples out;
  resampler.process(in, out);
  CHECK(out == in);
  CHECK_EQ(PromptResampler::make(7999, 16000).error().code, "unsupported_sample_rate");
  CHECK_EQ(PromptResampler::make(16000, 48001).error().code, "unsupported_sample_rate");
}

TEST(prediction_goes_on_with_a_tone_and_with_silence) {
  const Samples tone = sine(440, 24000, 1000);
  Samples out;
  append_prediction(std::span(tone).first(900), 60, out);
  for (std::size_t i = 0; i < 60; ++i) CHECK(std::abs(out[i] - tone[900 + i]) < 200);
  out.clear();
  append_prediction(Samples(500, 0), 50, out);
  CHECK((out == Samples(50, 0)));
  append_prediction({}, 5, out);
  CHECK((out == Samples(55, 0)));
}

TEST(prediction_of_the_loudest_sound_stays_in_range) {
  Samples square;
  for (int i = 0; i < 900; ++i) square.push_back(i / 30 % 2 == 0 ? 32767 : -32768);
  Samples out;
  append_prediction(square, 480, out);
  CHECK_EQ(out.size(), std::size_t{480});
  CHECK(rms(out) <= 32768.0);
  out.clear();
  append_prediction(Samples{32767, -32768, 32767}, 480, out);
  CHECK_EQ(out.size(), std::size_t{480});
}
