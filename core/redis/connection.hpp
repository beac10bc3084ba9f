// One connection: connects, says who it is, sends commands and hands their answers back in order, and notices silence. Once lost it stays so.
// Thread: redis.
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/redis/event_loop.hpp"
#include "core/redis/reply.hpp"
#include "core/redis/stream.hpp"

namespace fluentgate::redis {

using Answer = std::function<void(Result<Reply>)>;

class Connection final : public EventLoop::Source {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_ready(Connection& connection) = 0;
    // With Options::pushes: everything that came after on_ready, but for the answers to our own PINGs.
    virtual void on_push(Connection& connection, Result<Reply> reply) = 0;
    // Once, never from within open() or send(); what was unanswered is answered "away" afterwards. The connection may be destroyed in a later turn only.
    virtual void on_lost(Connection& connection, const std::string& why) = 0;
  };
  struct Options {
    std::string host;
    int port = 6379;
    std::string user, password;  // empty: none
    int database = 0;
    std::string client_name;
    std::int64_t silent_ms = 2000;
    SSL_CTX* tls = nullptr;
    bool pushes = false;
  };

  Connection(EventLoop& loop, Options options, Owner& owner) : loop_(loop), options_(std::move(options)), owner_(owner), stream_(options_.tls) {}
  ~Connection() override;

  void open();
  bool is_ready() const noexcept { return state_ == State::ready; }
  bool is_cluster() const noexcept { return cluster_; }  // known when ready
  const Options& options() const noexcept { return options_; }
  // Before it is ready, it waits. With pushes `answer` is never called. Over limits::redis_outbox_bytes_max or limits::redis_answers_max "away" at once.
  void send(const std::vector<std::string>& args, Answer answer);
  std::size_t unanswered() const noexcept { return pending_.size() + held_.size(); }
  bool all_sent() const noexcept { return outbox_.empty() && held_.empty(); }
  // Ends it in this turn, as if it had been lost.
  void drop(std::string why);
  // Ends it without a word: no on_lost, no answers.
  void close() noexcept;

  std::set<std::string, std::less<>> scripts;  // digests of what this connection has loaded; its user's business

  int descriptor() const noexcept override { return stream_.descriptor(); }
  short events() const noexcept override { return stream_.events(written_ < outbox_.size()); }
  SteadyMs due() const noexcept override;
  void ready(short events) override;
  void tick(SteadyMs now) override;

 private:
  enum class State : unsigned char { opening, greeting, ready, over };
  struct Pending {
    SteadyMs sent_ms;
    Answer answer;
  };

  void greet();
  void append(const std::vector<std::string>& args, Answer answer);
  void read_all();
  void take(Result<Reply> reply);
  void flush();
  void become_ready();
  void fail(const std::string& why);
  bool over() const noexcept { return state_ == State::over; }

  EventLoop& loop_;
  const Options options_;
  Owner& owner_;
  Stream stream_;
  ReplyReader reader_;
  State state_ = State::opening;
  bool cluster_ = false;
  bool registered_ = false;
  std::string drop_why_;          // not empty: the next tick ends it
  std::string outbox_;
  std::size_t written_ = 0;       // of outbox_
  bool flush_wanted_ = false;     // something was added since the last try
  std::deque<Pending> pending_;   // in the order in which they were sent
  std::vector<std::pair<std::vector<std::string>, Answer>> held_;  // until it is ready
  std::size_t held_bytes_ = 0;
  SteadyMs opened_ms_ = 0, read_ms_ = 0, pinged_ms_ = 0;
  bool ping_unanswered_ = false;  // with pushes, whose answers have no order
};

}  // namespace fluentgate::redis
