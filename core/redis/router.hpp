// Commands to where their keys live: one connection to the server of redis.url, and in a Redis Cluster one more per node that it refers to (MOVED, ASK).
// Commands of one key are done in the order in which they were given: without a cluster by the connection's order, in a cluster one at a time per slot.
// Thread: redis.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/redis/connection.hpp"

namespace fluentgate::redis {

struct Request {
  std::string key;                // empty: any node
  std::vector<std::string> args;  // of a script: what stands behind the key
  std::shared_ptr<const std::string> script;  // null: none
  std::string digest;             // of the script
  Answer answer;
  int redirects = 0;
};

class Router final : public Connection::Owner {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_router_ready() = 0;
    // Once per open(); the unanswered is answered "away" afterwards.
    virtual void on_router_lost(const std::string& why) = 0;
  };

  Router(EventLoop& loop, Connection::Options options, Listener& listener)
      : loop_(loop), options_(std::move(options)), listener_(listener), life_(std::make_shared<int>(0)) {}

  void open();
  // Ends every connection without a word to the listener; the unanswered is answered "away".
  void drop();
  // Ends everything; no answers.
  void close() noexcept;
  bool is_ready() const noexcept { return seed_ != nullptr && seed_->is_ready(); }
  bool is_cluster() const noexcept { return cluster_; }
  void send(Request request);
  bool idle() const noexcept { return unfinished_ == 0; }

 private:
  void on_ready(Connection& connection) override;
  void on_push(Connection&, Result<Reply>) override {}
  void on_lost(Connection& connection, const std::string& why) override;

  Connection& node(const std::string& host, int port);
  Connection& home_of(std::uint16_t slot);
  void dispatch(Request request, Connection& connection, bool ask);
  void on_answer(Request request, Connection& connection, Result<Reply> reply);
  bool redirected(Request& request, Connection& connection, const std::string& error);
  void finish(const Request& request, Result<Reply> reply);
  void bury(std::unique_ptr<Connection> connection);

  EventLoop& loop_;
  const Connection::Options options_;
  Listener& listener_;
  std::shared_ptr<int> life_;           // posted work looks whether it still lives
  std::unique_ptr<Connection> seed_;
  std::map<std::string, std::unique_ptr<Connection>> nodes_;   // by "host:port"; without the seed
  std::unordered_map<std::uint16_t, std::string> homes_;       // slots that were MOVED
  std::unordered_map<std::uint16_t, std::deque<Request>> busy_;  // slots with a command under way, and what waits for it
  std::size_t unfinished_ = 0;
  bool cluster_ = false;
};

}  // namespace fluentgate::redis
