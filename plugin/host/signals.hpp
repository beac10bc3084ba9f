// Signals as events of the loop: a thread waits for them and says so through a descriptor; nothing is done in a handler.
// The first SIGTERM or SIGINT asks for a drain, the second ends the process at once, from the waiting thread, so also when the loop hangs.
// Thread: construct before any other thread is made, so that all of them have the signals blocked.
#pragma once

#include <atomic>
#include <thread>

namespace fluentgate::host {

class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Readable when take_drain() or take_reload() has something. Non-blocking; stays ours.
  int descriptor() const noexcept { return descriptor_; }
  void clear() noexcept;  // empties the descriptor
  bool take_drain() noexcept { return drain_.exchange(false); }
  bool take_reload() noexcept { return reload_.exchange(false); }
  // Makes the descriptor readable, for other reasons than a signal. Thread: any.
  void wake() noexcept;

 private:
  void wait() noexcept;

  int descriptor_;
  std::atomic<bool> drain_{false}, reload_{false}, ended_{false};
  std::thread thread_;
};

}  // namespace fluentgate::host
