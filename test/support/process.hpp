// A child process with its output caught, for tests of programs. Killed by the destructor. Thread: one (a reader of its own gathers the output).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace fluentgate::test {

class Process {
 public:
  // The program's path, then its arguments. The environment is the test's, with these added.
  explicit Process(const std::vector<std::string>& command, const std::vector<std::string>& environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const noexcept { return pid_; }
  std::string out() const;
  std::string err() const;
  void signal(int number) const;
  // The exit code, 128 + the signal's number where one ended it. Fails at the deadline, with what the process had said.
  int wait(std::chrono::milliseconds deadline = std::chrono::seconds(20));
  // Waits until `seen` says so of out() and err(). False: the process ended, or the deadline passed.
  bool wait_until(const std::function<bool(const std::string& out, const std::string& err)>& seen,
                  std::chrono::milliseconds deadline = std::chrono::seconds(20));

 private:
  void gather();
  bool ended();

  pid_t pid_ = -1;
  int out_fd_ = -1, err_fd_ = -1;
  mutable std::mutex mutex_;
  std::string out_, err_;        // guarded by mutex_
  bool both_closed_ = false;     // guarded by mutex_
  std::optional<int> code_;
  std::thread reader_;
};

}  // namespace fluentgate::test
