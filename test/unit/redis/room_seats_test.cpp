// A snapshot and the messages around it make one truth, whatever comes first.
#include "core/redis/room_seats.hpp"

#include "test/support/check.hpp"

namespace fluentgate::test {
namespace {

using namespace redis;

wire::SeatMessage told(const std::string& instance, const std::string& user, std::int64_t since) {
  PeerSeat seat;
  seat.user = UserId(user);
  seat.instance = instance;
  seat.audio_since_us = since;
  return {seat, std::to_string(since)};
}
wire::SeatGoneMessage gone(const std::string& instance, const std::string& user) { return {instance, UserId(user)}; }

std::map<RoomSeats::Key, OtherSeat> snapshot_of(std::initializer_list<wire::SeatMessage> seats) {
  std::map<RoomSeats::Key, OtherSeat> out;
  for (const wire::SeatMessage& one : seats) out[{one.seat.instance, one.seat.user}] = {one.seat, one.value};
  return out;
}

std::string shown_seats(const RoomSeats& seats) {
  std::string text;
  for (const auto& [key, seat] : seats.others) text += key.first + "/" + key.second.value + "=" + seat.value + " ";
  return text;
}

}  // namespace

TEST(messages_before_the_mark_are_in_the_snapshot_and_those_after_it_count) {
  RoomSeats seats;
  seats.begin_load(7);
  CHECK(!seats.take(told("b", "old", 1)));   // before the mark: its later end may be in the snapshot already
  seats.mark_seen(6);                        // of an earlier load
  CHECK(!seats.take(told("b", "old", 1)));
  seats.mark_seen(7);
  CHECK(!seats.take(gone("b", "ann")));
  CHECK(!seats.take(told("c", "cid", 5)));
  CHECK(!seats.load_complete());
  seats.snapshot(snapshot_of({told("b", "ann", 2), told("b", "bob", 3)}));
  CHECK(!seats.load_complete());
  seats.set_live({"b"});
  CHECK(seats.load_complete());
  CHECK(seats.finish_load().empty());
  CHECK_EQ(shown_seats(seats), "b/bob=3 c/cid=5 ");
}

TEST(a_snapshot_that_comes_before_its_mark_waits_for_it) {
  RoomSeats seats;
  seats.begin_load(1);
  seats.snapshot(snapshot_of({told("b", "ann", 2)}));
  seats.set_live({"b"});
  CHECK(!seats.load_complete());
  CHECK(!seats.take(gone("b", "ann")));  // from before: she came back, as the snapshot says
  seats.mark_seen(1);
  CHECK(seats.load_complete());
  CHECK(seats.finish_load().empty());
  CHECK_EQ(shown_seats(seats), "b/ann=2 ");
}

TEST(seats_of_the_dead_are_handed_out_for_removal_unless_they_speak_up) {
  RoomSeats seats;
  seats.begin_load(1);
  seats.mark_seen(1);
  seats.snapshot(snapshot_of({told("b", "ann", 2), told("d", "dan", 3), told("d", "eve", 4)}));
  seats.set_live({"b"});
  CHECK(!seats.take(told("d", "dan", 9)));
  const auto dead = seats.finish_load();
  CHECK_EQ(dead.size(), 1u);
  CHECK_EQ(dead.begin()->first.second.value, "eve");
  CHECK_EQ(shown_seats(seats), "b/ann=2 d/dan=9 ");
}

TEST(a_seat_told_again_is_no_news) {
  RoomSeats seats;
  CHECK(seats.take(told("b", "ann", 2)));
  CHECK(!seats.take(told("b", "ann", 2)));
  CHECK(seats.take(told("b", "ann", 3)));
  CHECK(seats.take(gone("b", "ann")));
  CHECK(!seats.take(gone("b", "ann")));
}

}  // namespace fluentgate::test
