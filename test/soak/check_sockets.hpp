// How sockets may end, and what heartbeats must say. A socket ends by its client, with its instance, or because a newer one of the same user took its place:
// not because a server behind the gateway is away. Thread: one.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "test/soak/journal.hpp"

namespace fluentgate::soak {

// One run of one instance's process, as the one who starts and ends it knows it.
enum class Life : std::uint8_t { serving, draining, killed, over };

class SocketChecker {
 public:
  static constexpr std::string_view stay = "sockets stay open", refusals = "handshakes are refused only where they may be";

  explicit SocketChecker(Journal& journal) : journal_(journal) {}

  // code as WsSocket tells it; ours: answered our own close. replaced: a newer one of the same user was opened.
  void closed(const std::string& socket, int code, bool ours, Life life, bool replaced);
  void refused(const std::string& socket, int status, const std::string& body, Life life);
  const std::map<int, int>& codes() const noexcept { return codes_; }
  const std::map<int, int>& statuses() const noexcept { return statuses_; }

 private:
  Journal& journal_;
  std::map<int, int> codes_, statuses_;  // → how often
};

class HeartbeatChecker {
 public:
  static constexpr std::string_view told = "heartbeats tell outages and their end";

  explicit HeartbeatChecker(Journal& journal) : journal_(journal) {}

  void opened(int socket);
  void closed(int socket);
  void state(int socket, const std::string& state);
  // From now on every socket that is open now and still then must have said one of `states` last, at the latest in `within_ms`.
  void expect(std::vector<std::string> states, Ms within_ms);
  void expect_nothing();  // the outage was over before it had to be told
  void tick();
  Ms worst_ms() const noexcept { return worst_ms_; }

 private:
  struct Expected {
    std::vector<std::string> states;
    Ms from_ms = 0, by_ms = 0;
  };
  struct Socket {
    Ms since_ms = 0;
    std::string last;
    Ms last_ms = 0;
  };
  bool fits(const Socket& socket) const;

  Journal& journal_;
  std::map<int, Socket> sockets_;
  std::vector<Expected> expected_;  // at most one
  Ms worst_ms_ = 0;
};

}  // namespace fluentgate::soak
