// Streaming speech to text with libpocketsphinx: a bounded pool of decoders, each lent for one phrase. Making a decoder costs 0.3 s and about
// 100 MB, so one is always made ahead, on a thread of the pool's own.
// Thread: any for the pool; a Decoder one at a time. Audio is 16 kHz mono s16.
//
// The search is one pass (no fwdflat, no bestpath: both begin only when the phrase has ended, up to 450 ms) and narrow (-maxhmmpf,
// -maxwpf): 0.12 of real time on one core and the same word errors as the default beams on the LibriVox recordings, see README.md beside.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/domain/result.hpp"

namespace fluentgate::worker {

class Decoder {
 public:
  // Errors: missing_model, its text names the package.
  static Result<std::unique_ptr<Decoder>> make(const std::string& model_dir);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // `another_speaker`: forget the last one's voice (its cepstral mean).
  void begin(bool another_speaker);
  void feed(std::span<const std::int16_t> samples);
  std::string hypothesis() const;  // empty where nothing was understood
  std::string end();               // the final hypothesis; begin() comes next

 private:
  struct Impl;
  explicit Decoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class DecoderPool {
 public:
  // Makes the first decoder at once. Errors: missing_model.
  static Result<std::unique_ptr<DecoderPool>> make(const std::string& model_dir, std::size_t decoders_max);
  ~DecoderPool();
  DecoderPool(const DecoderPool&) = delete;
  DecoderPool& operator=(const DecoderPool&) = delete;

  // A decoder for one phrase, the one that `speaker` had last if it is free; begin() was called. Null when all decoders_max are lent.
  // Blocks only where more decoders are asked for at once than were made ahead, for the time of making one.
  std::unique_ptr<Decoder> take(const std::string& speaker);
  void give_back(std::unique_ptr<Decoder> decoder, const std::string& speaker);

 private:
  struct Free {
    std::unique_ptr<Decoder> decoder;
    std::string speaker;  // that had it last; empty: nobody
  };
  DecoderPool(std::string model_dir, std::size_t decoders_max, std::unique_ptr<Decoder> first);
  void make_ahead();

  const std::string model_dir_;
  const std::size_t decoders_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Free> free_;  // the least recently used first
  std::size_t made_ = 1;
  bool making_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fluentgate::worker
