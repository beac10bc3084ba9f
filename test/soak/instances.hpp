// The gateway's processes: started, killed, drained, watched; and what a load balancer knows of them. Each run of one is a life with a number of its own.
// Nothing here blocks longer than reaping a killed process. Thread: the reactor's.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/soak/check_growth.hpp"
#include "test/soak/check_logs.hpp"
#include "test/soak/check_sockets.hpp"
#include "test/soak/reactor.hpp"
#include "test/soak/ws_socket.hpp"
#include "test/support/host_process.hpp"
#include "test/support/process.hpp"

namespace fluentgate::soak {

class Instances {
 public:
  static constexpr std::string_view exits = "a drain ends with exit code 0";

  // options as fluentgate-host's --set takes them.
  Instances(Reactor& reactor, Journal& journal, std::string build_folder, std::vector<std::string> options, int count);

  int count() const noexcept { return static_cast<int>(all_.size()); }
  void start(int instance);
  void kill(int instance);        // -9
  void terminate(int instance);   // SIGTERM
  bool running(int instance) const { return all_[at(instance)].process != nullptr; }
  bool serving(int instance) const { return all_[at(instance)].serving; }  // /readyz answered 200 in this life
  bool all_serving() const;
  int port(int instance) const { return all_[at(instance)].port; }
  int life(int instance) const { return all_[at(instance)].life; }
  Life life_state(int life) const { return lives_.at(life); }
  // One that serves, beginning with this one; nothing serves: this one.
  int pick(int wanted) const;

  void socket_opened(int life) { ++sockets_[life]; }
  void socket_closed(int life) { --sockets_[life]; }

  void poll();                    // often: who is ready, who has ended
  void sample(GrowthChecker& growth);
  void read_logs(LogChecker& logs);
  const std::vector<Ms>& start_times_ms() const noexcept { return start_times_ms_; }

  std::function<void(int instance, int life, bool killed)> ended;

 private:
  struct Instance {
    int port = 0, life = -1;
    std::unique_ptr<test::Process> process;
    bool told_port = false, serving = false, asking = false, draining = false;
    Ms since_ms = 0, drained_ms = 0;
  };
  struct Log {
    std::string file;
    std::size_t read = 0;
  };
  std::size_t at(int instance) const { return static_cast<std::size_t>(instance); }
  std::string name_of(int instance) const;
  void ask_ready(int instance);
  void over(int instance, bool killed);

  Reactor& reactor_;
  Journal& journal_;
  const std::string build_folder_;
  const std::vector<std::string> options_;
  test::TemporaryFolder folder_;
  std::vector<Instance> all_;
  std::vector<std::shared_ptr<WsSocket>> asking_;  // by instance
  std::vector<Log> logs_;
  std::map<int, Life> lives_;
  std::map<int, int> sockets_;  // of ours, by life
  std::vector<std::pair<std::string, std::string>> last_words_;  // stderr of lives that are over
  std::vector<Ms> start_times_ms_;
  int next_life_ = 0;
};

}  // namespace fluentgate::soak
