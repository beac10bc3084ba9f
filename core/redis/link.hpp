// The connections to Redis: one thread ("redis"), one connection for commands (in a cluster one per node that answers MOVED), one for subscriptions; hiredis
// reads the protocol. Reconnects by itself (50 ms to 1 s apart); what was subscribed is subscribed again. Knows nothing of rooms.
// Thread: command(), script(), post(), every(), subscribe(), unsubscribe() and listen() any; every callback comes on the redis thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/ports.hpp"
#include "core/domain/result.hpp"
#include "core/redis/reply.hpp"

namespace fluentgate::redis {

struct Command {
  std::string key;                // routes in a cluster; empty: any node
  std::vector<std::string> args;  // {"HSET", "room", ...}; binary safe
};

// Errors given to callbacks: "away" (retriable: not connected, or lost before the answer: it may have been done), "redis" (its error reply, text as it came).
using Answer = std::function<void(Result<Reply>)>;

class Link {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // Both connections stand and every channel is subscribed. `again`: it was connected before. A listener that comes while it is connected is told at once.
    virtual void on_connected(bool again) = 0;
    virtual void on_lost() = 0;
    // Of every subscribed channel: a listener takes its own.
    virtual void on_message(std::string_view channel, std::string_view payload) = 0;
  };

  struct Options {
    std::string url;               // redis://[user[:password]@]host[:port][/db], rediss:// with TLS; what redis.url allows
    std::string client_name;       // CLIENT SETNAME
    std::int64_t silent_ms = 2000; // a PING unanswered for that long: the connection is lost
  };

  // Connects in the background; works while Redis is away. Listeners outlive the link. Errors: "bad_url" (what is wrong with it), "tls", "eventfd".
  static Result<std::unique_ptr<Link>> start(Options options, Listener& listener, Logger& log, const Clock& clock);
  virtual ~Link() = default;

  virtual bool connected() const noexcept = 0;
  virtual bool on_redis_thread() const noexcept = 0;
  // One more listener, for good.
  virtual void listen(Listener& listener) = 0;
  // `answer` is called exactly once unless stop() came first; with "away" at once if not connected. Commands of one key are done in the order of the calls.
  virtual void command(Command command, Answer answer = {}) = 0;
  // A Lua script: EVALSHA, loaded where it is unknown. One key. In a cluster PUBLISH, in a script too, counts the subscribers of that node only.
  virtual void script(std::string_view source, std::string key, std::vector<std::string> args, Answer answer = {}) = 0;
  // Kept over reconnects. `subscribed` is called once messages published from now on come: the first time only (then see on_connected). A channel belongs to
  // one caller; an unsubscribe() before then drops the call.
  virtual void subscribe(std::string channel, std::function<void()> subscribed = {}) = 0;
  virtual void unsubscribe(const std::string& channel) = 0;
  // On the redis thread, soon; in the order of the calls, also with respect to command().
  virtual void post(std::function<void()> work) = 0;
  // On the redis thread every so many ms, from now to stop().
  virtual void every(std::int64_t interval_ms, std::function<void()> work) = 0;
  // Ends the thread: what was given to command() is sent and answered for at most flush_ms. No callback after it.
  virtual void stop(int flush_ms) noexcept = 0;
};

}  // namespace fluentgate::redis
