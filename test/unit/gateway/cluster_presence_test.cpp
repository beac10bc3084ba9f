// Presence, signaling and pushes in a room that spans instances (CONTRACT 3 and 5).
#include "test/unit/gateway/cluster_world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

std::vector<std::string> presence_of(Client& client) {
  std::vector<std::string> out;
  for (auto& text : client.texts()) {
    if (has(text, "existing_users") || has(text, "user_joined") || has(text, "user_left")) out.push_back(std::move(text));
  }
  return out;
}
std::string only(const std::vector<std::string>& texts) {
  if (texts.size() == 1) return texts[0];
  std::string all = "(" + std::to_string(texts.size()) + " texts)";
  for (const auto& text : texts) all += "\n" + text;
  return all;
}
std::string joined(const std::string& user) {
  return R"({"type":"user_joined","user_id":")" + user + R"(","display_name":null,"role":null,"speaking_language":null,"listening_language":null})";
}
std::string left(const std::string& user) { return R"({"type":"user_left","user_id":")" + user + "\"}"; }
std::size_t count(const std::vector<std::string>& lines, const std::string& wanted) {
  return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), wanted));
}

}  // namespace

TEST(cluster_presence_names_peers_on_every_instance_and_tells_once) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client ann = a.world.signaling("ann", {.speak = "en-us", .listen = "es,fr", .name = "Ann", .role = "host"});
  CHECK(presence_of(ann).empty());  // the room's view has not come
  redis.deliver();
  CHECK_EQ(only(presence_of(ann)), R"({"type":"existing_users","users":[]})");
  Client bob = b.world.signaling("bob");
  redis.deliver();
  CHECK_EQ(only(presence_of(bob)), R"({"type":"existing_users","users":[{"user_id":"ann","display_name":"Ann","role":"host",)"
                                   R"("speaking_language":"en-us","listening_language":"es"}]})");
  CHECK_EQ(only(presence_of(ann)), joined("bob"));
  Client cid = b.world.signaling("cid");
  redis.deliver();
  CHECK(has(only(presence_of(cid)), R"("user_id":"ann")"));
  CHECK_EQ(only(presence_of(bob)), joined("cid"));
  CHECK_EQ(only(presence_of(ann)), joined("cid"));
  bob.gone();
  redis.deliver();
  CHECK_EQ(only(presence_of(ann)), left("bob"));
  CHECK_EQ(only(presence_of(cid)), left("bob"));
  // FluentMeet's clients beside us heard of each once.
  CHECK_EQ(count(redis.channel, joined("bob")), 1u);
  CHECK_EQ(count(redis.channel, joined("cid")), 1u);
  CHECK_EQ(count(redis.channel, left("bob")), 1u);
}

TEST(cluster_presence_of_a_socket_replaced_by_another_instance_goes_on) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b"), &c = redis.add("c");
  Client watcher = c.world.signaling("watcher"), near = a.world.signaling("near");
  Client older = a.world.signaling("u");
  redis.deliver();
  presence_of(watcher), presence_of(near), presence_of(older);
  Client newer = b.world.signaling("u");
  redis.deliver();
  CHECK(older.transport->closed == CloseCode::replaced);
  CHECK(!newer.transport->closed);
  CHECK(has(only(presence_of(newer)), R"("users":[{"user_id":"near")"));
  older.gone();
  redis.deliver();
  CHECK(presence_of(watcher).empty());
  CHECK(presence_of(near).empty());
  near.text(R"({"type":"offer","target_user_id":"u"})");
  redis.deliver();
  CHECK_EQ(newer.events("offer").size(), 1u);
  newer.gone();
  redis.deliver();
  CHECK_EQ(only(presence_of(watcher)), left("u"));
  CHECK_EQ(only(presence_of(near)), left("u"));
  CHECK_EQ(count(redis.channel, joined("u")), 1u);
  CHECK_EQ(count(redis.channel, left("u")), 1u);
}

TEST(cluster_presence_is_by_signaling_wherever_it_is) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client watcher = a.world.signaling("watcher");
  Client audio = b.world.audio("u");
  redis.deliver();
  watcher.texts();
  Client signaling = a.world.signaling("u");
  redis.deliver();
  CHECK_EQ(only(presence_of(watcher)), joined("u"));
  CHECK(!audio.transport->closed);
  audio.gone();
  redis.deliver();
  CHECK(watcher.texts().empty());
  signaling.gone();
  redis.deliver();
  CHECK_EQ(only(presence_of(watcher)), left("u"));
}

TEST(cluster_presence_of_a_killed_instance_leaves_once) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b"), &c = redis.add("c");
  Client lost = a.world.signaling("lost");
  Client here = b.world.signaling("here"), there = c.world.signaling("there");
  redis.deliver();
  presence_of(here), presence_of(there);
  redis.lease_over(a);
  redis.deliver();
  CHECK_EQ(only(presence_of(here)), left("lost"));
  CHECK_EQ(only(presence_of(there)), left("lost"));
  CHECK_EQ(count(redis.channel, left("lost")), 1u);  // one of the two spoke for it
  Client again = b.world.signaling("lost");
  redis.deliver();
  CHECK_EQ(only(presence_of(there)), joined("lost"));
  CHECK(has(only(presence_of(again)), R"("users":[{"user_id":"here")"));
}

TEST(cluster_presence_answers_at_once_while_redis_is_away) {
  FakeRedis redis;
  Instance& a = redis.add("a");
  redis.up = false;
  Client ann = a.world.signaling("ann");
  CHECK(has(ann.texts().at(0), "existing_users"));
  Client bob = a.world.signaling("bob");
  CHECK(has(only(presence_of(bob)), "ann"));
  CHECK_EQ(only(presence_of(ann)), joined("bob"));
}

TEST(cluster_presence_waits_a_second_for_the_view_and_no_longer) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client bob = b.world.signaling("bob");
  redis.deliver();
  Client ann = a.world.signaling("ann");
  a.world.tick(limits::room_view_ms - 1);
  CHECK(presence_of(ann).empty());
  a.world.tick(1);
  CHECK_EQ(only(presence_of(ann)), R"({"type":"existing_users","users":[]})");
  redis.deliver();  // it comes after all
  CHECK_EQ(only(presence_of(ann)), joined("bob"));
  // Redis lost while a view is awaited: nobody waits for what can't come.
  Instance& c = redis.add("c");
  Client cid = c.world.signaling("cid");
  redis.waiting.clear();
  redis.go_away();
  redis.deliver();
  CHECK_EQ(only(presence_of(cid)), R"({"type":"existing_users","users":[]})");
}

TEST(cluster_presence_outlives_a_restart_of_redis) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client ann = a.world.signaling("ann");
  Client bob = b.world.signaling("bob"), leaver = b.world.signaling("leaver");
  redis.deliver();
  presence_of(ann), presence_of(bob);
  redis.go_away();
  redis.deliver();
  CHECK(ann.texts().empty());
  leaver.gone();
  CHECK_EQ(only(presence_of(bob)), left("leaver"));
  Client newcomer = b.world.signaling("newcomer");
  CHECK(has(only(presence_of(newcomer)), R"("user_id":"ann")"));  // as it was
  presence_of(bob);
  ann.text(R"({"type":"offer","target_user_id":"bob"})");
  CHECK(has(ann.texts().at(0), "unknown_peer"));
  redis.come_back();
  redis.deliver();
  CHECK_EQ(only(presence_of(ann)), joined("newcomer"));
  redis.complete_views();
  redis.deliver();
  CHECK_EQ(only(presence_of(ann)), left("leaver"));
  CHECK(presence_of(bob).empty());
  CHECK(!ann.transport->closed && !bob.transport->closed);
  ann.text(R"({"type":"offer","target_user_id":"bob"})");
  redis.deliver();
  CHECK_EQ(bob.events("offer").size(), 1u);
}

TEST(cluster_relay_keeps_every_byte_but_the_sender) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client ann = a.world.signaling("ann");
  Client bob = b.world.signaling("bob"), cid = b.world.signaling("cid");
  redis.deliver();
  ann.texts(), bob.texts(), cid.texts();
  ann.text(R"({ "type":"x", "n":1.50, "from_user_id":"bob", "fr\u006fm_user_id":"cid", "k":1, "k":2 })");
  redis.deliver();
  CHECK(ann.texts().empty());
  const std::string got = only(bob.texts());
  CHECK(has(got, R"("n":1.50)") && has(got, R"("k":1)") && has(got, R"("k":2)") && has(got, R"("from_user_id":"ann")"));
  CHECK(!has(got, R"("bob")") && !has(got, "u006f"));
  CHECK_EQ(only(cid.texts()), got);
  ann.text(R"({"type":"y","target_user_id":"bob"})");
  redis.deliver();
  CHECK_EQ(only(bob.texts()), R"({"type":"y","target_user_id":"bob","from_user_id":"ann"})");
  CHECK(cid.texts().empty());
  ann.text(R"({"type":"y","target_user_id":"BOB"})");
  redis.deliver();
  CHECK(has(only(ann.texts()), "unknown_peer"));
  CHECK(bob.texts().empty());
}

TEST(cluster_push_goes_to_clients_as_it_is) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client ann = a.world.signaling("ann@x.org"), audio = a.world.audio("ann@x.org"), captions = a.world.captions("ann@x.org");
  Client bob = b.world.signaling("bob");
  redis.deliver();
  ann.texts(), audio.texts(), captions.texts(), bob.texts();
  redis.push(std::nullopt, "", R"({"event":"meeting_ended", "n":1.0})");
  redis.deliver();
  CHECK_EQ(only(ann.texts()), R"({"event":"meeting_ended", "n":1.0})");
  CHECK_EQ(only(bob.texts()), R"({"event":"meeting_ended", "n":1.0})");
  CHECK(audio.texts().empty() && captions.texts().empty());
  redis.push(std::nullopt, "ann@x.org", R"({"type":"active_speaker_changed"})");
  redis.push(" ANN@X.org ", "", R"({"type":"lobby_knock"})");
  redis.push("bob", "", "not json");
  redis.deliver();
  CHECK_EQ(only(ann.texts()), R"({"type":"lobby_knock"})");
  CHECK_EQ(only(bob.texts()), R"({"type":"active_speaker_changed"})");
}

TEST(cluster_push_matches_exactly_before_it_tries_otherwise) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client lower = a.world.signaling("bob"), upper = b.world.signaling("BOB");
  redis.deliver();
  lower.texts(), upper.texts();
  redis.push("BOB", "", R"({"type":"x"})");
  redis.deliver();
  CHECK(lower.texts().empty());
  CHECK_EQ(only(upper.texts()), R"({"type":"x"})");
}

TEST(cluster_push_takes_the_right_away) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client signaling = a.world.signaling("u"), audio = b.world.audio("u"), captions = b.world.captions("u"), other = b.world.signaling("v");
  redis.deliver();
  other.texts();
  redis.push("U", "", R"({"type":"removed"})");
  redis.deliver();
  for (Client* client : {&signaling, &audio, &captions}) CHECK(client->transport->closed == CloseCode::forbidden);
  CHECK(!other.transport->closed);
  CHECK(signaling.events("removed").empty());
  redis.push("v", "", R"({"type":"revoked"})");
  redis.deliver();
  CHECK(other.transport->closed == CloseCode::unauthorized);
}

TEST(cluster_push_of_fluentmeets_own_presence_is_shown_and_its_users_can_be_called) {
  FakeRedis redis;
  Instance& a = redis.add("a");
  Client ann = a.world.signaling("ann");
  redis.deliver();
  ann.texts();
  redis.push(std::nullopt, "guest", R"({"type":"user_joined","user_id":"guest"})");
  redis.deliver();
  CHECK_EQ(only(ann.texts()), R"({"type":"user_joined","user_id":"guest"})");
  redis.channel.clear();
  ann.text(R"({"type":"offer","target_user_id":"guest"})");
  CHECK_EQ(only(redis.channel), R"({"type":"offer","target_user_id":"guest","from_user_id":"ann"})");
  CHECK(ann.texts().empty());
  redis.push(std::nullopt, "guest", R"({"type":"user_left","user_id":"guest"})");
  redis.deliver();
  ann.texts();
  ann.text(R"({"type":"offer","target_user_id":"guest"})");
  CHECK(has(only(ann.texts()), "unknown_peer"));
}

TEST(cluster_member_gone_ends_all_sockets_where_membership_is_asked) {
  struct Members final : MemberLookup {
    MemberAnswer look_up(const RoomId&, const UserId&) override { return {MemberAnswer::Standing::member, "{}"}; }
    void watch(const RoomId& room, const UserId& user) override { CHECK(watched.insert({room, user}).second); }
    void unwatch(const RoomId& room, const UserId& user) override { CHECK_EQ(watched.erase({room, user}), 1u); }
    std::set<std::pair<RoomId, UserId>> watched;
  } members;
  FakeRedis redis;
  config::Settings asks;
  asks.auth.membership = config::Membership::redis;
  Instance &a = redis.add("a", asks), &b = redis.add("b");
  a.world.core.members = &members;
  Client signaling = a.world.signaling("u"), captions = a.world.captions("v"), elsewhere = b.world.signaling("u2");
  redis.deliver();
  CHECK(members.watched == (std::set<std::pair<RoomId, UserId>>{{RoomId("r"), UserId("u")}, {RoomId("r"), UserId("v")}}));
  redis.put(a, redis::MemberGone{RoomId("r"), UserId("u")});
  redis.put(a, redis::MemberGone{RoomId("r"), UserId("v")});
  redis.put(b, redis::MemberGone{RoomId("r"), UserId("u2")});
  redis.deliver();
  CHECK(signaling.transport->closed == CloseCode::forbidden);
  CHECK(captions.transport->closed == CloseCode::forbidden);
  CHECK(!elsewhere.transport->closed);
  signaling.gone(), captions.gone();
  CHECK(members.watched.empty());
}

TEST(cluster_seats_are_taken_back_as_sockets_leave_and_when_the_instance_ends) {
  FakeRedis redis;
  Instance &a = redis.add("a"), &b = redis.add("b");
  Client watcher = b.world.signaling("watcher");
  Client u = a.world.signaling("u"), v = a.world.signaling("v"), captions = a.world.captions("w");
  redis.deliver();
  watcher.texts();
  CHECK_EQ(a.bus.seats.size(), 2u);  // captions alone are nobody's peer
  u.gone();
  redis.deliver();
  CHECK_EQ(only(presence_of(watcher)), left("u"));
  a.world.hub->cluster->withdraw();
  redis.deliver();
  CHECK_EQ(only(presence_of(watcher)), left("v"));
  CHECK_EQ(count(redis.channel, left("v")), 1u);
  CHECK(a.bus.seats.empty());
  v.gone();
  CHECK(a.bus.rooms.contains(RoomId("r")));  // captions are still here
  captions.gone();
  CHECK(a.bus.rooms.empty());
}
