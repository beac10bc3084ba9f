// What the processes of one fluentgate-host tell each other of their state (listen.processes): shared memory with a slot each, written by its owner
// once a second, read by whichever of them is asked for /readyz or /metrics. No locks: a process that is killed while it writes must not stop the others.
// Thread: loop; the supervisor's is its own.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/result.hpp"
#include "core/gateway/gateway.hpp"

namespace fluentgate::lws_plugin {

class ProcessBoard final : public gateway::Siblings {
 public:
  // Of one slot. What is longer is not told, and the reader says so; pages that nobody touches cost nothing.
  static constexpr std::size_t metrics_bytes_max = 8u << 20;

  // The supervisor's: memory of its own, to be inherited through descriptor().
  static Result<std::unique_ptr<ProcessBoard>> make(int processes);
  // A process's: `descriptor` stays the caller's.
  static Result<std::unique_ptr<ProcessBoard>> attach(int descriptor, int process, int processes);
  ~ProcessBoard() override;
  ProcessBoard(const ProcessBoard&) = delete;
  ProcessBoard& operator=(const ProcessBoard&) = delete;

  int descriptor() const noexcept { return descriptor_; }
  // The process has ended: nothing of it is told any more.
  void clear(int process) noexcept;

  // gateway::Siblings
  int process() const noexcept override { return process_; }
  int processes() const noexcept override { return processes_; }
  void publish(bool ready, std::string_view metrics) noexcept override;
  std::vector<State> others() const override;

 private:
  struct Slot;
  ProcessBoard(int descriptor, bool owned, void* memory, int process, int processes)
      : descriptor_(descriptor), owned_(owned), memory_(memory), process_(process), processes_(processes) {}
  static Result<void*> map(int descriptor, int processes);
  Slot& slot(int process) const noexcept;

  int descriptor_;
  bool owned_;
  void* memory_;
  int process_, processes_;
};

}  // namespace fluentgate::lws_plugin
