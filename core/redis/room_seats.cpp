#include "core/redis/room_seats.hpp"

namespace fluentgate::redis {

std::string seat_field(const std::string& instance, const UserId& user) { return instance + " " + user.value; }

void RoomSeats::begin_load(std::int64_t mark) {
  mark_ = mark;
  mark_seen_ = false;
  load_failed = false;
  snapshot_.reset();
  live_.reset();
  kept_.clear();
}

std::set<std::string> RoomSeats::snapshot_instances() const {
  std::set<std::string> instances;
  if (!snapshot_) return instances;
  for (const auto& [key, seat] : *snapshot_) instances.insert(key.first);
  return instances;
}

std::map<RoomSeats::Key, OtherSeat> RoomSeats::finish_load() {
  std::map<Key, OtherSeat> dead;
  others.clear();
  for (auto& [key, seat] : *snapshot_) (live_->contains(key.first) ? others : dead).emplace(key, std::move(seat));
  const std::vector<wire::RoomMessage> kept = std::move(kept_);
  mark_ = 0;
  snapshot_.reset();
  live_.reset();
  kept_.clear();
  for (const wire::RoomMessage& message : kept) {
    if (const auto* seat = std::get_if<wire::SeatMessage>(&message)) {
      // Who tells a seat now lives.
      dead.erase({seat->seat.instance, seat->seat.user});
      (void)apply(*seat);
    } else if (const auto* gone = std::get_if<wire::SeatGoneMessage>(&message)) {
      dead.erase({gone->instance, gone->user});
      (void)apply(*gone);
    }
  }
  return dead;
}

bool RoomSeats::take(const wire::SeatMessage& message) {
  if (!loading()) return apply(message);
  if (mark_seen_) kept_.emplace_back(message);
  return false;
}

bool RoomSeats::take(const wire::SeatGoneMessage& message) {
  if (!loading()) return apply(message);
  if (mark_seen_) kept_.emplace_back(message);
  return false;
}

bool RoomSeats::apply(const wire::SeatMessage& message) {
  OtherSeat& kept = others[{message.seat.instance, message.seat.user}];
  const bool news = !(kept.seat == message.seat);
  kept = {message.seat, message.value};
  return news;
}

bool RoomSeats::apply(const wire::SeatGoneMessage& message) { return others.erase({message.instance, message.user}) > 0; }

}  // namespace fluentgate::redis
