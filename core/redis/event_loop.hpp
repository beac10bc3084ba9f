// The redis thread's turn: poll() over the connections, timers, and work that other threads hand in. Sleeps while nothing is due.
// Thread: post() and stop() any; everything else on the thread that calls run() (or before it).
#pragma once

#include <poll.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::redis {

class EventLoop {
 public:
  // A descriptor with a deadline of its own.
  class Source {
   public:
    virtual ~Source() = default;
    virtual int descriptor() const noexcept = 0;  // -1: none
    virtual short events() const noexcept = 0;    // of poll()
    virtual SteadyMs due() const noexcept = 0;    // when tick() is wanted at the latest
    virtual void ready(short events) = 0;
    virtual void tick(SteadyMs now) = 0;          // after what was readable has been read
  };

  // Error "eventfd": out of descriptors.
  static Result<std::unique_ptr<EventLoop>> make(const Clock& clock);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void post(std::function<void()> work);
  // Work posted and not yet begun.
  std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }
  void add(Source& source) { sources_.push_back(&source); }
  void remove(Source& source) noexcept;  // also from within a source's call
  void every(std::int64_t interval_ms, std::function<void()> work);
  void after(std::int64_t delay_ms, std::function<void()> work);
  void run();           // until stop()
  void stop() noexcept;
  SteadyMs now() const noexcept { return clock_.steady_ms(); }

 private:
  struct Timer {
    SteadyMs due = 0;
    std::int64_t interval_ms = 0;  // 0: once
    std::function<void()> work;
  };

  EventLoop(const Clock& clock, int wake_fd) : clock_(clock), wake_fd_(wake_fd) {}
  void wake() noexcept;
  void turn();
  int timeout_ms(SteadyMs now) const noexcept;
  void run_posted();
  void run_timers();
  void dispatch();

  const Clock& clock_;
  const int wake_fd_;
  std::vector<Source*> sources_;  // null: removed during this turn
  std::vector<pollfd> polled_;
  std::vector<Timer> timers_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> waiting_{0};
  std::mutex mutex_;  // guards posted_
  std::vector<std::function<void()>> posted_;
};

}  // namespace fluentgate::redis
