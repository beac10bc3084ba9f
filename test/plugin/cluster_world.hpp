// Hosts that share one room over a real redis-server and one Kafka, which lives in the test. Every wait has a deadline.
#pragma once

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "test/plugin/world.hpp"
#include "test/support/redis_server.hpp"

namespace fluentgate::test {

class Joined {
 public:
  explicit Joined(std::vector<std::string> options = {}) : options_(std::move(options)) { options_.push_back("redis.url=" + redis.url()); }
  World host(const std::vector<std::string>& more = {}) {
    std::vector<std::string> options = options_;
    options.insert(options.end(), more.begin(), more.end());
    return World(kafka, options);
  }
  // As FluentMeet's backend does it.
  void push(const std::string& message, const std::string& room = "r1") { redis.ask({"PUBLISH", "ws:room:" + room, message}); }

  RedisServer redis;
  Cluster kafka;

 private:
  std::vector<std::string> options_;
};

// existing_users, which comes when the other instances' seats are known: before the first heartbeat or after it.
inline std::string existing_users(Client& client) {
  for (const auto& text : client.greeting) {
    if (text.find("\"existing_users\"") != std::string::npos) return text;
  }
  return client.event("existing_users");
}
// The texts of these types that came until now and within `ms` more; nothing else.
inline std::vector<std::string> gathered(Client& client, const std::vector<std::string>& types, int ms = 300) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
  std::vector<std::string> out;
  for (auto& text : client.texts_until_pong()) {
    for (const auto& type : types) {
      if (has_member(text, "type") && text_member(text, "type") == type) out.push_back(text);
    }
  }
  return out;
}
inline const std::vector<std::string> presence_events{"existing_users", "user_joined", "user_left"};
inline std::string left(const std::string& user) { return R"({"type":"user_left","user_id":")" + user + "\"}"; }
inline std::string user_of(const std::string& event) { return text_member(event, "user_id"); }

}  // namespace fluentgate::test
