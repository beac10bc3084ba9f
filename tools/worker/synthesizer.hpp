// Speech from text with libespeak-ng, handed on in pieces of at most piece_ms as they are made. The library is one engine with global state: one
// Synthesizer at a time in a process, and one thread in it, which takes the languages in turn (6 s of speech take it 7 ms).
// Thread: submit() any; on_piece is called on the synthesizer's own thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/audio/resampler.hpp"
#include "core/domain/result.hpp"
#include "tools/worker/bounded_queue.hpp"
#include "tools/worker/phrase.hpp"
#include "tools/worker/say.hpp"

namespace fluentgate::worker {

struct SynthesisJob {
  PhrasePtr phrase;  // carried along
  std::string language;  // of known_languages()
  std::string text;
};

class Synthesizer {
 public:
  static constexpr int sample_rate = 16000;
  static constexpr int piece_ms = 100;
  static constexpr std::size_t piece_samples = static_cast<std::size_t>(sample_rate) * piece_ms / 1000;

  // `samples` are sample_rate mono, at most piece_samples; `first`: of this job.
  using OnPiece = std::function<void(const SynthesisJob& job, std::span<const std::int16_t> samples, bool first)>;

  // Loads the voices of `languages`, so that the first phrase isn't slow. Errors: missing_model, its text names the package.
  static Result<std::unique_ptr<Synthesizer>> make(const std::vector<std::string>& languages, int words_per_minute, OnPiece on_piece);
  ~Synthesizer();
  Synthesizer(const Synthesizer&) = delete;
  Synthesizer& operator=(const Synthesizer&) = delete;

  void submit(SynthesisJob job);
  // Jobs that wait are dropped, the one at work is cut.
  void stop();

  // From the engine's C callback: true to go on.
  bool made(const std::int16_t* samples, int count);

 private:
  Synthesizer(audio::Resampler resampler, OnPiece on_piece) : resampler_(std::move(resampler)), on_piece_(std::move(on_piece)) {}
  void run();
  void hand_over(bool all);

  // synthesis thread
  audio::Resampler resampler_;
  const OnPiece on_piece_;
  const SynthesisJob* job_ = nullptr;
  bool first_ = true;
  std::vector<std::int16_t> waiting_;

  std::atomic<bool> stopping_{false};
  BoundedQueue<SynthesisJob> queue_;
  SaySometimes dropped_;
  std::thread thread_;
};

}  // namespace fluentgate::worker
