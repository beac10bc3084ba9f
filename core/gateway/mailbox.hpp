// The one way from other threads into the loop: a bounded queue, drained whole once per turn.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "core/kafka/inbound.hpp"
#include "core/redis/inbound.hpp"

namespace fluentgate::gateway {

class Mailbox final : public kafka::InboundSink, public redis::InboundSink {
 public:
  // `wake` is called only when something is put into an empty mailbox.
  explicit Mailbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Thread: any. Over limits::mailbox_messages_max, audio frames of the batch are dropped and counted; everything else is always taken.
  void deliver(std::vector<kafka::Inbound> batch) noexcept override;
  void deliver_quietly(std::vector<kafka::Inbound> batch) noexcept override;
  // Thread: any. Always taken: few, and none may be missed.
  void deliver(std::vector<redis::Inbound> batch) noexcept override;

  // Thread: loop. Swaps everything that waits into the two, which are cleared first.
  void take(std::vector<kafka::Inbound>& out, std::vector<redis::Inbound>& of_redis);
  // Frames dropped since the last call.
  std::uint64_t take_dropped() noexcept { return dropped_.exchange(0, std::memory_order_relaxed); }
  // Nothing wakes the loop any more.
  void silence() noexcept;

 private:
  bool put(std::vector<kafka::Inbound>&& batch) noexcept;  // true if nobody has been woken for what waits

  std::function<void()> wake_;
  std::mutex mutex_;  // held while a batch is moved in or the queue is swapped out, never longer
  std::vector<kafka::Inbound> queue_;
  std::vector<redis::Inbound> of_redis_;
  bool woken_ = false;
  bool silent_ = false;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace fluentgate::gateway
