// What of the rooms is kept in Redis: our seats brought up to date, snapshots of the others', the removal of dead instances' seats.
#include <charconv>

#include "core/domain/limits.hpp"
#include "core/redis/room_bus.hpp"
#include "core/wire/room_message.hpp"

namespace fluentgate::redis {
namespace {

// A room's key outlives its last writer by that, in case all of its instances were killed.
constexpr std::int64_t seats_expire_s = 3600;

constexpr std::int64_t load_again_ms = 5000;

std::string seats_key(const RoomId& room) { return "fg:seats:" + room.value; }

// KEYS: seats. ARGV: field, seat_head, audio since, signaling since ("" none, "0" now), channel, seconds to live.
constexpr std::string_view seat_script = R"lua(
local t = redis.call('TIME')
local now = t[1] .. string.format('%06d', tonumber(t[2]))
local function since(given)
  if given == '' then return 'null' end
  if given == '0' then return now end
  return given
end
local value = ARGV[2] .. ',"audio_since_us":' .. since(ARGV[3]) .. ',"signaling_since_us":' .. since(ARGV[4]) .. '}'
redis.call('HSET', KEYS[1], ARGV[1], value)
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('PUBLISH', ARGV[5], '{"kind":"seat","seat":' .. value .. '}')
return value
)lua";

// KEYS: seats. ARGV: field, channel, message.
constexpr std::string_view unseat_script = R"lua(
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
return 1
)lua";

// KEYS: seats. ARGV: channel, mark. The mark says where in the channel's messages the snapshot was taken.
constexpr std::string_view load_script = R"lua(
redis.call('PUBLISH', ARGV[1], ARGV[2])
return redis.call('HGETALL', KEYS[1])
)lua";

// KEYS: seats. ARGV: field, value, ...: removed only if it is what was seen, so that one who came back keeps its place.
constexpr std::string_view reap_script = R"lua(
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
return 1
)lua";
constexpr std::size_t reaped_at_once = 500;  // Lua's own limit on arguments that unpack could take is far off; a script shall be short

std::string since_arg(const std::optional<std::int64_t>& since) { return since ? std::to_string(*since) : std::string(); }

}  // namespace

void RedisBus::mark_dirty(const RoomId& room, const UserId& user) {
  if (dirty_.size() >= limits::redis_dirty_seats_max && !dirty_.contains({room, user})) {
    seldom_.write(LogLevel::error, "redis", "dirty", "too many seats changed while Redis is away: some stay there until they expire");
    return;
  }
  dirty_.insert({room, user});
}

void RedisBus::bring_up_to_date() {
  if (!leases_.held() && !leaving_) return;
  while (!dirty_.empty() && under_way_ < limits::redis_seats_under_way_max) {
    const Place place = *dirty_.begin();
    dirty_.erase(dirty_.begin());
    const auto room = rooms_.find(place.first);
    const OwnSeat* own = nullptr;
    if (room != rooms_.end()) {
      if (const auto found = room->second.own.find(place.second); found != room->second.own.end()) own = &found->second;
    }
    ++under_way_;
    if (own != nullptr) {
      tell_seat(place.first, *own);
    } else {
      untell_seat(place.first, place.second);
    }
  }
}

void RedisBus::tell_seat(const RoomId& room, const OwnSeat& own) {
  const PeerSeat& seat = own.seat;
  std::vector<std::string> args{seat_field(instance_, seat.user), wire::seat_head(seat, told_us_), since_arg(seat.audio_since_us),
                                since_arg(seat.signaling_since_us), "fg:room:" + room.value, std::to_string(seats_expire_s)};
  link_.script(seat_script, seats_key(room), std::move(args),
               [this, room, user = seat.user, version = own.version, connection = connection_](Result<Reply> reply) {
                 if (connection == connection_) --under_way_;
                 seat_answered(room, user, version, reply);
                 if (reply) bring_up_to_date();  // else look() tries again, a second later
               });
}

void RedisBus::untell_seat(const RoomId& room, const UserId& user) {
  std::vector<std::string> args{seat_field(instance_, user), "fg:room:" + room.value, wire::seat_gone_text(instance_, user.value)};
  link_.script(unseat_script, seats_key(room), std::move(args), [this, room, user, connection = connection_](Result<Reply> reply) {
    if (connection == connection_) --under_way_;
    if (!reply) {
      mark_dirty(room, user);
      if (reply.error().code == "redis") seldom_.write(LogLevel::error, "redis", "unseat", "a seat can't be removed: " + reply.error().text);
    } else {
      bring_up_to_date();
    }
  });
}

// New sockets while Redis can't say when they came: by our own clock, and told at once.
void RedisBus::settle_by_own_clock(OwnSeat& own) {
  const std::int64_t now_us = clock_.unix_ms() * 1000;
  if (own.seat.audio_since_us == 0) own.seat.audio_since_us = now_us;
  if (own.seat.signaling_since_us == 0) own.seat.signaling_since_us = now_us;
}

void RedisBus::seat_answered(const RoomId& room, const UserId& user, std::uint64_t version, const Result<Reply>& reply) {
  const auto found = rooms_.find(room);
  OwnSeat* own = nullptr;
  if (found != rooms_.end()) {
    if (const auto seat = found->second.own.find(user); seat != found->second.own.end() && seat->second.version == version) own = &seat->second;
  }
  if (!reply) {
    mark_dirty(room, user);  // told again by look(), or when Redis is back
    if (reply.error().code == "redis") seldom_.write(LogLevel::error, "redis", "seat", "a seat can't be told: " + reply.error().text);
    if (own == nullptr) return;
    settle_by_own_clock(*own);
  } else {
    if (own == nullptr) return;  // a newer one is on its way
    const Result<PeerSeat> told = wire::parse_seat(reply->text);
    if (!told) return;
    own->seat.audio_since_us = told->audio_since_us;
    own->seat.signaling_since_us = told->signaling_since_us;
    own->told = true;
  }
  tell(SeatTold{room, own->seat});
}

void RedisBus::want_load(const RoomId& room) { load_wanted_.insert(room); }

void RedisBus::begin_loads() {
  while (!load_wanted_.empty() && loading_ < limits::redis_loads_max) {
    const RoomId room = *load_wanted_.begin();
    load_wanted_.erase(load_wanted_.begin());
    if (const auto found = rooms_.find(room); found != rooms_.end()) load(room, found->second);
  }
}

void RedisBus::load_ended(std::uint64_t connection) {
  if (connection != connection_) return;
  --loading_;
  if (leases_.held()) begin_loads();
}

void RedisBus::load(const RoomId& room, RoomSeats& seats) {
  const std::int64_t mark = ++last_mark_;
  seats.begin_load(mark);
  seats.load_begun_ms = clock_.steady_ms();
  ++loading_;
  link_.script(load_script, seats_key(room), {"fg:room:" + room.value, wire::mark_text(instance_, mark)},
               [this, room, mark, connection = connection_](Result<Reply> reply) { loaded(room, mark, connection, reply); });
}

void RedisBus::loaded(const RoomId& room, std::int64_t mark, std::uint64_t connection, const Result<Reply>& reply) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end() || found->second.mark() != mark) {
    load_ended(connection);
    return;
  }
  RoomSeats& seats = found->second;
  if (!reply) {
    if (reply.error().code == "redis") seldom_.write(LogLevel::error, "redis", "load", "a room's seats can't be read: " + reply.error().text);
    seats.abandon_load();
    seats.load_failed = true;
    load_ended(connection);
    return;
  }
  std::map<RoomSeats::Key, OtherSeat> snapshot;
  std::set<UserId> ours;
  for (std::size_t i = 0; i + 1 < reply->items.size(); i += 2) {
    const std::string& field = reply->items[i].text;
    const std::string& value = reply->items[i + 1].text;
    Result<PeerSeat> seat = wire::parse_seat(value);
    if (!seat) {
      complain(seats_key(room), seat.error());
      continue;
    }
    if (seat_field(seat->instance, seat->user) != field) continue;
    if (seat->instance == instance_) {
      ours.insert(seat->user);
      if (!seats.own.contains(seat->user)) mark_dirty(room, seat->user);  // left while Redis was away
      continue;
    }
    RoomSeats::Key key{seat->instance, seat->user};
    snapshot.emplace(std::move(key), OtherSeat{std::move(seat).value(), value});
  }
  for (const auto& [user, own] : seats.own) {
    // Answered before this, so done before the snapshot was taken: Redis forgot it.
    if (own.told && !ours.contains(user)) mark_dirty(room, user);
  }
  bring_up_to_date();
  seats.snapshot(std::move(snapshot));
  leases_.which_live(seats.snapshot_instances(), [this, room, mark, connection](const std::set<std::string>* live) {
    live_known(room, mark, live);
    load_ended(connection);
  });
}

void RedisBus::live_known(const RoomId& room, std::int64_t mark, const std::set<std::string>* live) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end() || found->second.mark() != mark) return;
  if (live == nullptr) {
    found->second.abandon_load();
    found->second.load_failed = true;
    return;
  }
  found->second.set_live(*live);
  look_whether_loaded(room, found->second);
}

void RedisBus::look_whether_loaded(const RoomId& room, RoomSeats& seats) {
  if (!seats.load_complete()) return;
  const std::map<RoomSeats::Key, OtherSeat> dead = seats.finish_load();
  RoomView view{room, {}, settled_};
  for (const auto& [key, other] : seats.others) view.seats.push_back(other.seat);
  tell(std::move(view));
  // Not before all had their time to say that they live.
  if (settled_) reap(room, dead);
}

void RedisBus::reap(const RoomId& room, const std::map<RoomSeats::Key, OtherSeat>& dead) {
  std::vector<std::string> args;
  const auto send = [&] {
    if (!args.empty()) link_.script(reap_script, seats_key(room), std::exchange(args, {}));
  };
  const auto here = rooms_.find(room);
  for (const auto& [key, other] : dead) {
    args.push_back(seat_field(key.first, key.second));
    args.push_back(other.value);
    if (args.size() >= 2 * reaped_at_once) send();
    bool elsewhere = false;
    if (here != rooms_.end()) {
      elsewhere = here->second.own.contains(key.second);
      for (const auto& [seat, ignored] : here->second.others) elsewhere = elsewhere || (seat.second == key.second && seat.first != key.first);
    }
    if (hooks_.reaped && !elsewhere) hooks_.reaped(room, key.second, key.first);
    if (hooks_.left_elsewhere && here != rooms_.end() && here->second.own.contains(key.second)) hooks_.left_elsewhere(room, key.second);
  }
  send();
}

void RedisBus::on_instance_gone(const std::string& instance) {
  bool had_seats = false;
  for (auto& [room, seats] : rooms_) {
    const auto from = seats.others.lower_bound({instance, UserId()});
    auto to = from;
    while (to != seats.others.end() && to->first.first == instance) ++to;
    if (from == to) continue;
    had_seats = true;
    const std::map<RoomSeats::Key, OtherSeat> dead(from, to);
    seats.others.erase(from, to);
    reap(room, dead);
  }
  if (!had_seats) return;
  log_.write(LogLevel::warn, "redis", "instance " + instance + " is gone: its lease ran out");
  tell(InstanceGone{instance});
}

void RedisBus::look() {
  seldom_.sweep();
  if (!connected() || !leases_.held() || leaving_) return;
  bring_up_to_date();
  const bool settles = !settled_ && clock_.steady_ms() >= settles_at_ms_;
  if (settles) settled_ = true;
  std::set<std::string> instances;
  for (auto& [room, seats] : rooms_) {
    // Between the nodes of a cluster a message, the mark too, can be lost.
    const bool stuck = seats.loading() && clock_.steady_ms() - seats.load_begun_ms >= load_again_ms;
    if (seats.unconfirmed == 0 && (settles || stuck || seats.load_failed)) want_load(room);
    for (const auto& [key, other] : seats.others) instances.insert(key.first);
  }
  begin_loads();
  if (settled_ && !settles) leases_.look({instances.begin(), instances.end()});
}

void RedisBus::refresh() {
  if (!connected() || !leases_.held()) return;
  for (const auto& [room, seats] : rooms_) {
    if (seats.unconfirmed == 0) want_load(room);  // heals what a lost message left
    if (!seats.own.empty()) link_.command({seats_key(room), {"EXPIRE", seats_key(room), std::to_string(seats_expire_s)}});
  }
  begin_loads();
}

}  // namespace fluentgate::redis
