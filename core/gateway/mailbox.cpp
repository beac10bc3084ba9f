#include "core/gateway/mailbox.hpp"

#include <iterator>

#include "core/domain/limits.hpp"

namespace fluentgate::gateway {

bool Mailbox::put(std::vector<kafka::Inbound>&& batch) noexcept {
  const bool was_woken = woken_;
  if (queue_.empty() && queue_.capacity() < batch.size()) {
    queue_ = std::move(batch);
  } else if (queue_.size() + batch.size() <= limits::mailbox_messages_max) {
    queue_.insert(queue_.end(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
  } else {
    for (auto& message : batch) {
      if (queue_.size() >= limits::mailbox_messages_max && std::holds_alternative<SynthesizedFrame>(message)) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
      } else {
        queue_.push_back(std::move(message));
      }
    }
  }
  return !was_woken;
}

void Mailbox::deliver(std::vector<kafka::Inbound> batch) noexcept {
  if (batch.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (!put(std::move(batch)) || silent_) return;
    woken_ = true;
  }
  wake_();
}

void Mailbox::deliver_quietly(std::vector<kafka::Inbound> batch) noexcept {
  if (batch.empty()) return;
  const std::lock_guard lock(mutex_);
  put(std::move(batch));
}

void Mailbox::deliver(std::vector<redis::Inbound> batch) noexcept {
  if (batch.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    of_redis_.insert(of_redis_.end(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
    if (woken_ || silent_) return;
    woken_ = true;
  }
  wake_();
}

void Mailbox::take(std::vector<kafka::Inbound>& out, std::vector<redis::Inbound>& of_redis) {
  out.clear();
  of_redis.clear();
  const std::lock_guard lock(mutex_);
  out.swap(queue_);
  of_redis.swap(of_redis_);
  woken_ = false;
}

void Mailbox::silence() noexcept {
  const std::lock_guard lock(mutex_);
  silent_ = true;
}

}  // namespace fluentgate::gateway
