#include "plugin/host/signals.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdlib>

namespace fluentgate::host {
namespace {

sigset_t waited_for() noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) sigaddset(&set, signal);  // SIGUSR2: our own, to end the thread
  return set;
}

}  // namespace

Signals::Signals() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  const sigset_t set = waited_for();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread([this] { wait(); });
}

Signals::~Signals() {
  ended_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Signals::wait() noexcept {
  const sigset_t set = waited_for();
  bool draining = false;
  while (!ended_) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0 || ended_) continue;
    if (signal == SIGHUP) {
      reload_ = true;
    } else if (signal == SIGTERM || signal == SIGINT) {
      if (draining) _exit(EXIT_FAILURE);
      draining = true;
      drain_ = true;
    }
    wake();
  }
}

void Signals::wake() noexcept { [[maybe_unused]] const int ignored = eventfd_write(descriptor_, 1); }

void Signals::clear() noexcept {
  eventfd_t count = 0;
  [[maybe_unused]] const int ignored = eventfd_read(descriptor_, &count);
}

}  // namespace fluentgate::host
