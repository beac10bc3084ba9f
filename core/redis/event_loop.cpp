// Order of a turn: posted work, timers, poll, what is readable or writable, then deadlines.
#include "core/redis/event_loop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace fluentgate::redis {
namespace {

constexpr SteadyMs idle_ms = 1000;  // the longest sleep

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::make(const Clock& clock) {
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return Error{"eventfd", std::string("no event descriptor: ") + std::strerror(errno)};
  return std::unique_ptr<EventLoop>(new EventLoop(clock, fd));
}

EventLoop::~EventLoop() { ::close(wake_fd_); }

void EventLoop::wake() noexcept {
  const std::uint64_t one = 1;
  while (::write(wake_fd_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void EventLoop::post(std::function<void()> work) {
  bool first;
  {
    const std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(work));
    waiting_.store(posted_.size(), std::memory_order_relaxed);
  }
  if (first) wake();
}

void EventLoop::stop() noexcept {
  stopping_.store(true);
  wake();
}

void EventLoop::remove(Source& source) noexcept { std::replace(sources_.begin(), sources_.end(), &source, static_cast<Source*>(nullptr)); }

void EventLoop::every(std::int64_t interval_ms, std::function<void()> work) { timers_.push_back({now() + interval_ms, interval_ms, std::move(work)}); }

void EventLoop::after(std::int64_t delay_ms, std::function<void()> work) { timers_.push_back({now() + delay_ms, 0, std::move(work)}); }

void EventLoop::run() {
  while (!stopping_.load()) turn();
}

void EventLoop::run_posted() {
  std::vector<std::function<void()>> work;
  {
    const std::lock_guard lock(mutex_);
    work.swap(posted_);
    waiting_.store(0, std::memory_order_relaxed);
  }
  for (std::function<void()>& one : work) {
    one();
    one = nullptr;
  }
}

void EventLoop::run_timers() {
  const SteadyMs current = now();
  // Work may add timers: by index, and moved out while it runs.
  for (std::size_t i = 0; i < timers_.size(); ++i) {
    if (!timers_[i].work || timers_[i].due > current) continue;
    std::function<void()> work = std::move(timers_[i].work);
    timers_[i].work = nullptr;
    timers_[i].due = current + timers_[i].interval_ms;  // after a standstill once, not once per missed interval
    work();
    if (timers_[i].interval_ms > 0) timers_[i].work = std::move(work);
  }
  std::erase_if(timers_, [](const Timer& timer) { return !timer.work; });
}

int EventLoop::timeout_ms(SteadyMs current) const noexcept {
  SteadyMs due = current + idle_ms;
  for (const Timer& timer : timers_) due = std::min(due, timer.due);
  for (const Source* source : sources_) due = std::min(due, source->due());
  return static_cast<int>(std::max<SteadyMs>(0, due - current));
}

void EventLoop::dispatch() {
  // Sources added meanwhile are behind polled_'s end and wait for the next turn.
  for (std::size_t i = 0; i + 1 < polled_.size(); ++i) {
    if (polled_[i + 1].revents != 0 && sources_[i] != nullptr) sources_[i]->ready(polled_[i + 1].revents);
  }
  const SteadyMs current = now();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i] != nullptr && sources_[i]->due() <= current) sources_[i]->tick(current);
  }
}

void EventLoop::turn() {
  run_posted();
  run_timers();
  std::erase(sources_, nullptr);
  polled_.assign(1, {wake_fd_, POLLIN, 0});
  for (const Source* source : sources_) polled_.push_back({source->descriptor(), source->events(), 0});
  const int timeout = stopping_.load() ? 0 : timeout_ms(now());
  if (::poll(polled_.data(), polled_.size(), timeout) < 0) {
    for (pollfd& one : polled_) one.revents = 0;  // interrupted: deadlines count all the same
  }
  if (polled_[0].revents != 0) {
    std::uint64_t count = 0;
    while (::read(wake_fd_, &count, sizeof count) < 0 && errno == EINTR) {
    }
  }
  dispatch();
}

}  // namespace fluentgate::redis
