// A small poll loop with timers, in one thread. What runs in it must not block.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

#include "test/soak/journal.hpp"

namespace fluentgate::soak {

class Reactor {
 public:
  using Handler = std::function<void(short events)>;
  using TimerId = std::uint64_t;

  Ms now_ms() const;
  void watch(int fd, short events, Handler handler);
  void change(int fd, short events);
  void forget(int fd);
  TimerId after(Ms delay_ms, std::function<void()> task);
  // Again and again, each `every_ms` after the last has run.
  void every(Ms every_ms, std::function<void()> task);
  void cancel(TimerId id);
  void run_until(const std::function<bool()>& done);
  Ms longest_turn_ms() const noexcept { return longest_turn_ms_; }  // a busy machine explains what is late

 private:
  struct Watched {
    short events = 0;
    Handler handler;
    std::uint64_t generation = 0;
  };
  void poll_once(int timeout_ms);
  void run_timers();

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::unordered_map<int, Watched> watched_;
  std::multimap<Ms, std::pair<TimerId, std::function<void()>>> timers_;
  std::unordered_map<TimerId, std::multimap<Ms, std::pair<TimerId, std::function<void()>>>::iterator> by_id_;
  TimerId next_timer_ = 1;
  std::uint64_t generation_ = 0;
  Ms longest_turn_ms_ = 0;
};

}  // namespace fluentgate::soak
