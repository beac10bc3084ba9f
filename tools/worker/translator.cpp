// See translator.hpp.
#include "tools/worker/translator.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace fluentgate::worker {
namespace {

constexpr auto answer_max = std::chrono::milliseconds(2000);

struct KnownLanguage {
  const char* language;
  const char* mode;
  const char* via;
  const char* package;
};
constexpr std::array<KnownLanguage, 4> known{{{"es", "eng-spa", "", "apertium-eng-spa"},
                                              {"ca", "eng-cat", "", "apertium-eng-cat"},
                                              {"fr", "es-fr", "es", "apertium-fr-es"},
                                              {"pt", "es-pt", "es", "apertium-es-pt"}}};

}  // namespace

std::vector<std::string> known_languages() {
  std::vector<std::string> list;
  for (const KnownLanguage& entry : known) list.emplace_back(entry.language);
  return list;
}

Result<std::unique_ptr<Translator>> Translator::make(const std::string& modes_dir, const std::vector<std::string>& languages, OnTranslated on_translated) {
  const auto chosen = [&](std::string_view language) { return std::find(languages.begin(), languages.end(), language) != languages.end(); };
  std::unique_ptr<Translator> translator(new Translator(std::move(on_translated)));
  for (const KnownLanguage& entry : known) {
    const bool is_way = std::any_of(known.begin(), known.end(), [&](const KnownLanguage& other) {
      return std::string_view(other.via) == entry.language && chosen(other.language);
    });
    if (!chosen(entry.language) && !is_way) continue;
    auto lane = std::make_unique<Lane>(entry.language, entry.via, modes_dir, entry.mode, translator->stopping_);
    if (const Status started = lane->process.start(); !started) {
      return Error{started.error().code, started.error().text + " (Debian package " + entry.package + ")"};
    }
    translator->lanes_.push_back(std::move(lane));
  }
  for (auto& lane : translator->lanes_) {
    lane->thread = std::thread([owner = translator.get(), mine = lane.get()] { owner->run(*mine); });
  }
  return translator;
}

Translator::~Translator() { stop(); }

void Translator::stop() {
  stopping_ = true;
  for (auto& lane : lanes_) lane->queue.close();
  for (auto& lane : lanes_) {
    if (lane->thread.joinable()) lane->thread.join();
  }
}

std::vector<pid_t> Translator::pids(std::string_view language) const {
  for (const auto& lane : lanes_) {
    if (lane->language == language) return lane->process.pids();
  }
  return {};
}

bool Translator::needed(const Lane& lane, const Phrase& phrase) const {
  if (phrase.wanted.contains(lane.language)) return true;
  return std::any_of(lanes_.begin(), lanes_.end(), [&](const auto& other) { return other->via == lane.language && phrase.wanted.contains(other->language); });
}

void Translator::push(Lane& lane, Job job) {
  if (!lane.queue.push(std::move(job))) dropped_("translation into " + lane.language + " is too slow: a phrase was dropped");
}

void Translator::submit(const PhrasePtr& phrase) {
  for (auto& lane : lanes_) {
    if (lane->via.empty() && needed(*lane, *phrase)) push(*lane, {phrase, phrase->text});
  }
}

void Translator::run(Lane& lane) {
  lane.process.warm_up();
  while (auto job = lane.queue.pop()) {
    auto text = lane.process.translate(job->text, answer_max);
    if (lane.process.restarts() != lane.restarts_said) {
      lane.restarts_said = lane.process.restarts();
      say("translation into " + lane.language + " was started again (" + std::to_string(lane.restarts_said) + " times so far)");
    }
    if (!text) {
      if (!stopping_) failed_("a phrase was not translated into " + lane.language + ": " + text.error().text);
      continue;
    }
    if (text->empty()) continue;
    for (auto& next : lanes_) {
      if (next->via == lane.language && job->phrase->wanted.contains(next->language)) push(*next, {job->phrase, *text});
    }
    if (!job->phrase->wanted.contains(lane.language)) continue;
    job->phrase->report->translated(lane.language, steady_us_now());
    on_translated_(job->phrase, lane.language, std::move(*text));
  }
}

}  // namespace fluentgate::worker
