// The face that the gateway sees, against a real redis-server: membership asked and watched, participants' languages published.
#include "core/redis/bridge.hpp"

#include "test/integration/redis/bus_world.hpp"

namespace fluentgate::test {
namespace {

using namespace redis;

const RoomId room("r1");
const UserId ann("ann"), bob("bob");
const std::string key = "room:r1:participants";

struct Gateway {
  RealClock clock;
  CollectingLogger log;
  ToldToLoop told;
  std::unique_ptr<Bridge> bridge;

  Gateway(const RedisServer& server, const std::string& name, config::Membership membership = config::Membership::token, const std::string& url = "") {
    config::Settings settings;
    settings.redis.url = url.empty() ? server.url() : url;
    settings.redis.publish_participants = true;
    settings.auth.membership = membership;
    auto started = Bridge::start(settings, name, told, log, clock);
    if (!started) FAIL(started.error().text);
    bridge = std::move(started).value();
    if (!told.wait<BusState>([](const BusState& state) { return state.connected; })) FAIL("not connected");
  }
  // As if it had been killed.
  void die() { bridge->link().stop(0); }
};

// Waits for what other threads do in Redis.
bool becomes(const RedisServer& server, const std::vector<std::string>& ask, const std::string& answer, int timeout_ms = 5000) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (server.ask(ask) != answer) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

std::int64_t ms_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST(a_member_is_known_with_its_state_and_a_stranger_is_not) {
  RedisServer server;
  Gateway at(server, "a-1", config::Membership::redis);
  server.ask({"HSET", key, "ann", R"({"language":"es"})"});
  const MemberAnswer member = at.bridge->membership().look_up(room, ann);
  CHECK(member.standing == MemberAnswer::Standing::member);
  CHECK_EQ(member.state, R"({"language":"es"})");
  CHECK(at.bridge->membership().look_up(room, bob).standing == MemberAnswer::Standing::stranger);
}

TEST(a_redis_that_hangs_costs_the_loop_a_tenth_of_its_time_at_most) {
  RedisServer server;
  Gateway at(server, "a-1", config::Membership::redis);
  server.freeze();
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) CHECK(at.bridge->membership().look_up(room, ann).standing == MemberAnswer::Standing::unknown);
  CHECK(ms_since(begun) >= 90);
  CHECK(ms_since(begun) < 400);
  server.thaw();
}

TEST(a_removed_member_is_told_once_and_a_lost_hash_removes_nobody_at_once) {
  RedisServer server;
  Gateway at(server, "a-1", config::Membership::redis);
  server.ask({"HSET", key, "ann", "{}", "bob", "{}"});
  at.bridge->membership().watch(room, ann);
  at.bridge->membership().watch(room, bob);
  server.ask({"HDEL", key, "bob"});
  CHECK(at.told.wait<MemberGone>([](const MemberGone& gone) { return gone.user == bob; }, 5000));
  const std::size_t from = at.told.size();
  server.kill();
  server.start();  // empty
  CHECK(at.told.wait<BusState>([](const BusState& state) { return state.connected; }, 5000, from));
  CHECK(!at.told.wait<MemberGone>([](const MemberGone&) { return true; }, 3000, from));
  CHECK_EQ(at.log.count("came back without the members of room r1"), 1u);
  CHECK_EQ(at.told.all<MemberGone>().size(), 1u);
}

TEST(the_last_member_of_a_room_can_be_removed) {
  RedisServer server;
  Gateway at(server, "a-1", config::Membership::redis);
  server.ask({"HSET", key, "ann", "{}"});
  at.bridge->membership().watch(room, ann);
  server.ask({"HDEL", key, "ann"});
  CHECK(at.told.wait<MemberGone>([](const MemberGone& gone) { return gone.user == ann; }, 5000));
}

TEST(languages_are_published_and_removed_at_leave) {
  RedisServer server;
  Gateway at(server, "a-1");
  Participants& participants = *at.bridge->participants();
  participants.publish(room, ann, {"es-MX", "en-US", "Ann", "host"});
  CHECK(becomes(server, {"HGET", key, "ann"},
                R"({"language":"es-MX","speaking_language":"en-US","display_name":"Ann","role":"host","fg_instance":"a-1"})"));
  participants.publish(room, ann, {"fr", "en-US", "Ann", "host"});
  CHECK(becomes(server, {"HGET", key, "ann"},
                R"({"language":"fr","speaking_language":"en-US","display_name":"Ann","role":"host","fg_instance":"a-1"})"));
  // What others add stays.
  server.ask({"HSET", key, "ann", R"({"joined":1.50,"list":[],"language":"fr","fg_instance":"a-1"})"});
  participants.publish(room, ann, {"de", "", "", ""});
  CHECK(becomes(server, {"HGET", key, "ann"}, R"({"joined":1.50,"list":[],"language":"de","fg_instance":"a-1"})"));
  participants.withdraw(room, ann);
  CHECK(becomes(server, {"EXISTS", key}, "0"));
}

TEST(fields_of_the_backend_are_updated_and_never_removed) {
  RedisServer server;
  for (const config::Membership membership : {config::Membership::token, config::Membership::redis}) {
    server.ask({"HSET", key, "ann", R"({"language":"es","x":[]})"});
    Gateway at(server, "a-1", membership);
    at.bridge->participants()->publish(room, ann, {"fr", "", "", ""});
    CHECK(becomes(server, {"HGET", key, "ann"}, R"({"language":"fr","x":[]})"));
    if (membership != config::Membership::token) at.bridge->participants()->publish(room, bob, {"fr", "", "", ""});
    at.bridge->participants()->withdraw(room, ann);
    at.bridge->stop(2000);
    CHECK_EQ(server.ask({"HGETALL", key}), "ann\n" R"({"language":"fr","x":[]})");
  }
}

TEST(languages_come_back_after_an_empty_redis_and_go_with_a_killed_instance) {
  RedisServer server;
  Gateway a(server, "a-1"), b(server, "b-1");
  for (Gateway* one : {&a, &b}) one->bridge->rooms().open(room);
  a.bridge->rooms().seat(room, seat_of("ann"));
  a.bridge->participants()->publish(room, ann, {"es", "", "", ""});
  CHECK(becomes(server, {"HGET", key, "ann"}, R"({"language":"es","fg_instance":"a-1"})"));
  const std::size_t from = b.told.size();
  server.kill();
  server.start();
  CHECK(becomes(server, {"HGET", key, "ann"}, R"({"language":"es","fg_instance":"a-1"})"));
  CHECK(b.told.wait<RoomView>([](const RoomView& view) { return view.complete && view.seats.size() == 1; }, 8000, from));
  a.die();
  CHECK(b.told.wait<InstanceGone>([](const InstanceGone&) { return true; }, 11000));
  CHECK(becomes(server, {"EXISTS", key}, "0", 1000));
}

TEST(a_user_that_moves_to_another_instance_keeps_its_field) {
  RedisServer server;
  Gateway a(server, "a-1"), b(server, "b-1");
  for (Gateway* one : {&a, &b}) one->bridge->rooms().open(room);
  a.bridge->rooms().seat(room, seat_of("ann"));
  a.bridge->participants()->publish(room, ann, {"es", "", "", ""});
  b.bridge->rooms().seat(room, seat_of("ann"));
  b.bridge->participants()->publish(room, ann, {"es", "", "", ""});
  CHECK(becomes(server, {"HLEN", "fg:seats:r1"}, "2"));
  b.bridge->participants()->withdraw(room, ann);
  b.bridge->rooms().unseat(room, ann);
  CHECK(becomes(server, {"HLEN", "fg:seats:r1"}, "1"));
  CHECK(becomes(server, {"HGET", key, "ann"}, R"({"language":"es","fg_instance":"a-1"})"));
  a.bridge->stop(2000);
  CHECK_EQ(server.ask({"KEYS", "*"}), "fg:instance:b-1");
}

TEST(an_instance_that_stops_leaves_nothing_in_redis) {
  RedisServer server;
  Gateway at(server, "a-1");
  at.bridge->rooms().open(room);
  at.bridge->rooms().seat(room, seat_of("ann"));
  at.bridge->participants()->publish(room, ann, {"es", "", "", ""});
  CHECK(becomes(server, {"EXISTS", key}, "1"));
  at.bridge->stop(2000);
  CHECK_EQ(server.ask({"KEYS", "*"}), "");
}

TEST(the_rights_that_the_documentation_names_suffice) {
  RedisServer server;
  CHECK_EQ(server.ask({"ACL",          "SETUSER",  "gate",       "on",       ">secret",      "~fg:*",  "~room:*",   "&fg:*",       "&ws:room:*", "+auth",
                       "+ping",        "+client|setname", "+info", "+select", "+set",        "+del",   "+exists",   "+expire",     "+hget",      "+hgetall",
                       "+hmget",       "+hset",    "+hdel",      "+time",    "+eval",        "+evalsha", "+publish", "+subscribe", "+unsubscribe", "+asking"}),
           "OK");
  {
    Gateway at(server, "a-1", config::Membership::token, "redis://gate:secret@127.0.0.1:" + std::to_string(server.port()) + "/0");
    at.bridge->rooms().open(room);
    at.bridge->rooms().seat(room, seat_of("ann"));
    at.bridge->participants()->publish(room, ann, {"es", "", "", ""});
    at.bridge->membership().watch(room, ann);
    CHECK(at.told.wait<SeatTold>([](const SeatTold&) { return true; }));
    CHECK(at.told.wait<RoomView>([](const RoomView& view) { return view.complete; }, 8000));
    CHECK(becomes(server, {"HLEN", key}, "1"));
    CHECK(at.bridge->membership().look_up(room, ann).standing == MemberAnswer::Standing::member);
    at.bridge->rooms().broadcast(room, ann, "{}");
    at.bridge->rooms().close(room);
    at.bridge->stop(2000);
    CHECK_EQ(at.log.count("can't"), 0u);
  }
  CHECK_EQ(server.ask({"ACL", "LOG"}), "");
  CHECK_EQ(server.ask({"KEYS", "*"}), "");
}

}  // namespace fluentgate::test
