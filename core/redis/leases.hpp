// Which instances live: ours says so by a key that runs out (fg:instance:{instance}, 8 s, renewed every 2 s), others are looked at every second.
// Thread: redis.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/redis/link.hpp"

namespace fluentgate::redis {

class Leases {
 public:
  static constexpr std::int64_t lease_ms = 8000, renew_ms = 2000, look_ms = 1000;

  class Listener {
   public:
    virtual ~Listener() = default;
    // The lease is ours, for the first time since acquire() or after it had run out: others may have taken us for dead.
    virtual void on_lease_taken() = 0;
    virtual void on_instance_gone(const std::string& instance) = 0;
  };

  // `link` outlives it.
  Leases(Link& link, std::string instance, Listener& listener, Logger& log)
      : link_(link), instance_(std::move(instance)), key_(key_of(instance_)), listener_(listener), log_(log) {}

  static std::string key_of(const std::string& instance) { return "fg:instance:" + instance; }

  void acquire();             // Redis is there
  void lost();                // it is away: nothing is known
  void renew();               // to be called every renew_ms
  void release();             // for good
  bool held() const noexcept { return held_; }
  // Looks once at each of them; on_instance_gone for those whose lease ran out.
  void look(const std::vector<std::string>& instances);
  // Calls back once with those of `instances` that live; with null where that could not be found out.
  void which_live(const std::set<std::string>& instances, std::function<void(const std::set<std::string>* live)> done);

 private:
  void take();

  Link& link_;
  const std::string instance_, key_;
  Listener& listener_;
  Logger& log_;
  bool held_ = false, released_ = false;
  std::uint64_t life_ = 0;        // answers of an earlier connection don't count
  std::uint64_t asked_life_ = 0;  // of the connection on which the lease is being taken; 0: it is not
};

}  // namespace fluentgate::redis
