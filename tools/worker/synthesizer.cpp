// See synthesizer.hpp.
#include "tools/worker/synthesizer.hpp"

#include <espeak-ng/speak_lib.h>

#include <algorithm>
#include <cstdlib>

namespace fluentgate::worker {
namespace {

constexpr int engine_block_ms = 60;  // what the engine makes between two callbacks
constexpr int silence_level = 16;    // of 32768: the engine begins with a few ms of nothing, which would only delay

Synthesizer* active = nullptr;  // the engine's callback has no context of its own that also reaches an empty text

int on_engine(short* samples, int count, espeak_EVENT*) noexcept {
  // 0: go on, 1: stop.
  return active == nullptr || active->made(samples, samples == nullptr ? 0 : count) ? 0 : 1;
}

void speak(const std::string& text) {
  espeak_Synth(text.c_str(), text.size() + 1, 0, POS_CHARACTER, 0, espeakCHARS_UTF8, nullptr, nullptr);
  espeak_Synchronize();
}

}  // namespace

Result<std::unique_ptr<Synthesizer>> Synthesizer::make(const std::vector<std::string>& languages, int words_per_minute, OnPiece on_piece) {
  // Once in a process and never ended: after espeak_Terminate() in mid sentence the next engine hangs.
  static const int rate = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, engine_block_ms, nullptr, espeakINITIALIZE_DONT_EXIT);
  if (rate <= 0) return Error{"missing_model", "no voices (Debian package espeak-ng-data)"};
  espeak_SetSynthCallback(&on_engine);
  espeak_SetParameter(espeakRATE, words_per_minute, 0);
  for (const std::string& language : languages) {
    if (espeak_SetVoiceByName(language.c_str()) != EE_OK) {
      return Error{"missing_model", "no voice " + language + " (Debian package espeak-ng-data)"};
    }
    speak("a");
  }
  auto resampler = audio::Resampler::make(rate, sample_rate);
  if (!resampler) return resampler.error();
  std::unique_ptr<Synthesizer> synthesizer(new Synthesizer(std::move(*resampler), std::move(on_piece)));
  active = synthesizer.get();
  synthesizer->thread_ = std::thread([mine = synthesizer.get()] { mine->run(); });
  return synthesizer;
}

Synthesizer::~Synthesizer() {
  stop();
  active = nullptr;
}

void Synthesizer::stop() {
  stopping_ = true;
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

void Synthesizer::submit(SynthesisJob job) {
  if (!queue_.push(std::move(job))) dropped_("synthesis is too slow: a phrase was dropped");
}

bool Synthesizer::made(const std::int16_t* samples, int count) {
  if (job_ == nullptr || stopping_) return false;
  std::span<const std::int16_t> sound(samples, static_cast<std::size_t>(count));
  if (first_ && waiting_.empty()) {
    const auto begin = std::find_if(sound.begin(), sound.end(), [](std::int16_t s) { return std::abs(s) > silence_level; });
    sound = sound.subspan(static_cast<std::size_t>(begin - sound.begin()));
  }
  resampler_.process(sound, waiting_);
  hand_over(false);
  return true;
}

void Synthesizer::hand_over(bool all) {
  std::size_t at = 0;
  // The first piece goes out as short as it is made; later ones whole, for fewer messages.
  while (waiting_.size() - at >= piece_samples || (at < waiting_.size() && (all || first_))) {
    const std::size_t count = std::min(piece_samples, waiting_.size() - at);
    on_piece_(*job_, std::span(waiting_).subspan(at, count), first_);
    first_ = false;
    at += count;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(at));
}

void Synthesizer::run() {
  while (auto job = queue_.pop()) {
    job_ = &*job;
    first_ = true;
    waiting_.clear();
    resampler_.reset();
    espeak_SetVoiceByName(job->language.c_str());
    speak(job->text + ".");
    if (!stopping_) {
      resampler_.drain(waiting_);
      hand_over(true);
    }
    job_ = nullptr;
  }
}

}  // namespace fluentgate::worker
