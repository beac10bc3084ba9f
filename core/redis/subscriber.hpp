// The connection for subscriptions: what channels are wanted, and when each is subscribed. Thread: redis.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/redis/connection.hpp"

namespace fluentgate::redis {

class Subscriber final : public Connection::Owner {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // Every wanted channel is subscribed.
    virtual void on_subscriber_ready() = 0;
    virtual void on_subscriber_lost(const std::string& why) = 0;
    virtual void on_message(std::string_view channel, std::string_view payload) = 0;
  };

  Subscriber(EventLoop& loop, Connection::Options options, Listener& listener) : loop_(loop), options_(std::move(options)), listener_(listener) {}

  void open();
  void drop();            // without a word to the listener; channels stay wanted
  void close() noexcept;
  void subscribe(const std::string& channel, std::function<void()> subscribed);
  void unsubscribe(const std::string& channel);

 private:
  struct Channel {
    bool wanted = false;
    int asked = 0;        // SUBSCRIBEs on this connection that are not confirmed yet
    bool subscribed = false;
    std::vector<std::function<void()>> waiting;
  };

  void on_ready(Connection& connection) override;
  void on_push(Connection& connection, Result<Reply> reply) override;
  void on_lost(Connection& connection, const std::string& why) override;
  void ask(const std::string& name, Channel& channel);
  void confirmed(const std::string& name);
  void look_whether_ready();
  void forget_connection();

  EventLoop& loop_;
  const Connection::Options options_;
  Listener& listener_;
  std::unique_ptr<Connection> connection_;
  std::map<std::string, Channel, std::less<>> channels_;
  std::size_t unconfirmed_ = 0;  // of all channels
  bool told_ready_ = false;
};

}  // namespace fluentgate::redis
