#include "core/redis/membership.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace fluentgate::redis {
namespace {

constexpr std::size_t asked_at_once = 500;  // fields of one HMGET

std::string participants_key(const RoomId& room) { return "room:" + room.value + ":participants"; }

// Shared with the answer, which may come after nobody waits any more.
struct Waiting {
  std::mutex mutex;
  std::condition_variable answered;
  std::optional<MemberAnswer> answer;
};

}  // namespace

Membership::Membership(Link& link, InboundSink& sink, Logger& log, const Clock& clock)
    : link_(link), sink_(sink), log_(log), clock_(clock), seldom_(log, clock) {
  link_.every(look_ms, [this] { look(); });
  link_.listen(*this);
}

MemberAnswer Membership::look_up(const RoomId& room, const UserId& user) {
  if (!link_.connected() || clock_.steady_ms() < closed_until_ms_) return {};
  const auto waiting = std::make_shared<Waiting>();
  const std::string key = participants_key(room);
  link_.command({key, {"HGET", key, user.value}}, [waiting](Result<Reply> reply) {
    MemberAnswer answer;
    if (reply) {
      answer.standing = reply->is_nil() ? MemberAnswer::Standing::stranger : MemberAnswer::Standing::member;
      answer.state = std::move(reply->text);
    }
    const std::lock_guard lock(waiting->mutex);
    waiting->answer = std::move(answer);
    waiting->answered.notify_one();
  });
  std::unique_lock lock(waiting->mutex);
  // By the system's clock: it is the loop that stands still here.
  if (waiting->answered.wait_for(lock, std::chrono::milliseconds(wait_ms), [&] { return waiting->answer.has_value(); })) return *waiting->answer;
  closed_until_ms_ = clock_.steady_ms() + breaker_ms;
  seldom_.write(LogLevel::warn, "redis", "membership",
                "who belongs to a room was not answered within " + std::to_string(wait_ms) + " ms: refused for " + std::to_string(breaker_ms) + " ms");
  return {};
}

void Membership::watch(const RoomId& room, const UserId& user) {
  link_.post([this, room, user] { rooms_[room].users.insert(user); });
}

void Membership::unwatch(const RoomId& room, const UserId& user) {
  link_.post([this, room, user] {
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) return;
    found->second.users.erase(user);
    if (found->second.users.empty()) rooms_.erase(found);
  });
}

void Membership::on_connected(bool again) {
  ++connection_;
  returned_ = again;
  for (auto& [room, state] : rooms_) state.looked_since_return = false;
  look();  // before anybody could put a part of a lost hash back
}

void Membership::look() {
  seldom_.sweep();
  if (!link_.connected()) return;
  for (const auto& [room, state] : rooms_) look_at(room, state);
}

void Membership::look_at(const RoomId& room, const Room& state) {
  const std::string key = participants_key(room);
  std::vector<UserId> users(state.users.begin(), state.users.end());
  for (std::size_t from = 0; from < users.size(); from += asked_at_once) {
    const std::vector<UserId> asked(users.begin() + static_cast<std::ptrdiff_t>(from),
                                    users.begin() + static_cast<std::ptrdiff_t>(std::min(users.size(), from + asked_at_once)));
    std::vector<std::string> args{"HMGET", key};
    for (const UserId& user : asked) args.push_back(user.value);
    // Of one key, so in this order.
    const auto exists = std::make_shared<bool>(false);
    link_.command({key, {"EXISTS", key}}, [exists](Result<Reply> reply) { *exists = reply && reply->integer != 0; });
    link_.command({key, std::move(args)}, [this, room, asked, exists, connection = connection_](Result<Reply> reply) {
      if (connection != connection_) return;
      if (!reply) {
        if (reply.error().code == "redis") seldom_.write(LogLevel::error, "redis", "watch", "members can't be read: " + reply.error().text);
        return;
      }
      seen(room, asked, *exists, *reply);
    });
  }
}

void Membership::seen(const RoomId& room, const std::vector<UserId>& asked, bool exists, const Reply& fields) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end() || fields.items.size() != asked.size()) return;
  Room& state = found->second;
  const SteadyMs now = clock_.steady_ms();
  if (!std::exchange(state.looked_since_return, true) && returned_ && !exists) {
    state.suspect_until_ms = now + suspect_ms;
    log_.write(LogLevel::warn, "redis", "Redis came back without the members of room " + room.value + ": nobody is removed for " +
                                            std::to_string(suspect_ms / 1000) + " s");
  }
  if (now < state.suspect_until_ms) return;
  std::vector<Inbound> gone;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (fields.items[i].is_nil() && state.users.erase(asked[i]) > 0) gone.push_back(MemberGone{room, asked[i]});
  }
  if (state.users.empty()) rooms_.erase(found);
  if (!gone.empty()) sink_.deliver(std::move(gone));
}

}  // namespace fluentgate::redis
