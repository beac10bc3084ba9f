// Cuts in bytes of s16le, so that a chunk is exact to the sample.
#include "core/domain/chunker.hpp"

#include <algorithm>
#include <cassert>

namespace fluentgate {
namespace {

// Whole samples only, and at least one: no option can make a chunk that never fills.
std::size_t bytes_of(std::int64_t duration_ms, int sample_rate) noexcept {
  const std::int64_t samples = duration_ms * sample_rate / 1000;
  return static_cast<std::size_t>(std::max<std::int64_t>(samples, 1)) * 2;
}

}  // namespace

Chunker::Chunker(std::int64_t chunk_ms, std::int64_t max_chunk_ms, std::int64_t flush_ms, int sample_rate)
    : chunk_bytes_(chunk_ms > 0 ? bytes_of(std::min(chunk_ms, max_chunk_ms), sample_rate) : 0),
      max_chunk_bytes_(bytes_of(max_chunk_ms, sample_rate)),
      flush_ms_(flush_ms) {}

void Chunker::feed(std::span<const std::uint8_t> pcm, UnixMs ingest_ms, SteadyMs now, std::vector<Cut>& out) {
  assert(pcm.size() % 2 == 0);
  if (pcm.empty()) return;
  last_feed_ms_ = now;
  const std::size_t cut_bytes = chunk_bytes_ == 0 ? max_chunk_bytes_ : chunk_bytes_;
  if (!rest_.empty()) {
    const std::size_t taken = std::min(cut_bytes - rest_.size(), pcm.size());
    rest_.insert(rest_.end(), pcm.begin(), pcm.begin() + static_cast<std::ptrdiff_t>(taken));
    pcm = pcm.subspan(taken);
    if (rest_.size() < cut_bytes) return;
    out.push_back(Cut{std::move(rest_), rest_ingest_ms_});
    rest_ = Bytes{};
  }
  while (pcm.size() >= cut_bytes) {
    out.push_back(Cut{Bytes(pcm.begin(), pcm.begin() + static_cast<std::ptrdiff_t>(cut_bytes)), ingest_ms});
    pcm = pcm.subspan(cut_bytes);
  }
  if (pcm.empty()) return;
  if (chunk_bytes_ == 0) {
    out.push_back(Cut{Bytes(pcm.begin(), pcm.end()), ingest_ms});
    return;
  }
  rest_.reserve(cut_bytes);
  rest_.assign(pcm.begin(), pcm.end());
  rest_ingest_ms_ = ingest_ms;
}

std::optional<Chunker::Cut> Chunker::flush() {
  if (rest_.empty()) return std::nullopt;
  Cut cut{std::move(rest_), rest_ingest_ms_};
  rest_ = Bytes{};
  return cut;
}

std::optional<SteadyMs> Chunker::flush_due() const noexcept {
  if (rest_.empty()) return std::nullopt;
  return last_feed_ms_ + flush_ms_;
}

}  // namespace fluentgate
