// CONTRACT 3, signaling: presence, and the relay that changes nothing but who sent it.
#include <algorithm>

#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

TokenClaims user(const std::string& id) { return {.user = id}; }

TEST(presence_tells_who_is_there_who_comes_and_who_goes) {
  World world;
  Client ann = world.signaling({.user = "ann", .listening_language = "es-MX,fr", .speaking_language = "EN",
                                .name = "Ann \xc3\x84", .more = "\"role\":\"host\""});
  CHECK_EQ(ann.greeting[0], std::string("{\"type\":\"existing_users\",\"users\":[]}"));
  Client audio = world.audio({.user = "nosignal"});  // present is who has a signaling socket
  Client bob = world.signaling(user("bob"));
  const std::string annself =
      "\"user_id\":\"ann\",\"display_name\":\"Ann \xc3\x84\",\"role\":\"host\",\"speaking_language\":\"EN\",\"listening_language\":\"es-MX\"}";
  CHECK_EQ(bob.greeting[0], "{\"type\":\"existing_users\",\"users\":[{" + annself + "]}");
  CHECK_EQ(ann.event("user_joined"), std::string("{\"type\":\"user_joined\",\"user_id\":\"bob\",\"display_name\":null,\"role\":null,"
                                                 "\"speaking_language\":null,\"listening_language\":null}"));
  // A replacement is neither a leaving nor a coming.
  Client bob2 = world.signaling(user("bob"));
  CHECK_EQ(bob.ws().close_code(), 4009);
  CHECK_EQ(bob2.greeting[0], "{\"type\":\"existing_users\",\"users\":[{" + annself + "]}");
  for (const std::string& text : ann.texts_until_pong()) CHECK_EQ(text.find("user_"), std::string::npos);
  // The newer one is reachable after the older has gone.
  ann.send("{\"type\":\"hello\",\"target_user_id\":\"bob\"}");
  bob2.event("hello");
  bob2.ws().send_close();
  CHECK_EQ(ann.event("user_left"), std::string("{\"type\":\"user_left\",\"user_id\":\"bob\"}"));
  for (const std::string& text : ann.texts_until_pong()) CHECK_EQ(text.find("user_"), std::string::npos);
  ann.send("{\"type\":\"hello\",\"target_user_id\":\"bob\"}");
  ann.refused("unknown_peer");
}

TEST(a_killed_connection_leaves_once) {
  World world;
  Client ann = world.signaling(user("ann"));
  {
    Client bob = world.signaling(user("bob"));
    ann.event("user_joined");
  }  // TCP ends without a close frame
  CHECK_EQ(ann.event("user_left"), std::string("{\"type\":\"user_left\",\"user_id\":\"bob\"}"));
  CHECK(ann.until_pong().empty());
}

TEST(messages_pass_byte_for_byte) {
  World world;
  Client ann = world.signaling(user("a\\\"nn"));  // a user id that JSON must escape
  Client bob = world.signaling(user("bob"));
  bob.until_pong();
  const std::string members =
      "\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\\u0041\\/\xf0\x9f\x98\x80\\ud83d\\ude00\",\"n\":1.0e+2,\"m\":-0,\"big\":123456789012345678901234567890.10,"
      "\"x\":{\"a\":[1,2,{}],\"from_user_id\":\"inner stays\"},\"x\":null,\"\\u0079\":true,\"\":\"\"";
  ann.send("{" + members + ",\"target_user_id\":\"bob\"}");
  CHECK_EQ(bob.text(), "{" + members + ",\"target_user_id\":\"bob\",\"from_user_id\":\"a\\\"nn\"}");
  ann.send("{" + members + ",\"target_user_id\":null}");
  CHECK_EQ(bob.text(), "{" + members + ",\"target_user_id\":null,\"from_user_id\":\"a\\\"nn\"}");
}

TEST(from_user_id_can_not_be_forged) {
  World world;
  Client ann = world.signaling(user("ann"));
  Client bob = world.signaling(user("bob"));
  bob.until_pong();
  for (const char* forged : {"\"from_user_id\":\"eve\",", "\"from_user_id\":\"eve\",\"from_user_id\":\"max\",", "\"\\u0066rom_user_id\":\"eve\",",
                             "\"from\\u005fuser\\u005Fid\":{\"a\":1},", "\"fro\\u006d_user_i\\u0064\":\"eve\",\"from_user_id\":null,"}) {
    ann.send("{" + std::string(forged) + "\"type\":\"x\"}");
    CHECK_EQ(bob.text(), std::string("{\"type\":\"x\",\"from_user_id\":\"ann\"}"));
  }
}

TEST(messages_go_to_one_or_to_everybody_else) {
  World world;
  Client ann = world.signaling(user("ann"));
  Client bob = world.signaling(user("bob"));
  Client eve = world.signaling(user("eve"));
  Client far = world.signaling({.user = "far", .room = "r2"});
  for (Client* client : {&ann, &bob}) client->until_pong();
  ann.send("{\"type\":\"one\",\"target_user_id\":\"bob\"}");
  ann.send("{\"type\":\"all\"}");
  CHECK_EQ(text_member(bob.text(), "type"), std::string("one"));
  CHECK_EQ(text_member(bob.text(), "type"), std::string("all"));
  CHECK_EQ(text_member(eve.text(), "type"), std::string("all"));
  ann.send("{\"type\":\"self\",\"target_user_id\":\"ann\"}");
  CHECK_EQ(text_member(ann.text(), "type"), std::string("self"));
  for (Client* client : {&ann, &bob, &eve, &far}) CHECK(client->until_pong().empty());
  ann.send("{\"type\":\"x\",\"target_user_id\":\"far\"}");
  ann.refused("unknown_peer");
  ann.send("{\"type\":\"x\",\"target_user_id\":\"BOB\"}");  // exact
  ann.refused("unknown_peer");
  for (const char* bad : {"7", "[\"bob\"]", "{}", "true", "\"bob\",\"target_user_id\":\"bob\"", "null,\"target_user_i\\u0064\":\"bob\""}) {
    ann.send("{\"type\":\"x\",\"target_user_id\":" + std::string(bad) + "}");
    ann.refused("invalid_json");
  }
  for (Client* client : {&bob, &eve}) CHECK(client->until_pong().empty());
}

TEST(reserved_types_are_refused_however_spelled) {
  World world;
  Client ann = world.signaling(user("ann"));
  Client bob = world.signaling(user("bob"));
  ann.until_pong();
  bob.until_pong();
  for (const char* type : {"existing_users", "user_joined", "user_left", "suppress_original", "restore_original", "going_away", "pipeline_heartbeat",
                           "listeners", "language", "refreshed", "token_expiring", "removed", "revoked", "pong", "error", "\\u0065rror",
                           "user\\u005Fleft"}) {
    ann.send("{\"type\":\"" + std::string(type) + "\"}");
    ann.refused("reserved_type");
  }
  ann.send("{\"\\u0074ype\":\"error\"}");
  ann.refused("reserved_type");
  CHECK(bob.until_pong().empty());
}

TEST(one_clients_malformed_messages_disturb_nobody) {
  World world;
  Client ann = world.signaling(user("ann"));
  Client bob = world.signaling(user("bob"));
  Client bad = world.signaling(user("bad"));
  for (Client* client : {&ann, &bob, &bad}) client->until_pong();
  const std::pair<std::string, const char*> broken[] = {
      {"{\"type\":\"x\"", "invalid_json"}, {"", "invalid_json"}, {"{\"type\":\"x\"}}", "invalid_json"}, {"{\"a\":01,\"type\":\"x\"}", "invalid_json"},
      {"\xef\xbb\xbf{\"type\":\"x\"}", "invalid_json"}, {"[1]", "not_an_object"}, {"\"x\"", "not_an_object"}, {"null", "not_an_object"},
      {"{}", "missing_type"}, {"{\"type\":null}", "missing_type"}, {"{\"type\":{}}", "missing_type"},
      {"{\"type\":\"x\",\"\\u0074ype\":\"y\"}", "invalid_json"},
      {"{\"type\":\"x\",\"a\":" + std::string(64, '[') + std::string(64, ']') + "}", "invalid_json"}};
  for (const auto& [text, code] : broken) {
    bad.send(text);
    bad.refused(code);
    ann.send("{\"type\":\"fine\",\"target_user_id\":\"bob\"}");
    CHECK_EQ(bob.text(), std::string("{\"type\":\"fine\",\"target_user_id\":\"bob\",\"from_user_id\":\"ann\"}"));
  }
  // What ends the bad one's socket ends no other.
  bad.ws().send_binary("\x01\x02");
  CHECK_EQ(bad.ws().close_code(), 1003);
  Client worse = world.signaling(user("worse"));
  worse.send("{\"type\":\"\xff\"}");
  CHECK_EQ(worse.ws().close_code(), 1007);
  Client large = world.signaling(user("large"));
  large.send("{\"type\":\"x\",\"a\":\"" + std::string(65536, 'a') + "\"}");
  CHECK_EQ(large.ws().close_code(), 1009);
  ann.send("{\"type\":\"fine\"}");
  CHECK_EQ(bob.event("fine"), std::string("{\"type\":\"fine\",\"from_user_id\":\"ann\"}"));
}

TEST(fragments_are_joined_and_the_largest_passes) {
  World world;
  Client ann = world.signaling(user("ann"));
  Client bob = world.signaling(user("bob"));
  bob.until_pong();
  std::string message = "{\"type\":\"x\",\"a\":\"";
  while (message.size() + 2 < 65536) message += "\xc3\xa4";
  message.resize(65534);  // of a character, one byte may be left
  if ((message.size() - 17) % 2 != 0) message.back() = 'x';
  message += "\"}";
  for (std::size_t at = 0; at < message.size(); at += 9999) {
    ann.ws().send_frame(at == 0 ? Frame::text : Frame::continuation, message.substr(at, 9999), at + 9999 >= message.size());
  }
  CHECK_EQ(bob.text(), message.substr(0, message.size() - 1) + ",\"from_user_id\":\"ann\"}");
}

TEST(a_peer_who_does_not_read_is_closed_4008_and_holds_nobody_up) {
  World world({"limits.outbox_bytes=100000", "limits.messages_per_s=100000"});
  Client ann = world.signaling(user("ann"));
  Client slow = world.signaling(user("slow"));
  Client bob = world.signaling(user("bob"));
  bob.until_pong();
  const std::string message = "{\"type\":\"x\",\"a\":\"" + std::string(60000, 'a') + "\"";
  const auto closed = [&] { return world.page("/metrics").find("fluentgate_closes_total{code=\"4008\"} 1\n") != std::string::npos; };
  for (int i = 0; !closed(); ++i) {  // read soon after the close: who doesn't is cut off without its code
    CHECK(i < 250);
    ann.send(message + "}");
    CHECK(bob.event("x") == message + ",\"from_user_id\":\"ann\"}");
  }
  CHECK_EQ(slow.ws().close_code(), 4008);
  CHECK_EQ(bob.event("user_left"), std::string("{\"type\":\"user_left\",\"user_id\":\"slow\"}"));
}

TEST(over_the_rate_limit_messages_are_dropped_and_told) {
  World world({"limits.messages_per_s=5"});
  Client ann = world.signaling(user("ann"));
  Client bob = world.signaling(user("bob"));
  for (int i = 0; i < 40; ++i) ann.send("{\"type\":\"x\",\"i\":" + std::to_string(i) + "}");
  ann.refused("rate_limited");
  for (int i = 0; i < 10; ++i) CHECK_EQ(number_member(bob.event("x"), "i"), i);
  world.wait_metric("fluentgate_sessions{endpoint=\"signaling\"} 2");  // closed is nobody
}

}  // namespace
}  // namespace fluentgate::test
