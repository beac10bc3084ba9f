// One participant's sockets on several instances: which of two stays, languages, tokens, demand and suppression (CONTRACT 1 to 3).
#include "test/unit/gateway/cluster_world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

std::string only(const std::vector<std::string>& texts) {
  if (texts.size() == 1) return texts[0];
  std::string all = "(" + std::to_string(texts.size()) + " texts)";
  for (const auto& text : texts) all += "\n" + text;
  return all;
}
void tick_all(FakeRedis& redis, std::int64_t ms = 0) {
  for (auto& one : redis.instances) one->world.tick(ms);
  redis.deliver();
}
std::string wanted_from(World& world, const std::string& user) { return world.the_room().wanted_from(world.the_room().speaker(UserId(user))); }

}  // namespace

TEST(cluster_audio_replaced_by_another_instance_closes_4009_and_captions_stay) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client older = a.world.audio("u", {.listen = "es"}), captions = a.world.captions("u");
  redis.deliver();
  Client newer = b.world.audio("u", {.listen = "es"});
  redis.deliver();
  CHECK(older.transport->closed == CloseCode::replaced);
  CHECK(!newer.transport->closed);
  CHECK(!captions.transport->closed);
}

TEST(cluster_of_two_sockets_opened_at_once_exactly_one_stays) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client here = a.world.audio("x"), there = b.world.audio("x");
  redis.deliver();
  Client first = a.world.audio("u"), second = b.world.audio("u");  // nothing delivered in between
  redis.deliver();
  CHECK(first.transport->closed == CloseCode::replaced);
  CHECK(!second.transport->closed);
  CHECK(here.transport->closed.has_value() != there.transport->closed.has_value());
}

TEST(cluster_of_two_sockets_opened_while_redis_was_away_the_newer_one_stays) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  redis.up = false;
  b.world.clock.advance(1000);
  Client first = a.world.audio("u"), second = b.world.audio("u");
  redis.come_back();
  redis.deliver();
  CHECK(first.transport->closed == CloseCode::replaced);
  CHECK(!second.transport->closed);
}

TEST(cluster_set_language_is_in_force_on_the_participants_sockets_elsewhere) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client signaling = a.world.signaling("u", {.speak = "en", .listen = "es"});
  redis.deliver();
  Client audio = b.world.audio("u", {.speak = "en", .listen = "es"});
  redis.deliver();
  signaling.texts(), audio.texts();
  a.world.clock.advance(5);
  signaling.text(R"({"type":"set_language","listening_language":["fr","de"],"understands":["it"],"speaking_language":"pt"})");
  const std::string told = R"({"type":"language","listening_language":["fr","de"],"speaking_language":"pt","understands":["it"]})";
  CHECK_EQ(only(signaling.events("language")), told);
  redis.deliver();
  CHECK_EQ(only(audio.events("language")), told);
  b.world.play("speaker", "fr", "x");
  CHECK_EQ(audio.audio().size(), 1u);
  b.world.play("speaker", "es", "x");
  CHECK_EQ(audio.audio().size(), 0u);
  // And back, the later word counts.
  b.world.clock.advance(10);
  audio.text(R"({"type":"set_language","listening_language":"es"})");
  redis.deliver();
  CHECK_EQ(only(signaling.events("language")), R"({"type":"language","listening_language":["es"],"speaking_language":"pt","understands":["it"]})");
  CHECK(audio.events("language").size() == 1);
}

TEST(cluster_what_was_set_meets_a_later_socket_and_what_that_asks_for_wins) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b"), &c = redis.add("c");
  Client signaling = a.world.signaling("u", {.speak = "en", .listen = "es"});
  redis.deliver();
  signaling.text(R"({"type":"set_language","listening_language":"fr"})");
  redis.deliver();
  Client audio = b.world.audio("u", {.speak = "en", .listen = "es"});  // the token's claims take nothing back
  redis.deliver();
  b.world.play("speaker", "fr", "x");
  CHECK_EQ(audio.audio().size(), 1u);
  signaling.texts();
  Client newer = c.world.audio("u", {.speak = "en", .listen = "es", .lang_query = "de"});
  redis.deliver();
  CHECK(audio.transport->closed == CloseCode::replaced);
  CHECK(has(only(signaling.events("language")), R"("listening_language":["de"],"speaking_language":"en")"));
  c.world.play("speaker", "de", "x");
  CHECK_EQ(newer.audio().size(), 1u);
}

TEST(cluster_refresh_is_good_for_all_sockets_everywhere) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  const auto exp_s = a.world.clock.unix_ms() / 1000 + 60;
  Client signaling = a.world.signaling("u", {.exp_s = exp_s});
  Client captions = b.world.captions("u", {.exp_s = exp_s});
  redis.deliver();
  const std::string claims = R"({"sub":"u","room_id":"r","exp":)" + std::to_string(exp_s + 600) + "}";
  signaling.text(R"({"type":"refresh","token":")" + a.world.token(claims) + "\"}");
  CHECK_EQ(signaling.events("refreshed").size(), 1u);
  redis.deliver();
  tick_all(redis, 70000);
  CHECK(!signaling.transport->closed);
  CHECK(!captions.transport->closed);
  const std::string wrong = R"({"sub":"u","room_id":"another","exp":)" + std::to_string(exp_s + 600) + "}";
  signaling.text(R"({"type":"refresh","token":")" + a.world.token(wrong) + "\"}");
  redis.deliver();
  CHECK(signaling.transport->closed == CloseCode::forbidden);
  CHECK(captions.transport->closed == CloseCode::forbidden);
}

TEST(cluster_demand_counts_listeners_everywhere_once) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b"), &c = redis.add("c");
  Client speaker = a.world.audio("speaker", {.speak = "en", .listen = "en"});
  redis.deliver();
  Client near = a.world.audio("near", {.listen = "es"}), far = b.world.audio("far", {.listen = "fr"}), two = c.world.audio("two", {.listen = "fr"});
  Client understands = b.world.audio("u", {.listen = "de", .understands = "en"}), no_audio = c.world.signaling("s", {.listen = "it"});
  redis.deliver();
  tick_all(redis);
  CHECK_EQ(speaker.events("listeners").back(), R"({"type":"listeners","languages":{"es":1,"fr":2}})");
  CHECK_EQ(wanted_from(a.world, "speaker"), "es,fr");
  Client moved = b.world.audio("near", {.listen = "es"});  // to another instance: counted once while both are there
  redis.deliver();
  tick_all(redis);
  CHECK(speaker.events("listeners").empty());
  near.gone(), far.gone(), two.gone();
  redis.deliver();
  tick_all(redis);
  CHECK_EQ(only(speaker.events("listeners")), R"({"type":"listeners","languages":{"es":1}})");
  redis.lease_over(b);
  redis.deliver();
  tick_all(redis);
  CHECK_EQ(only(speaker.events("listeners")), R"({"type":"listeners","languages":{}})");
  CHECK_EQ(wanted_from(a.world, "speaker"), "");
}

TEST(cluster_suppression_events_find_the_signaling_socket_and_the_frame_is_not_held) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client signaling = a.world.signaling("u", {.listen = "es"});
  Client audio = b.world.audio("u", {.listen = "es"});
  redis.deliver();
  signaling.texts(), audio.texts();
  b.world.play("speaker", "es", "x");
  CHECK_EQ(audio.audio().size(), 1u);  // at the same moment
  redis.deliver();
  CHECK(has(only(signaling.events("suppress_original")), R"("speaker_id":"speaker")"));
  CHECK(audio.events("suppress_original").empty());
  b.world.play("speaker", "es", "y");
  redis.deliver();
  CHECK(signaling.events("suppress_original").empty());
  // Another signaling socket knows of nothing: it is told with the next frame, here by the socket itself.
  signaling.gone();
  redis.deliver();
  b.world.play("speaker", "es", "z");
  CHECK_EQ(audio.events("suppress_original").size(), 1u);
  Client again = a.world.signaling("u", {.listen = "es"});
  redis.deliver();
  again.texts();
  b.world.play("speaker", "es", "z");
  redis.deliver();
  CHECK_EQ(again.events("suppress_original").size(), 1u);
  b.world.hub->suppression.pipeline_down();
  redis.deliver();
  CHECK(has(only(again.events("restore_original")), "pipeline_down"));
}

TEST(cluster_suppression_ends_when_the_speakers_sockets_elsewhere_are_gone) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client speaker = a.world.audio("speaker", {.speak = "en"});
  Client listener = b.world.audio("u", {.listen = "es"});
  redis.deliver();
  b.world.play("speaker", "es", "x");
  CHECK_EQ(listener.events("suppress_original").size(), 1u);
  speaker.gone();
  redis.deliver();
  tick_all(redis, limits::speaker_gone_ms - 1);
  CHECK(listener.events("restore_original").empty());
  tick_all(redis, 1);
  CHECK(has(only(listener.events("restore_original")), "speaker_left"));
}

TEST(cluster_suppression_restores_a_speaker_elsewhere_whose_synthesis_stalls) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client speaker = a.world.audio("speaker", {.speak = "en"});
  Client listener = b.world.audio("u", {.listen = "es"});
  redis.deliver();
  b.world.play("speaker", "es", "x");
  listener.texts();
  Bytes loud;
  for (int i = 0; i < 1600; ++i) loud.insert(loud.end(), {0x00, static_cast<std::uint8_t>(i % 2 ? 0x40 : 0xc0)});
  std::vector<std::string> restored;
  for (int i = 0; i < 60 && restored.empty(); ++i) {
    speaker.binary(loud);
    redis.deliver();
    tick_all(redis, 100);
    restored = listener.events("restore_original");
  }
  CHECK(has(only(restored), "stalled"));
}

TEST(cluster_a_speaker_elsewhere_says_its_language_and_name) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client speaker = a.world.audio("speaker", {.speak = "en", .name = "Ann"});
  Client listener = b.world.audio("u", {.listen = "en,es"});
  redis.deliver();
  b.world.play("speaker", "es", "x");
  CHECK(listener.audio().empty());  // understands it
  b.world.open_log();
  Client captions = b.world.captions("u");
  captions.texts();
  b.world.say(b.world.caption("speaker", CaptionType::original, "en", "hello"));
  CHECK(has(only(captions.texts()), R"("speaker_name":"Ann")"));
}

TEST(cluster_last_words_of_who_left_last_here_ask_for_every_language) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client listener = b.world.audio("u", {.listen = "es"});
  {
    Client speaker = a.world.audio("speaker", {.speak = "en"});
    redis.deliver();
    a.world.publisher.mode = FakePublisher::Mode::queue_full;
    speaker.binary(Bytes(640));
  }
  a.world.publisher.mode = FakePublisher::Mode::takes;
  a.world.tick(100);
  a.world.hub->uploads.tick();
  CHECK_EQ(a.world.publisher.chunks.size(), 1u);
  CHECK(!a.world.publisher.chunks[0].wanted_known);
}
