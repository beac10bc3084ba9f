// A queue between two stages, with a bound: push() drops the oldest beyond it. Thread: any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace fluentgate::worker {

inline constexpr std::size_t waiting_phrases_max = 256;  // per language and for synthesis: minutes of work

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t size_max = waiting_phrases_max) : size_max_(size_max) {}

  // False where the oldest had to go for it.
  bool push(T item) {
    bool whole = true;
    {
      const std::lock_guard lock(mutex_);
      if (items_.size() >= size_max_) {
        items_.pop_front();
        whole = false;
      }
      items_.push_back(std::move(item));
    }
    changed_.notify_one();
    return whole;
  }
  // Waits; nothing once the queue is closed, whatever is still in it.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !items_.empty(); });
    if (closed_) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      items_.clear();
    }
    changed_.notify_all();
  }

 private:
  const std::size_t size_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace fluentgate::worker
