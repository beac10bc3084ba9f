// What the loop asks for and what comes over the channels. What is kept in Redis: room_bus_seats.cpp.
#include "core/redis/room_bus.hpp"

#include "core/domain/limits.hpp"
#include "core/wire/room_message.hpp"

namespace fluentgate::redis {
namespace {

constexpr std::string_view push_prefix = "ws:room:", room_prefix = "fg:room:";
constexpr std::int64_t refresh_every_ms = 600'000;

std::string push_channel(const RoomId& room) { return std::string(push_prefix) + room.value; }
std::string room_channel(const RoomId& room) { return std::string(room_prefix) + room.value; }

}  // namespace

RedisBus::RedisBus(Link& link, std::string instance, InboundSink& sink, Logger& log, const Clock& clock, Hooks hooks)
    : link_(link), instance_(std::move(instance)), sink_(sink), log_(log), clock_(clock), hooks_(std::move(hooks)), seldom_(log, clock),
      leases_(link, instance_, *this, log) {
  link_.every(Leases::look_ms, [this] { look(); });
  link_.every(Leases::renew_ms, [this] { leases_.renew(); });
  link_.every(refresh_every_ms, [this] { refresh(); });
  link_.listen(*this);
}

// --- the loop's calls

void RedisBus::open(const RoomId& room) {
  link_.post([this, room] { opened(room); });
}
void RedisBus::close(const RoomId& room) {
  link_.post([this, room] { closed(room); });
}
void RedisBus::seat(const RoomId& room, const PeerSeat& seat) {
  link_.post([this, room, seat] { seated(room, seat); });
}
void RedisBus::unseat(const RoomId& room, const UserId& user) {
  link_.post([this, room, user] { unseated(room, user); });
}

void RedisBus::publish(std::string channel, std::string text) {
  if (!connected()) return;
  link_.command({"", {"PUBLISH", std::move(channel), std::move(text)}});
}

void RedisBus::broadcast(const RoomId& room, const UserId& sender, std::string data) {
  publish(push_channel(room), wire::room_push_text({std::nullopt, sender.value, std::move(data), instance_}));
}
void RedisBus::unicast(const RoomId& room, const UserId& target, const UserId& sender, std::string data) {
  publish(push_channel(room), wire::room_push_text({target.value, sender.value, std::move(data), instance_}));
}
void RedisBus::note(const RoomId& room, std::string json) { publish(room_channel(room), wire::note_text(instance_, json)); }

void RedisBus::leave() {
  link_.post([this] {
    leaving_ = true;
    for (auto& [room, seats] : rooms_) {
      for (const auto& [user, own] : seats.own) dirty_.insert({room, user});
      seats.own.clear();
    }
    bring_up_to_date();
    leases_.release();
  });
}

// --- on the redis thread

void RedisBus::tell(Inbound message) {
  std::vector<Inbound> batch;
  batch.push_back(std::move(message));
  sink_.deliver(std::move(batch));
}

void RedisBus::on_connected(bool) {
  ++connection_;
  under_way_ = 0;
  loading_ = 0;
  settled_ = false;
  settles_at_ms_ = clock_.steady_ms() + settle_ms;
  connected_.store(true, std::memory_order_release);
  tell(BusState{true});
  leases_.acquire();
}

void RedisBus::on_lost() {
  connected_.store(false, std::memory_order_release);
  leases_.lost();
  load_wanted_.clear();
  for (auto& [room, seats] : rooms_) seats.abandon_load();
  tell(BusState{false});
}

void RedisBus::on_lease_taken() {
  told_us_ = clock_.unix_ms() * 1000;
  for (auto& [room, seats] : rooms_) {
    for (const auto& [user, own] : seats.own) mark_dirty(room, user);
    if (seats.unconfirmed == 0) want_load(room);
  }
  bring_up_to_date();
  begin_loads();
}

void RedisBus::opened(const RoomId& room) {
  const auto [at, fresh] = rooms_.try_emplace(room);
  if (!fresh) return;
  const std::uint64_t number = ++opened_count_;
  at->second.number = number;
  link_.subscribe(push_channel(room), [this, room, number] { confirm_channel(room, number); });
  link_.subscribe(room_channel(room), [this, room, number] { confirm_channel(room, number); });
}

void RedisBus::confirm_channel(const RoomId& room, std::uint64_t number) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end() || found->second.number != number || --found->second.unconfirmed > 0) return;
  if (!leases_.held()) return;
  want_load(room);
  begin_loads();
}

void RedisBus::closed(const RoomId& room) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  link_.unsubscribe(push_channel(room));
  link_.unsubscribe(room_channel(room));
  for (const auto& [user, own] : found->second.own) mark_dirty(room, user);
  rooms_.erase(found);
  bring_up_to_date();
}

void RedisBus::seated(const RoomId& room, PeerSeat seat) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end() || leaving_) return;
  seat.instance = instance_;
  OwnSeat& own = found->second.own[seat.user];
  const UserId user = seat.user;
  own = {std::move(seat), ++version_};
  if (!link_.connected()) {
    settle_by_own_clock(own);
    tell(SeatTold{room, own.seat});
  }
  mark_dirty(room, user);
  bring_up_to_date();
}

void RedisBus::unseated(const RoomId& room, const UserId& user) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end() || found->second.own.erase(user) == 0) return;
  mark_dirty(room, user);
  bring_up_to_date();
}

void RedisBus::on_message(std::string_view channel, std::string_view payload) {
  const bool push = channel.starts_with(push_prefix);
  if (!push && !channel.starts_with(room_prefix)) return;
  const RoomId room(channel.substr(push ? push_prefix.size() : room_prefix.size()));
  if (payload.size() > limits::redis_push_bytes_max) {
    complain(std::string(channel), Error{"too_large", "larger than " + std::to_string(limits::redis_push_bytes_max) + " bytes"});
  } else if (push) {
    on_push(room, payload);
  } else {
    on_room_message(room, payload);
  }
}

void RedisBus::complain(const std::string& channel, const Error& error) {
  malformed_.fetch_add(1, std::memory_order_relaxed);
  seldom_.write(LogLevel::warn, "redis", "malformed/" + error.code, "malformed message on " + channel + " (" + error.code + "): " + error.text);
}

void RedisBus::on_push(const RoomId& room, std::string_view payload) {
  Result<wire::RoomPush> push = wire::parse_room_push(payload);
  if (!push) {
    complain(push_channel(room), push.error());
    return;
  }
  if (push->instance == instance_) return;
  std::optional<UserId> target;
  if (push->target) target = UserId(*push->target);
  tell(Push{room, std::move(target), std::move(push->sender), std::move(push->data), std::move(push->instance)});
}

void RedisBus::on_room_message(const RoomId& room, std::string_view payload) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  RoomSeats& seats = found->second;
  Result<wire::RoomMessage> message = wire::parse_room_message(payload);
  if (!message) {
    complain(room_channel(room), message.error());
    return;
  }
  if (const auto* mark = std::get_if<wire::MarkMessage>(&*message)) {
    if (mark->instance != instance_) return;
    seats.mark_seen(mark->number);
    look_whether_loaded(room, seats);
  } else if (const auto* seat = std::get_if<wire::SeatMessage>(&*message)) {
    if (seat->seat.instance != instance_ && seats.take(*seat)) tell(SeatTold{room, seat->seat});
  } else if (const auto* gone = std::get_if<wire::SeatGoneMessage>(&*message)) {
    if (gone->instance == instance_) return;
    if (seats.take(*gone)) tell(SeatGone{room, gone->user, gone->instance});
    if (hooks_.left_elsewhere && seats.own.contains(gone->user)) hooks_.left_elsewhere(room, gone->user);
  } else if (auto* note = std::get_if<wire::NoteMessage>(&*message)) {
    if (note->instance != instance_) tell(RoomNote{room, std::move(note->instance), std::move(note->json)});
  }
}

}  // namespace fluentgate::redis
