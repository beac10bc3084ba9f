#include "plugin/host/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "plugin/host/host.hpp"
#include "plugin/host/shared_port.hpp"
#include "plugin/lws/process_board.hpp"
#include "plugin/lws/system_clock.hpp"

namespace fluentgate::host {
namespace {

constexpr const char* variable = "FLUENTGATE_PROCESS";
constexpr SteadyMs restart_min_ms = 500, restart_max_ms = 30000;
constexpr SteadyMs proven_ms = 60000;  // who served that long is started again at once

class Supervisor {
 public:
  Supervisor(char** argv, const config::Settings& settings, int port, lws_plugin::ProcessBoard& board, logging::LineLogger& logger, Signals& signals)
      : argv_(argv), settings_(settings), port_(port), board_(board), logger_(logger), signals_(signals),
        children_(static_cast<std::size_t>(settings.listen.processes)) {}
  int run();

 private:
  struct Child {
    pid_t pid = -1;  // -1: not running
    int ready_descriptor = -1;
    bool ready = false;
    SteadyMs started_ms = 0, restart_ms = 0, backoff_ms = restart_min_ms;
  };
  void log(LogLevel level, const std::string& text) { logger_.write(level, "host", text); }
  bool start(std::size_t index);
  void read(std::size_t index);
  void ended(std::size_t index);
  void end_all(int code);
  void tell(int signal) {
    for (const Child& child : children_) {
      if (child.pid > 0) kill(child.pid, signal);
    }
  }
  std::size_t running() const {
    return static_cast<std::size_t>(std::count_if(children_.begin(), children_.end(), [](const Child& child) { return child.pid > 0; }));
  }
  int wait_ms(SteadyMs now) const;

  // given
  char** argv_;
  const config::Settings& settings_;
  const int port_;
  lws_plugin::ProcessBoard& board_;
  logging::LineLogger& logger_;
  Signals& signals_;
  // state
  lws_plugin::SystemClock clock_;
  std::vector<Child> children_;
  bool told_ready_ = false, ending_ = false;
  int exit_code_ = 0;
};

bool Supervisor::start(std::size_t index) {
  Child& child = children_[index];
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return false;
  const std::string told = std::string(variable) + "=" + std::to_string(index) + " " + std::to_string(children_.size()) + " " +
                           std::to_string(board_.descriptor()) + " " + std::to_string(pipe_ends[1]) + " " + std::to_string(port_);
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(const_cast<char*>(told.c_str()));
  environment.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {  // only what is safe after a fork of a process with threads
    setpgid(0, 0);  // Ctrl-C at a terminal is for the supervisor, which passes it on once
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(EXIT_FAILURE);
    fcntl(pipe_ends[1], F_SETFD, 0);
    fcntl(board_.descriptor(), F_SETFD, 0);
    execve("/proc/self/exe", argv_, environment.data());
    _exit(EXIT_FAILURE);
  }
  ::close(pipe_ends[1]);
  if (pid < 0) {
    ::close(pipe_ends[0]);
    return false;
  }
  fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
  child.pid = pid;
  child.ready_descriptor = pipe_ends[0];
  child.ready = false;
  child.started_ms = clock_.steady_ms();
  log(LogLevel::info, "process " + std::to_string(index) + " is pid " + std::to_string(pid));
  return true;
}

// A byte: it serves. The end: it is gone, and with it its end of the pipe.
void Supervisor::read(std::size_t index) {
  Child& child = children_[index];
  char byte = 0;
  const ssize_t got = ::read(child.ready_descriptor, &byte, 1);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return ended(index);
  child.ready = true;
  if (told_ready_ || !std::all_of(children_.begin(), children_.end(), [](const Child& one) { return one.ready; })) return;
  told_ready_ = true;
  std::printf("fluentgate-host ready on %s\n", listen_url(settings_.listen, port_).c_str());
  std::fflush(stdout);
}

void Supervisor::ended(std::size_t index) {
  Child& child = children_[index];
  int status = 0;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {}
  ::close(child.ready_descriptor);
  child.pid = child.ready_descriptor = -1;
  child.ready = false;
  board_.clear(static_cast<int>(index));
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  const std::string how = WIFEXITED(status) ? "with code " + std::to_string(code) : std::string("by signal ") + strsignal(WTERMSIG(status));
  if (ending_) {
    if (code != 0 && exit_code_ == 0) exit_code_ = 1;
    return;
  }
  log(LogLevel::error, "process " + std::to_string(index) + " ended " + how);
  if (!told_ready_) return end_all(code == 0 ? 1 : code);  // what keeps one from starting keeps the others
  const SteadyMs now = clock_.steady_ms();
  if (now - child.started_ms >= proven_ms) child.backoff_ms = restart_min_ms;
  child.restart_ms = now + child.backoff_ms;
  child.backoff_ms = std::min(child.backoff_ms * 2, restart_max_ms);
}

void Supervisor::end_all(int code) {
  ending_ = true;
  exit_code_ = code;
  tell(SIGTERM);
}

int Supervisor::wait_ms(SteadyMs now) const {
  SteadyMs wait = -1;
  if (ending_) return -1;
  for (const Child& child : children_) {
    if (child.pid > 0) continue;
    const SteadyMs due = std::max<SteadyMs>(0, child.restart_ms - now);
    wait = wait < 0 ? due : std::min(wait, due);
  }
  return static_cast<int>(wait);
}

int Supervisor::run() {
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (start(i)) continue;
    log(LogLevel::error, std::string("no process could be started: ") + std::strerror(errno));
    end_all(1);
    break;
  }
  while (!ending_ || running() > 0) {
    std::vector<pollfd> watched{{signals_.descriptor(), POLLIN, 0}};
    std::vector<std::size_t> of;
    for (std::size_t i = 0; i < children_.size(); ++i) {
      if (children_[i].pid <= 0) continue;
      watched.push_back({children_[i].ready_descriptor, POLLIN, 0});
      of.push_back(i);
    }
    logger_.flush();
    if (poll(watched.data(), watched.size(), wait_ms(clock_.steady_ms())) < 0 && errno != EINTR) return 1;
    signals_.clear();
    if (signals_.take_reload()) {
      if (const Status reopened = logger_.reload(); !reopened) log(LogLevel::error, reopened.error().text);
      tell(SIGHUP);
    }
    if (signals_.take_drain() && !ending_) {
      log(LogLevel::info, "draining " + std::to_string(running()) + " processes");
      end_all(0);
    }
    for (std::size_t i = 0; i < of.size(); ++i) {
      if ((watched[i + 1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read(of[i]);
    }
    const SteadyMs now = clock_.steady_ms();
    for (std::size_t i = 0; i < children_.size() && !ending_; ++i) {
      if (children_[i].pid > 0 || now < children_[i].restart_ms) continue;
      if (!start(i)) children_[i].restart_ms = now + children_[i].backoff_ms;
    }
  }
  logger_.flush();
  return exit_code_;
}

}  // namespace

std::optional<Supervised> supervised() {
  const char* told = std::getenv(variable);
  if (told == nullptr) return std::nullopt;
  Supervised out;
  const int read = std::sscanf(told, "%d %d %d %d %d", &out.process, &out.processes, &out.board_descriptor, &out.ready_descriptor, &out.port);
  unsetenv(variable);
  if (read != 5) return std::nullopt;
  fcntl(out.board_descriptor, F_SETFD, FD_CLOEXEC);
  fcntl(out.ready_descriptor, F_SETFD, FD_CLOEXEC);
  return out;
}

int supervise(char** argv, const config::Settings& settings, logging::LineLogger& logger, Signals& signals) {
  const auto port = ReservedPort::take(settings.listen);
  auto board = lws_plugin::ProcessBoard::make(settings.listen.processes);
  if (!port || !board) {
    logger.write(LogLevel::error, "host", port ? board.error().text : port.error().text);
    logger.flush();
    return 1;
  }
  return Supervisor(argv, settings, port->number(), **board, logger, signals).run();
}

}  // namespace fluentgate::host
