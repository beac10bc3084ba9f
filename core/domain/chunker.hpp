// Re-cuts a stream of s16le mono PCM into chunks (CONTRACT 2, Chunking). One per audio socket. Thread: loop.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/media.hpp"

namespace fluentgate {

class Chunker {
 public:
  struct Cut {
    Bytes pcm;
    UnixMs ingest_ms = 0;  // arrival of its first byte
  };
  // chunk_ms 0: each message is published as it came. Either way no chunk is longer than max_chunk_ms. sample_rate in Hz.
  Chunker(std::int64_t chunk_ms, std::int64_t max_chunk_ms, std::int64_t flush_ms, int sample_rate);

  // `pcm` has an even number of bytes. Complete chunks are appended to `out`.
  void feed(std::span<const std::uint8_t> pcm, UnixMs ingest_ms, SteadyMs now, std::vector<Cut>& out);
  // What is left, if anything (flush, mute, start, disconnect, flush_ms without audio).
  std::optional<Cut> flush();
  // When flush() is due for want of audio; nothing where nothing is left.
  std::optional<SteadyMs> flush_due() const noexcept;

 private:
  std::size_t chunk_bytes_;      // 0: pass through
  std::size_t max_chunk_bytes_;
  std::int64_t flush_ms_;
  Bytes rest_;
  UnixMs rest_ingest_ms_ = 0;
  SteadyMs last_feed_ms_ = 0;
};

}  // namespace fluentgate
