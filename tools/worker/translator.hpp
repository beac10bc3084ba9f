// Phrases from English into the wanted languages: an Apertium pipeline and a thread for each language, all at once; French and Portuguese are made
// of the Spanish, which is made once.
// Thread: submit() any; on_translated is called on the language's own thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/domain/result.hpp"
#include "tools/worker/apertium_process.hpp"
#include "tools/worker/bounded_queue.hpp"
#include "tools/worker/phrase.hpp"
#include "tools/worker/say.hpp"

namespace fluentgate::worker {

// What there is to choose from, in this order: es, ca, fr, pt.
std::vector<std::string> known_languages();

class Translator {
 public:
  using OnTranslated = std::function<void(const PhrasePtr& phrase, const std::string& language, std::string text)>;

  // Starts and warms up every pipeline that `languages` (of known_languages()) need. Errors: missing_model, its text names the package; bad_mode.
  static Result<std::unique_ptr<Translator>> make(const std::string& modes_dir, const std::vector<std::string>& languages, OnTranslated on_translated);
  ~Translator();
  Translator(const Translator&) = delete;
  Translator& operator=(const Translator&) = delete;

  void submit(const PhrasePtr& phrase);
  // Phrases that wait are dropped; returns within 100 ms.
  void stop();

  // The stages' process ids of a language's pipeline, for tests; only while nothing is submitted.
  std::vector<pid_t> pids(std::string_view language) const;

 private:
  struct Job {
    PhrasePtr phrase;
    std::string text;
  };
  struct Lane {
    Lane(std::string name, std::string by_way_of, std::string modes_dir, std::string mode, const std::atomic<bool>& stopping)
        : language(std::move(name)), via(std::move(by_way_of)), process(std::move(modes_dir), std::move(mode), stopping) {}
    const std::string language;
    const std::string via;  // the language whose translation is this one's input; empty: English
    ApertiumProcess process;
    BoundedQueue<Job> queue;
    std::thread thread;
    int restarts_said = 0;
  };
  explicit Translator(OnTranslated on_translated) : on_translated_(std::move(on_translated)) {}
  void run(Lane& lane);
  void push(Lane& lane, Job job);
  bool needed(const Lane& lane, const Phrase& phrase) const;

  const OnTranslated on_translated_;
  std::atomic<bool> stopping_{false};
  std::vector<std::unique_ptr<Lane>> lanes_;
  SaySometimes dropped_;
  SaySometimes failed_;
};

}  // namespace fluentgate::worker
