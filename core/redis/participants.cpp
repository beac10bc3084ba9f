// Read, merge here (so that what others wrote stays byte for byte), write only if nobody wrote meanwhile.
#include "core/redis/participants.hpp"

#include "core/domain/limits.hpp"

namespace fluentgate::redis {
namespace {

constexpr int tries_max = 8;  // others write a participant's field a few times an hour

std::string participants_key(const RoomId& room) { return "room:" + room.value + ":participants"; }

// KEYS: participants. ARGV: user, value seen ("" none), value to be ("" none). 1: done; 0: it is another by now.
constexpr std::string_view compare_and_set_script = R"lua(
local now = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if now ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return 1
)lua";

}  // namespace

Participants::Participants(Link& link, Options options, Logger& log, const Clock& clock) : link_(link), options_(std::move(options)), seldom_(log, clock) {
  link_.every(logging::RateLimitedLog::period_ms, [this] { seldom_.sweep(); });
  link_.listen(*this);
}

void Participants::publish(const RoomId& room, const UserId& user, wire::ParticipantState state) {
  link_.post([this, place = Place{room, user}, state = std::move(state)] {
    published_[place] = state;
    write(place, 0);
  });
}

void Participants::withdraw(const RoomId& room, const UserId& user) {
  link_.post([this, place = Place{room, user}] {
    if (published_.erase(place) > 0 && options_.makes_fields) remove(place, options_.instance, 0);
  });
}

void Participants::withdraw_of(const std::string& instance, const RoomId& room, const UserId& user) {
  if (options_.makes_fields) remove({room, user}, instance, 0);
}

void Participants::publish_again(const RoomId& room, const UserId& user) {
  if (published_.contains({room, user})) write({room, user}, 0);
}

void Participants::leave() {
  link_.post([this] {
    for (const auto& [place, state] : published_) {
      if (options_.makes_fields) remove(place, options_.instance, 0);
    }
    published_.clear();
  });
}

void Participants::on_connected(bool) {
  for (const auto& [place, state] : published_) write(place, 0);
  const std::set<Place> owed = std::exchange(owed_, {});
  for (const Place& place : owed) remove(place, options_.instance, 0);
}

void Participants::owe(const Place& place, const std::string& instance, const Error& error) {
  complain(place, error);
  if (error.code == "away" && instance == options_.instance && owed_.size() < limits::redis_dirty_seats_max) owed_.insert(place);
}

void Participants::complain(const Place& place, const Error& error) {
  if (error.code == "away") return;  // written again when Redis is back
  seldom_.write(LogLevel::warn, "redis", "participants", "the languages of a participant of room " + place.first.value + " can't be kept: " + error.text);
}

void Participants::write(const Place& place, int tries) {
  const std::string key = participants_key(place.first);
  link_.command({key, {"HGET", key, place.second.value}}, [this, place, tries](Result<Reply> reply) { written(place, tries, reply); });
}

void Participants::written(const Place& place, int tries, const Result<Reply>& reply) {
  const auto state = published_.find(place);
  if (state == published_.end()) return;
  if (!reply) {
    complain(place, reply.error());
    return;
  }
  const bool there = !reply->is_nil();
  if (!there && !options_.makes_fields) return;
  // One that the backend made is never marked: it stays when we leave.
  const bool ours = !there || wire::participant_mark(reply->text).has_value();
  Result<std::string> value = with_participant_state(reply->text, state->second, options_.makes_fields && ours ? options_.instance : std::string());
  if (!value) {
    complain(place, value.error());
    return;
  }
  if (there && *value == reply->text) return;
  link_.script(compare_and_set_script, participants_key(place.first), {place.second.value, reply->text, *value}, [this, place, tries](Result<Reply> done) {
    if (!done) {
      complain(place, done.error());
    } else if (done->integer == 0 && tries + 1 < tries_max) {
      write(place, tries + 1);
    } else if (done->integer == 0) {
      complain(place, Error{"busy", "others write it all the time"});
    } else if (!published_.contains(place) && options_.makes_fields) {
      remove(place, options_.instance, 0);  // withdrawn between the two
    }
  });
}

void Participants::remove(const Place& place, const std::string& instance, int tries) {
  const std::string key = participants_key(place.first);
  link_.command({key, {"HGET", key, place.second.value}}, [this, place, instance, tries](Result<Reply> reply) {
    if (!reply) {
      owe(place, instance, reply.error());
      return;
    }
    // Made by another one of us since, by the backend, or gone.
    if (reply->is_nil() || wire::participant_mark(reply->text) != instance) return;
    if (instance == options_.instance && published_.contains(place)) return;  // here again
    link_.script(compare_and_set_script, participants_key(place.first), {place.second.value, reply->text, ""},
                 [this, place, instance, tries](Result<Reply> done) {
                   if (!done) {
                     owe(place, instance, done.error());
                   } else if (done->integer == 0 && tries + 1 < tries_max) {
                     remove(place, instance, tries + 1);
                   } else if (published_.contains(place)) {
                     write(place, 0);  // published between the two
                   }
                 });
  });
}

}  // namespace fluentgate::redis
