// Synthesized speech in pieces: how long they are, how much comes, in each language.
#include "tools/worker/synthesizer.hpp"

#include <condition_variable>
#include <map>
#include <mutex>

#include "test/support/check.hpp"
#include "tools/worker/translator.hpp"

using namespace fluentgate;
using namespace fluentgate::worker;

namespace {

struct Heard {
  std::size_t samples = 0;
  std::size_t pieces = 0;
  std::size_t firsts = 0;
  std::size_t longest = 0;
  double energy = 0;
};

struct Inbox {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, Heard> heard;
  Synthesizer::OnPiece handler() {
    return [this](const SynthesisJob& job, std::span<const std::int16_t> samples, bool first) {
      const std::lock_guard lock(mutex);
      Heard& mine = heard[job.language];
      mine.samples += samples.size();
      ++mine.pieces;
      mine.firsts += first ? 1 : 0;
      mine.longest = std::max(mine.longest, samples.size());
      for (const std::int16_t sample : samples) mine.energy += static_cast<double>(sample) * sample;
      changed.notify_all();
    };
  }
  // A phrase is through when the next one has begun.
  void wait_for(const std::string& language) {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, std::chrono::seconds(20), [&] { return heard[language].pieces > 0; })) FAIL("nothing said in " + language);
  }
};

std::unique_ptr<Synthesizer> synthesizer(Inbox& inbox) {
  auto made = Synthesizer::make(known_languages(), 175, inbox.handler());
  if (!made) FAIL(made.error().text);
  return std::move(*made);
}

}  // namespace

TEST(pieces_are_at_most_100_ms_and_the_sentence_is_whole) {
  Inbox inbox;
  auto made = synthesizer(inbox);
  made->submit({nullptr, "es", "y el señor tenía entonces tiempo para considerar cuánto podría hacer por ellos"});
  made->submit({nullptr, "pt", "fim"});
  inbox.wait_for("pt");
  const Heard& es = inbox.heard["es"];
  CHECK_EQ(es.firsts, 1u);
  CHECK(es.pieces > 10);
  CHECK(es.longest <= Synthesizer::piece_samples);
  // 14 words at 175 a minute are 4.8 s; at a wrong rate it would be half or one and a half of that.
  const double seconds = static_cast<double>(es.samples) / Synthesizer::sample_rate;
  CHECK(seconds > 3.5 && seconds < 6.2);
  CHECK(es.energy / static_cast<double>(es.samples) > 100.0 * 100.0);
}

TEST(every_language_has_a_voice) {
  Inbox inbox;
  auto made = synthesizer(inbox);
  for (const std::string& language : known_languages()) made->submit({nullptr, language, "radio"});
  for (const std::string& language : known_languages()) inbox.wait_for(language);
}

TEST(stop_drops_what_waits) {
  Inbox inbox;
  auto made = synthesizer(inbox);
  for (int i = 0; i < 100; ++i) made->submit({nullptr, "es", "una frase que no termina nunca porque tiene muchas palabras"});
  made->stop();
  CHECK(inbox.heard["es"].firsts < 100);
}

TEST(an_unknown_voice_is_a_missing_model) {
  Inbox inbox;
  auto made = Synthesizer::make({"xx-none"}, 175, inbox.handler());
  CHECK(!made.ok());
  CHECK_EQ(made.error().code, "missing_model");
}
