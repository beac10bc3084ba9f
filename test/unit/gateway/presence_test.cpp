// Who is here, who listens, and what peers send each other (CONTRACT 3).
#include "test/unit/gateway/world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {
std::string only(const std::vector<std::string>& texts) { return texts.size() == 1 ? texts[0] : "(" + std::to_string(texts.size()) + " texts)"; }
}  // namespace

TEST(presence_names_who_is_here_and_tells_the_others) {
  World world;
  Client a = world.signaling("a", {.speak = "en-us", .listen = "es,fr", .name = "Ann", .role = "host"});
  const auto first = a.texts();
  CHECK_EQ(first.at(0), R"({"type":"existing_users","users":[]})");
  CHECK(has(first.at(1), "pipeline_heartbeat"));
  Client b = world.signaling("b");
  CHECK_EQ(b.texts().at(0), R"({"type":"existing_users","users":[{"user_id":"a","display_name":"Ann","role":"host",)"
                            R"("speaking_language":"en-us","listening_language":"es"}]})");
  CHECK_EQ(only(a.texts()), R"({"type":"user_joined","user_id":"b","display_name":null,"role":null,"speaking_language":null,"listening_language":null})");
  b.gone();
  CHECK_EQ(only(a.texts()), R"({"type":"user_left","user_id":"b"})");
}

TEST(presence_is_by_signaling_alone) {
  World world;
  Client a = world.signaling("a");
  a.texts();
  Client audio = world.audio("b");
  Client captions = world.captions("c");
  CHECK(a.texts().empty());
  Client d = world.signaling("d");
  CHECK(has(d.texts().at(0), R"("users":[{"user_id":"a")"));
}

TEST(presence_of_a_replaced_socket_goes_on) {
  World world;
  Client a = world.signaling("a");
  Client b = world.signaling("b");
  a.texts();
  Client newer = world.signaling("b");
  CHECK(b.transport->closed == CloseCode::replaced);
  b.gone();  // later, as sockets do
  CHECK(a.texts().empty());
  CHECK(has(newer.texts().at(0), "existing_users"));
  a.text(R"({"type":"offer","target_user_id":"b"})");
  CHECK_EQ(newer.events("offer").size(), 1u);
  newer.gone();
  CHECK_EQ(only(a.texts()), R"({"type":"user_left","user_id":"b"})");
}

TEST(presence_of_audio_sockets_replaces_within_the_room_only) {
  World world;
  Client older = world.audio("a", {.listen = "es"});
  Client captions = world.captions("a");
  Client captions_too = world.captions("a");
  Client newer = world.audio("a", {.listen = "es"});
  CHECK(older.transport->closed == CloseCode::replaced);
  CHECK(!captions.transport->closed);
  CHECK(!captions_too.transport->closed);
  older.gone();
  world.play("speaker", "es", "x");
  CHECK_EQ(newer.audio().size(), 1u);
}

TEST(relay_keeps_every_byte_but_the_sender) {
  World world;
  Client a = world.signaling("a"), b = world.signaling("b"), c = world.signaling("c");
  a.texts(), b.texts(), c.texts();
  a.text(R"({ "type":"x", "n":1.50, "from_user_id":"b", "fr\u006fm_user_id":"c", "k":1, "k":2 })");
  CHECK(a.texts().empty());
  const std::string got = only(b.texts());
  CHECK(has(got, R"("n":1.50)") && has(got, R"("k":1)") && has(got, R"("k":2)") && has(got, R"("from_user_id":"a")"));
  CHECK(!has(got, R"("b")") && !has(got, "u006f"));
  CHECK_EQ(only(c.texts()), got);
}

TEST(relay_to_one_and_to_nobody) {
  World world;
  Client a = world.signaling("a"), b = world.signaling("b"), c = world.signaling("c");
  Client audio_only = world.audio("d");
  a.texts(), b.texts(), c.texts();
  a.text(R"({"type":"x","target_user_id":"b"})");
  CHECK_EQ(b.texts().size(), 1u);
  CHECK(c.texts().empty());
  for (const char* target : {"d", "nobody", "", "B"}) {
    a.text(std::string(R"({"type":"x","target_user_id":")") + target + "\"}");
    CHECK(has(only(a.texts()), R"("code":"unknown_peer")"));
  }
  a.text(R"({"type":"x","target_user_id":7})");
  CHECK_EQ(a.events("error").size(), 1u);
  a.text(R"({"type":"user_left","user_id":"b"})");
  CHECK(has(only(a.texts()), R"("code":"reserved_type")"));
  CHECK(b.texts().empty() && c.texts().empty());
}

TEST(signaling_refuses_binary_and_answers_a_flood) {
  World world;
  Client a = world.signaling("a");
  a.texts();
  for (int i = 0; i < 400; ++i) a.text(R"({"type":"ping"})");
  CHECK_EQ(a.events("pong").size(), 400u);
  a.text(R"({"type":"ping"})");
  CHECK(has(only(a.texts()), R"("code":"rate_limited")"));
  a.binary({1, 2});
  CHECK(a.transport->closed == CloseCode::unsupported_data);
}

TEST(listeners_are_told_when_demand_changes) {
  World world;
  Client speaker = world.audio("sp", {.listen = "de"});
  Client speaker_signaling = world.signaling("sp", {.listen = "de"});
  speaker.texts(), speaker_signaling.texts();
  world.tick();
  CHECK(speaker_signaling.events("listeners").empty());  // nobody, as before
  Client a = world.audio("a", {.listen = "es"});
  Client b = world.audio("b", {.listen = "ES"});
  Client c = world.audio("c", {.listen = "fr"});
  world.tick();
  CHECK_EQ(only(speaker_signaling.events("listeners")), R"({"type":"listeners","languages":{"es":2,"fr":1}})");
  CHECK_EQ(only(a.events("listeners")), R"({"type":"listeners","languages":{"de":1,"es":1,"fr":1}})");  // on the audio socket, there is no other
  world.tick();
  CHECK(speaker_signaling.events("listeners").empty());
  a.gone(), b.gone(), c.gone();
  world.tick();
  CHECK_EQ(only(speaker_signaling.events("listeners")), R"({"type":"listeners","languages":{}})");
  CHECK(speaker.events("listeners").empty());
}

TEST(listeners_and_the_wanted_header_are_one_set) {
  World world;
  Client speaker = world.audio("sp");
  Client a = world.audio("a", {.listen = "en-GB"});
  Client b = world.audio("b", {.listen = "es", .understands = "en"});
  Client c = world.audio("c", {.listen = "fr"});
  world.tick();
  CHECK_EQ(only(speaker.events("listeners")), R"({"type":"listeners","languages":{"en-GB":1,"es":1,"fr":1}})");
  world.say(world.caption("sp", CaptionType::original, "en", "hello"));  // now it is known what is spoken
  world.tick();
  speaker.binary(Bytes(640));
  CHECK_EQ(world.publisher.chunks.at(0).wanted, "fr");
  CHECK_EQ(only(speaker.events("listeners")), R"({"type":"listeners","languages":{"fr":1}})");
}
