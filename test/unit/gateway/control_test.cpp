// Control messages that every socket understands, tokens that end, and limits (CONTRACT 1).
#include "test/unit/gateway/world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {
std::string only(const std::vector<std::string>& texts) { return texts.size() == 1 ? texts[0] : "(" + std::to_string(texts.size()) + " texts)"; }
std::string claims(const World& world, const std::string& user, std::int64_t seconds, const std::string& room = "r") {
  return R"({"sub":")" + user + R"(","room_id":")" + room + R"(","exp":)" + std::to_string(world.clock.unix_ms() / 1000 + seconds) + "}";
}
std::string refresh(const std::string& token) { return R"({"type":"refresh","token":")" + token + "\"}"; }
}  // namespace

TEST(control_tells_the_language_to_every_control_socket) {
  World world;
  Client audio = world.audio("a"), signaling = world.signaling("a"), captions = world.captions("a"), other = world.signaling("b");
  audio.texts(), signaling.texts(), captions.texts(), other.texts();
  signaling.text(R"({"type":"set_language","listening_language":["es-MX","fr"],"speaking_language":"en-us","understands":["de"]})");
  const std::string told = R"({"type":"language","listening_language":["es-MX","fr"],"speaking_language":"en-us","understands":["de"]})";
  CHECK_EQ(only(audio.texts()), told);
  CHECK_EQ(only(signaling.texts()), told);
  CHECK(captions.texts().empty());
  CHECK(other.texts().empty());
  audio.text(R"({"type":"set_language","listening_language":"ca"})");  // the rest stays
  CHECK_EQ(only(signaling.texts()), R"({"type":"language","listening_language":["ca"],"speaking_language":"en-us","understands":["de"]})");
  audio.binary(Bytes(640));
  CHECK_EQ(world.publisher.chunks.at(0).source_language, "en-us");
}

TEST(control_echoes_a_ping) {
  World world;
  Client a = world.audio("a");
  a.texts();
  a.text(R"({"id":7.0,"type":"ping","x":[1, 2]})");
  CHECK_EQ(only(a.texts()), R"({"type":"pong","id":7.0,"x":[1, 2]})");
}

TEST(control_language_of_a_newer_socket) {
  World world;
  Client older = world.audio("a", {.listen = "es"});
  older.text(R"({"type":"set_language","listening_language":"fr"})");
  Client same_claims = world.audio("a", {.listen = "es"});
  world.play("speaker", "fr", "x");
  CHECK_EQ(same_claims.audio().size(), 1u);  // what was said last counts, a reconnect doesn't take it back
  Client by_query = world.audio("a", {.listen = "es", .lang_query = "ca"});
  world.play("speaker", "ca", "x");
  CHECK_EQ(by_query.audio().size(), 1u);
  Client new_token = world.audio("a", {.listen = "de"});
  world.play("speaker", "de", "x");
  CHECK_EQ(new_token.audio().size(), 1u);  // other claims than before are news
  new_token.text(R"({"type":"set_language","listening_language":"fr"})");
  Client as_claimed = world.audio("a", {.listen = "de", .lang_query = "de"});
  world.play("speaker", "de", "x");
  CHECK_EQ(as_claimed.audio().size(), 1u);  // a query counts also where it says what the claim says
  Client says_nothing = world.audio("a", {});
  world.play("speaker", "de", "x");
  CHECK_EQ(says_nothing.audio().size(), 1u);  // a token without languages takes none back
}

TEST(sockets_closed_from_here_are_counted_by_code) {
  World world;
  Client older = world.audio("a");
  Client newer = world.audio("a");
  older.gone();
  CHECK(world.metrics.render().find("fluentgate_closes_total{code=\"4009\"} 1") != std::string::npos);
}

TEST(refresh_is_good_for_all_sockets) {
  World world;
  const std::int64_t now_s = world.clock.unix_ms() / 1000;
  Client signaling = world.signaling("a", {.exp_s = now_s + 60}), captions = world.captions("a", {.exp_s = now_s + 60});
  signaling.texts(), captions.texts();
  signaling.text(refresh(world.token(claims(world, "a", 3600))));
  CHECK_EQ(only(signaling.texts()), R"({"type":"refreshed","exp":)" + std::to_string(now_s + 3600) + "}");
  world.tick(100000);
  CHECK(!signaling.transport->closed && !captions.transport->closed);
  CHECK(signaling.events("token_expiring").empty());
}

TEST(refresh_with_a_wrong_token_changes_nothing) {
  World world;
  const std::int64_t now_s = world.clock.unix_ms() / 1000;
  Client a = world.signaling("a", {.exp_s = now_s + 60});
  a.texts();
  for (const std::string& token : {std::string("nonsense"), world.token(claims(world, "b", 3600)), world.token(claims(world, "a", -3600))}) {
    a.text(refresh(token));
    CHECK(has(only(a.texts()), R"("code":"invalid_token")"));
    CHECK(!a.transport->closed);
  }
  world.tick(65000);
  CHECK(a.transport->closed == CloseCode::unauthorized);
}

TEST(refresh_without_right_to_the_room_closes_4003) {
  World world;
  Client a = world.signaling("a"), audio = world.audio("a"), captions = world.captions("a");
  a.text(refresh(world.token(claims(world, "a", 3600, "elsewhere"))));
  CHECK(a.transport->closed == CloseCode::forbidden);
  CHECK(audio.transport->closed == CloseCode::forbidden);
  CHECK(captions.transport->closed == CloseCode::forbidden);
}

TEST(token_that_ends_is_announced_once_and_closes_4001) {
  World world;
  const std::int64_t exp_s = world.clock.unix_ms() / 1000 + 60;
  const std::string exp = std::to_string(exp_s);
  Client audio = world.audio("a", {.exp_s = exp_s}), signaling = world.signaling("a", {.exp_s = exp_s}), captions = world.captions("a", {.exp_s = exp_s});
  audio.texts(), signaling.texts(), captions.texts();
  world.tick(29999);
  CHECK(audio.texts().empty());
  world.tick(1);
  CHECK_EQ(only(audio.texts()), R"({"type":"token_expiring","exp":)" + exp + "}");
  CHECK_EQ(only(signaling.texts()), R"({"type":"token_expiring","exp":)" + exp + "}");
  CHECK_EQ(only(captions.events("")), "(0 texts)");
  world.tick(10000);
  CHECK(audio.texts().empty());
  world.tick(20000 + 4999);
  CHECK(!audio.transport->closed);
  world.tick(1);
  CHECK(audio.transport->closed == CloseCode::unauthorized);
  CHECK(signaling.transport->closed == CloseCode::unauthorized);
  CHECK(captions.transport->closed == CloseCode::unauthorized);
}

TEST(token_that_ends_soon_is_announced_at_once_on_captions_too) {
  World world;
  const std::int64_t exp_s = world.clock.unix_ms() / 1000 + 10;
  Client captions = world.captions("a", {.exp_s = exp_s});
  captions.texts();
  world.tick();
  CHECK_EQ(only(captions.texts()), R"({"event":"token_expiring","exp":)" + std::to_string(exp_s) + "}");
}

TEST(limits_refuse_by_row) {
  config::Settings settings;
  settings.limits.sessions = 4;
  settings.limits.rooms = 1;
  settings.limits.room_participants = 2;
  settings.limits.sessions_per_user = 2;
  World world(settings);
  const auto limit = [&](const char* room, const char* user, Endpoint endpoint) {
    const auto reached = world.hub->over_limit(RoomId(room), UserId(user), endpoint);
    return !reached ? std::string("none") : (reached->of_instance ? "instance: " : "") + reached->detail;
  };
  CHECK_EQ(limit("r", "a", Endpoint::audio), "none");
  Client a = world.audio("a");
  CHECK_EQ(limit("other", "a", Endpoint::audio), "instance: this instance has as many rooms as limits.rooms allows");
  Client a2 = world.signaling("a");
  CHECK_EQ(limit("r", "a", Endpoint::captions), "this user has as many sockets as limits.sessions_per_user allows");
  CHECK_EQ(limit("r", "a", Endpoint::audio), "none");  // a replacement is no additional one
  CHECK_EQ(limit("r", "b", Endpoint::audio), "none");
  Client b = world.audio("b");
  CHECK_EQ(limit("r", "c", Endpoint::audio), "the room is full");
  Client b2 = world.captions("b");
  CHECK_EQ(limit("r", "c", Endpoint::audio), "instance: this instance has as many sockets as limits.sessions allows");
  b.gone(), b2.gone(), a2.gone();
  CHECK_EQ(limit("r", "a", Endpoint::captions), "none");
  CHECK_EQ(limit("r", "c", Endpoint::audio), "none");
}

TEST(rooms_and_interest_end_with_their_last_socket) {
  World world;
  Client audio = world.audio("a", {.listen = "es"}), captions = world.captions("b");
  CHECK(world.interest.wants("r", tag("es")));
  audio.gone();
  CHECK(!world.interest.wants("r", tag("es")));
  CHECK(world.interest.hosts("r"));
  captions.gone();
  CHECK(!world.interest.hosts("r"));
  CHECK_EQ(world.hub->session_count(), 0u);
  CHECK(world.rooms.rooms().empty());
  audio.gone();  // once more does no harm
  CHECK_EQ(world.hub->session_count(), 0u);
}
