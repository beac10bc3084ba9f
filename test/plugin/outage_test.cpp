// CONTRACT 4, "If Kafka is away": sockets stay, audio waits in order, what can't wait is told; and 1, the heartbeat.
#include <cmath>

#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

const TokenClaims speaker{.user = "ann", .speaking_language = "en"};
const std::vector<std::string> many{"limits.messages_per_s=100000"};

// The next heartbeat that says so.
void wait_state(Client& client, const std::string& state) {
  while (text_member(client.event("pipeline_heartbeat"), "state") != state) {}
}

TEST(heartbeat_says_down_and_ok_again_and_audio_waits_in_order) {
  Cluster cluster;
  World world(cluster, many);
  Client client = world.audio(speaker);
  Client listener = world.audio({.user = "bob", .listening_language = "es"});
  Client signaling = world.signaling({.user = "bob", .listening_language = "es"});
  Client captions = world.captions({.user = "bob"});
  client.audio(pcm_bytes(640, 0));
  world.worker.read("audio.raw", 1);
  world.worker.produce(synthesized({.pcm = pcm_bytes(640, 1), .user = "ann"}));
  CHECK(listener.bytes() == pcm_bytes(640, 1));
  signaling.event("suppress_original");
  world.wait_metric("fluentgate_kafka_up 1");

  cluster->set_down();
  const std::int64_t down_ms = now_ms();
  for (int i = 1; i <= 20; ++i) client.audio(pcm_bytes(640, i));
  wait_state(client, "down");
  const std::int64_t told_ms = now_ms() - down_ms;
  if (told_ms < 1500 || told_ms > 4500) FAIL("down told after " + std::to_string(told_ms) + " ms");
  CHECK_EQ(text_member(signaling.event("restore_original"), "reason"), std::string("pipeline_down"));
  wait_state(signaling, "down");
  world.wait_metric("fluentgate_kafka_up 0");
  CHECK_EQ(world.host.connect().request("GET", "/readyz").status, 503);
  // Everything that needs no Kafka goes on, new sockets too.
  signaling.until_pong();
  Client late = world.audio({.user = "late"});
  CHECK_EQ(text_member(late.greeting.back(), "state"), std::string("down"));
  for (int i = 21; i <= 40; ++i) client.audio(pcm_bytes(640, i));
  client.until_pong();

  cluster->set_up();
  wait_state(client, "ok");
  const auto records = world.worker.read("audio.raw", 41, 15000);
  for (int i = 0; i <= 40; ++i) {
    CHECK_EQ(number_of(records[static_cast<std::size_t>(i)]), i);
    CHECK(audio_of(records[static_cast<std::size_t>(i)]) == pcm_bytes(640, i));
    CHECK(!records[static_cast<std::size_t>(i)].header("fg-gap-ms"));
  }
  CHECK_EQ(world.worker.read_rest("audio.raw", 50).size(), std::size_t{41});
  // The stream goes on without a restart, both ways.
  world.worker.produce(transcript({.text = "back", .user = "ann"}));
  CHECK_EQ(text_member(captions.event("caption"), "text"), std::string("back"));
  world.worker.produce(synthesized({.pcm = pcm_bytes(640, 2), .user = "ann"}));
  signaling.event("suppress_original");
  CHECK(listener.bytes() == pcm_bytes(640, 2));
}

TEST(audio_that_can_not_wait_is_dropped_told_and_leaves_no_hole) {
  Cluster cluster;
  World world(cluster, {"kafka.buffer_ms=200", "kafka.inflight_ms=100", "limits.messages_per_s=100000"});
  Client client = world.audio(speaker);
  client.audio(pcm_bytes(640, 0));
  world.worker.read("audio.raw", 1);
  cluster->set_down();
  constexpr int sent = 60;
  std::vector<std::string> told;
  const auto gather = [&](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      if (text.find("audio_dropped") != std::string::npos) told.push_back(text);
    }
  };
  const std::int64_t since = now_ms();
  for (int i = 1; i <= sent; ++i) {
    client.audio(pcm_bytes(640, i));
    gather(client.texts_until_pong());
  }
  const auto sum = [&] {
    std::int64_t ms = 0;
    for (const std::string& text : told) ms += number_member(text, "dropped_ms");
    return ms;
  };
  // 1200 ms came; 100 were handed over and 200 wait. What could not be told at once is told within the next second.
  while (sum() < 900 && now_ms() - since < 5000) gather({client.event("error")});
  CHECK_EQ(sum(), 900);
  CHECK(static_cast<std::int64_t>(told.size()) <= 2 + (now_ms() - since) / 1000);
  CHECK(keys(told[0]) == (std::vector<std::string>{"type", "code", "detail", "dropped_ms"}));
  const std::string metrics = world.page("/metrics");
  const std::string counted = "\nfluentgate_audio_dropped_seconds_total{reason=\"buffer_full\"} ";
  CHECK(metrics.find(counted) != std::string::npos);
  CHECK_EQ(std::lround(std::stod(metrics.substr(metrics.find(counted) + counted.size())) * 1000), 900);

  cluster->set_up();
  const auto records = world.worker.read("audio.raw", 16, 15000);
  std::int64_t gap_ms = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    CHECK_EQ(number_of(records[i]), static_cast<std::int64_t>(i));
    if (const auto gap = records[i].header("fg-gap-ms")) {
      gap_ms += std::stoll(*gap);
      CHECK_EQ(i, std::size_t{6});  // 0 before, 1 to 5 handed over, then the gap
    }
  }
  CHECK_EQ(gap_ms, 900);
  CHECK(audio_of(records[5]) == pcm_bytes(640, 5));
  CHECK(audio_of(records[6]) == pcm_bytes(640, sent - 9));
  CHECK(audio_of(records[15]) == pcm_bytes(640, sent));
}

TEST(an_instance_starts_while_kafka_is_away_and_serves_when_it_comes) {
  Cluster cluster;
  cluster->set_down();
  HostProcess host(FLUENTGATE_BUILD_DIR, {cluster.options().front(), "kafka.consumer.fetch.wait.max.ms=10", "limits.messages_per_s=100000"});
  CHECK_EQ(host.connect().request("GET", "/healthz").status, 200);
  const HttpReply waiting = host.connect().request("GET", "/readyz");
  CHECK_EQ(waiting.status, 503);
  CHECK_EQ(waiting.header("content-type"), std::string("application/json"));
  CHECK_EQ(member(waiting.body, "ready"), std::string("false"));
  CHECK(!has_member(member(waiting.body, "kafka"), "bootstrap"));  // the address of an embedded cluster only
  Client client(host.open("/ws/audio/r1?token=" + make_token(speaker)));
  for (int i = 0; i < 10; ++i) client.audio(pcm_bytes(640, i));
  wait_state(client, "down");
  cluster->set_up();
  wait_state(client, "ok");
  host.wait_ready();
  KafkaPeer worker(cluster.address());
  const auto records = worker.read("audio.raw", 10, 15000);
  for (int i = 0; i < 10; ++i) {
    CHECK_EQ(number_of(records[static_cast<std::size_t>(i)]), i);
    CHECK(audio_of(records[static_cast<std::size_t>(i)]) == pcm_bytes(640, i));
  }
}

TEST(the_ready_gate_refuses_until_kafka_is_there) {
  Cluster cluster;
  cluster->set_down();
  HostProcess host(FLUENTGATE_BUILD_DIR, {cluster.options().front(), "ready_gate=true"});
  const HttpReply refused = host.connect().upgrade("/ws/audio/r1?token=" + make_token(speaker));
  CHECK_EQ(refused.status, 503);
  CHECK_EQ(number_member(refused.body, "code"), 4013);
  CHECK(!refused.header("retry-after").empty());
  cluster->set_up();
  host.wait_ready();
  CHECK_EQ(host.connect().upgrade("/ws/audio/r1?token=" + make_token(speaker)).status, 101);
}

TEST(cut_requests_neither_double_nor_reorder_what_is_published) {
  Cluster cluster;
  World world(cluster, many);
  Client client = world.audio(speaker);
  client.audio(pcm_bytes(640, 0));
  world.worker.read("audio.raw", 1);
  for (int round = 0; round < 5; ++round) {
    cluster->fail_next(0, round % 2 == 0 ? RD_KAFKA_RESP_ERR__TRANSPORT : RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    for (int i = 1; i <= 10; ++i) client.audio(pcm_bytes(640, round * 10 + i));
    client.until_pong();
  }
  const auto records = world.worker.read("audio.raw", 51);
  for (int i = 0; i <= 50; ++i) {
    CHECK_EQ(number_of(records[static_cast<std::size_t>(i)]), i);
    CHECK(audio_of(records[static_cast<std::size_t>(i)]) == pcm_bytes(640, i));
  }
  CHECK_EQ(world.worker.read_rest("audio.raw", 100).size(), std::size_t{51});
}

TEST(a_slow_broker_is_degraded_and_one_that_hangs_is_down) {
  Cluster cluster;
  World world(cluster);
  Client client = world.audio(speaker);
  client.audio(pcm_bytes(640, 0));
  world.worker.read("audio.raw", 1);
  cluster->set_rtt_ms(3500);
  client.audio(pcm_bytes(640, 1));
  const std::int64_t since = now_ms();
  CHECK_EQ(text_member(client.event("pipeline_heartbeat"), "state"), std::string("degraded"));
  CHECK(now_ms() - since >= 450 && now_ms() - since < 2000);
  CHECK_EQ(text_member(client.event("pipeline_heartbeat"), "state"), std::string("down"));
  CHECK(now_ms() - since >= 1950 && now_ms() - since < 3400);
  cluster->set_rtt_ms(0);
  wait_state(client, "ok");
  CHECK_EQ(number_of(world.worker.read("audio.raw", 2)[1]), 1);
}

}  // namespace
}  // namespace fluentgate::test
