// The one face of the core that plugins see: admission before the upgrade, sockets after it, pages, timers, life cycle.
// Thread: loop for everything but the constructor's `wake`, which the core calls from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/auth/admission.hpp"
#include "core/config/settings.hpp"
#include "core/domain/clock.hpp"
#include "core/domain/ports.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::gateway {

// One socket after the upgrade, as its plugin drives it. Owned by the plugin; the core keeps weak references only.
class Socket {
 public:
  enum class Kind : std::uint8_t { text, binary };
  virtual ~Socket() = default;
  // A longer message closes 1009: the plugin stops assembling there.
  virtual std::size_t message_bytes_max() const noexcept = 0;
  // A whole message, its fragments joined. Text is valid UTF-8 (the plugin closes 1007 otherwise).
  virtual void on_message(Kind kind, std::span<const std::uint8_t> message) noexcept = 0;
  // There is room again, after Transport::want_writable().
  virtual void on_writable() noexcept = 0;
  // Anything came from the peer: a fragment, a ping, a pong.
  virtual void on_activity() noexcept = 0;
  // The last call: the transport is gone.
  virtual void on_closed() noexcept = 0;
};

// A plain HTTP request under the prefix, or at the root of fluentgate-host.
struct PageRequest {
  std::string_view method;
  std::string_view path;            // raw, without the query; "/healthz" or "{prefix}/healthz" alike
  std::string_view query;
  std::string_view peer_address;    // numeric IP
  bool forwarded = false;           // the request has Forwarded, X-Forwarded-For or X-Real-IP
  std::optional<std::string_view> authorization, cookie, origin;
};

struct Page {
  int status = 200;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// The other processes of a host that share its port (listen.processes). Implemented by the plugin. Thread: loop.
class Siblings {
 public:
  struct State {
    int process = 0;
    bool ready = false;
    std::string metrics;  // as its own /metrics would be
  };
  virtual ~Siblings() = default;
  virtual int process() const noexcept = 0;    // this one, from 0
  virtual int processes() const noexcept = 0;  // of the whole host, this one included
  virtual void publish(bool ready, std::string_view metrics) noexcept = 0;
  // As they last told; who isn't running, or never told anything, is missing.
  virtual std::vector<State> others() const = 0;
};

struct Environment {
  const Clock& clock;
  Logger& logger;
  std::function<void()> wake;       // makes the loop call turn() soon; thread: any; cheap, may be called often
  std::function<void()> drained;    // called once on the loop, when draining is over and every socket has ended
  Siblings* siblings = nullptr;     // outlives the gateway; null: this process is the whole host
};

class Gateway {
 public:
  // Starts the Kafka threads; serves also while Kafka is away. Errors: a bad key file, a bad Kafka property, no embedded cluster.
  static Result<std::shared_ptr<Gateway>> start(config::Settings settings, Environment environment);
  virtual ~Gateway() = default;

  virtual const config::Settings& settings() const noexcept = 0;

  // Everything that is decided before the upgrade, in the contract's order. Changes nothing.
  virtual std::variant<auth::Admitted, auth::Refusal> admit(const auth::UpgradeRequest& request) = 0;
  // The upgrade is done. A replaced socket of the same user is closed 4009 by this. The transport must outlive Socket::on_closed().
  virtual std::shared_ptr<Socket> open(auth::Admitted admitted, Transport& transport) = 0;

  // /healthz, /readyz, /metrics and {prefix}/captions/{room}.vtt; nothing for any other path (admit() has the answer for those).
  virtual std::optional<Page> page(const PageRequest& request) = 0;

  // Takes what other threads left. Call it after `wake`, on the loop.
  virtual void turn() noexcept = 0;
  // Timers. Returns in how many milliseconds it wants to be called again (1 to 1000). Calls turn() itself.
  virtual std::int64_t tick() noexcept = 0;

  // New handshakes get 503, every socket its going_away; `drained` is called when all have left, or after drain_ms when they were closed 1001. Who has not
  // answered a close frame a second later is ended without an answer.
  virtual void drain() noexcept = 0;
  virtual bool draining() const noexcept = 0;
  // Keys and log level from new settings (SIGHUP). A failure keeps what was.
  virtual Status reload(const config::Settings& settings) = 0;
  // Flushes Kafka (at most flush_ms) and ends every thread. No call after it.
  virtual void stop(int flush_ms) noexcept = 0;
};

}  // namespace fluentgate::gateway
