// The participants' languages, kept in room:{room_id}:participants for the workers that read there which are wanted (redis.publish_participants).
// Thread: publish() and withdraw() any; everything else the redis thread. To be destroyed after the link was stopped.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/domain/ids.hpp"
#include "core/log/rate_limited_log.hpp"
#include "core/redis/link.hpp"
#include "core/wire/participant_state.hpp"

namespace fluentgate::redis {

class Participants final : private Link::Listener {
 public:
  struct Options {
    std::string instance;
    // auth.membership = token: fields that are not there are made, marked with our name, and removed at withdraw(). Otherwise they belong to the backend: only
    // our members of those that are there are written.
    bool makes_fields = false;
  };
  // All outlive it.
  Participants(Link& link, Options options, Logger& log, const Clock& clock);

  // Replaces what was said before; written again when Redis comes back.
  void publish(const RoomId& room, const UserId& user, wire::ParticipantState state);
  void withdraw(const RoomId& room, const UserId& user);

  // Thread: redis. The field that a dead instance made.
  void withdraw_of(const std::string& instance, const RoomId& room, const UserId& user);
  // Thread: redis. The user left another instance, which may have removed the field that is ours now.
  void publish_again(const RoomId& room, const UserId& user);
  // Before the link is stopped: withdraws everything.
  void leave();

 private:
  using Place = std::pair<RoomId, UserId>;

  void on_connected(bool again) override;
  void on_lost() override {}
  void on_message(std::string_view, std::string_view) override {}
  void write(const Place& place, int tries);
  void written(const Place& place, int tries, const Result<Reply>& reply);
  void remove(const Place& place, const std::string& instance, int tries);
  void owe(const Place& place, const std::string& instance, const Error& error);
  void complain(const Place& place, const Error& error);

  Link& link_;
  const Options options_;
  logging::RateLimitedLog seldom_;
  std::map<Place, wire::ParticipantState> published_;
  std::set<Place> owed_;  // withdrawn while Redis was away
};

}  // namespace fluentgate::redis
