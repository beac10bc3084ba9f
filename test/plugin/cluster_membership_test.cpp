// Who may enter by what the backend keeps in Redis (CONTRACT 1, auth.membership), and what is published there for workers.
#include "test/plugin/cluster_world.hpp"

using namespace fluentgate::test;
using namespace std::chrono_literals;

namespace {

void member_of(Joined& joined, const std::string& user, const std::string& state) { joined.redis.ask({"HSET", "room:r1:participants", user, state}); }

HttpReply try_open(World& world, const TokenClaims& claims) {
  auto headers = Headers{{"Authorization", "Bearer " + make_token(claims)}};
  return world.host.connect().upgrade("/ws/signaling/r1", headers);
}

}  // namespace

TEST(cluster_membership_decides_and_its_state_wins) {
  Joined joined({"auth.membership=redis", "auth.require_room=false"});
  World a = joined.host();
  member_of(joined, "ann", R"({"language":"fr","speaking_language":"de","display_name":"Ann","role":"host"})");
  const HttpReply stranger = try_open(a, {.user = "stranger"});
  CHECK_EQ(stranger.status, 403);
  CHECK_EQ(member(stranger.body, "code"), "4003");
  Client ann = a.signaling({.user = "ann", .listening_language = "es", .name = "token"});
  existing_users(ann);
  CHECK_EQ(try_open(a, {.user = "ann", .room = ""}).status, 101);  // no room claim at all
  member_of(joined, "bob", "{}");
  Client again = a.signaling({.user = "ann", .listening_language = "es", .name = "token"});
  Client bob = a.signaling({.user = "bob", .room = "r1"});
  CHECK_EQ(existing_users(bob), R"({"type":"existing_users","users":[{"user_id":"ann","display_name":"Ann","role":"host",)"
                                R"("speaking_language":"de","listening_language":"fr"}]})");
}

TEST(cluster_membership_both_needs_the_claims_too) {
  Joined joined({"auth.membership=both"});
  World a = joined.host();
  member_of(joined, "ann", "{}");
  CHECK_EQ(try_open(a, {.user = "ann", .room = "another"}).status, 403);
  CHECK_EQ(try_open(a, {.user = "bob"}).status, 403);
  CHECK_EQ(try_open(a, {.user = "ann"}).status, 101);
}

TEST(cluster_membership_that_cant_be_asked_is_503) {
  Joined joined({"auth.membership=redis"});
  World a = joined.host();
  member_of(joined, "ann", "{}");
  Client ann = a.signaling({.user = "ann"});
  existing_users(ann);
  joined.redis.kill();
  a.wait_metric("fluentgate_redis_up 0");
  const HttpReply away = try_open(a, {.user = "ann"});
  CHECK_EQ(away.status, 503);
  CHECK_EQ(member(away.body, "code"), "4013");
  CHECK(!away.header("retry-after").empty());
  ann.send(R"({"type":"refresh","token":")" + make_token({.user = "ann", .expires_s = 7200}) + "\"}");
  ann.refused("invalid_token");
  ann.until_pong();  // lives on
  joined.redis.start();
  member_of(joined, "ann", "{}");
  a.wait_metric("fluentgate_redis_up 1");
  Client back = a.audio({.user = "ann"});
  back.until_pong();
}

TEST(cluster_membership_taken_away_closes_all_sockets) {
  Joined joined({"auth.membership=redis"});
  World a = joined.host(), b = joined.host();
  member_of(joined, "ann", "{}");
  member_of(joined, "bob", "{}");
  Client signaling = a.signaling({.user = "ann"}), audio = b.audio({.user = "ann"}), captions = b.captions({.user = "ann"});
  Client bob = b.signaling({.user = "bob"});
  existing_users(bob);
  joined.redis.ask({"HDEL", "room:r1:participants", "ann"});
  const auto begin = std::chrono::steady_clock::now();
  CHECK_EQ(signaling.ws().close_code(), 4003);
  CHECK_EQ(audio.ws().close_code(), 4003);
  CHECK_EQ(captions.ws().close_code(), 4003);
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  CHECK_EQ(bob.event("user_left"), left("ann"));
  bob.send(R"({"type":"refresh","token":")" + make_token({.user = "bob", .expires_s = 7200}) + "\"}");
  bob.event("refreshed");
}

TEST(cluster_participants_are_published_as_spelled_and_removed) {
  Joined joined({"redis.publish_participants=true"});
  World a = joined.host();
  const auto field = [&] { return joined.redis.ask({"HGET", "room:r1:participants", "ann"}); };
  const auto until = [&](auto&& fits) {
    for (int i = 0; i < 200 && !fits(field()); ++i) std::this_thread::sleep_for(20ms);
    const std::string last = field();
    if (!fits(last)) FAIL("the field is " + last);
    return last;
  };
  {
    Client ann = a.audio({.user = "ann", .listening_language = "pt-br,es", .speaking_language = "EN-us", .name = "Ann"});
    const std::string state = until([](const std::string& text) { return text.find("pt-br") != std::string::npos; });
    CHECK_EQ(text_member(state, "language"), "pt-br");
    CHECK_EQ(text_member(state, "speaking_language"), "EN-us");
    CHECK_EQ(text_member(state, "display_name"), "Ann");
    ann.send(R"({"type":"set_language","listening_language":["fr"]})");
    until([](const std::string& text) { return text.find(R"("fr")") != std::string::npos; });
    ann.ws().send_close();
  }
  until([](const std::string& text) { return text == "(nil)"; });
}
