// A vector with a moving head: items leave in front without being moved, and the vector is freed when the last one has left.
#include "core/domain/outbox.hpp"

#include <algorithm>
#include <cassert>

namespace fluentgate {

bool Outbox::push(OutboxItem item, std::size_t bytes_max, const std::function<void(const OutboxItem&)>& skipped) {
  // Full, and at least half of it has left: moving the rest down costs no more than what was popped since.
  if (items_.size() == items_.capacity() && head_ * 2 >= items_.size() && head_ > 0) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  bytes_ += item.size();
  items_.push_back(std::move(item));
  if (bytes_ <= bytes_max) return true;
  skip_audio(bytes_max, skipped);
  return bytes_ <= bytes_max;
}

// Walks from the oldest. What is kept of the walked part moves up to the rest, which is mostly nothing: the oldest item mostly is audio.
void Outbox::skip_audio(std::size_t bytes_max, const std::function<void(const OutboxItem&)>& skipped) {
  const std::size_t newest = items_.size() - 1;
  std::size_t walked = head_;
  std::size_t kept_end = head_;  // [head_, kept_end): kept so far
  for (; walked < newest && bytes_ > bytes_max; ++walked) {
    OutboxItem& item = items_[walked];
    if (item.audio_ms >= 0) {
      bytes_ -= item.size();
      if (skipped) skipped(item);
      item.buffer.reset();
    } else {
      if (kept_end != walked) items_[kept_end] = std::move(item);
      ++kept_end;
    }
  }
  if (kept_end == walked) return;
  const auto begin = items_.begin();
  std::move_backward(begin + static_cast<std::ptrdiff_t>(head_), begin + static_cast<std::ptrdiff_t>(kept_end),
                     begin + static_cast<std::ptrdiff_t>(walked));
  head_ += walked - kept_end;
}

std::span<const OutboxItem> Outbox::front_run() const noexcept {
  if (empty()) return {};
  std::size_t end = head_ + 1;
  while (end < items_.size() && items_[end].buffer == items_[end - 1].buffer && items_[end].begin == items_[end - 1].end) ++end;
  return {items_.data() + head_, end - head_};
}

void Outbox::pop(std::size_t count) noexcept {
  assert(count <= size());
  for (; count > 0; --count, ++head_) {
    bytes_ -= items_[head_].size();
    items_[head_].buffer.reset();  // the buffer may be large and shared: not held until the vector is compacted
  }
  if (!empty()) return;
  items_ = std::vector<OutboxItem>{};
  head_ = 0;
}

}  // namespace fluentgate
