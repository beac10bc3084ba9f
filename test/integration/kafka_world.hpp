// A bridge and everything around it that a test looks at; Kafka is a cluster in this process, or the broker that FLUENTGATE_TEST_KAFKA names, with
// topics of the test's own.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "core/kafka/bridge.hpp"
#include "core/wire/base64.hpp"
#include "test/support/check.hpp"
#include "test/support/inbound_sink.hpp"
#include "test/support/kafka_peer.hpp"

namespace fluentgate::test {

struct KafkaWorld {
  CollectingLogger log;
  RealClock clock;
  CollectingSink sink;
  kafka::Interest interest{clock};
  config::Settings settings;
  std::unique_ptr<kafka::EmbeddedCluster> outside;  // a cluster that is not the bridge's own
  std::unique_ptr<OwnTopics> topics;                // on the real broker, where the test runs against it
  std::unique_ptr<kafka::Bridge> bridge;

  // The bridge then connects to a cluster that lives longer than it does.
  void use_outside_cluster() {
    settings.kafka.consumer_properties["fetch.wait.max.ms"] = "10";
    if (use_real_cluster()) return;
    auto made = kafka::EmbeddedCluster::start(usual_topics, log);
    if (!made) FAIL(made.error().text);
    outside = std::move(made).value();
    settings.kafka.bootstrap_servers = outside->bootstrap();
  }
  // Where the test runs against a real broker, and none has been chosen yet.
  bool use_real_cluster() {
    const auto bootstrap = real_kafka();
    if (!bootstrap || !settings.kafka.embedded()) return bool(bootstrap);
    std::vector<std::string> names = usual_topics;
    if (settings.kafka.dlq) {
      for (const std::string& name : usual_topics) names.push_back("dlq." + name);
    }
    topics = std::make_unique<OwnTopics>(*bootstrap, names);
    config::Kafka& kafka = settings.kafka;
    kafka.bootstrap_servers = *bootstrap;
    kafka.topic_audio_raw = topics->name("audio.raw");
    kafka.topic_audio_synthesized = topics->name("audio.synthesized");
    kafka.topic_text_original = topics->name("text.original");
    kafka.topic_text_translated = topics->name("text.translated");
    return true;
  }
  // For a client of the test's own.
  KafkaAddress address() const {
    if (topics) return topics->address();
    return {outside ? outside->bootstrap() : bridge->bootstrap()};
  }
  void start() {
    use_real_cluster();
    auto made = kafka::Bridge::start(settings, sink, interest, log, clock);
    if (!made) FAIL(made.error().text);
    bridge = std::move(made).value();
  }
  void start_and_wait() {
    start();
    wait_ready();
  }
  void wait_ready() {
    if (!sink.wait_state([](const kafka::BrokerState& state) { return state.connected && state.positioned; })) FAIL("not ready\n" + log.all());
    if (!sink.wait<kafka::RecoveryDone>(1)) FAIL("no recovery\n" + log.all());
  }
  // Faults: such tests are in test/embedded_only.txt.
  kafka::EmbeddedCluster& cluster() {
    if (real_kafka()) FAIL("only an embedded cluster has faults when told: this test belongs into test/embedded_only.txt");
    return outside ? *outside : *bridge->embedded();
  }
};

inline AudioChunk chunk(const std::string& room, const std::string& user, std::int64_t number, Bytes audio = Bytes(640, 7)) {
  AudioChunk made;
  made.room = RoomId(room);
  made.user = UserId(user);
  made.sequence_number = number;
  made.source_language = "en";
  made.ingest_ms = 1763805600123;
  made.duration_us = pcm_us(audio.size(), 16000);
  made.wanted = "es,fr";
  made.audio = std::move(audio);
  return made;
}

inline LanguageList languages(std::string_view list) {
  auto parsed = parse_language_list(list);
  if (!parsed) FAIL(parsed.error().text);
  return parsed.value();
}

inline std::string base64(const Bytes& bytes) {
  std::string text;
  wire::base64_append(text, bytes);
  return text;
}

inline std::string event(const std::string& type, const std::string& payload) {
  return R"({"event_id":"7d4448f2-2b7d-4b0e-9a57-2e2a9f2c1a11","event_type":")" + type +
         R"(","timestamp":"2026-11-22T10:00:00.123456+00:00","payload":{)" + payload + "}}";
}

inline std::string synthesized(const std::string& room, const std::string& user, const std::string& language, const Bytes& audio, int rate = 16000,
                               int number = 0, const std::string& encoding = "linear16") {
  return event("audio.synthesized", R"("room_id":")" + room + R"(","user_id":")" + user + R"(","sequence_number":)" + std::to_string(number) +
                                        R"(,"audio_data":")" + base64(audio) + R"(","target_language":")" + language + R"(","sample_rate":)" +
                                        std::to_string(rate) + R"(,"encoding":")" + encoding + "\"");
}

inline std::string transcription(const std::string& room, const std::string& user, const std::string& text, int number = 0) {
  return event("text.transcription", R"("room_id":")" + room + R"(","user_id":")" + user + R"(","sequence_number":)" + std::to_string(number) +
                                         R"(,"text":")" + text + R"(","source_language":"en","is_final":true,"confidence":0.9)");
}

inline std::string translation(const std::string& room, const std::string& user, const std::string& text, int number = 0) {
  return event("text.translation", R"("room_id":")" + room + R"(","user_id":")" + user + R"(","sequence_number":)" + std::to_string(number) +
                                       R"(,"original_text":"hello","translated_text":")" + text +
                                       R"(","source_language":"en","target_language":"es")");
}

// A condition that no message tells: looked at until it holds or the deadline is there.
template <class Condition>
bool eventually(Condition condition, int timeout_ms = 10000) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace fluentgate::test
