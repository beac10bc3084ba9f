// What instances read of Kafka, with and without kafka.partition_aware: 4 instances, 64 partitions, synthesized speech of many rooms, on a real
// Kafka.  Usage: bench_partition_bytes HOST:PORT [frames per room]. Makes topics of its own (and leaves them). Prints a Markdown table.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/kafka/bridge.hpp"
#include "core/kafka/key_partitions.hpp"

using namespace fluentgate;

namespace {

constexpr int instances = 4, partitions = 64;

class SystemClock final : public Clock {
 public:
  UnixMs unix_ms() const noexcept override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  SteadyUs steady_us() const noexcept override {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
};

class Complaints final : public Logger {
 public:
  bool enabled(LogLevel level) const noexcept override { return level <= LogLevel::warn; }
  void write(LogLevel level, std::string_view category, std::string_view text) noexcept override {
    if (enabled(level)) std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(category.size()), category.data(), static_cast<int>(text.size()), text.data());
  }
};

class Counting final : public kafka::InboundSink {
 public:
  void deliver(std::vector<kafka::Inbound> batch) noexcept override {
    for (const kafka::Inbound& message : batch) frames += std::holds_alternative<SynthesizedFrame>(message) ? 1 : 0;
  }
  void deliver_quietly(std::vector<kafka::Inbound> batch) noexcept override { deliver(std::move(batch)); }
  std::atomic<std::size_t> frames{0};
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

template <class Condition>
void wait_for(const char* what, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) fail(std::string("waited in vain: ") + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

kafka::ClientHandle plain_producer(const std::string& bootstrap) {
  char text[256];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : {std::pair{"bootstrap.servers", bootstrap.c_str()}, std::pair{"partitioner", "murmur2"}, std::pair{"linger.ms", "5"}}) {
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) fail(text);
  }
  kafka::ClientHandle client(rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text));
  if (!client) fail(text);
  return client;
}

void create_topic(rd_kafka_t* client, const std::string& name) {
  char text[256];
  const kafka::QueueHandle queue(rd_kafka_queue_new(client));
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, text, sizeof text);
  rd_kafka_CreateTopics(client, &topic, 1, nullptr, queue.get());
  rd_kafka_NewTopic_destroy(topic);
  const kafka::EventHandle event(rd_kafka_queue_poll(queue.get(), 20000));
  if (!event || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) fail("can't make topic " + name);
}

// FluentMeet's event with 20 ms of PCM at 16 kHz.
std::string frame(const std::string& room) {
  return R"({"event_id":"7d4448f2-2b7d-4b0e-9a57-2e2a9f2c1a11","event_type":"audio.synthesized","timestamp":"2026-11-22T10:00:00.123456+00:00",)"
         R"("payload":{"room_id":")" + room + R"(","user_id":"ann","sequence_number":1,"audio_data":")" + std::string(852, 'A') + "AA==" +
         R"(","target_language":"es","sample_rate":16000,"encoding":"linear16"}})";
}

struct Case {
  const char* name;
  bool aware;
  std::vector<std::string> partitioners;
  bool placed;  // rooms come to the instance that their partition belongs to, else to any
};

struct Result4 {
  std::array<std::uint64_t, instances> bytes{}, sampled{};
  std::array<std::size_t, instances> fetched{};
};

Result4 run(const Case& one, const std::string& bootstrap, const std::string& suffix, rd_kafka_t* producer, int rooms, int frames) {
  const SystemClock clock;
  Complaints log;
  config::Settings settings;
  settings.kafka.bootstrap_servers = bootstrap;
  settings.kafka.topic_audio_raw += suffix;
  settings.kafka.topic_audio_synthesized += suffix;
  settings.kafka.topic_text_original += suffix;
  settings.kafka.topic_text_translated += suffix;
  settings.kafka.partition_aware = one.aware;
  settings.kafka.key_partitioners = one.partitioners;
  std::array<kafka::Interest, instances> interests;
  std::array<Counting, instances> sinks;
  std::array<std::unique_ptr<kafka::Bridge>, instances> bridges;
  std::array<std::size_t, instances> expected{};
  for (std::size_t i = 0; i < instances; ++i) {
    auto bridge = kafka::Bridge::start(settings, sinks[i], interests[i], log, clock);
    if (!bridge) fail(bridge.error().text);
    bridges[i] = std::move(bridge).value();
  }
  for (const auto& bridge : bridges) wait_for("readiness", [&] { return bridge->state().positioned; });
  std::mt19937 random(42);
  std::vector<std::string> names;
  const kafka::KeyPartitions murmur2({"murmur2"});
  for (int i = 0; i < rooms; ++i) {
    names.push_back("room-" + std::to_string(random()));
    std::vector<std::int32_t> home;
    murmur2.add(names.back(), partitions, home);
    const std::size_t at = one.placed ? static_cast<std::size_t>(home.front()) % instances : random() % instances;
    interests[at].set(RoomId(names.back()), {});
    expected[at] += static_cast<std::size_t>(frames);
  }
  std::string topic = settings.kafka.topic_audio_synthesized;
  for (int number = 0; number < frames; ++number) {
    for (const std::string& name : names) {
      const std::string value = frame(name);
      while (rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_KEY(name.data(), name.size()),
                               RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                               RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_poll(producer, 10);
      rd_kafka_poll(producer, 0);
    }
  }
  if (rd_kafka_flush(producer, 60000) != RD_KAFKA_RESP_ERR_NO_ERROR) fail("not published");
  Result4 result;
  for (std::size_t i = 0; i < instances; ++i) {
    wait_for("frames", [&] { return sinks[i].frames.load() >= expected[i]; });
  }
  // The naive ones read on: until nothing more comes.
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  for (std::size_t i = 0; i < instances; ++i) {
    if (sinks[i].frames.load() != expected[i]) fail("frames are lost or repeated");
    for (const auto& bytes : bridges[i]->traffic().consumed_bytes) result.bytes[i] += bytes.load();
    for (const auto& bytes : bridges[i]->traffic().sampled_bytes) result.sampled[i] += bytes.load();
    result.fetched[i] = bridges[i]->traffic().partitions_fetched.load();
  }
  for (const auto& bridge : bridges) bridge->stop(0);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) fail("usage: bench_partition_bytes HOST:PORT [frames per room]");
  const std::string bootstrap = argv[1];
  const int frames = argc > 2 ? std::atoi(argv[2]) : 50;
  const kafka::ClientHandle producer = plain_producer(bootstrap);
  const std::string suffix = ".bench." + std::to_string(std::random_device{}());
  for (const char* topic : {"audio.raw", "audio.synthesized", "text.original", "text.translated"}) create_topic(producer.get(), topic + suffix);
  const Case cases[] = {{"all partitions", false, {"murmur2"}, false},
                        {"aware, murmur2+crc32, rooms anywhere", true, {"murmur2", "crc32"}, false},
                        {"aware, murmur2, rooms anywhere", true, {"murmur2"}, false},
                        {"aware, murmur2+crc32, rooms placed", true, {"murmur2", "crc32"}, true},
                        {"aware, murmur2, rooms placed", true, {"murmur2"}, true}};
  std::printf("| rooms | setting | MB read per instance | against all | sampled kB | partitions of %d fetched |\n|---|---|---|---|---|---|\n", partitions * 3);
  for (const int rooms : {16, 64, 256, 1024}) {
    double all = 0;
    for (const Case& one : cases) {
      const Result4 result = run(one, bootstrap, suffix, producer.get(), rooms, frames);
      double bytes = 0, sampled = 0, fetched = 0;
      for (std::size_t i = 0; i < instances; ++i) {
        bytes += static_cast<double>(result.bytes[i]) / instances;
        sampled += static_cast<double>(result.sampled[i]) / instances;
        fetched += static_cast<double>(result.fetched[i]) / instances;
      }
      if (!one.aware) all = bytes;
      std::printf("| %d | %s | %.2f (%.2f to %.2f) | %.0f %% | %.1f | %.0f |\n", rooms, one.name, bytes / 1e6,
                  static_cast<double>(*std::min_element(result.bytes.begin(), result.bytes.end())) / 1e6,
                  static_cast<double>(*std::max_element(result.bytes.begin(), result.bytes.end())) / 1e6, 100 * bytes / all, sampled / 1e3, fetched);
      std::fflush(stdout);
    }
  }
  return 0;
}
