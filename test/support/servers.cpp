// fluentgate-test-servers: the real Kafka and Redis that the ".real" tests share.
//   start           as ctest's fixture: starts both and returns when they are up; they end with ctest, however that ends
//   run COMMAND...  as ctest runs each such test: COMMAND with FLUENTGATE_TEST_KAFKA and FLUENTGATE_TEST_REDIS
//   stop            as ctest's fixture: ends them
//   hold            by hand: starts both, prints the two variables and stays until a signal; tests take what they find in the environment
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>

#include "test/support/check.hpp"
#include "test/support/kafka_server.hpp"
#include "test/support/redis_server.hpp"

namespace {

using namespace std::chrono_literals;
using fluentgate::test::Failure;

volatile sig_atomic_t ended = 0;

const char* const kafka_variable = "FLUENTGATE_TEST_KAFKA";
const char* const redis_variable = "FLUENTGATE_TEST_REDIS";

bool given() { return std::getenv(kafka_variable) != nullptr && std::getenv(redis_variable) != nullptr; }

// One ctest, one pair of servers: two of them may run in the same build folder.
std::string folder_of(pid_t ctest) { return std::string(FLUENTGATE_BUILD_DIR "/servers/") + std::to_string(ctest); }

std::string content(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Another process may get the same id; not with the same start. Empty: no such process, or only its exit code is left.
std::string start_of(pid_t process) {
  const std::string stat = content("/proc/" + std::to_string(process) + "/stat");
  const std::size_t after_name = stat.rfind(')');
  std::size_t at = after_name;
  for (int field = 2; at != std::string::npos && field < 22; ++field) at = stat.find(' ', at + 1);
  if (after_name == std::string::npos || at == std::string::npos || stat.compare(after_name, 3, ") Z") == 0) return {};
  return stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

// Starts both, tells, and stays until a signal or until `watched` is no more.
int serve(std::optional<pid_t> watched, const std::string& told_file) {
  struct sigaction action {};
  action.sa_handler = [](int) { ended = 1; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGHUP, &action, nullptr);
  try {
    const std::string since = watched ? start_of(*watched) : std::string();
    fluentgate::test::KafkaServer kafka;
    fluentgate::test::RedisServer redis;
    const std::string text = std::string(kafka_variable) + "=" + kafka.bootstrap() + "\n" + redis_variable + "=" + redis.url() + "\n";
    if (told_file.empty()) {
      std::fputs(text.c_str(), stdout);
      std::fflush(stdout);
    } else {
      std::ofstream(told_file + ".new") << text;
      std::filesystem::rename(told_file + ".new", told_file);
    }
    while (ended == 0 && (!watched || start_of(*watched) == since)) std::this_thread::sleep_for(200ms);
    return 0;
  } catch (const Failure& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
}

int start() {
  if (given()) return 0;
  const pid_t ctest = ::getppid();
  const std::string folder = folder_of(ctest);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const pid_t child = ::fork();
  if (child < 0) return 1;
  if (child == 0) {
    ::setsid();
    // ctest waits for whoever has its pipes.
    const int log = ::open((folder + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    const int code = serve(ctest, folder + "/environment");
    std::error_code ignored;
    if (code == 0) std::filesystem::remove_all(folder, ignored);
    std::exit(code);
  }
  std::ofstream(folder + "/pid") << child;
  while (!std::filesystem::exists(folder + "/environment")) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) {
      std::fprintf(stderr, "%s", content(folder + "/log").c_str());
      return 1;
    }
    std::this_thread::sleep_for(20ms);
  }
  std::printf("%s", content(folder + "/environment").c_str());
  return 0;
}

int stop() {
  if (given()) return 0;
  const std::string folder = folder_of(::getppid());
  const std::string pid = content(folder + "/pid");
  if (pid.empty()) return 0;
  const pid_t process = std::stoi(pid);
  const std::string since = start_of(process);
  ::kill(process, SIGTERM);
  for (int i = 0; i < 500 && !since.empty() && start_of(process) == since; ++i) std::this_thread::sleep_for(20ms);
  return 0;
}

int run(char** command) {
  if (!given()) {
    std::ifstream environment(folder_of(::getppid()) + "/environment");
    std::string line;
    while (std::getline(environment, line)) {
      const std::size_t equals = line.find('=');
      if (equals != std::string::npos) ::setenv(line.substr(0, equals).c_str(), line.substr(equals + 1).c_str(), 1);
    }
  }
  if (!given()) {
    std::fprintf(stderr, "this test needs the real Kafka and Redis, and they do not run. ctest starts them by itself (fixture \"servers\"); by hand: "
                         "fluentgate-test-servers hold, and what it prints in the environment\n");
    return 1;
  }
  ::execv(command[0], command);
  std::fprintf(stderr, "%s: %s\n", command[0], std::strerror(errno));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "start") return start();
  if (what == "stop") return stop();
  if (what == "hold") return serve(std::nullopt, {});
  if (what == "run" && argc > 2) return run(argv + 2);
  std::fprintf(stderr, "usage: fluentgate-test-servers start | stop | hold | run COMMAND...\n");
  return 2;
}
