// The whole way of speech through the worker, stages joined: audio.raw -> speech threads -> translation -> synthesis -> Kafka.
// Thread: on_record() by one thread at a time; stop() by the owner.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/result.hpp"
#include "tools/worker/events.hpp"
#include "tools/worker/speech_thread.hpp"
#include "tools/worker/synthesizer.hpp"
#include "tools/worker/translator.hpp"

namespace fluentgate::worker {

struct PipelineSettings {
  std::vector<std::string> languages;  // of known_languages()
  std::string model_dir = "/usr/share/pocketsphinx/model/en-us";
  std::string modes_dir = "/usr/share/apertium/modes";
  std::size_t speech_threads = 2;
  std::size_t decoders_max = 8;
  int words_per_minute = 175;
  bool binary = false;   // format of audio.synthesized
  bool verbose = false;  // a line for every transcript and translation
  EndpointerSettings endpointer;
};

class Pipeline {
 public:
  // Loads every model: a second or two. Errors: missing_model, its text names the package.
  static Result<std::unique_ptr<Pipeline>> make(const PipelineSettings& settings, Publisher& publisher);
  ~Pipeline();

  void on_record(std::string_view value, std::vector<Header> headers);
  void stop();
  std::string summary() const { return summary_->text(); }

 private:
  Pipeline(const PipelineSettings& settings, Publisher& publisher) : settings_(settings), publisher_(publisher) {}
  void on_translated(const PhrasePtr& phrase, const std::string& language, std::string text);
  void on_piece(const SynthesisJob& job, std::span<const std::int16_t> samples, bool first);

  const PipelineSettings settings_;
  Publisher& publisher_;
  const std::shared_ptr<Summary> summary_ = std::make_shared<Summary>();
  ChunkParser parser_;
  SaySometimes malformed_;
  std::unique_ptr<DecoderPool> decoders_;
  std::unique_ptr<Synthesizer> synthesizer_;
  std::unique_ptr<Translator> translator_;
  std::unique_ptr<SpeechContext> context_;
  std::vector<std::unique_ptr<SpeechThread>> threads_;
};

}  // namespace fluentgate::worker
