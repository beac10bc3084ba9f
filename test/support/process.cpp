#include "test/support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "test/support/check.hpp"

extern char** environ;

namespace fluentgate::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto glance = std::chrono::milliseconds(5);

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) FAIL(std::string("pipe: ") + std::strerror(errno));
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

Process::Process(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
  Pipe out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.ends[1], STDERR_FILENO);
  // A test's own blocked or ignored signals are not the child's.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, usual;
  sigemptyset(&none);
  sigfillset(&usual);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> arguments = command;
  std::vector<std::string> variables = environment;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  const int failed = posix_spawn(&pid_, command.at(0).c_str(), &actions, &attributes, pointers(arguments).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  ::close(out.ends[1]);
  ::close(err.ends[1]);
  out_fd_ = out.ends[0];
  err_fd_ = err.ends[0];
  if (failed != 0) {
    ::close(out_fd_);
    ::close(err_fd_);
    FAIL(command.at(0) + ": " + std::strerror(failed));
  }
  reader_ = std::thread([this] { gather(); });
}

Process::~Process() {
  if (!ended()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  reader_.join();
  ::close(out_fd_);
  ::close(err_fd_);
}

void Process::gather() {
  bool open[2] = {true, true};
  const int fds[2] = {out_fd_, err_fd_};
  while (open[0] || open[1]) {
    pollfd waiting[2] = {{open[0] ? fds[0] : -1, POLLIN, 0}, {open[1] ? fds[1] : -1, POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0 && errno != EINTR) break;
    for (int i = 0; i < 2; ++i) {
      if (waiting[i].revents == 0) continue;
      char bytes[8192];
      const ssize_t got = ::read(fds[i], bytes, sizeof bytes);
      const std::lock_guard lock(mutex_);
      if (got > 0) {
        (i == 0 ? out_ : err_).append(bytes, static_cast<std::size_t>(got));
      } else {
        open[i] = false;
      }
    }
  }
  const std::lock_guard lock(mutex_);
  both_closed_ = true;
}

std::string Process::out() const {
  const std::lock_guard lock(mutex_);
  return out_;
}

std::string Process::err() const {
  const std::lock_guard lock(mutex_);
  return err_;
}

void Process::signal(int number) const { ::kill(pid_, number); }

bool Process::ended() {
  if (code_) return true;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

int Process::wait(std::chrono::milliseconds deadline) {
  const auto until = Clock::now() + deadline;
  const auto all_read = [this] {
    const std::lock_guard lock(mutex_);
    return both_closed_;
  };
  while (!ended() || !all_read()) {
    if (Clock::now() > until) FAIL("process " + std::to_string(pid_) + " did not end in time; it said:\n" + out() + err());
    std::this_thread::sleep_for(glance);
  }
  return *code_;
}

bool Process::wait_until(const std::function<bool(const std::string&, const std::string&)>& seen, std::chrono::milliseconds deadline) {
  const auto until = Clock::now() + deadline;
  while (true) {
    const bool over = ended() || Clock::now() > until;
    if (seen(out(), err())) return true;
    if (over) return false;
    std::this_thread::sleep_for(glance);
  }
}

}  // namespace fluentgate::test
