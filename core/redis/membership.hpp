// Who belongs to a room: room:{room_id}:participants, asked before an upgrade and watched afterwards (CONTRACT 1, auth.membership).
// Thread: look_up(), watch() and unwatch() the loop; everything else the redis thread. To be destroyed after the link was stopped.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/domain/membership.hpp"
#include "core/log/rate_limited_log.hpp"
#include "core/redis/inbound.hpp"
#include "core/redis/link.hpp"

namespace fluentgate::redis {

class Membership final : public MemberLookup, private Link::Listener {
 public:
  static constexpr std::int64_t wait_ms = 100;         // for one answer
  static constexpr std::int64_t breaker_ms = 1000;     // after an answer that did not come nothing is asked for so long
  static constexpr std::int64_t look_ms = 2000;        // between two looks at who is watched
  static constexpr std::int64_t suspect_ms = 30000;    // a hash that is missing when Redis comes back removes nobody before that

  // All outlive it.
  Membership(Link& link, InboundSink& sink, Logger& log, const Clock& clock);

  // Waits for at most wait_ms; `unknown` at once while Redis is away, and for breaker_ms after a look-up that was not answered in time: a Redis that hangs
  // never costs the loop more than a tenth of its time.
  MemberAnswer look_up(const RoomId& room, const UserId& user) override;

  // From now on MemberGone comes, once, when the user is no longer a field. Never while Redis is away.
  void watch(const RoomId& room, const UserId& user);
  void unwatch(const RoomId& room, const UserId& user);

 private:
  struct Room {
    std::set<UserId> users;
    SteadyMs suspect_until_ms = 0;
    bool looked_since_return = false;
  };

  void on_connected(bool again) override;
  void on_lost() override {}
  void on_message(std::string_view, std::string_view) override {}
  void look();
  void look_at(const RoomId& room, const Room& state);
  void seen(const RoomId& room, const std::vector<UserId>& asked, bool exists, const Reply& fields);

  Link& link_;
  InboundSink& sink_;
  Logger& log_;
  const Clock& clock_;
  logging::RateLimitedLog seldom_;
  SteadyMs closed_until_ms_ = 0;     // of the loop: the breaker
  // Of the redis thread.
  std::map<RoomId, Room> rooms_;
  bool returned_ = false;            // this is not the first connection
  std::uint64_t connection_ = 0;
};

}  // namespace fluentgate::redis
