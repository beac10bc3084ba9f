// CONTRACT 6: health, readiness, metrics; who may see them.
#include <signal.h>

#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

TEST(health_is_ok_at_the_root_and_under_the_prefix) {
  World world({"prefix=/api/v1/ws"});
  for (const char* path : {"/healthz", "/api/v1/ws/healthz"}) {
    const HttpReply reply = world.host.connect().request("GET", path);
    CHECK_EQ(reply.status, 200);
    CHECK_EQ(reply.body.substr(0, 2), std::string("ok"));
  }
  for (const char* path : {"/readyz", "/api/v1/ws/readyz", "/metrics", "/api/v1/ws/metrics", "/metrics?x=1"}) world.page(path);
  CHECK_EQ(world.host.connect().request("GET", "/ws/healthz").status, 404);
}

TEST(ready_tells_the_embedded_clusters_address_and_draining) {
  World world({"drain_ms=10000"});
  const HttpReply ready = world.host.connect().request("GET", "/readyz");
  CHECK_EQ(ready.status, 200);
  CHECK_EQ(ready.header("content-type"), std::string("application/json"));
  CHECK(text_member(ready.body, "kafka.bootstrap").starts_with("127.0.0.1:"));
  CHECK_EQ(member(ready.body, "draining"), std::string("false"));
  Client client = world.audio({});
  Client captions = world.captions({});
  world.host.process().signal(SIGTERM);
  const std::string event = client.event("going_away");
  CHECK(keys(event) == (std::vector<std::string>{"type", "retry_after_ms"}));
  CHECK(number_member(event, "retry_after_ms") > 0);
  CHECK(keys(captions.event("going_away")) == (std::vector<std::string>{"event", "retry_after_ms"}));
  const HttpReply draining = world.host.connect().request("GET", "/readyz");
  CHECK_EQ(draining.status, 503);
  CHECK_EQ(member(draining.body, "draining"), std::string("true"));
  CHECK_EQ(world.host.connect().request("GET", "/healthz").status, 200);
  const HttpReply refused = world.host.connect().upgrade("/ws/audio/r1?token=" + make_token({}));
  CHECK_EQ(refused.status, 503);
  CHECK_EQ(number_member(refused.body, "code"), 4013);
  // What is said while it drains still reaches Kafka: both leave, and it ends at once.
  client.audio(pcm_bytes(640));
  client.until_pong();
  CHECK(audio_of(world.worker.read("audio.raw", 1)[0]) == pcm_bytes(640));
  client.ws().send_close();
  captions.ws().send_close();
  CHECK_EQ(client.ws().close_code(), 1000);
  CHECK_EQ(world.host.process().wait(), 0);
}

TEST(forwarded_requests_and_other_addresses_are_refused) {
  World world;
  for (const char* header : {"Forwarded", "X-Forwarded-For", "X-Real-IP", "x-forwarded-for"}) {
    for (const char* path : {"/readyz", "/metrics", "/ws/metrics"}) {
      const HttpReply reply = world.host.connect().request("GET", path, {{header, "127.0.0.1"}});
      CHECK_EQ(reply.status, 403);
      CHECK_EQ(reply.body.find("fluentgate_"), std::string::npos);
    }
    CHECK_EQ(world.host.connect().request("GET", "/healthz", {{header, "127.0.0.1"}}).status, 200);
  }
  HostProcess closed(FLUENTGATE_BUILD_DIR, {"ops.allow=10.0.0.0/8"});
  CHECK_EQ(closed.connect().request("GET", "/metrics").status, 403);
  CHECK_EQ(closed.connect().request("GET", "/readyz").status, 403);
  CHECK_EQ(closed.connect().request("GET", "/healthz").status, 200);
}

TEST(head_has_no_body_and_other_methods_are_405) {
  World world;
  for (const char* path : {"/healthz", "/readyz", "/metrics"}) {
    WsClient client = world.host.connect();
    const HttpReply head = client.request("HEAD", path);
    CHECK_EQ(head.status, 200);
    CHECK(std::stoi(head.header("content-length")) > 0);
    CHECK_EQ(client.request("GET", "/healthz").status, 200);  // what follows is an answer, not a body
    const HttpReply post = world.host.connect().request("POST", path, {}, "x");
    CHECK_EQ(post.status, 405);
    CHECK(!post.header("allow").empty());
  }
}

TEST(metrics_have_the_names_of_the_contract) {
  World world;
  Client audio = world.audio({});
  Client captions = world.captions({});
  audio.audio(pcm_bytes(640));
  world.worker.read("audio.raw", 1);
  world.wait_metric("fluentgate_sessions{endpoint=\"audio\"} 1");
  world.wait_metric("fluentgate_sessions{endpoint=\"captions\"} 1");
  world.wait_metric("fluentgate_sessions{endpoint=\"signaling\"} 0");
  world.wait_metric("fluentgate_rooms 1");
  world.wait_metric("fluentgate_kafka_up 1");
  world.wait_metric("fluentgate_redis_up 0");
  world.wait_metric("fluentgate_chunks_published_total 1");
  world.wait_metric("fluentgate_stage_latency_seconds_count{stage=\"kafka_ack\",source=\"-\",target=\"\"} 1");
  const HttpReply reply = world.host.connect().request("GET", "/metrics");
  CHECK(reply.header("content-type").starts_with("text/plain; version=0.0.4"));
  for (const char* name : {"fluentgate_stage_latency_seconds histogram", "fluentgate_messages_malformed_total counter",
                           "fluentgate_audio_dropped_seconds_total counter", "fluentgate_frames_skipped_total counter", "fluentgate_sessions gauge",
                           "fluentgate_rooms gauge", "fluentgate_kafka_up gauge", "fluentgate_redis_up gauge"}) {
    if (reply.body.find("# TYPE " + std::string(name) + "\n") == std::string::npos) FAIL("no metric " + std::string(name));
  }
  // Gone with its sockets.
  audio.ws().send_close();
  captions.ws().send_close();
  world.wait_metric("fluentgate_sessions{endpoint=\"audio\"} 0");
  world.wait_metric("fluentgate_rooms 0");
}

}  // namespace
}  // namespace fluentgate::test
