// One Apertium mode (a pipeline of programs, /usr/share/apertium/modes/X.mode) kept running: every stage is started with -z, so that a NUL byte
// flushes it through all of them. 3 to 8 ms a sentence in place of 150 to start it.
// Thread: one at a time. The stages are children of this process, in a process group of their own, and are reaped by it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/result.hpp"

namespace fluentgate::worker {

// The stages of a mode file as argument lists, -z put in. `$1` (how unknown words are marked) becomes -n: not at all. Errors: bad_mode.
Result<std::vector<std::vector<std::string>>> mode_stages(std::string_view mode_text);

// Plain text to Apertium's stream format and back: its special characters escaped; unknown word marks (* @ #) stripped, blanks joined.
std::string to_apertium(std::string_view text);
std::string from_apertium(std::string_view stream);

class ApertiumProcess {
 public:
  // Longer than what the process may take, an answer is given up. `stopping`, polled every 50 ms, ends a wait early.
  ApertiumProcess(std::string modes_dir, std::string mode, const std::atomic<bool>& stopping);
  ~ApertiumProcess();
  ApertiumProcess(const ApertiumProcess&) = delete;
  ApertiumProcess& operator=(const ApertiumProcess&) = delete;

  // Errors: missing_model (no such mode file: fatal), bad_mode, spawn.
  Status start();
  // Starts it where it doesn't run; when it dies or hangs it is started again and the phrase retried once. Errors: hung, died, spawn, stopping.
  Result<std::string> translate(std::string_view text, std::chrono::milliseconds answer_max);
  // A sentence that makes every stage read its files, so that the first phrase isn't slow.
  void warm_up();

  bool running() const noexcept { return in_ >= 0; }
  int restarts() const noexcept { return restarts_; }
  const std::vector<pid_t>& pids() const noexcept { return pids_; }

 private:
  Result<std::string> ask(std::string_view text, std::chrono::milliseconds answer_max);
  void stop() noexcept;

  const std::string modes_dir_;
  const std::string mode_;
  const std::atomic<bool>& stopping_;
  std::vector<pid_t> pids_;
  int in_ = -1;   // our end of the first stage's input
  int out_ = -1;  // our end of the last stage's output
  int restarts_ = 0;
};

}  // namespace fluentgate::worker
