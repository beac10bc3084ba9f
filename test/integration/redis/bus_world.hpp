// Instances as far as Redis sees them: each a link, a bus, and what was told to its loop.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/redis/room_bus.hpp"
#include "test/integration/redis/link_world.hpp"

namespace fluentgate::test {

class ToldToLoop final : public redis::InboundSink {
 public:
  void deliver(std::vector<redis::Inbound> batch) noexcept override {
    const std::lock_guard lock(mutex_);
    for (redis::Inbound& one : batch) messages_.push_back(std::move(one));
    changed_.notify_all();
  }
  template <class T>
  std::vector<T> all() const {
    const std::lock_guard lock(mutex_);
    return all_locked<T>();
  }
  // Waits until one of this kind is so, from the `from`th message on.
  template <class T>
  bool wait(const std::function<bool(const T&)>& so, int timeout_ms = 10000, std::size_t from = 0) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] {
      for (std::size_t i = from; i < messages_.size(); ++i) {
        if (const T* one = std::get_if<T>(&messages_[i]); one != nullptr && so(*one)) return true;
      }
      return false;
    });
  }
  template <class T>
  std::size_t count(const std::function<bool(const T&)>& so) const {
    const std::vector<T> found = all<T>();
    return static_cast<std::size_t>(std::count_if(found.begin(), found.end(), so));
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return messages_.size();
  }

 private:
  template <class T>
  std::vector<T> all_locked() const {
    std::vector<T> found;
    for (const redis::Inbound& message : messages_) {
      if (const T* one = std::get_if<T>(&message)) found.push_back(*one);
    }
    return found;
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<redis::Inbound> messages_;
};

inline PeerSeat seat_of(const std::string& user) {
  PeerSeat seat;
  seat.user = UserId(user);
  seat.display_name = "Name of " + user;
  seat.role = "host";
  seat.speaking_spelled = "en-US";
  seat.hearing.listening = *parse_language_list("es,fr-CA");
  seat.audio_since_us = 0;
  return seat;
}

struct Instance {
  RealClock clock;
  CollectingLogger log;
  ToldToLoop told;
  Told link_told;
  std::unique_ptr<redis::Link> link;
  std::unique_ptr<redis::RedisBus> bus;

  Instance(const std::string& url, const std::string& name, redis::RedisBus::Hooks hooks = {}) {
    auto started = redis::Link::start({url, name, 2000}, link_told, log, clock);
    if (!started) FAIL(started.error().text);
    link = std::move(started).value();
    bus = std::make_unique<redis::RedisBus>(*link, name, told, log, clock, std::move(hooks));
  }
  ~Instance() { link->stop(0); }

  bool up() {
    return told.wait<redis::BusState>([](const auto& state) { return state.connected; });
  }
  bool sees(const std::string& room, const std::string& user, int timeout_ms = 10000, std::size_t from = 0) {
    return told.wait<redis::SeatTold>(
        [&](const redis::SeatTold& seat) { return seat.room.value == room && seat.seat.user.value == user && seat.seat.audio_since_us.value_or(0) != 0; },
        timeout_ms, from);
  }
  bool views(const std::string& room, const std::vector<std::string>& users, bool complete, int timeout_ms = 10000, std::size_t from = 0) {
    return told.wait<redis::RoomView>(
        [&](const redis::RoomView& view) {
          std::vector<std::string> found;
          for (const PeerSeat& seat : view.seats) found.push_back(seat.user.value);
          std::sort(found.begin(), found.end());
          return view.room.value == room && found == users && (view.complete || !complete);
        },
        timeout_ms, from);
  }
};

}  // namespace fluentgate::test
