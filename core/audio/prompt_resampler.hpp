// One mono stream from one sample rate to another that holds nothing back: whatever has come in has come out when process() returns.
//
// A resampler's filter looks 2 to 5 ms ahead. Resampler waits for that; here the piece may be the last of its utterance, of which nobody tells,
// and its end would wait for the next one. So the samples that still depend on the future are made with a predicted one (prediction.hpp), and
// the stream goes on behind them with the true one: no seam that could be heard, no timer, no sound that comes late.
//
// Length: after N samples of a stream, exactly ceil(N * out_rate / in_rate) have been appended, however it was cut.
// Thread: any, one at a time. Move-only; one that was moved from may only be assigned to or destroyed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/audio/resampler.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::audio {

class PromptResampler {
 public:
  // Rates in Hz, sample_rate_min to sample_rate_max. Errors: unsupported_sample_rate, out_of_memory.
  static Result<PromptResampler> make(int in_rate, int out_rate);

  // Appends all of `in`.
  void process(std::span<const std::int16_t> in, std::vector<std::int16_t>& out);
  // The next process() begins a new stream.
  void reset();

 private:
  PromptResampler(Resampler stream, Resampler ahead);
  void remember(std::span<const std::int16_t> in);
  void predict(std::size_t count, std::vector<std::int16_t>& out);
  std::size_t start_of_prediction(std::int64_t& first) const;

  Resampler stream_;  // the true one
  Resampler ahead_;   // begins anew at each end of a piece, a little before it
  std::int64_t in_step_, out_step_;  // the rates without their common factor
  std::vector<std::int16_t> history_, converted_, guess_;  // the stream's last samples; the others kept for their memory
  std::int64_t taken_ = 0;  // samples in
  std::int64_t exact_ = 0;  // samples out of stream_
  std::int64_t given_ = 0;  // samples appended, at least exact_
};

}  // namespace fluentgate::audio
