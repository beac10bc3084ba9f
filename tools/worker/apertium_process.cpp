// See apertium_process.hpp.
#include "tools/worker/apertium_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

extern char** environ;

namespace fluentgate::worker {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::size_t answer_bytes_max = 256 * 1024;  // a phrase is a few hundred bytes
constexpr int poll_slice_ms = 50;
constexpr int fresh_patience = 5;

// Children get UTF-8 whatever our own locale is: lt-proc reads nothing else.
std::vector<std::string> child_environment() {
  std::vector<std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    if (!variable.starts_with("LC_") && !variable.starts_with("LANG=") && !variable.starts_with("LANGUAGE=")) variables.emplace_back(variable);
  }
  variables.emplace_back("LC_ALL=C.UTF-8");
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

// Starts one stage between two descriptors (which stay ours), in process group `group` (0: its own, new one).
Result<pid_t> spawn_stage(std::vector<std::string> words, int in, int out, pid_t group) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  sigset_t none;
  sigset_t pipe_only;
  sigemptyset(&none);
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &pipe_only);
  posix_spawnattr_setpgroup(&attributes, group);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  auto variables = child_environment();
  pid_t pid = -1;
  const int code = posix_spawnp(&pid, words[0].c_str(), &actions, &attributes, pointers(words).data(), pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) return Error{"spawn", "can't start " + words[0] + ": " + std::strerror(code), true};
  return pid;
}

void close_if_open(int& descriptor) noexcept {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

}  // namespace

Result<std::vector<std::vector<std::string>>> mode_stages(std::string_view mode_text) {
  std::vector<std::vector<std::string>> stages;
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool any = false;
  const auto end_word = [&] {
    if (!any) return;
    any = false;
    if (word == "$1") word = "-n";
    if (word != "$2") words.push_back(word);  // options of the tagger: none
    if (words.size() == 1 && word != "-z") words.emplace_back("-z");
    word.clear();
  };
  for (const char c : mode_text) {
    if (c == '\'') {
      quoted = !quoted;
      any = true;
    } else if (quoted || std::strchr(" \t\r\n|", c) == nullptr) {
      word += c;
      any = true;
    } else {
      end_word();
      if (c == '|') stages.push_back(std::exchange(words, {}));
    }
  }
  end_word();
  stages.push_back(words);
  if (quoted) return Error{"bad_mode", "a quote is not closed"};
  for (const auto& stage : stages) {
    if (stage.empty()) return Error{"bad_mode", "a stage is empty"};
  }
  return stages;
}

std::string to_apertium(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ') {
      out += ' ';
      continue;
    }
    if (std::strchr("[]{}^$/\\@<>", c) != nullptr) out += '\\';
    out += c;
  }
  // What apertium-destxt puts at a text's end: without it stages keep the last word back, waiting for what may follow it.
  return out + ".[][\n]";
}

std::string from_apertium(std::string_view stream) {
  std::string out;
  int depth = 0;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    char c = stream[i];
    if (c == '\\' && i + 1 < stream.size()) {
      c = stream[++i];
    } else if (c == '[') {
      ++depth;
      continue;
    } else if (c == ']') {
      depth = depth > 0 ? depth - 1 : 0;
      continue;
    } else if (c == '*' || c == '#' || c == '@') {
      continue;
    }
    if (depth > 0) continue;
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\0';
    if (!blank) out += c;
    else if (!out.empty() && out.back() != ' ') out += ' ';
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '.')) out.pop_back();
  return out;
}

ApertiumProcess::ApertiumProcess(std::string modes_dir, std::string mode, const std::atomic<bool>& stopping)
    : modes_dir_(std::move(modes_dir)), mode_(std::move(mode)), stopping_(stopping) {}

ApertiumProcess::~ApertiumProcess() { stop(); }

Status ApertiumProcess::start() {
  stop();
  const std::string path = modes_dir_ + "/" + mode_ + ".mode";
  std::ifstream file(path);
  if (!file) return Error{"missing_model", "no translation at " + path};
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  file.close();  // else the stages inherit it
  auto stages = mode_stages(text);
  if (!stages) return Error{"bad_mode", path + ": " + stages.error().text};

  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{"spawn", std::string("pipe: ") + std::strerror(errno), true};
  in_ = ends[1];
  int previous = ends[0];
  for (auto& stage : *stages) {
    int next[2] = {-1, -1};
    if (::pipe2(next, O_CLOEXEC) != 0) {
      close_if_open(previous);
      stop();
      return Error{"spawn", std::string("pipe: ") + std::strerror(errno), true};
    }
    auto pid = spawn_stage(std::move(stage), previous, next[1], pids_.empty() ? 0 : pids_.front());
    close_if_open(previous);
    close_if_open(next[1]);
    previous = next[0];
    if (!pid) {
      close_if_open(previous);
      stop();
      return pid.error();
    }
    pids_.push_back(*pid);
  }
  out_ = previous;
  ::fcntl(in_, F_SETFL, O_NONBLOCK);
  ::fcntl(out_, F_SETFL, O_NONBLOCK);
  return ok();
}

void ApertiumProcess::stop() noexcept {
  close_if_open(in_);
  close_if_open(out_);
  for (const pid_t pid : pids_) ::kill(pid, SIGKILL);
  for (const pid_t pid : pids_) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
  }
  pids_.clear();
}

Result<std::string> ApertiumProcess::ask(std::string_view text, std::chrono::milliseconds answer_max) {
  // Stages that lose the one before them put out what they have and end: that is nobody's answer.
  pollfd stray{out_, POLLIN, 0};
  if (::poll(&stray, 1, 0) != 0) return Error{"died", mode_ + ": a stage has ended", true};
  std::string request = to_apertium(text);
  request.push_back('\0');
  std::string answer;
  std::size_t written = 0;
  const auto deadline = SteadyClock::now() + answer_max;
  while (SteadyClock::now() < deadline) {
    if (stopping_.load(std::memory_order_relaxed)) return Error{"stopping", mode_ + ": the worker ends"};
    pollfd polled[2] = {{out_, POLLIN, 0}, {in_, POLLOUT, 0}};
    const int ready = ::poll(polled, written < request.size() ? 2 : 1, poll_slice_ms);
    if (ready <= 0) continue;
    if (written < request.size() && polled[1].revents != 0) {
      const ssize_t count = ::write(in_, request.data() + written, request.size() - written);
      if (count > 0) written += static_cast<std::size_t>(count);
      else if (count < 0 && errno != EAGAIN && errno != EINTR) return Error{"died", mode_ + ": " + std::strerror(errno), true};
    }
    if (polled[0].revents == 0) continue;
    char bytes[4096];
    const ssize_t count = ::read(out_, bytes, sizeof bytes);
    if (count == 0) return Error{"died", mode_ + ": a stage has ended", true};
    if (count < 0 && errno != EAGAIN && errno != EINTR) return Error{"died", mode_ + ": " + std::strerror(errno), true};
    if (count > 0) answer.append(bytes, static_cast<std::size_t>(count));
    if (answer.size() > answer_bytes_max) return Error{"died", mode_ + ": an endless answer", true};
    if (answer.empty() || answer.back() != '\0') continue;
    std::string translation = from_apertium(answer);
    const bool asked = text.find_first_not_of(" .\n\t") != std::string_view::npos;
    if (translation.empty() && asked) return Error{"died", mode_ + ": an empty answer", true};
    return translation;
  }
  return Error{"hung", mode_ + ": no answer within " + std::to_string(answer_max.count()) + " ms", true};
}

Result<std::string> ApertiumProcess::translate(std::string_view text, std::chrono::milliseconds answer_max) {
  Error last{"died", mode_ + ": not running", true};
  for (int attempt = 0; attempt < 2; ++attempt) {
    const bool fresh = !running();
    if (fresh) {
      ++restarts_;
      if (const Status started = start(); !started) return started.error();
    }
    // A new one has its dictionaries to read first.
    auto answer = ask(text, fresh ? answer_max * fresh_patience : answer_max);
    if (answer) return answer;
    last = answer.error();
    // An answer that comes too late would be taken for the next phrase's: only a new process is sure to be in step.
    stop();
    if (last.code == "stopping") break;
  }
  return last;
}

void ApertiumProcess::warm_up() { (void)translate("this is a sentence", std::chrono::seconds(10)); }

}  // namespace fluentgate::worker
