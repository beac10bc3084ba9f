// A real redis-server of a test's own, on a free loopback port, without anything on disk. Ended by the destructor. Thread: one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "test/support/free_port.hpp"
#include "test/support/process.hpp"

namespace fluentgate::test {

class RedisServer {
 public:
  // Begun and answering. `more`: further arguments ("--requirepass", "x").
  explicit RedisServer(std::vector<std::string> more = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  int port() const noexcept { return port_; }
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  void kill();      // -9, and gone when it returns
  void start();     // again, on the same port, empty
  void freeze();    // SIGSTOP: connections stay, nothing is answered
  void thaw();
  // One command over a connection of its own, as text: "OK", "(nil)", an array one element a line, "ERR ...". Fails the test where nothing answers.
  std::string ask(const std::vector<std::string>& args) const;

 private:
  std::string directory_;
  std::vector<std::string> more_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace fluentgate::test
