// What Kafka's threads tell, collected; a clock and a log for tests that run against real threads.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/domain/ports.hpp"
#include "core/kafka/inbound.hpp"
#include "test/support/check.hpp"

namespace fluentgate::test {

// The machine's time; the steady one a test may push forward.
class RealClock final : public Clock {
 public:
  UnixMs unix_ms() const noexcept override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  SteadyUs steady_us() const noexcept override {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count() +
           pushed_ms_.load() * 1000;
  }
  void push_forward(std::int64_t ms) noexcept { pushed_ms_ += ms; }

 private:
  std::atomic<std::int64_t> pushed_ms_{0};
};

class CollectingLogger final : public Logger {
 public:
  bool enabled(LogLevel level) const noexcept override { return level != LogLevel::debug; }
  void write(LogLevel, std::string_view category, std::string_view text) noexcept override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::string(category) + ": " + std::string(text));
  }
  std::size_t count(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    std::size_t found = 0;
    for (const std::string& line : lines_) found += line.find(part) != std::string::npos ? 1 : 0;
    return found;
  }
  std::string all() const {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const std::string& line : lines_) text += "    " + line + "\n";
    return text;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class CollectingSink final : public kafka::InboundSink {
 public:
  void deliver(std::vector<kafka::Inbound> batch) noexcept override { add(std::move(batch), loud_); }
  void deliver_quietly(std::vector<kafka::Inbound> batch) noexcept override { add(std::move(batch), quiet_); }

  // Every message of this kind so far, in order.
  template <class T>
  std::vector<T> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<T> found;
    for (const kafka::Inbound& message : messages_) {
      if (const T* one = std::get_if<T>(&message)) found.push_back(*one);
    }
    return found;
  }
  std::vector<kafka::Inbound> messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  // Waits until `count` of this kind have come; false at the deadline.
  template <class T>
  bool wait(std::size_t count, int timeout_ms = 10000) {
    return wait_until([&] { return all_locked<T>() >= count; }, timeout_ms);
  }
  // Waits until one of this kind is so, whenever it came; nothing is copied.
  template <class T, class Predicate>
  bool wait_for_one(Predicate so, int timeout_ms = 10000) {
    std::size_t from = 0;
    const auto look = [&] {
      for (; from < messages_.size(); ++from) {
        if (const T* one = std::get_if<T>(&messages_[from]); one != nullptr && so(*one)) return true;
      }
      return false;
    };
    return wait_until(look, timeout_ms);
  }
  template <class T, class Visit>
  void each(Visit visit) const {
    const std::lock_guard lock(mutex_);
    for (const kafka::Inbound& message : messages_) {
      if (const T* one = std::get_if<T>(&message)) visit(*one);
    }
  }
  // Waits until the last BrokerState is so.
  bool wait_state(const std::function<bool(const kafka::BrokerState&)>& so, int timeout_ms = 10000) {
    return wait_until([&] { return so(state_); }, timeout_ms);
  }
  std::size_t loud() const { return locked(loud_); }    // deliveries that wake the loop
  std::size_t quiet() const { return locked(quiet_); }  // and that don't

 private:
  void add(std::vector<kafka::Inbound> batch, std::size_t& counter) {
    {
      const std::lock_guard lock(mutex_);
      ++counter;
      for (kafka::Inbound& message : batch) {
        if (const auto* state = std::get_if<kafka::BrokerState>(&message)) state_ = *state;
        messages_.push_back(std::move(message));
      }
    }
    changed_.notify_all();
  }
  template <class Condition>
  bool wait_until(Condition condition, int timeout_ms) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), condition);
  }
  template <class T>
  std::size_t all_locked() const {
    std::size_t found = 0;
    for (const kafka::Inbound& message : messages_) found += std::holds_alternative<T>(message) ? 1 : 0;
    return found;
  }
  std::size_t locked(const std::size_t& counter) const {
    const std::lock_guard lock(mutex_);
    return counter;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<kafka::Inbound> messages_;
  kafka::BrokerState state_;
  std::size_t loud_ = 0, quiet_ = 0;
};

}  // namespace fluentgate::test
