#include "core/audio/resampler.hpp"

#include <algorithm>
#include <string>

#include "core/audio/pcm.hpp"
#include "test/support/check.hpp"
#include "test/unit/audio/tone.hpp"

using namespace fluentgate;
using namespace fluentgate::audio;
using fluentgate::test::amplitude_at;
using fluentgate::test::rms;
using fluentgate::test::sine;

namespace {

using Samples = std::vector<std::int16_t>;

Resampler made(int in, int out) {
  auto resampler = Resampler::make(in, out);
  if (!resampler) FAIL(resampler.error().text);
  return std::move(resampler).value();
}

Samples converted(Resampler& resampler, std::span<const std::int16_t> in, std::size_t piece) {
  Samples out;
  for (std::size_t at = 0; at < in.size(); at += piece) resampler.process(in.subspan(at, std::min(piece, in.size() - at)), out);
  resampler.drain(out);
  return out;
}

std::size_t expected_length(std::size_t samples, int in, int out) {
  return (samples * static_cast<std::size_t>(out) + static_cast<std::size_t>(in) - 1) / static_cast<std::size_t>(in);
}

}  // namespace

TEST(resampler_keeps_frequency_level_and_length_of_a_sine) {
  for (const int in_rate : {8000, 11025, 22050, 24000, 32000, 44100, 48000}) {
    for (const int out_rate : {16000, 24000, 48000}) {
      auto resampler = made(in_rate, out_rate);
      const Samples in = sine(1000, in_rate, static_cast<std::size_t>(in_rate) * 2);
      const Samples out = converted(resampler, in, 320);
      const std::string rates = std::to_string(in_rate) + " to " + std::to_string(out_rate);
      if (out.size() != static_cast<std::size_t>(out_rate) * 2) FAIL(rates + ": " + std::to_string(out.size()) + " samples");
      const auto middle = std::span(out).subspan(static_cast<std::size_t>(out_rate) / 2, static_cast<std::size_t>(out_rate));
      const double level = amplitude_at(middle, 1000, out_rate);
      if (level < 9800 || level > 10200) FAIL(rates + ": level " + std::to_string(level));
      // All of its power is in that one frequency: nothing aliased, no second tone.
      const double noise = rms(middle) * rms(middle) - level * level / 2;
      if (noise > 10000.0 * 10000.0 / 2 * 1e-4) FAIL(rates + ": noise " + std::to_string(noise));
    }
  }
}

TEST(resampler_output_is_in_step_with_its_input) {
  auto resampler = made(48000, 16000);
  const Samples out = converted(resampler, sine(500, 48000, 48000), 960);
  const Samples wanted = sine(500, 16000, 16000);
  for (std::size_t i = 100; i + 100 < out.size(); ++i) CHECK(std::abs(out[i] - wanted[i]) < 200);
}

TEST(resampler_has_no_seam_between_chunks) {
  for (const int in_rate : {8000, 24000, 44100, 48000}) {
    const Samples in = sine(700, in_rate, static_cast<std::size_t>(in_rate));
    auto whole = made(in_rate, 16000);
    const Samples at_once = converted(whole, in, in.size());
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{160}, std::size_t{441}, std::size_t{4801}}) {
      auto cut = made(in_rate, 16000);
      CHECK(converted(cut, in, piece) == at_once);
    }
  }
}

TEST(resampler_length_is_rounded_up_over_the_whole_stream_only) {
  for (const int in_rate : {8000, 11025, 22050, 24000, 44100, 47999, 48000}) {
    for (const std::size_t samples : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{50}, std::size_t{441}, std::size_t{99999}}) {
      auto resampler = made(in_rate, 16000);
      CHECK_EQ(converted(resampler, Samples(samples, 1000), 333).size(), expected_length(samples, in_rate, 16000));
    }
  }
}

TEST(resampler_gives_all_but_the_latency_before_the_drain) {
  auto resampler = made(48000, 16000);
  Samples out;
  resampler.process(Samples(48000, 5), out);
  CHECK(out.size() <= 16000);
  CHECK(out.size() >= 16000 - 16 * 5);  // 5 ms
}

TEST(resampler_begins_anew_after_drain_and_after_reset) {
  auto resampler = made(44100, 16000);
  const Samples in = sine(300, 44100, 4410);
  const Samples first = converted(resampler, in, 441);
  CHECK(converted(resampler, in, 441) == first);
  Samples lost;
  resampler.process(Samples(1000, 30000), lost);
  resampler.reset();
  CHECK(converted(resampler, in, 441) == first);
}

TEST(resampler_drain_of_nothing_is_nothing) {
  auto resampler = made(8000, 16000);
  Samples out;
  resampler.process({}, out);
  resampler.drain(out);
  CHECK(out.empty());
}

TEST(resampler_passes_equal_rates_on_unchanged) {
  auto resampler = made(16000, 16000);
  const Samples in = sine(440, 16000, 321);
  Samples out;
  resampler.process(in, out);
  CHECK(out == in);
  resampler.drain(out);
  CHECK(out == in);
}

TEST(resampler_does_not_overflow_at_full_scale) {
  auto resampler = made(8000, 48000);
  Samples square(8000);
  for (std::size_t i = 0; i < square.size(); ++i) square[i] = (i / 20) % 2 == 0 ? std::int16_t{32767} : std::int16_t{-32768};
  const Samples out = converted(resampler, square, 160);
  // A wrapped sample would have the other sign in the middle of a half period (20 samples in, 120 out).
  for (std::size_t period = 1; period + 1 < out.size() / 120; ++period) {
    CHECK((out[period * 120 + 60] > 20000) == (period % 2 == 0));
  }
}

TEST(resampler_can_be_moved_in_the_middle_of_a_stream) {
  const Samples in = sine(700, 24000, 4800);
  auto first = made(24000, 16000);
  Samples out;
  first.process(std::span(in).first(2000), out);
  Resampler second = std::move(first);
  second.process(std::span(in).subspan(2000), out);
  second.drain(out);
  auto whole = made(24000, 16000);
  CHECK(out == converted(whole, in, in.size()));
}

TEST(resampler_length_holds_over_a_long_stream) {
  auto resampler = made(44100, 16000);
  const Samples second(44100, 100);
  Samples out;
  std::size_t total = 0;
  for (int i = 0; i < 60; ++i) {
    out.clear();
    resampler.process(second, out);
    total += out.size();
  }
  out.clear();
  resampler.drain(out);
  CHECK_EQ(total + out.size(), std::size_t{16000 * 60});
}

TEST(resampler_refuses_rates_out_of_range) {
  for (const int rate : {0, -1, 7999, 48001}) {
    for (const auto& result : {Resampler::make(rate, 16000).ok(), Resampler::make(16000, rate).ok()}) CHECK(!result);
  }
  CHECK_EQ(Resampler::make(96000, 16000).error().code, "unsupported_sample_rate");
  CHECK(Resampler::make(96000, 16000).error().text.find("96000") != std::string::npos);
}
