// See pipeline.hpp.
#include "tools/worker/pipeline.hpp"

#include <algorithm>
#include <functional>

#include "core/audio/pcm.hpp"

namespace fluentgate::worker {

Result<std::unique_ptr<Pipeline>> Pipeline::make(const PipelineSettings& settings, Publisher& publisher) {
  std::unique_ptr<Pipeline> pipeline(new Pipeline(settings, publisher));
  Pipeline* self = pipeline.get();
  auto decoders = DecoderPool::make(settings.model_dir, settings.decoders_max);
  if (!decoders) return decoders.error();
  pipeline->decoders_ = std::move(*decoders);
  auto synthesizer = Synthesizer::make(settings.languages, settings.words_per_minute,
                                       [self](const SynthesisJob& job, std::span<const std::int16_t> samples, bool first) { self->on_piece(job, samples, first); });
  if (!synthesizer) return synthesizer.error();
  pipeline->synthesizer_ = std::move(*synthesizer);
  auto translator = Translator::make(settings.modes_dir, settings.languages,
                                     [self](const PhrasePtr& phrase, const std::string& language, std::string text) { self->on_translated(phrase, language, std::move(text)); });
  if (!translator) return translator.error();
  pipeline->translator_ = std::move(*translator);
  pipeline->context_ = std::make_unique<SpeechContext>(
      *pipeline->decoders_, publisher,
      [self](const PhrasePtr& phrase) {
        if (self->settings_.verbose) say("heard " + phrase->at->user + ": " + phrase->text);
        self->translator_->submit(phrase);
      },
      settings.languages, pipeline->summary_, settings.endpointer);
  for (std::size_t i = 0; i < std::max<std::size_t>(1, settings.speech_threads); ++i) {
    pipeline->threads_.push_back(std::make_unique<SpeechThread>(*pipeline->context_));
  }
  return pipeline;
}

Pipeline::~Pipeline() { stop(); }

void Pipeline::stop() {
  for (auto& thread : threads_) thread->stop();
  if (translator_) translator_->stop();
  if (synthesizer_) synthesizer_->stop();
}

void Pipeline::on_record(std::string_view value, std::vector<Header> headers) {
  auto chunk = parser_.parse(value, std::move(headers), unix_ms_now(), steady_us_now());
  if (!chunk) {
    malformed_("a record of audio.raw was skipped, " + chunk.error().code + ": " + chunk.error().text + " (" + std::to_string(malformed_.count() + 1) + " so far)");
    return;
  }
  // A speaker stays with its thread: the order of its chunks is the order of its words.
  const std::hash<std::string> hash;
  const std::size_t index = (hash(chunk->info->room) * 31 + hash(chunk->info->user)) % threads_.size();
  threads_[index]->push(std::move(*chunk));
}

void Pipeline::on_translated(const PhrasePtr& phrase, const std::string& language, std::string text) {
  if (settings_.verbose) say(language + " for " + phrase->at->user + ": " + text);
  for (const std::string& tag : phrase->wanted.at(language)) {
    publisher_.publish(translation_message({*phrase->at, phrase->text, text, tag, phrase->utterance_id}, unix_ms_now()));
  }
  synthesizer_->submit({phrase, language, std::move(text)});
}

void Pipeline::on_piece(const SynthesisJob& job, std::span<const std::int16_t> samples, bool first) {
  const Phrase& phrase = *job.phrase;
  const Bytes bytes = audio::to_bytes(samples);
  if (first) phrase.report->first_piece(job.language, steady_us_now(), unix_ms_now());
  for (const std::string& tag : phrase.wanted.at(job.language)) {
    Message message = synthesized_message({*phrase.at, tag, phrase.utterance_id, Synthesizer::sample_rate, bytes}, settings_.binary, unix_ms_now());
    if (first) {
      message.acknowledged = [report = phrase.report, language = job.language](bool delivered) {
        if (delivered) report->acknowledged(language, steady_us_now());
      };
    }
    publisher_.publish(std::move(message));
  }
}

}  // namespace fluentgate::worker
