// A link with what it told, collected. Its callbacks come on the redis thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/redis/link.hpp"
#include "test/support/check.hpp"
#include "test/support/inbound_sink.hpp"
#include "test/support/redis_server.hpp"

namespace fluentgate::test {

class Told final : public redis::Link::Listener {
 public:
  void on_connected(bool again) override { change([&] { ++(again ? again_ : first_); up_ = true; }); }
  void on_lost() override { change([&] { ++lost_; up_ = false; }); }
  void on_message(std::string_view channel, std::string_view payload) override {
    change([&] { messages_.emplace_back(std::string(channel) + "=" + std::string(payload)); });
  }
  template <class Condition>
  bool wait(Condition condition, int timeout_ms = 10000) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return condition(*this); });
  }
  bool wait_up() { return wait([](const Told& t) { return t.up_; }); }
  bool wait_down(int timeout_ms = 10000) { return wait([](const Told& t) { return !t.up_; }, timeout_ms); }
  bool wait_message(const std::string& message, int timeout_ms = 10000) {
    return wait([&](const Told& t) { return std::find(t.messages_.begin(), t.messages_.end(), message) != t.messages_.end(); }, timeout_ms);
  }
  std::vector<std::string> messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  template <class Change>
  void change(Change what) {
    const std::lock_guard lock(mutex_);
    what();
    changed_.notify_all();
  }

  int first_ = 0, again_ = 0, lost_ = 0;  // under the lock
  bool up_ = false;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> messages_;
};

// An answer that another thread waits for. It outlives the callback by being shared.
class Awaited {
 public:
  redis::Answer answer() const {
    return [state = state_](Result<redis::Reply> reply) {
      const std::lock_guard lock(state->mutex);
      ++state->calls;
      state->text = reply ? (reply->kind == redis::Reply::Kind::integer ? std::to_string(reply->integer) : reply->is_nil() ? "(nil)" : reply->text)
                          : "error " + reply.error().code + ": " + reply.error().text;
      state->changed.notify_all();
    };
  }
  std::string text(int timeout_ms = 10000) const {
    std::unique_lock lock(state_->mutex);
    if (!state_->changed.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return state_->calls > 0; })) return "(no answer)";
    return state_->text;
  }
  int calls() const {
    const std::lock_guard lock(state_->mutex);
    return state_->calls;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::string text;
    int calls = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

struct LinkWorld {
  RealClock clock;
  CollectingLogger log;
  Told told;
  std::unique_ptr<redis::Link> link;

  explicit LinkWorld(const std::string& url) {
    auto started = redis::Link::start({url, "fluentgate-test", 2000}, told, log, clock);
    if (!started) FAIL(started.error().text);
    link = std::move(started).value();
  }
  ~LinkWorld() { link->stop(0); }

  std::string ask(redis::Command command) {
    Awaited awaited;
    link->command(std::move(command), awaited.answer());
    return awaited.text();
  }
  std::string script(std::string_view source, std::string key, std::vector<std::string> args) {
    Awaited awaited;
    link->script(source, std::move(key), std::move(args), awaited.answer());
    return awaited.text();
  }
};

}  // namespace fluentgate::test
