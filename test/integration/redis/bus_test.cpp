// Rooms that span instances, against a real redis-server: who sits where, told once each, through kills, outages and an empty Redis.
#include "test/integration/redis/bus_world.hpp"

namespace fluentgate::test {
namespace {

using namespace redis;

const RoomId room("r1");
const UserId ann("ann"), bob("bob");

std::size_t told_of(const Instance& at, const UserId& user) {
  return at.told.count<SeatTold>([&](const SeatTold& seat) { return seat.seat.user == user; });
}

}  // namespace

TEST(a_seat_is_told_once_to_everybody_and_its_owner_learns_since) {
  RedisServer server;
  Instance a(server.url(), "a-1"), b(server.url(), "b-1");
  CHECK(a.up() && b.up());
  a.bus->open(room);
  b.bus->open(room);
  CHECK(b.views("r1", {}, false));
  a.bus->seat(room, seat_of("ann"));
  CHECK(a.sees("r1", "ann"));
  CHECK(b.sees("r1", "ann"));
  const PeerSeat ours = a.told.all<SeatTold>().at(0).seat, theirs = b.told.all<SeatTold>().at(0).seat;
  CHECK(ours == theirs);
  CHECK_EQ(theirs.instance, "a-1");
  CHECK_EQ(theirs.display_name, "Name of ann");
  CHECK_EQ(theirs.role, "host");
  CHECK_EQ(*theirs.speaking_spelled, "en-US");
  CHECK_EQ(join(theirs.hearing.listening), "es,fr-CA");
  CHECK(!theirs.signaling_since_us);
  CHECK(*theirs.audio_since_us > 1'600'000'000'000'000);

  // A second socket of hers: the first keeps its time.
  PeerSeat more = ours;
  more.signaling_since_us = 0;
  a.bus->seat(room, more);
  CHECK(b.told.wait<SeatTold>([](const SeatTold& told) { return told.seat.signaling_since_us.has_value(); }));
  CHECK_EQ(*b.told.all<SeatTold>().at(1).seat.audio_since_us, *theirs.audio_since_us);
  CHECK(*b.told.all<SeatTold>().at(1).seat.signaling_since_us > *theirs.audio_since_us);

  a.bus->unseat(room, ann);
  CHECK(b.told.wait<SeatGone>([](const SeatGone& gone) { return gone.user == ann && gone.instance == "a-1"; }));
  CHECK_EQ(b.told.all<SeatGone>().size(), 1u);
  CHECK_EQ(a.told.all<SeatGone>().size(), 0u);
  CHECK_EQ(told_of(b, ann), 2u);
  CHECK_EQ(server.ask({"EXISTS", "fg:seats:r1"}), "0");
}

TEST(who_opens_later_gets_everybody_in_the_view) {
  RedisServer server;
  Instance a(server.url(), "a-1"), b(server.url(), "b-1");
  CHECK(a.up() && b.up());
  a.bus->open(room);
  a.bus->seat(room, seat_of("ann"));
  a.bus->seat(room, seat_of("bob"));
  CHECK(a.sees("r1", "bob"));
  b.bus->open(room);
  CHECK(b.views("r1", {"ann", "bob"}, false));
  a.bus->close(room);
  CHECK(b.told.wait<SeatGone>([](const SeatGone& gone) { return gone.user == ann; }));
  CHECK(b.told.wait<SeatGone>([](const SeatGone& gone) { return gone.user == bob; }));
}

TEST(an_instance_killed_without_farewell_is_gone_within_eleven_seconds) {
  RedisServer server;
  std::mutex mutex;
  std::vector<std::string> reaped;
  RedisBus::Hooks hooks;
  hooks.reaped = [&](const RoomId& where, const UserId& user, const std::string& instance) {
    const std::lock_guard lock(mutex);
    reaped.push_back(where.value + " " + user.value + " " + instance);
  };
  Instance b(server.url(), "b-1", hooks);
  CHECK(b.up());
  b.bus->open(room);
  CHECK(b.views("r1", {}, false));
  {
    Instance a(server.url(), "a-1");
    CHECK(a.up());
    a.bus->open(room);
    a.bus->seat(room, seat_of("ann"));
    CHECK(b.sees("r1", "ann"));
  }
  CHECK(b.told.wait<InstanceGone>([](const InstanceGone& gone) { return gone.instance == "a-1"; }, 11000));
  CHECK_EQ(b.told.all<InstanceGone>().size(), 1u);
  Instance c(server.url(), "c-1");
  c.bus->open(room);
  CHECK(c.views("r1", {}, true));
  CHECK_EQ(server.ask({"HLEN", "fg:seats:r1"}), "0");
  const std::lock_guard lock(mutex);
  CHECK_EQ(reaped.size(), 1u);
  CHECK_EQ(reaped.at(0), "r1 ann a-1");
}

TEST(an_instance_that_leaves_takes_its_seats_along) {
  RedisServer server;
  Instance a(server.url(), "a-1"), b(server.url(), "b-1");
  CHECK(a.up() && b.up());
  a.bus->open(room);
  b.bus->open(room);
  CHECK(b.views("r1", {}, false));
  a.bus->seat(room, seat_of("ann"));
  CHECK(b.sees("r1", "ann"));
  a.bus->leave();
  a.link->stop(2000);
  CHECK(b.told.wait<SeatGone>([](const SeatGone& gone) { return gone.user == ann; }, 1000));
  CHECK_EQ(server.ask({"EXISTS", "fg:instance:a-1"}), "0");
}

TEST(rooms_are_rebuilt_within_five_seconds_of_an_empty_redis) {
  RedisServer server;
  Instance a(server.url(), "a-1"), b(server.url(), "b-1");
  CHECK(a.up() && b.up());
  for (Instance* one : {&a, &b}) one->bus->open(room);
  CHECK(a.views("r1", {}, false) && b.views("r1", {}, false));
  a.bus->seat(room, seat_of("ann"));
  b.bus->seat(room, seat_of("bob"));
  CHECK(a.sees("r1", "bob") && b.sees("r1", "ann"));
  const auto before = a.told.all<SeatTold>();
  server.kill();
  CHECK(b.told.wait<BusState>([](const BusState& state) { return !state.connected; }));
  CHECK(a.told.wait<BusState>([](const BusState& state) { return !state.connected; }));
  // One goes and one comes meanwhile.
  a.bus->unseat(room, ann);
  a.bus->seat(room, seat_of("cid"));
  CHECK(a.sees("r1", "cid", 1000));  // by its own clock, at once
  const std::size_t from_a = a.told.size(), from_b = b.told.size();
  server.start();
  CHECK(b.told.wait<BusState>([](const BusState& state) { return state.connected; }, 2500, from_b));
  const auto back = std::chrono::steady_clock::now();
  CHECK(b.views("r1", {"cid"}, true, 6500, from_b));
  CHECK(a.views("r1", {"bob"}, true, 6500, from_a));
  CHECK(std::chrono::steady_clock::now() - back < std::chrono::milliseconds(6500));
  // bob's socket kept the time that Redis gave it.
  for (const SeatTold& told : before) {
    if (told.seat.user != bob) continue;
    for (const RoomView& view : a.told.all<RoomView>()) {
      for (const PeerSeat& seat : view.seats) CHECK_EQ(*seat.audio_since_us, *told.seat.audio_since_us);
    }
  }
  CHECK_EQ(a.told.all<InstanceGone>().size(), 0u);
  CHECK_EQ(b.told.all<InstanceGone>().size(), 0u);
}

TEST(a_frozen_redis_is_noticed_in_about_two_seconds) {
  RedisServer server;
  Instance a(server.url(), "a-1");
  CHECK(a.up());
  server.freeze();
  CHECK(a.told.wait<BusState>([](const BusState& state) { return !state.connected; }, 3500));
  CHECK(!a.bus->connected());
  const std::size_t from = a.told.size();
  server.thaw();
  CHECK(a.told.wait<BusState>([](const BusState& state) { return state.connected; }, 3000, from));
}

TEST(redis_forgetting_everything_while_connected_is_mended) {
  RedisServer server;
  Instance a(server.url(), "a-1");
  CHECK(a.up());
  a.bus->open(room);
  a.bus->seat(room, seat_of("ann"));
  CHECK(a.sees("r1", "ann"));
  const std::size_t from = a.told.size();
  CHECK_EQ(server.ask({"FLUSHALL"}), "OK");
  CHECK(a.sees("r1", "ann", 5000, from));
  CHECK_EQ(server.ask({"HLEN", "fg:seats:r1"}), "1");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (server.ask({"EXISTS", "fg:instance:a-1"}) != "1") CHECK(std::chrono::steady_clock::now() < deadline);
}

TEST(pushes_come_byte_for_byte_and_our_own_are_left_out) {
  RedisServer server;
  Instance a(server.url(), "a-1"), b(server.url(), "b-1");
  CHECK(a.up() && b.up());
  for (Instance* one : {&a, &b}) one->bus->open(room);
  CHECK(a.views("r1", {}, false) && b.views("r1", {}, false));
  const auto push = [&](const std::string& text) { CHECK_EQ(server.ask({"PUBLISH", "ws:room:r1", text}), "2"); };
  push(R"({"type":"broadcast","sender_id":"x","data":{"type" : "meeting_ended", "n":1.50, "u":"\u00e9"},"more":[1]})");
  push(R"({"type":"unicast","target_user_id":42,"data":{"type":"removed"}})");
  for (const char* bad : {"", "nonsense", "[]", "{}", R"({"type":"multicast","data":{}})", R"({"type":"unicast","data":{}})", R"({"type":"broadcast"})",
                          "{\"type\":\"broadcast\",\"data\":{\"x\":\"\xff\"}}"}) {
    push(bad);
  }
  CHECK_EQ(server.ask({"PUBLISH", "fg:room:r1", "nonsense"}), "2");
  a.bus->broadcast(room, ann, R"({"type":"chat","text":"hi"})");
  a.bus->unicast(room, bob, ann, R"({"type":"offer"})");
  a.bus->note(room, R"({"note":1})");
  CHECK(b.told.wait<RoomNote>([](const RoomNote& note) { return note.instance == "a-1" && note.json == R"({"note":1})"; }));
  const std::vector<Push> pushes = b.told.all<Push>();
  CHECK_EQ(pushes.size(), 4u);
  CHECK_EQ(pushes[0].data, R"({"type" : "meeting_ended", "n":1.50, "u":"\u00e9"})");
  CHECK_EQ(pushes[0].sender, "x");
  CHECK(!pushes[0].target);
  CHECK(pushes[0].instance.empty());
  CHECK_EQ(pushes[1].target->value, "42");
  CHECK_EQ(pushes[2].data, R"({"type":"chat","text":"hi"})");
  CHECK_EQ(pushes[2].sender, "ann");
  CHECK_EQ(pushes[2].instance, "a-1");
  CHECK_EQ(pushes[3].target->value, "bob");
  CHECK_EQ(pushes[3].sender, "ann");
  CHECK_EQ(b.bus->malformed(), 9u);
  CHECK(b.log.count("malformed message on ws:room:r1") >= 1);
  CHECK(b.log.count("malformed message on ws:room:r1") <= 8);
  CHECK_EQ(a.told.all<Push>().size(), 2u);
}

TEST(a_room_that_is_opened_and_closed_in_one_breath_is_as_if_it_had_been_opened_once) {
  RedisServer server;
  Instance a(server.url(), "a-1"), b(server.url(), "b-1");
  CHECK(a.up() && b.up());
  a.bus->open(room);
  a.bus->seat(room, seat_of("ann"));
  CHECK(a.sees("r1", "ann"));
  for (int i = 0; i < 50; ++i) {
    b.bus->open(room);
    b.bus->seat(room, seat_of("bob"));
    b.bus->close(room);
  }
  b.bus->open(room);
  CHECK(b.views("r1", {"ann"}, false));
  b.bus->seat(room, seat_of("bob"));
  CHECK(b.sees("r1", "bob"));
  CHECK_EQ(server.ask({"HLEN", "fg:seats:r1"}), "2");
  CHECK_EQ(server.ask({"PUBSUB", "NUMSUB", "fg:room:r1"}), "fg:room:r1\n2");
}

}  // namespace fluentgate::test
