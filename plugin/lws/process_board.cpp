// A sequence lock per slot: odd while it is written. A reader that meets one being written, or left half-written, takes it for absent.
#include "plugin/lws/process_board.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>

namespace fluentgate::lws_plugin {

struct ProcessBoard::Slot {
  std::atomic<std::uint32_t> sequence;  // 0: nothing was ever told
  std::atomic<std::uint32_t> ready;
  std::atomic<std::uint64_t> size;
  char metrics[metrics_bytes_max];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a lock inside the slot would be another in each process");

namespace {
constexpr int read_attempts = 3;
}

ProcessBoard::Slot& ProcessBoard::slot(int process) const noexcept { return static_cast<Slot*>(memory_)[process]; }

Result<void*> ProcessBoard::map(int descriptor, int processes) {
  void* memory = mmap(nullptr, sizeof(Slot) * static_cast<std::size_t>(processes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, descriptor, 0);
  if (memory == MAP_FAILED) return Error{"shared_memory", std::string("the processes' shared memory could not be mapped: ") + std::strerror(errno)};
  return memory;
}

Result<std::unique_ptr<ProcessBoard>> ProcessBoard::make(int processes) {
  const int descriptor = memfd_create("fluentgate-processes", MFD_CLOEXEC);
  if (descriptor < 0 || ftruncate(descriptor, static_cast<off_t>(sizeof(Slot) * static_cast<std::size_t>(processes))) != 0) {
    const Error error{"shared_memory", std::string("no shared memory for the processes: ") + std::strerror(errno)};
    if (descriptor >= 0) ::close(descriptor);
    return error;
  }
  const auto memory = map(descriptor, processes);
  if (!memory) {
    ::close(descriptor);
    return memory.error();
  }
  return std::unique_ptr<ProcessBoard>(new ProcessBoard(descriptor, true, *memory, -1, processes));
}

Result<std::unique_ptr<ProcessBoard>> ProcessBoard::attach(int descriptor, int process, int processes) {
  const auto memory = map(descriptor, processes);
  if (!memory) return memory.error();
  return std::unique_ptr<ProcessBoard>(new ProcessBoard(descriptor, false, *memory, process, processes));
}

ProcessBoard::~ProcessBoard() {
  munmap(memory_, sizeof(Slot) * static_cast<std::size_t>(processes_));
  if (owned_) ::close(descriptor_);
}

void ProcessBoard::clear(int process) noexcept { slot(process).sequence.store(0, std::memory_order_release); }

void ProcessBoard::publish(bool ready, std::string_view metrics) noexcept {
  Slot& own = slot(process_);
  const std::uint32_t before = own.sequence.load(std::memory_order_relaxed) | 1u;  // odd already if an earlier owner was killed while it wrote
  own.sequence.store(before, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  const std::size_t size = metrics.size() <= metrics_bytes_max ? metrics.size() : 0;
  std::memcpy(own.metrics, metrics.data(), size);
  own.size.store(size, std::memory_order_relaxed);
  own.ready.store(ready ? 1 : 0, std::memory_order_relaxed);
  const std::uint32_t after = before + 1;
  own.sequence.store(after == 0 ? 2 : after, std::memory_order_release);
}

std::vector<gateway::Siblings::State> ProcessBoard::others() const {
  std::vector<State> out;
  for (int process = 0; process < processes_; ++process) {
    if (process == process_) continue;
    const Slot& other = slot(process);
    for (int attempt = 0; attempt < read_attempts; ++attempt) {
      const std::uint32_t before = other.sequence.load(std::memory_order_acquire);
      if (before == 0 || before % 2 == 1) continue;
      State state;
      state.process = process;
      state.ready = other.ready.load(std::memory_order_relaxed) != 0;
      state.metrics.assign(other.metrics, std::min<std::size_t>(other.size.load(std::memory_order_relaxed), metrics_bytes_max));
      std::atomic_thread_fence(std::memory_order_acquire);
      if (other.sequence.load(std::memory_order_relaxed) != before) continue;
      out.push_back(std::move(state));
      break;
    }
  }
  return out;
}

}  // namespace fluentgate::lws_plugin
