// All of Redis behind one face: the link, the rooms that span instances, who belongs to them, the participants' languages.
// Threads: made and stopped by the loop; what it tells comes through the InboundSink.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/config/settings.hpp"
#include "core/domain/cluster.hpp"
#include "core/domain/membership.hpp"
#include "core/redis/inbound.hpp"
#include "core/redis/link.hpp"
#include "core/redis/membership.hpp"
#include "core/redis/participants.hpp"
#include "core/redis/room_bus.hpp"

namespace fluentgate::redis {

class Bridge {
 public:
  // Returns at once, whether Redis is there or not; only with redis.url. `instance`: kafka::Bridge::instance(). The references outlive the bridge.
  // Errors: "bad_url", "tls", "eventfd".
  static Result<std::unique_ptr<Bridge>> start(const config::Settings& settings, std::string instance, InboundSink& sink, Logger& log, const Clock& clock);
  ~Bridge();

  RoomBus& rooms() noexcept { return *bus_; }
  Membership& membership() noexcept { return *membership_; }
  // Null with redis.publish_participants off.
  Participants* participants() noexcept { return participants_.get(); }
  Link& link() noexcept { return *link_; }
  bool connected() const noexcept { return bus_->connected(); }
  // Messages on rooms' channels that could not be read.
  std::uint64_t malformed() const noexcept { return bus_->malformed(); }

  // Thread: loop; blocks for at most flush_ms and what a name's look-up takes. Takes back what this instance has in Redis; nothing is told any more. May be
  // called again.
  void stop(int flush_ms) noexcept;

 private:
  struct Nobody final : Link::Listener {
    void on_connected(bool) override {}
    void on_lost() override {}
    void on_message(std::string_view, std::string_view) override {}
  };

  Bridge() = default;

  Nobody nobody_;
  std::unique_ptr<Participants> participants_;
  std::unique_ptr<Membership> membership_;
  std::unique_ptr<RedisBus> bus_;
  std::unique_ptr<Link> link_;  // last: its thread ends before what it calls
  bool stopped_ = false;
};

}  // namespace fluentgate::redis
