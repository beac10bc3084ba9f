// CONTRACT 4, "If Kafka is away", against Kafka itself: the broker killed under load and started again, and one of three killed.
#include <cmath>
#include <iostream>

#include "test/plugin/speech.hpp"
#include "test/support/kafka_server.hpp"

namespace fluentgate::test {
namespace {

using namespace std::chrono_literals;

// A listener's audio socket and a worker that never stops: how long was the longest silence?
class Interpretation {
 public:
  Interpretation(World& world, const KafkaAddress& address, const std::string& room)
      : client_(world.audio({.user = "listener-" + room, .room = room, .listening_language = "es"})), worker_(address), room_(room) {
    client_.ws().connection().deadline = 60s;
    hearing_ = run([this] {
      while (client_.bytes() != last_words()) heard.beat();
    });
    speaking_ = run([this] {
      for (int i = 0; !stopping_; ++i) {
        const auto due = std::chrono::steady_clock::now() + 50ms;
        worker_.produce({synthesized({.pcm = pcm_bytes(640, i), .room = room_})}, 60000);
        std::this_thread::sleep_until(due);  // a worker's pace
      }
      worker_.produce({synthesized({.pcm = last_words(), .room = room_})}, 60000);
    });
  }
  ~Interpretation() { end(); }
  Interpretation(const Interpretation&) = delete;
  Interpretation& operator=(const Interpretation&) = delete;
  void stop() {
    end();
    if (failure_) std::rethrow_exception(failure_);
  }
  Pause heard;

 private:
  static std::string last_words() { return silence(30); }
  void end() {
    stopping_ = true;
    if (speaking_.joinable()) speaking_.join();
    if (hearing_.joinable()) hearing_.join();
  }
  template <class Body>
  std::thread run(Body body) {
    return std::thread([this, body] {
      try {
        body();
      } catch (...) {
        failure_ = std::current_exception();
      }
    });
  }
  Client client_;
  KafkaPeer worker_;
  const std::string room_;
  std::atomic<bool> stopping_{false};
  std::exception_ptr failure_;
  std::thread hearing_, speaking_;
};

std::int64_t longest_gap_ms(const std::vector<PeerRecord>& records) {
  std::int64_t longest = 0;
  for (std::size_t i = 1; i < records.size(); ++i) longest = std::max(longest, records[i].timestamp_ms - records[i - 1].timestamp_ms);
  return longest;
}

TEST(a_killed_broker_that_comes_back_loses_repeats_and_reorders_nothing) {
  KafkaServer kafka;
  const OwnTopics topics(kafka.bootstrap());
  World world(topics.address(), topics.options());
  Client signaling = world.signaling({.user = "bob", .listening_language = "es"});
  Client captions = world.captions({.user = "bob"});
  signaling.ws().connection().deadline = 60s;
  captions.ws().connection().deadline = 60s;
  const std::vector<std::string> rooms{"r1", "r2", "r3"};
  std::vector<std::unique_ptr<Speech>> speeches;
  for (std::size_t i = 0; i < rooms.size(); ++i)
    speeches.push_back(std::make_unique<Speech>(world.audio({.user = "ann", .room = rooms[i], .speaking_language = "en"}), static_cast<int>(i)));
  world.worker.read("audio.raw", 100);

  for (int round = 0; round < 2; ++round) {
    kafka.kill();
    const std::int64_t killed_ms = now_ms();
    wait_state(signaling, "down");
    const std::int64_t told_ms = now_ms() - killed_ms;
    kafka.start();
    kafka.wait_up();
    const std::int64_t up_ms = now_ms();
    wait_state(signaling, "ok");
    std::cout << "killed: down told after " << told_ms << " ms, ok " << now_ms() - up_ms << " ms after the broker was up, away for " << up_ms - killed_ms
              << " ms\n";
    if (told_ms > 4500) FAIL("down told after " + std::to_string(told_ms) + " ms");
    if (now_ms() - up_ms > 5000) FAIL("ok told " + std::to_string(now_ms() - up_ms) + " ms after the broker was up");
    // Both ways without a restart.
    world.worker.produce({transcript({.text = "back " + std::to_string(round), .user = "ann"})}, 30000);
    CHECK_EQ(text_member(captions.event("caption"), "text"), "back " + std::to_string(round));
  }
  std::vector<int> sent;
  for (const auto& speech : speeches) sent.push_back(speech->stop());
  std::size_t total = 0;
  for (const int count : sent) total += static_cast<std::size_t>(count);
  KafkaPeer reader(topics.address());
  reader.read("audio.raw", total, 30000);
  const std::vector<PeerRecord>& records = reader.read_rest("audio.raw");
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    check_complete(of_room(records, rooms[i]), *speeches[i], sent[i]);
    for (const std::string& text : speeches[i]->told()) CHECK(text.find("\"error\"") == std::string::npos);
  }
  signaling.until_pong();
}

TEST(an_outage_longer_than_the_buffer_is_counted_told_and_leaves_no_hole) {
  KafkaServer kafka;
  const OwnTopics topics(kafka.bootstrap());
  std::vector<std::string> options = topics.options();
  options.insert(options.end(), {"kafka.buffer_ms=1000", "kafka.inflight_ms=500"});
  World world(topics.address(), options);
  Client signaling = world.signaling({.user = "bob"});
  signaling.ws().connection().deadline = 60s;
  Speech speech(world.audio({.user = "ann", .speaking_language = "en"}), 0);
  world.worker.read("audio.raw", 50);
  kafka.kill();
  wait_state(signaling, "down");
  // Until some seconds of it are lost, which what waits can't be.
  const auto dropped_s = [&] {
    const std::string name = "\nfluentgate_audio_dropped_seconds_total{reason=\"buffer_full\"} ";
    const std::string metrics = world.page("/metrics");
    const std::size_t at = metrics.find(name);
    return at == std::string::npos ? 0.0 : std::stod(metrics.substr(at + name.size()));
  };
  while (dropped_s() < 2) std::this_thread::sleep_for(50ms);
  kafka.start();
  kafka.wait_up();
  wait_state(signaling, "ok");
  world.worker.read("audio.raw", 300, 30000);
  const int sent = speech.stop();
  std::int64_t told = 0;
  for (const std::string& text : speech.told()) {
    if (text.find("audio_dropped") != std::string::npos) told += number_member(text, "dropped_ms");
  }
  const std::int64_t dropped_ms = std::lround(dropped_s() * 1000);
  CHECK_EQ(told, dropped_ms);
  const std::size_t left = static_cast<std::size_t>(sent) - static_cast<std::size_t>(dropped_ms / Speech::chunk_ms);
  KafkaPeer reader(topics.address());
  reader.read("audio.raw", left, 30000);
  const std::vector<PeerRecord>& records = reader.read_rest("audio.raw");
  CHECK_EQ(records.size(), left);
  std::int64_t gap_ms = 0;
  int said = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    CHECK_EQ(number_of(records[i]), static_cast<std::int64_t>(i));
    if (const auto gap = records[i].header("fg-gap-ms")) {
      gap_ms += std::stoll(*gap);
      said += static_cast<int>(std::stoll(*gap) / Speech::chunk_ms);
    }
    CHECK(audio_of(records[i]) == speech.said(said++));
  }
  CHECK_EQ(gap_ms, dropped_ms);
}

TEST(one_of_three_brokers_killed_is_a_pause) {
  KafkaServer kafka({.brokers = 3, .properties = {{"min.insync.replicas", "2"}}});
  const OwnTopics topics(kafka.bootstrap(), usual_topics, 6, {{"message.timestamp.type", "LogAppendTime"}});
  World world(topics.address(), topics.options());
  Client signaling = world.signaling({.user = "bob"});
  const std::vector<std::string> rooms{"r1", "r2", "r3", "r4"};
  std::vector<std::unique_ptr<Speech>> speeches;
  for (std::size_t i = 0; i < rooms.size(); ++i)
    speeches.push_back(std::make_unique<Speech>(world.audio({.user = "ann", .room = rooms[i], .speaking_language = "en"}), static_cast<int>(i)));
  std::vector<std::unique_ptr<Interpretation>> interpretations;
  for (const std::string& room : rooms) interpretations.push_back(std::make_unique<Interpretation>(world, topics.address(), room));
  world.worker.read("audio.raw", 400, 30000);
  kafka.kill(1);
  const std::int64_t killed_ms = now_ms();
  // Twenty seconds of speech more in each room, so that whatever pause there is is over.
  world.worker.read("audio.raw", world.worker.read_rest("audio.raw", 0).size() + 4000, 60000);
  std::cout << "of three brokers one was killed; 4000 chunks later are in the log after " << now_ms() - killed_ms << " ms\n";

  std::vector<int> sent;
  for (const auto& speech : speeches) sent.push_back(speech->stop());
  for (const auto& interpretation : interpretations) interpretation->stop();
  std::size_t total = 0;
  for (const int count : sent) total += static_cast<std::size_t>(count);
  KafkaPeer reader(topics.address());
  reader.read("audio.raw", total, 30000);
  const std::vector<PeerRecord>& records = reader.read_rest("audio.raw");
  std::int64_t longest_ms = 0;
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    const std::vector<PeerRecord> in_room = of_room(records, rooms[i]);
    check_complete(in_room, *speeches[i], sent[i]);
    for (const std::string& text : speeches[i]->told()) CHECK(text.find("\"error\"") == std::string::npos);
    const std::int64_t out_ms = longest_gap_ms(in_room), in_ms = interpretations[i]->heard.longest_ms();
    std::cout << rooms[i] << ": longest pause of audio.raw in the log " << out_ms << " ms, of synthesis at the listener " << in_ms << " ms ("
              << interpretations[i]->heard.beats() << " frames)\n";
    longest_ms = std::max({longest_ms, out_ms, in_ms});
  }
  if (longest_ms > 12000) FAIL("a pause of " + std::to_string(longest_ms) + " ms");
  signaling.until_pong();
}

}  // namespace
}  // namespace fluentgate::test
