// Synthesized records of another rate: what comes out lasts as long as what went in, and its end is heard.
#include "core/kafka/frame_converter.hpp"

#include <cmath>

#include "core/audio/pcm.hpp"
#include "test/support/check.hpp"
#include "test/unit/audio/tone.hpp"

using namespace fluentgate;
using fluentgate::test::rms;
using fluentgate::test::sine;

namespace {

using Samples = std::vector<std::int16_t>;

Samples converted(kafka::FrameConverter& converter, const Samples& in, SteadyMs now, std::optional<std::string> utterance = {}, int rate = 24000) {
  const Bytes bytes = audio::to_bytes(in);
  wire::SynthesizedEvent event{.room = RoomId("r"), .speaker = UserId("ann"), .language = LanguageTag::parse("es").value()};
  event.sample_rate = rate;
  event.utterance_id = std::move(utterance);
  event.audio = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  auto pcm = converter.convert(event, now);
  if (!pcm) FAIL(pcm.error().text);
  return audio::to_samples(**pcm);
}

}  // namespace

TEST(frame_of_a_whole_sentence_has_its_end) {
  kafka::FrameConverter converter(16000);
  Samples sentence(24000 - 36, 0);  // a second that ends in 1.5 ms of sound
  const Samples end = sine(2000, 24000, 36);
  sentence.insert(sentence.end(), end.begin(), end.end());
  const Samples out = converted(converter, sentence, 0);
  CHECK_EQ(out.size(), std::size_t{16000});
  CHECK(rms(std::span(out).last(24)) > 0.8 * rms(end));
}

TEST(frames_of_an_utterance_last_as_long_as_their_records) {
  kafka::FrameConverter converter(16000);
  for (const char* utterance : {"one", "two", "three"}) {
    const Samples speech = sine(440, 24000, 24000 / 1000 * 730);
    Samples out;
    std::size_t at = 0;
    for (std::size_t piece = 1; at < speech.size(); at += piece, piece += 37) {
      piece = std::min(piece, speech.size() - at);
      const Samples part = converted(converter, Samples(speech.begin() + static_cast<std::ptrdiff_t>(at),
                                                        speech.begin() + static_cast<std::ptrdiff_t>(at + piece)), 0, utterance);
      out.insert(out.end(), part.begin(), part.end());
      const auto due = static_cast<double>(at + piece) * 16000 / 24000;
      CHECK(std::abs(static_cast<double>(out.size()) - due) <= 1.0);
    }
    CHECK_EQ(out.size(), std::size_t{16000 / 1000 * 730});
    // A seam would be a step that the sine never makes.
    for (std::size_t i = 1; i < out.size(); ++i) CHECK(std::abs(out[i] - out[i - 1]) < 10000 * 2 * 3.1416 * 440 / 16000 * 1.1);
  }
}

TEST(frame_of_the_next_utterance_has_nothing_of_the_last) {
  for (const bool by_id : {true, false}) {
    kafka::FrameConverter converter(16000);
    converted(converter, Samples(2400, 20000), 0, by_id ? std::optional<std::string>("one") : std::nullopt);
    const SteadyMs later = by_id ? 1 : kafka::FrameConverter::pause_ms + 1;
    const Samples next = converted(converter, Samples(2400, 0), later, by_id ? std::optional<std::string>("two") : std::nullopt);
    CHECK((next == Samples(1600, 0)));
  }
}

TEST(frames_of_the_output_rate_are_unchanged) {
  kafka::FrameConverter converter(16000);
  const Samples in = sine(440, 16000, 333);
  CHECK(converted(converter, in, 0, {}, 16000) == in);
  CHECK_EQ(converter.streams(), 0u);
}
