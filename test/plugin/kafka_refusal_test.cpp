// What Kafka's operator must put right, against Kafka itself: a topic that is missing, a right that is missing, a limit that is too low. Each is
// told by a log line and a metric, and nothing is lost meanwhile. And the connection by TLS and SASL.
#include <chrono>
#include <thread>

#include "test/plugin/world.hpp"
#include "test/support/kafka_server.hpp"

namespace fluentgate::test {
namespace {

using namespace std::chrono_literals;

// /metrics of a host that need not be ready.
std::int64_t troubles(const HostProcess& host, const std::string& reason) {
  const std::string body = host.connect().request("GET", "/metrics").body;
  const std::string name = "\nfluentgate_kafka_troubles_total{reason=\"" + reason + "\"} ";
  const std::size_t at = body.find(name);
  return at == std::string::npos ? 0 : std::stoll(body.substr(at + name.size()));
}

void wait_trouble(HostProcess& host, const std::string& reason, const std::string& line) {
  const bool logged = host.process().wait_until([&](const std::string&, const std::string& err) { return err.find(line) != std::string::npos; });
  if (!logged) FAIL("never logged: " + line + "\n" + host.process().err());
  const std::int64_t until = now_ms() + 10000;
  while (troubles(host, reason) == 0) {
    if (now_ms() > until) FAIL(reason + " is not counted");
    std::this_thread::sleep_for(20ms);
  }
}

std::string shared_kafka() {
  const auto bootstrap = real_kafka();
  if (!bootstrap) FAIL("this test needs FLUENTGATE_TEST_KAFKA");
  return *bootstrap;
}

TEST(missing_topics_are_told_and_waited_for) {
  const std::string bootstrap = shared_kafka();
  const OwnTopics topics(bootstrap, {"audio.synthesized", "text.original"});
  HostProcess host(FLUENTGATE_BUILD_DIR, topics.options());
  wait_trouble(host, "topic_missing", "topic " + topics.name("text.translated") + " is missing");
  CHECK_EQ(host.connect().request("GET", "/readyz").status, 503);
  Client client(host.open("/ws/audio/r1?token=" + make_token({.user = "ann", .speaking_language = "en"})));
  Client captions(host.open("/ws/captions/r1?token=" + make_token()));
  for (int i = 0; i < 50; ++i) client.audio(pcm_bytes(640, i));
  wait_trouble(host, "topic_missing", "topic " + topics.name("audio.raw") + " is missing");

  const std::vector<std::string> made{topics.name("audio.raw"), topics.name("text.translated")};
  KafkaAdmin(bootstrap).create_topics(made, 3);
  const std::int64_t made_ms = now_ms();
  KafkaPeer worker(topics.address());
  worker.produce(translation({.text = "hola", .language = "es"}));
  CHECK_EQ(text_member(captions.event("caption"), "text"), std::string("hola"));
  if (now_ms() - made_ms > 5000) FAIL("found after " + std::to_string(now_ms() - made_ms) + " ms");
  host.wait_ready();
  const auto& records = worker.read("audio.raw", 50);
  for (int i = 0; i < 50; ++i) {
    CHECK_EQ(number_of(records[static_cast<std::size_t>(i)]), i);
    CHECK(audio_of(records[static_cast<std::size_t>(i)]) == pcm_bytes(640, i));
  }
  KafkaAdmin(bootstrap).delete_topics(made);
}

TEST(rights_that_are_missing_are_told_over_tls_and_sasl_and_come_back_without_loss) {
  KafkaServer kafka({.secured = true});
  const std::string user = KafkaServer::secured_user;
  const OwnTopics topics(kafka.bootstrap());
  std::vector<std::string> options = topics.options();
  options.insert(options.end(), {"kafka.bootstrap.servers=" + kafka.secured_bootstrap(), "kafka.security.protocol=SASL_SSL",
                                 "kafka.ssl.ca.location=" + kafka.certificate_file(), "kafka.sasl.mechanisms=PLAIN", "kafka.sasl.username=" + user,
                                 std::string("kafka.sasl.password=") + KafkaServer::secured_password});
  KafkaAdmin admin(kafka.bootstrap());
  HostProcess host(FLUENTGATE_BUILD_DIR, options);
  // A user without any right.
  wait_trouble(host, "not_authorised", "topic " + topics.name("audio.synthesized") + ": Broker: Topic authorization failed");
  CHECK_EQ(host.connect().request("GET", "/readyz").status, 503);
  for (const char* name : {"audio.synthesized", "text.original", "text.translated"}) admin.allow(user, RD_KAFKA_RESOURCE_TOPIC, topics.name(name), RD_KAFKA_ACL_OPERATION_READ);
  admin.allow(user, RD_KAFKA_RESOURCE_TOPIC, topics.name("audio.raw"), RD_KAFKA_ACL_OPERATION_READ);
  // It may read now, and not write.
  Client captions(host.open("/ws/captions/r1?token=" + make_token()));
  KafkaPeer worker(topics.address());
  host.wait_ready();
  worker.produce(transcript({.text = "over TLS"}));
  CHECK_EQ(text_member(captions.event("caption"), "text"), std::string("over TLS"));
  Client client(host.open("/ws/audio/r1?token=" + make_token({.user = "ann", .speaking_language = "en"})));
  for (int i = 0; i < 20; ++i) client.audio(pcm_bytes(640, i));
  wait_trouble(host, "not_authorised", "not authorised to write to topic " + topics.name("audio.raw"));
  admin.allow(user, RD_KAFKA_RESOURCE_TOPIC, topics.name("audio.raw"), RD_KAFKA_ACL_OPERATION_WRITE);
  worker.read("audio.raw", 20, 20000);
  while (text_member(client.event("pipeline_heartbeat"), "state") != "ok") {}
  // Taken away while it is used, and given back.
  admin.disallow(user, RD_KAFKA_RESOURCE_TOPIC, topics.name("audio.raw"), RD_KAFKA_ACL_OPERATION_WRITE);
  for (int i = 20; i < 40; ++i) client.audio(pcm_bytes(640, i));
  while (text_member(client.event("pipeline_heartbeat"), "state") != "down") {}  // none of them is acknowledged
  for (int i = 40; i < 60; ++i) client.audio(pcm_bytes(640, i));
  admin.allow(user, RD_KAFKA_RESOURCE_TOPIC, topics.name("audio.raw"), RD_KAFKA_ACL_OPERATION_WRITE);
  worker.read("audio.raw", 60, 20000);
  const auto& records = worker.read_rest("audio.raw");
  CHECK_EQ(records.size(), std::size_t{60});
  for (std::size_t i = 0; i < 60; ++i) {
    CHECK_EQ(number_of(records[i]), static_cast<std::int64_t>(i));
    CHECK(audio_of(records[i]) == pcm_bytes(640, static_cast<int>(i)));
  }
  for (const std::string& text : client.texts_until_pong()) CHECK(text.find("\"error\"") == std::string::npos);
}

TEST(a_wrong_password_is_told) {
  KafkaServer kafka({.secured = true});
  HostProcess host(FLUENTGATE_BUILD_DIR, {"kafka.bootstrap.servers=" + kafka.secured_bootstrap(), "kafka.security.protocol=SASL_SSL",
                                          "kafka.ssl.ca.location=" + kafka.certificate_file(), "kafka.sasl.mechanisms=PLAIN",
                                          std::string("kafka.sasl.username=") + KafkaServer::secured_user, "kafka.sasl.password=wrong-words"});
  const bool logged = host.process().wait_until([](const std::string&, const std::string& err) { return err.find("Authentication failed") != std::string::npos; });
  if (!logged) FAIL("never logged:\n" + host.process().err());
  CHECK(host.process().err().find("wrong-words") == std::string::npos);
  CHECK_EQ(host.connect().request("GET", "/readyz").status, 503);
}

TEST(a_limit_of_the_topic_is_respected_and_one_that_was_lowered_is_told) {
  const std::string bootstrap = shared_kafka();
  const OwnTopics topics(bootstrap, usual_topics, 1, {{"max.message.bytes", "20000"}});
  World world(topics.address(), topics.options());
  Client client = world.audio({.user = "ann", .speaking_language = "en"});
  const std::string second = pcm_bytes(32000, 1);  // 42 kB in base64
  client.audio(second);
  std::string heard;
  std::size_t count = 0;
  const std::int64_t until = now_ms() + 10000;
  while (heard.size() < second.size() && now_ms() < until) {
    for (const auto& records = world.worker.read("audio.raw", count + 1); count < records.size(); ++count) {
      CHECK_EQ(number_of(records[count]), static_cast<std::int64_t>(count));
      heard += audio_of(records[count]);
    }
  }
  CHECK(heard == second);

  KafkaAdmin(bootstrap).set_topic(topics.name("audio.raw"), {{"max.message.bytes", "4000"}});
  const std::string shorter = pcm_bytes(6400, 2);
  client.audio(shorter);
  wait_trouble(world.host, "message_too_large", "too large");
  world.worker.read("audio.raw", count + 1);
  client.audio(pcm_bytes(640, 3));
  const std::string last = pcm_bytes(640, 3);
  for (std::int64_t deadline = now_ms() + 20000;;) {
    const auto& records = world.worker.read_rest("audio.raw");
    for (std::size_t i = 0; i < records.size(); ++i) CHECK_EQ(number_of(records[i]), static_cast<std::int64_t>(i));
    if (audio_of(records.back()) == last) break;
    if (now_ms() > deadline) FAIL("what is small enough does not come any more");
  }
}

}  // namespace
}  // namespace fluentgate::test
