#include "test/soak/reactor.hpp"

#include <algorithm>
#include <memory>

namespace fluentgate::soak {

Ms Reactor::now_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start_).count();
}

void Reactor::watch(int fd, short events, Handler handler) { watched_[fd] = {events, std::move(handler), ++generation_}; }

void Reactor::change(int fd, short events) {
  if (const auto found = watched_.find(fd); found != watched_.end()) found->second.events = events;
}

void Reactor::forget(int fd) { watched_.erase(fd); }

Reactor::TimerId Reactor::after(Ms delay_ms, std::function<void()> task) {
  const TimerId id = next_timer_++;
  by_id_[id] = timers_.emplace(now_ms() + delay_ms, std::pair(id, std::move(task)));
  return id;
}

void Reactor::every(Ms every_ms, std::function<void()> task) {
  after(every_ms, [this, every_ms, task = std::move(task)] {
    task();
    every(every_ms, task);
  });
}

void Reactor::cancel(TimerId id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  timers_.erase(found->second);
  by_id_.erase(found);
}

void Reactor::run_timers() {
  const Ms now = now_ms();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto task = std::move(timers_.begin()->second.second);
    by_id_.erase(timers_.begin()->second.first);
    timers_.erase(timers_.begin());
    task();
  }
}

void Reactor::poll_once(int timeout_ms) {
  std::vector<pollfd> waiting;
  std::vector<std::uint64_t> generations;
  waiting.reserve(watched_.size());
  for (const auto& [fd, watched] : watched_) {
    waiting.push_back({fd, watched.events, 0});
    generations.push_back(watched.generation);
  }
  ::poll(waiting.data(), waiting.size(), timeout_ms);
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (waiting[i].revents == 0) continue;
    const auto found = watched_.find(waiting[i].fd);
    // What an earlier handler closed may have its number again already.
    if (found == watched_.end() || found->second.generation != generations[i]) continue;
    const Handler handler = found->second.handler;
    handler(waiting[i].revents);
  }
}

void Reactor::run_until(const std::function<bool()>& done) {
  while (!done()) {
    const Ms wait = timers_.empty() ? 100 : std::clamp<Ms>(timers_.begin()->first - now_ms(), 0, 100);
    poll_once(static_cast<int>(wait));
    const Ms began = now_ms();
    run_timers();
    longest_turn_ms_ = std::max(longest_turn_ms_, now_ms() - began);
  }
}

}  // namespace fluentgate::soak
