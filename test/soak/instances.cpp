#include "test/soak/instances.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "test/support/check.hpp"
#include "test/support/free_port.hpp"

namespace fluentgate::soak {
namespace {

using namespace std::chrono_literals;

constexpr Ms start_wait_ms = 60000, drain_wait_ms = 25000;  // drain_ms, a second for who doesn't answer, the flush of Kafka

// The exit code, or nothing while it runs.
std::optional<int> exit_code(test::Process& process) {
  try {
    return process.wait(0ms);
  } catch (const test::Failure&) {
    return std::nullopt;
  }
}

double memory_mb(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/statm");
  double all = 0, resident = 0;
  in >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1048576.0;
}

int descriptors(pid_t pid) {
  std::error_code error;
  int count = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error); !error && it != std::filesystem::directory_iterator(); it.increment(error)) ++count;
  return count;
}

}  // namespace

Instances::Instances(Reactor& reactor, Journal& journal, std::string build_folder, std::vector<std::string> options, int count)
    : reactor_(reactor), journal_(journal), build_folder_(std::move(build_folder)), options_(std::move(options)) {
  for (int i = 0; i < count; ++i) {
    Instance instance;
    instance.port = test::free_port();
    all_.push_back(std::move(instance));
  }
  asking_.resize(all_.size());
}

std::string Instances::name_of(int instance) const {
  return "instance " + std::to_string(instance) + " (life " + std::to_string(all_[at(instance)].life) + ")";
}

void Instances::start(int instance) {
  Instance& one = all_[at(instance)];
  one.life = next_life_++;
  lives_[one.life] = Life::serving;
  one.told_port = one.serving = one.asking = one.draining = false;
  one.since_ms = reactor_.now_ms();
  logs_.push_back({folder_.path() + "/host-" + std::to_string(instance) + "-" + std::to_string(one.life) + ".log"});
  std::vector<std::string> command{build_folder_ + "/fluentgate-host", "--set", "listen.port=" + std::to_string(one.port), "--set",
                                   "auth.secret=" + std::string(test::test_secret), "--set", "log.file=" + logs_.back().file, "--set", "log.latency_sample=0"};
  for (const std::string& option : options_) {
    command.emplace_back("--set");
    command.push_back(option);
  }
  one.process = std::make_unique<test::Process>(command);
  journal_.note(name_of(instance) + " starts");
}

void Instances::kill(int instance) {
  Instance& one = all_[at(instance)];
  if (!one.process) return;
  journal_.note(name_of(instance) + ": kill -9");
  one.process->signal(SIGKILL);
  one.process->wait();
  over(instance, true);
}

void Instances::terminate(int instance) {
  Instance& one = all_[at(instance)];
  if (!one.process) return;
  journal_.note(name_of(instance) + ": SIGTERM");
  one.draining = true;
  one.serving = false;
  one.drained_ms = reactor_.now_ms();
  lives_[one.life] = Life::draining;
  one.process->signal(SIGTERM);
}

void Instances::over(int instance, bool killed) {
  Instance& one = all_[at(instance)];
  lives_[one.life] = killed ? Life::killed : Life::over;
  one.serving = false;
  last_words_.emplace_back(name_of(instance) + " stderr", one.process->err());
  one.process.reset();
  if (ended) ended(instance, one.life, killed);
}

bool Instances::all_serving() const {
  for (const Instance& one : all_) {
    if (!one.serving) return false;
  }
  return true;
}

int Instances::pick(int wanted) const {
  for (int i = 0; i < count(); ++i) {
    if (const int one = (wanted + i) % count(); all_[at(one)].serving) return one;
  }
  return wanted % count();
}

void Instances::ask_ready(int instance) {
  Instance& one = all_[at(instance)];
  one.asking = true;
  WsSocket::Events events;
  events.refused = [this, instance, life = one.life](int status, const std::string&) {
    Instance& asked = all_[at(instance)];
    if (asked.life != life) return;
    asked.asking = false;
    if (status != 200 || asked.draining || !asked.process || asked.serving) return;
    asked.serving = true;
    start_times_ms_.push_back(reactor_.now_ms() - asked.since_ms);
    journal_.note(name_of(instance) + " serves after " + std::to_string(start_times_ms_.back()) + " ms");
  };
  asking_[at(instance)] = WsSocket::get(reactor_, one.port, "/readyz", std::move(events));
}

void Instances::poll() {
  for (int i = 0; i < count(); ++i) {
    Instance& one = all_[at(i)];
    if (!one.process) continue;
    if (const auto code = exit_code(*one.process)) {
      if (!one.draining) {
        journal_.violation(exits, name_of(i) + " ended by itself with " + std::to_string(*code) + ": " + one.process->err());
      } else {
        if (*code != 0) journal_.violation(exits, name_of(i) + " ended with " + std::to_string(*code) + " after SIGTERM: " + one.process->err());
        journal_.note(name_of(i) + " has ended " + std::to_string(reactor_.now_ms() - one.drained_ms) + " ms after SIGTERM");
      }
      journal_.held(exits);
      over(i, !one.draining);
      continue;
    }
    if (one.draining && reactor_.now_ms() > one.drained_ms + drain_wait_ms) {
      journal_.violation(exits, name_of(i) + " still runs " + std::to_string(drain_wait_ms) + " ms after SIGTERM");
      kill(i);
      continue;
    }
    if (!one.serving && !one.draining && reactor_.now_ms() > one.since_ms + start_wait_ms) {
      journal_.violation(exits, name_of(i) + " is not ready after " + std::to_string(start_wait_ms) + " ms");
      one.since_ms = reactor_.now_ms();
    }
    if (!one.told_port) one.told_port = one.process->out().find('\n') != std::string::npos;
    if (one.told_port && !one.serving && !one.draining && !one.asking) ask_ready(i);
  }
}

void Instances::sample(GrowthChecker& growth) {
  for (int i = 0; i < count(); ++i) {
    const Instance& one = all_[at(i)];
    if (one.process && one.serving) growth.sample(name_of(i), memory_mb(one.process->pid()), descriptors(one.process->pid()), sockets_[one.life]);
  }
}

void Instances::read_logs(LogChecker& logs) {
  for (Log& log : logs_) {
    std::ifstream in(log.file, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(log.read));
    std::string more{std::istreambuf_iterator<char>(in), {}};
    more.resize(more.rfind('\n') == std::string::npos ? 0 : more.rfind('\n') + 1);
    log.read += more.size();
    logs.read(log.file.substr(log.file.rfind('/') + 1), more);
  }
  for (const auto& [source, text] : std::exchange(last_words_, {})) logs.read(source, text);
}

}  // namespace fluentgate::soak
