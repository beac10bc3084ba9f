// CONTRACT 1, Control and token life: what every socket that takes text understands.
#include <chrono>
#include <thread>

#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

std::int64_t exp_in(std::int64_t seconds) { return now_ms() / 1000 + seconds; }
std::string quoted_token(const TokenClaims& claims) { return "{\"type\":\"refresh\",\"token\":\"" + make_token(claims) + "\"}"; }

TEST(ping_is_echoed_member_for_member) {
  World world;
  Client audio = world.audio({});
  Client signaling = world.signaling({});
  for (Client* client : {&audio, &signaling}) {
    client->send("{ \"a\" : 1.50, \"type\":\"ping\",\"t\":{\"b\":[1e3,null]},\"a\":\"\\u00e9\" }");
    const std::string pong = client->event("pong");
    CHECK_EQ(pong, std::string("{\"type\":\"pong\",\"a\" : 1.50,\"t\":{\"b\":[1e3,null]},\"a\":\"\\u00e9\"}"));
  }
}

TEST(heartbeat_comes_at_connection) {
  World world;
  const std::int64_t before = now_ms();
  Client audio = world.audio({});
  Client signaling = world.signaling({});
  for (Client* client : {&audio, &signaling}) {
    const std::string& heartbeat = client->greeting.back();
    CHECK(keys(heartbeat) == (std::vector<std::string>{"type", "ts", "state"}));
    CHECK_EQ(text_member(heartbeat, "state"), std::string("ok"));
    CHECK(number_member(heartbeat, "ts") >= before && number_member(heartbeat, "ts") <= now_ms());
  }
}

TEST(an_expired_token_closes_4001_on_every_socket_after_a_warning) {
  World world({"auth.leeway_s=0"});
  // Three tokens of the same second: another `exp` would be another token, which is warned of as well.
  while (now_ms() % 1000 > 300) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const TokenClaims brief{.expires_s = 2};
  const std::int64_t exp = exp_in(2);
  Client audio = world.audio(brief);
  Client signaling = world.signaling(brief);
  Client captions = world.captions(brief);
  const std::string warned = audio.event("token_expiring");  // it lives shorter than 30 s: at connection
  CHECK(number_member(warned, "exp") >= exp && number_member(warned, "exp") <= exp + 1);
  CHECK(keys(warned) == (std::vector<std::string>{"type", "exp"}));
  signaling.event("token_expiring");
  CHECK(keys(captions.event("token_expiring")) == (std::vector<std::string>{"event", "exp"}));
  for (Client* client : {&audio, &signaling, &captions}) {
    while (true) {  // told once
      const Frame frame = client->ws().message();
      if (frame.opcode == Frame::close) {
        CHECK_EQ(frame.close_code(), 4001);
        break;
      }
      CHECK_EQ(frame.payload.find("token_expiring"), std::string::npos);
    }
    const std::int64_t late_ms = now_ms() - number_member(warned, "exp") * 1000;
    if (late_ms < -100 || late_ms > 2000) FAIL("closed " + std::to_string(late_ms) + " ms after exp");
  }
}

TEST(the_warning_comes_30_s_before_the_end) {
  World world;
  const std::int64_t since = now_ms();
  Client client = world.audio({.expires_s = 32});
  const std::int64_t exp = number_member(client.event("token_expiring"), "exp");
  const std::int64_t left_ms = exp * 1000 - now_ms();
  if (left_ms > 30000 || left_ms < 28500) FAIL("told " + std::to_string(left_ms) + " ms before");
  CHECK(now_ms() - since >= 900);
}

TEST(refresh_counts_for_all_sockets_of_the_participant) {
  World world({"auth.leeway_s=0"});
  const TokenClaims brief{.expires_s = 2};
  Client audio = world.audio(brief);
  Client signaling = world.signaling(brief);
  Client captions = world.captions(brief);
  const std::int64_t exp = exp_in(600);
  signaling.send(quoted_token({.expires_s = 600}));
  const std::string refreshed = signaling.event("refreshed");
  CHECK(keys(refreshed) == (std::vector<std::string>{"type", "exp"}));
  CHECK(number_member(refreshed, "exp") >= exp && number_member(refreshed, "exp") <= exp + 1);
  // Past the old expiry all of them still serve.
  Client watch = world.audio({.user = "watch", .expires_s = 3});
  CHECK_EQ(watch.ws().close_code(), 4001);
  CHECK_EQ(audio.texts_until_pong().size() + signaling.texts_until_pong().size() < 20, true);
  world.worker.produce(transcript({.text = "still here"}));
  CHECK_EQ(text_member(captions.event("caption"), "text"), std::string("still here"));
}

TEST(a_bad_refresh_is_told_and_the_socket_lives_on) {
  World world;
  Client audio = world.audio({});
  Client signaling = world.signaling({});
  for (Client* client : {&audio, &signaling}) {
    client->send(quoted_token({.user = "another"}));
    client->refused("invalid_token");
    client->send(quoted_token({.expires_s = -3600}));
    client->refused("invalid_token");
    client->send("{\"type\":\"refresh\",\"token\":\"" + make_token({}, std::string(80, 'x')) + "\"}");
    client->refused("invalid_token");
    client->send("{\"type\":\"refresh\"}");
    client->refused("invalid_token");
    client->send("{\"type\":\"refresh\",\"token\":7}");
    client->refused("invalid_token");
    client->until_pong();
  }
  CHECK_EQ(world.host.process().err().find("eyJ"), std::string::npos);  // no token in the log
}

TEST(a_refresh_without_right_to_the_room_closes_4003) {
  World world;
  Client audio = world.audio({});
  Client captions = world.captions({});
  audio.send(quoted_token({.room = "elsewhere"}));
  CHECK_EQ(audio.ws().close_code(), 4003);
  CHECK_EQ(captions.ws().close_code(), 4003);
}

TEST(a_shorter_refresh_is_the_newest_and_counts) {
  World world({"auth.leeway_s=0"});
  Client audio = world.audio({.expires_s = 3600});
  Client captions = world.captions({.expires_s = 3600});
  audio.send(quoted_token({.expires_s = 1}));  // exp is in whole seconds: it may be over in a moment
  audio.event("refreshed");
  audio.event("token_expiring");               // comes before the end all the same
  captions.event("token_expiring");
  CHECK_EQ(audio.ws().close_code(), 4001);
  CHECK_EQ(captions.ws().close_code(), 4001);
}

TEST(one_user_in_two_rooms_is_two_participants) {
  World world;
  const std::string both = "\"rooms\":[\"r1\",\"r2\"]";
  Client first = world.audio({.room = "r1", .more = both});
  Client second = world.audio({.room = "r2", .more = both});  // replaces nobody: 4009 is per room
  first.send("{\"type\":\"set_language\",\"listening_language\":\"es\"}");
  first.event("language");
  for (const std::string& text : second.texts_until_pong()) CHECK_EQ(text.find("language\""), std::string::npos);
  Client again = world.audio({.room = "r1"});
  CHECK_EQ(first.ws().close_code(), 4009);
  second.until_pong();
}

TEST(messages_of_control_count_on_captions_nowhere) {
  World world;
  Client captions = world.captions({});
  captions.send("{\"type\":\"ping\"}");
  world.worker.produce(transcript({.text = "a"}));
  CHECK_EQ(text_member(captions.text(), "event"), std::string("caption"));
}

}  // namespace
}  // namespace fluentgate::test
