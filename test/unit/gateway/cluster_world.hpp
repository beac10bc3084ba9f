// Several gateways in one process, joined by a Redis that lives in memory: what they tell each other waits until deliver(), so that a test owns the order.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "test/unit/gateway/world.hpp"

namespace fluentgate::test {

class FakeRedis;

class FakeBus final : public RoomBus {
 public:
  FakeBus(FakeRedis& redis, std::string name) : redis_(redis), name_(std::move(name)) {}
  const std::string& instance() const noexcept override { return name_; }
  bool connected() const noexcept override;
  void open(const RoomId& room) override;
  void close(const RoomId& room) override { rooms.erase(room); }
  void seat(const RoomId& room, const PeerSeat& seat) override;
  void unseat(const RoomId& room, const UserId& user) override;
  void broadcast(const RoomId& room, const UserId& sender, std::string data) override;
  void unicast(const RoomId& room, const UserId& target, const UserId& sender, std::string data) override;
  void note(const RoomId& room, std::string json) override;

  bool dead = false;  // killed: nothing of it reaches Redis any more
  std::set<RoomId> rooms;
  std::map<std::pair<RoomId, UserId>, PeerSeat> seats;  // as the gateway told them

 private:
  FakeRedis& redis_;
  std::string name_;
};

struct Instance {
  Instance(FakeRedis& redis, std::string name, const config::Settings& settings) : bus(redis, std::move(name)), world(settings, &bus) {}
  FakeBus bus;
  World world;
};

class FakeRedis {
 public:
  Instance& add(const std::string& name, const config::Settings& settings = {}) {
    instances.push_back(std::make_unique<Instance>(*this, name, settings));
    return *instances.back();
  }
  // All that waits, and what comes of it.
  void deliver() {
    while (!waiting.empty()) {
      auto [to, message] = std::move(waiting.front());
      waiting.pop_front();
      if (alive(to) && !to->bus.dead) to->world.hub->cluster->take(message);
    }
  }
  void put(Instance& to, redis::Inbound message) { waiting.emplace_back(&to, std::move(message)); }
  void publish(const RoomId& room, const std::string& from, const redis::Inbound& message, bool to_sender = false) {
    for (auto& one : instances) {
      if (one->bus.rooms.contains(room) && (to_sender || one->bus.instance() != from)) put(*one, message);
    }
  }
  // What the backend or FluentMeet's own service publishes.
  void push(std::optional<std::string> target, const std::string& sender, const std::string& data) {
    publish(RoomId("r"), {}, redis::Push{RoomId("r"), target ? std::optional(UserId(*target)) : std::nullopt, sender, data, {}});
  }
  redis::RoomView view_for(const Instance& asks, const RoomId& room, bool complete) const {
    redis::RoomView view{room, {}, complete};
    for (const auto& [key, seat] : stored) {
      if (std::get<0>(key) == room && seat.instance != asks.bus.instance()) view.seats.push_back(seat);
    }
    return view;
  }
  void store(const RoomId& room, PeerSeat seat) {
    ++clock_us;
    if (seat.audio_since_us == 0) seat.audio_since_us = clock_us;
    if (seat.signaling_since_us == 0) seat.signaling_since_us = clock_us;
    stored[{room, seat.instance, seat.user}] = seat;
    publish(room, seat.instance, redis::SeatTold{room, seat}, true);
  }
  void remove(const RoomId& room, const std::string& instance, const UserId& user) {
    if (stored.erase({room, instance, user}) > 0) publish(room, instance, redis::SeatGone{room, user, instance});
  }
  // The process is gone without a word; its lease runs out.
  void lease_over(Instance& gone) {
    std::erase_if(stored, [&](const auto& one) { return one.second.instance == gone.bus.instance(); });
    for (auto& one : instances) {
      if (one.get() != &gone) put(*one, redis::InstanceGone{gone.bus.instance()});
    }
    gone.bus.rooms.clear();
    gone.bus.seats.clear();
    gone.bus.dead = true;
  }
  void go_away() {
    up = false;
    stored.clear();  // it keeps nothing
    for (auto& one : instances) put(*one, redis::BusState{false});
  }
  // Comes back empty: everybody is told and tells again, and later what is complete.
  void come_back() {
    up = true;
    for (auto& one : instances) {
      if (one->bus.dead) continue;
      put(*one, redis::BusState{true});
      for (const auto& room : one->bus.rooms) put(*one, view_for(*one, room, false));
      for (const auto& [key, seat] : one->bus.seats) store(key.first, seat);
    }
  }
  void complete_views() {
    for (auto& one : instances) {
      for (const auto& room : one->bus.rooms) put(*one, view_for(*one, room, true));
    }
  }
  bool alive(const Instance* instance) const {
    return std::any_of(instances.begin(), instances.end(), [&](const auto& one) { return one.get() == instance; });
  }
  void say(std::string line) { channel.push_back(std::move(line)); }

  bool up = true;
  std::int64_t clock_us = 1000;
  std::vector<std::unique_ptr<Instance>> instances;
  std::map<std::tuple<RoomId, std::string, UserId>, PeerSeat> stored;
  std::deque<std::pair<Instance*, redis::Inbound>> waiting;
  std::vector<std::string> channel;  // what our instances published on ws:room:r
};

inline bool FakeBus::connected() const noexcept { return redis_.up && !dead; }
inline void FakeBus::open(const RoomId& room) {
  rooms.insert(room);
  if (!connected()) return;
  for (auto& one : redis_.instances) {
    if (&one->bus == this) redis_.put(*one, redis_.view_for(*one, room, true));
  }
}
inline void FakeBus::seat(const RoomId& room, const PeerSeat& seat) {
  seats[{room, seat.user}] = seat;
  if (connected()) redis_.store(room, seat);
}
inline void FakeBus::unseat(const RoomId& room, const UserId& user) {
  seats.erase({room, user});
  if (connected()) redis_.remove(room, name_, user);
}
inline void FakeBus::broadcast(const RoomId& room, const UserId& sender, std::string data) {
  if (!connected()) return;
  redis_.say(data);
  redis_.publish(room, name_, redis::Push{room, std::nullopt, sender.value, std::move(data), name_});
}
inline void FakeBus::unicast(const RoomId& room, const UserId& target, const UserId& sender, std::string data) {
  if (!connected()) return;
  redis_.say(data);
  redis_.publish(room, name_, redis::Push{room, target, sender.value, std::move(data), name_});
}
inline void FakeBus::note(const RoomId& room, std::string json) {
  if (connected()) redis_.publish(room, name_, redis::RoomNote{room, name_, std::move(json)});
}

}  // namespace fluentgate::test
