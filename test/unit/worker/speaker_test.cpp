// A speaker's stream becomes interim and final transcripts; their number and headers are those of the right chunks.
#include "tools/worker/speaker.hpp"

#include <simdjson.h>

#include "core/audio/opus_codec.hpp"
#include "core/audio/pcm.hpp"
#include "test/support/check.hpp"
#include "test/unit/worker/recording.hpp"

using namespace fluentgate;
using namespace fluentgate::worker;

namespace {

constexpr int chunk_ms = 20;
constexpr std::size_t chunk_samples = chunk_ms * 16;

struct Transcript {
  std::string text;
  bool is_final = false;
  std::int64_t sequence_number = 0;
  std::int64_t revision = 0;
  std::string utterance_id;
  std::string ingest;
};

struct Recorder : Publisher {
  std::vector<Transcript> transcripts;
  void publish(Message message) override {
    simdjson::dom::parser parser;
    const simdjson::dom::element payload = parser.parse(message.value)["payload"];
    Transcript made{std::string(std::string_view(payload["text"])), payload["is_final"], payload["sequence_number"], payload["revision"],
                    std::string(std::string_view(payload["utterance_id"])), {}};
    for (const Header& header : message.headers) {
      if (header.name == "fg-ingest-ms") made.ingest = header.value;
    }
    transcripts.push_back(std::move(made));
  }
};

// A room with one speaker and a clock that runs with the audio.
struct Stage {
  std::unique_ptr<DecoderPool> pool;
  Recorder recorder;
  std::vector<PhrasePtr> phrases;
  std::unique_ptr<SpeechContext> context;
  std::unique_ptr<Speaker> speaker;
  SteadyUs now_us = 1'000'000;
  std::int64_t sequence = 0;
  std::string language = "en";
  std::optional<std::string> wanted;

  Stage() {
    auto made = DecoderPool::make("/usr/share/pocketsphinx/model/en-us", 2);
    if (!made) FAIL(made.error().text);
    pool = std::move(*made);
    context = std::make_unique<SpeechContext>(*pool, recorder, [this](const PhrasePtr& phrase) { phrases.push_back(phrase); },
                                              std::vector<std::string>{"es", "ca"}, std::make_shared<Summary>());
    speaker = std::make_unique<Speaker>(*context, "room/user");
  }
  void send(Bytes audio, Encoding encoding, int rate) {
    auto info = std::make_shared<ChunkInfo>();
    info->room = "room";
    info->user = "user";
    info->source_language = language;
    info->sequence_number = sequence++;
    info->wanted = wanted;
    info->ingest_ms = now_us / 1000;
    info->headers = {{"fg-ingest-ms", std::to_string(now_us / 1000)}};
    info->arrival_us = now_us;
    speaker->on_chunk({info, encoding, rate, std::move(audio)}, now_us);
    now_us += chunk_ms * 1000;
  }
  void say(std::span<const std::int16_t> samples) {
    for (std::size_t at = 0; at < samples.size(); at += chunk_samples) {
      send(audio::to_bytes(samples.subspan(at, std::min(chunk_samples, samples.size() - at))), Encoding::linear16, 16000);
    }
  }
  void pause(int ms) { say(std::vector<std::int16_t>(static_cast<std::size_t>(ms) * 16)); }
};

const test::Recording& sentence() {
  static const test::Recording recording = test::recordings().at(0);
  return recording;
}

}  // namespace

TEST(speech_gives_interims_then_one_final_of_the_same_utterance) {
  Stage stage;
  stage.say(sentence().samples);
  stage.pause(600);
  CHECK(stage.recorder.transcripts.size() >= 4);
  std::int64_t revision = 0;
  for (const Transcript& transcript : stage.recorder.transcripts) {
    CHECK_EQ(transcript.revision, revision++);
    CHECK_EQ(transcript.utterance_id, stage.recorder.transcripts[0].utterance_id);
    CHECK_EQ(transcript.is_final, &transcript == &stage.recorder.transcripts.back());
  }
  CHECK(test::word_overlap(sentence(), stage.recorder.transcripts.back().text) > 0.6);
  // 7.1 s of speech: an interim at most every 300 ms.
  CHECK(stage.recorder.transcripts.size() <= 25);
  CHECK_EQ(stage.phrases.size(), 1u);
  CHECK_EQ(stage.phrases[0]->text, stage.recorder.transcripts.back().text);
  CHECK_EQ(stage.phrases[0]->wanted.size(), 2u);
}

TEST(final_carries_the_number_and_time_of_the_last_voiced_chunk) {
  Stage stage;
  stage.say(sentence().samples);
  const std::int64_t spoken = stage.sequence;
  stage.pause(600);
  const Transcript& last = stage.recorder.transcripts.back();
  CHECK(last.is_final);
  CHECK(last.sequence_number < spoken);
  CHECK(last.sequence_number > spoken - 25);
  CHECK_EQ(last.ingest, std::to_string(1000 + last.sequence_number * chunk_ms));
}

TEST(nobody_listens_means_captions_only) {
  Stage stage;
  stage.wanted = "";
  stage.say(sentence().samples);
  stage.pause(600);
  CHECK(stage.recorder.transcripts.back().is_final);
  CHECK(stage.phrases.empty());
}

TEST(what_is_wanted_counts_at_the_end_of_the_phrase) {
  Stage stage;
  const std::span<const std::int16_t> all(sentence().samples);
  stage.wanted = "es";
  stage.say(all.first(16000 * 6));
  stage.wanted = "ca-valencia";
  stage.say(all.subspan(16000 * 6));
  stage.pause(600);
  CHECK_EQ(stage.phrases.size(), 1u);
  CHECK_EQ(stage.phrases[0]->wanted.count("es"), 0u);
  CHECK_EQ(stage.phrases[0]->wanted.at("ca")[0], "ca-valencia");
}

TEST(a_stream_that_stops_ends_its_phrase) {
  Stage stage;
  stage.say(std::span(sentence().samples).first(16000 * 4));
  CHECK(!stage.recorder.transcripts.empty());
  CHECK(!stage.recorder.transcripts.back().is_final);
  stage.speaker->on_tick(stage.now_us + 300'000);
  CHECK(!stage.recorder.transcripts.back().is_final);
  stage.speaker->on_tick(stage.now_us + 500'000);
  CHECK(stage.recorder.transcripts.back().is_final);
}

TEST(another_language_is_not_transcribed_by_an_english_model) {
  Stage stage;
  stage.language = "es-MX";
  stage.say(sentence().samples);
  stage.pause(600);
  CHECK(stage.recorder.transcripts.empty());
}

TEST(opus_is_understood_and_a_bad_packet_is_passed_over) {
  Stage stage;
  auto encoder = audio::OpusEncoder::make(16000, 24000);
  CHECK(encoder.ok());
  std::vector<std::int16_t> samples = sentence().samples;
  samples.resize(samples.size() / chunk_samples * chunk_samples + 16000);
  std::vector<std::uint8_t> packet;
  for (std::size_t at = 0; at + chunk_samples <= samples.size(); at += chunk_samples) {
    CHECK(encoder->encode(std::span(samples).subspan(at, chunk_samples), packet).ok());
    stage.send(packet, Encoding::opus, 48000);
    if (at == chunk_samples * 50) stage.send({0xff, 0xff}, Encoding::opus, 48000);
  }
  CHECK(!stage.recorder.transcripts.empty());
  CHECK(stage.recorder.transcripts.back().is_final);
  CHECK(test::word_overlap(sentence(), stage.recorder.transcripts.back().text) > 0.5);
}

TEST(more_speakers_than_decoders_lose_their_phrase_only) {
  Stage stage;
  auto first = stage.pool->take("a");
  auto second = stage.pool->take("b");
  CHECK(first != nullptr && second != nullptr);
  stage.say(sentence().samples);
  stage.pause(600);
  CHECK(stage.recorder.transcripts.empty());
  (void)first->end();
  (void)second->end();
  stage.pool->give_back(std::move(first), "a");
  stage.pool->give_back(std::move(second), "b");
  stage.say(sentence().samples);
  stage.pause(600);
  CHECK(!stage.recorder.transcripts.empty());
}
