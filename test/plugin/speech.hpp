// A participant that speaks all the time, at the pace of speech, while the test does other things; and what must be in Kafka's log afterwards.
#pragma once

#include <atomic>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "test/plugin/world.hpp"

namespace fluentgate::test {

class Speech {
 public:
  static constexpr int chunk_ms = 20;
  static constexpr std::size_t chunk_bytes = 640;

  // `number`: speakers of one test differ in it, and so in what they say.
  Speech(Client client, int number);
  ~Speech();
  Speech(const Speech&) = delete;
  Speech& operator=(const Speech&) = delete;

  // Ends it when the gateway has taken all; how many chunks it was. Fails if the socket was closed meanwhile.
  int stop();
  // What the gateway had told it by then, heartbeats aside.
  const std::vector<std::string>& told() const noexcept { return told_; }
  std::string said(int chunk) const { return pcm_bytes(chunk_bytes, number_ * 100000 + chunk); }

 private:
  Client client_;
  const int number_;
  std::atomic<bool> stopping_{false};
  int sent_ = 0;               // the thread's until it has ended
  std::exception_ptr failure_;
  std::vector<std::string> told_;
  std::thread thread_;
};

// Of one room, in the order of the log.
std::vector<PeerRecord> of_room(const std::vector<PeerRecord>& records, const std::string& room);
// Exactly what was said, in order, each chunk once, numbered from 0 without a hole.
void check_complete(const std::vector<PeerRecord>& records, const Speech& speech, int sent);

// The next heartbeat that says so, however long it takes up to the socket's deadline.
void wait_state(Client& client, const std::string& state);

// The longest time between two messages of a kind.
class Pause {
 public:
  void beat();
  std::int64_t longest_ms() const noexcept { return longest_ms_.load(); }
  int beats() const noexcept { return beats_.load(); }

 private:
  std::atomic<std::int64_t> last_ms_{0}, longest_ms_{0};
  std::atomic<int> beats_{0};
};

}  // namespace fluentgate::test
