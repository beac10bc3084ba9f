// The clients: listeners, speakers and idle sockets on one epoll loop. Counts and checks what each listener hears. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/domain/result.hpp"
#include "tools/bench/gateway_url.hpp"
#include "tools/bench/histogram.hpp"
#include "tools/bench/load.hpp"
#include "tools/bench/web_socket.hpp"

namespace fluentgate::bench {

struct Heard {
  std::int64_t frames = 0, bytes = 0;
  std::int64_t missing = 0;          // numbers that were jumped over
  std::int64_t out_of_place = 0;     // repeated, or behind a later one
  std::int64_t misrouted = 0;        // of another room, language or run
  std::int64_t corrupt = 0;          // another length than was sent
  std::int64_t skipped_events = 0, error_events = 0;
};

class Crowd : private WebSocket::Receiver {
 public:
  Crowd(const Load& load, const GatewayUrl& gateway, std::uint32_t run);
  ~Crowd() override;
  // Opens every socket; blocks until all are open. Errors: "token", "epoll", and those of WebSocket.
  Status connect();
  // Speakers send between these times, all in turn.
  void speak(std::int64_t start_ns, std::int64_t stop_ns);
  // Serves the sockets until then, or until `enough` says so (asked once a turn).
  void run_until(std::int64_t end_ns, const std::function<bool()>& enough = {});
  // From now on latencies count, or no longer.
  void measure(bool on) { measuring_ = on; }

  std::size_t sockets() const { return sockets_.size(); }
  const Heard& heard() const { return heard_; }
  const Histogram& latency() const { return latency_; }
  const Histogram& send_delay() const { return send_delay_; }        // how late chunks were sent, against the plan
  const std::vector<std::int64_t>& said() const { return said_; }    // chunks per speaker
  std::int64_t said_in_all() const { return turn_; }
  std::int64_t unsent() const { return unsent_; }                    // the gateway took no more
  std::int64_t lost_sockets() const { return lost_; }
  const std::string& first_loss() const { return first_loss_; }
  // How many frames of each stream every listener of it has heard, the least of them.
  std::vector<std::int64_t> heard_by_all() const;
  // Listeners of each stream.
  std::vector<std::int64_t> ears_per_stream() const;

 private:
  struct Ear {
    std::uint32_t stream = 0;
    std::int64_t next = 0;
  };
  void on_binary(std::span<const std::uint8_t> message) override;
  void on_text(std::string_view message) override;
  Result<std::string> target_of(std::size_t index) const;
  void turn(int timeout_ms);
  void send_due(std::int64_t now_ns);

  const Load& load_;
  const GatewayUrl& gateway_;
  const std::uint32_t run_;

  int epoll_ = -1;
  std::vector<WebSocket> sockets_;  // listeners, then speakers, then idle ones
  std::vector<Ear> ears_;
  std::vector<std::int64_t> said_;
  std::vector<std::uint8_t> buffer_, chunk_;
  std::size_t current_ = 0, open_ = 0;
  std::int64_t speak_start_ns_ = 0, speak_stop_ns_ = 0, turn_ = 0, unsent_ = 0, lost_ = 0;
  std::string first_loss_;
  bool measuring_ = false;
  Heard heard_;
  Histogram latency_, send_delay_;
};

}  // namespace fluentgate::bench
