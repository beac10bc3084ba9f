// RoomBus over a Link: the rooms that this instance hosts, kept the same in Redis, and what others tell about them, told to the loop.
// Thread: RoomBus's calls the loop (none blocks); everything else the redis thread. To be destroyed after the link was stopped.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/domain/cluster.hpp"
#include "core/log/rate_limited_log.hpp"
#include "core/redis/inbound.hpp"
#include "core/redis/leases.hpp"
#include "core/redis/link.hpp"
#include "core/redis/room_seats.hpp"

namespace fluentgate::redis {

class RedisBus final : public RoomBus, private Link::Listener, private Leases::Listener {
 public:
  // After Redis came back the others may not have told their seats again yet: for so long views are not complete.
  static constexpr std::int64_t settle_ms = 4000;

  // Called on the redis thread; each may be empty.
  struct Hooks {
    // This instance removed the seat of a dead one, and the user sits nowhere else in the room.
    std::function<void(const RoomId& room, const UserId& user, const std::string& instance)> reaped;
    // The user sits here too, and left another instance (or it died).
    std::function<void(const RoomId& room, const UserId& user)> left_elsewhere;
  };
  // All outlive it.
  RedisBus(Link& link, std::string instance, InboundSink& sink, Logger& log, const Clock& clock, Hooks hooks = {});

  const std::string& instance() const noexcept override { return instance_; }
  bool connected() const noexcept override { return connected_.load(std::memory_order_acquire); }
  void open(const RoomId& room) override;
  void close(const RoomId& room) override;
  void seat(const RoomId& room, const PeerSeat& seat) override;
  void unseat(const RoomId& room, const UserId& user) override;
  void broadcast(const RoomId& room, const UserId& sender, std::string data) override;
  void unicast(const RoomId& room, const UserId& target, const UserId& sender, std::string data) override;
  void note(const RoomId& room, std::string json) override;

  // Before the link is stopped: takes every seat back and gives the lease up, so that others need not wait for it to run out.
  void leave();
  // Messages on rooms' channels that could not be read. Thread: any.
  std::uint64_t malformed() const noexcept { return malformed_.load(std::memory_order_relaxed); }

 private:
  using Place = std::pair<RoomId, UserId>;

  void on_connected(bool again) override;
  void on_lost() override;
  void on_message(std::string_view channel, std::string_view payload) override;
  void on_lease_taken() override;
  void on_instance_gone(const std::string& instance) override;

  void opened(const RoomId& room);
  void closed(const RoomId& room);
  void seated(const RoomId& room, PeerSeat seat);
  void unseated(const RoomId& room, const UserId& user);
  void confirm_channel(const RoomId& room, std::uint64_t number);
  void publish(std::string channel, std::string text);

  void mark_dirty(const RoomId& room, const UserId& user);
  void bring_up_to_date();
  void tell_seat(const RoomId& room, const OwnSeat& own);
  void seat_answered(const RoomId& room, const UserId& user, std::uint64_t version, const Result<Reply>& reply);
  void untell_seat(const RoomId& room, const UserId& user);
  void settle_by_own_clock(OwnSeat& own);

  void want_load(const RoomId& room);
  void begin_loads();
  void load(const RoomId& room, RoomSeats& seats);
  void load_ended(std::uint64_t connection);
  void loaded(const RoomId& room, std::int64_t mark, std::uint64_t connection, const Result<Reply>& reply);
  void live_known(const RoomId& room, std::int64_t mark, const std::set<std::string>* live);
  void look_whether_loaded(const RoomId& room, RoomSeats& seats);
  void reap(const RoomId& room, const std::map<RoomSeats::Key, OtherSeat>& dead);

  void on_push(const RoomId& room, std::string_view payload);
  void on_room_message(const RoomId& room, std::string_view payload);
  void complain(const std::string& channel, const Error& error);
  void tell(Inbound message);
  void look();      // every second
  void refresh();   // now and then: keys of rooms that live don't run out

  Link& link_;
  const std::string instance_;
  InboundSink& sink_;
  Logger& log_;
  const Clock& clock_;
  const Hooks hooks_;
  logging::RateLimitedLog seldom_;
  std::atomic<bool> connected_{false};
  std::atomic<std::uint64_t> malformed_{0};

  // Of the redis thread.
  Leases leases_;
  std::map<RoomId, RoomSeats> rooms_;
  std::set<Place> dirty_;          // whose seat in Redis is not as it is here
  std::size_t under_way_ = 0;      // scripts about them
  std::set<RoomId> load_wanted_;   // whose snapshot is to be taken
  std::size_t loading_ = 0;        // snapshots being taken
  std::uint64_t opened_count_ = 0, version_ = 0, connection_ = 0;
  std::int64_t last_mark_ = 0;
  std::int64_t told_us_ = 0;       // when the lease was taken
  bool settled_ = false, leaving_ = false;
  SteadyMs settles_at_ms_ = 0;
};

}  // namespace fluentgate::redis
