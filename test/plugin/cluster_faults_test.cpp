// A host killed, drained, and Redis away, as clients of the other hosts see it (CONTRACT 1, 5 and 6).
#include "test/plugin/cluster_world.hpp"

using namespace fluentgate::test;
using namespace std::chrono_literals;

namespace {

std::string heartbeat_until(Client& client, const std::string& state) {
  while (true) {
    const std::string beat = client.event("pipeline_heartbeat");
    if (text_member(beat, "state") == state) return beat;
  }
}
std::int64_t ms_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count();
}
HttpReply readyz(World& world) { return world.host.connect().request("GET", "/readyz"); }

}  // namespace

TEST(cluster_a_killed_hosts_users_leave_and_come_back_elsewhere) {
  Joined joined;
  World a = joined.host(), b = joined.host(), c = joined.host();
  Client lost = a.signaling({.user = "lost"}), lost_audio = a.audio({.user = "lost", .listening_language = "es"});
  Client lost_captions = a.captions({.user = "lost"});
  Client ann = b.signaling({.user = "ann"}), speaker = b.audio({.user = "ann", .listening_language = "en", .speaking_language = "en"});
  Client cid = c.signaling({.user = "cid"});
  existing_users(ann), existing_users(cid);
  CHECK_EQ(ann.event("listeners"), R"({"type":"listeners","languages":{"es":1}})");
  a.worker.produce(transcript({.text = "before", .number = 0}));
  lost_captions.event("caption");
  Client place = c.captions({.user = "x"});
  const std::string end = place.greeting.back();

  const auto killed = std::chrono::steady_clock::now();
  a.host.process().signal(SIGKILL);
  ann.ws().connection().deadline = 20s;
  cid.ws().connection().deadline = 20s;
  CHECK_EQ(ann.event("user_left"), left("lost"));
  CHECK_EQ(cid.event("user_left"), left("lost"));
  CHECK(ms_since(killed) < 15000);
  CHECK_EQ(ann.event("listeners"), R"({"type":"listeners","languages":{}})");

  Client again = b.signaling({.user = "lost"});
  CHECK_EQ(user_of(cid.event("user_joined")), "lost");
  CHECK(gathered(cid, presence_events).empty());
  const std::string there = existing_users(again);
  CHECK(there.find("\"ann\"") != std::string::npos && there.find("\"cid\"") != std::string::npos);
  b.worker.produce(transcript({.text = "missed", .number = 1}));
  Client resumed = b.captions({.user = "lost"}, "since=" + text_member(end, "offset") + "&epoch=" + text_member(end, "epoch"));
  CHECK_EQ(member(resumed.greeting.back(), "recovered"), "true");
}

TEST(cluster_who_comes_back_before_the_lease_is_over_was_never_gone) {
  Joined joined;
  World a = joined.host(), b = joined.host();
  Client lost = a.signaling({.user = "lost"});
  Client ann = b.signaling({.user = "ann"});
  existing_users(ann);
  a.host.process().signal(SIGKILL);
  Client again = b.signaling({.user = "lost"});
  CHECK(existing_users(again).find("\"ann\"") != std::string::npos);
  CHECK(gathered(ann, presence_events, 13000).empty());
  ann.send(R"({"type":"offer","target_user_id":"lost"})");
  again.event("offer");
}

TEST(cluster_a_drained_hosts_seats_are_taken_back_at_once) {
  Joined joined;
  World a = joined.host({"drain_ms=300"}), b = joined.host();
  Client leaver = a.signaling({.user = "leaver"});
  Client ann = b.signaling({.user = "ann"});
  existing_users(ann);
  const auto begin = std::chrono::steady_clock::now();
  a.host.process().signal(SIGTERM);
  CHECK_EQ(leaver.ws().close_code(), 1001);
  CHECK_EQ(ann.event("user_left"), left("leaver"));
  CHECK(ms_since(begin) < 4000);  // no lease had to run out
  CHECK_EQ(a.host.process().wait(), 0);
  CHECK(gathered(ann, presence_events).empty());
}

TEST(cluster_redis_killed_and_back_nobody_is_shown_twice_or_lost) {
  Joined joined;
  World a = joined.host(), b = joined.host();
  Client ann = a.signaling({.user = "ann"}), bob = b.signaling({.user = "bob"}), leaver = b.signaling({.user = "leaver"});
  existing_users(ann), existing_users(bob);
  Client audio = b.audio({.user = "bob", .listening_language = "es"});
  gathered(ann, presence_events), gathered(bob, presence_events);
  CHECK_EQ(readyz(a).status, 200);

  const auto killed = std::chrono::steady_clock::now();
  joined.redis.kill();
  heartbeat_until(ann, "degraded");
  heartbeat_until(audio, "degraded");
  CHECK(ms_since(killed) < 2500);
  a.wait_metric("fluentgate_redis_up 0");
  CHECK_EQ(readyz(a).status, 503);
  CHECK_EQ(member(readyz(a).body, "redis.connected"), "false");
  // Local rooms go on.
  Client newcomer = b.signaling({.user = "newcomer"});
  CHECK(existing_users(newcomer).find("\"ann\"") != std::string::npos);
  CHECK_EQ(user_of(bob.event("user_joined")), "newcomer");
  newcomer.send(R"({"type":"offer","target_user_id":"bob"})");
  bob.event("offer");
  ann.send(R"({"type":"offer","target_user_id":"bob"})");
  ann.refused("unknown_peer");
  leaver.ws().send_close();
  CHECK_EQ(bob.event("user_left"), left("leaver"));
  b.worker.produce(synthesized({.pcm = pcm_bytes(640), .language = "es"}));
  CHECK_EQ(audio.bytes(), pcm_bytes(640));

  const auto back = std::chrono::steady_clock::now();
  joined.redis.start();
  // In any order: both changes of the outage, and the heartbeat.
  std::vector<std::string> changes;
  bool ok = false;
  while (!ok || changes.size() < 2) {
    const std::string text = ann.ws().text_that([](const std::string& one) { return one.find("user_") != std::string::npos || one.find("heartbeat") != std::string::npos; });
    if (text.find("heartbeat") == std::string::npos) changes.push_back(text);
    ok = ok || text.find("\"ok\"") != std::string::npos;
  }
  CHECK_EQ(user_of(changes[0]), "newcomer");
  CHECK_EQ(changes[1], left("leaver"));
  CHECK(ms_since(back) < 5500);
  ann.send(R"({"type":"offer","target_user_id":"bob"})");
  bob.event("offer");
  a.wait_metric("fluentgate_redis_up 1");
  CHECK_EQ(readyz(a).status, 200);
  CHECK(gathered(ann, presence_events, 3000).empty());
  CHECK(gathered(bob, presence_events).empty());
  joined.push(R"({"type":"broadcast","data":{"type":"meeting_ended"}})");
  ann.event("meeting_ended");
  bob.event("meeting_ended");
}

TEST(cluster_redis_away_at_the_start_does_not_keep_a_host_from_serving) {
  Joined joined;
  joined.redis.kill();
  std::vector<std::string> options = joined.kafka.options();
  options.push_back("redis.url=" + joined.redis.url());
  HostProcess host(FLUENTGATE_BUILD_DIR, options);
  Client ann(host.open("/ws/signaling/r1", {{"Authorization", "Bearer " + make_token({.user = "ann"})}}));
  CHECK_EQ(ann.event("existing_users"), R"({"type":"existing_users","users":[]})");
  joined.redis.start();
  host.wait_ready();
  World other = joined.host();
  Client bob = other.signaling({.user = "bob"});
  CHECK(existing_users(bob).find("\"ann\"") != std::string::npos);
  CHECK_EQ(user_of(ann.event("user_joined")), "bob");
}
