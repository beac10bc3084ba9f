// Sequence numbers over three instances on a real Kafka and Redis (CONTRACT 2): speakers reconnect from one to another at random, instances are killed,
// drained and started again at random. Afterwards the numbers of every (room, user) in audio.raw are 0, 1, 2, ... in the order of the log.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <map>
#include <random>
#include <thread>

#include "test/plugin/world.hpp"
#include "test/support/kafka_admin.hpp"
#include "test/support/redis_server.hpp"

namespace fluentgate::test {
namespace {

using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;

unsigned long given(const char* name, unsigned long otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

constexpr std::size_t instances = 3;
constexpr int speakers_count = 120, rooms = 12;
constexpr std::chrono::milliseconds round_time = 80ms;  // every speaker says something in each

struct Speaker {
  std::string user, room, token;
  std::unique_ptr<WsClient> socket;
  std::size_t at = 0;
};

class Storm {
 public:
  Storm(unsigned long seed, const OwnTopics& topics) : random_(seed) {
    options_ = topics.options();
    options_.insert(options_.end(), {"redis.url=" + redis_.url(), "log.latency_sample=0", "limits.messages_per_s=1000", "drain_ms=1500"});
    for (std::size_t i = 0; i < instances; ++i) hosts_.push_back(start());
    for (auto& host : hosts_) host->wait_ready();
    coming_.resize(instances);
    for (int i = 0; i < speakers_count; ++i) {
      Speaker speaker;
      speaker.user = "u" + std::to_string(i);
      speaker.room = "r" + std::to_string(i % rooms);
      speaker.token = make_token({.user = speaker.user, .room = speaker.room});
      speakers_.push_back(std::move(speaker));
    }
  }

  void run(std::size_t chunks) {
    Time next_fault = std::chrono::steady_clock::now() + 5s;
    Time round = std::chrono::steady_clock::now();
    while (sent_ < chunks) {
      for (Speaker& speaker : speakers_) say(speaker);
      take_started();
      if (std::chrono::steady_clock::now() >= next_fault) {
        fault();
        next_fault = std::chrono::steady_clock::now() + std::chrono::milliseconds(1000 + random_() % 5000);
      }
      round = std::max(round + round_time, std::chrono::steady_clock::now() - 5 * round_time);
      std::this_thread::sleep_until(round);
    }
    // Everybody speaks once more, so that what a killed instance left is taken over.
    while (any_coming()) {
      take_started();
      std::this_thread::sleep_for(20ms);
    }
    for (Speaker& speaker : speakers_) say(speaker);
  }
  std::string pages() {
    std::string all;
    for (auto& host : hosts_) all += host->connect().request("GET", "/metrics").body;
    return all;
  }
  std::size_t sent() const noexcept { return sent_; }
  std::size_t faults() const noexcept { return killed_ + drained_; }
  void report() const {
    std::printf("%zu chunks sent, %zu connections, %zu instances killed, %zu drained\n", sent_, connections_, killed_, drained_);
  }

 private:
  std::unique_ptr<HostProcess> start() const { return std::make_unique<HostProcess>(FLUENTGATE_BUILD_DIR, options_); }
  bool chance(unsigned of) { return random_() % of == 0; }
  bool any_coming() const {
    return std::any_of(coming_.begin(), coming_.end(), [](const auto& future) { return future.valid(); });
  }

  void say(Speaker& speaker) {
    if (chance(100)) speaker.socket.reset();
    try {
      if (!speaker.socket && !connect(speaker)) return;
      speaker.socket->send_binary(std::string(64, '\1'));
      ++sent_;
    } catch (const Failure&) {
      speaker.socket.reset();  // its instance is gone
    }
  }
  bool connect(Speaker& speaker) {
    speaker.at = random_() % instances;
    if (!hosts_[speaker.at]) return false;
    auto socket = std::make_unique<WsClient>(hosts_[speaker.at]->connect());
    if (socket->upgrade("/ws/audio/" + speaker.room + "?token=" + speaker.token).status != 101) return false;
    ++connections_;
    speaker.socket = std::move(socket);
    return true;
  }
  // One instance goes, and another one comes in its place.
  void fault() {
    const std::size_t victim = random_() % instances;
    const auto alive = std::count_if(hosts_.begin(), hosts_.end(), [](const auto& host) { return host != nullptr; });
    if (!hosts_[victim] || alive < 2) return;
    std::shared_ptr<HostProcess> going = std::move(hosts_[victim]);
    const bool kill = !chance(3);
    if (kill) {
      ++killed_;
      going->process().signal(SIGKILL);
    } else {
      ++drained_;
      going->process().signal(SIGTERM);
      for (Speaker& speaker : speakers_) {
        if (speaker.at == victim && chance(2)) speaker.socket.reset();  // the others stay until they are sent away
      }
    }
    coming_[victim] = std::async(std::launch::async, [this, going, kill] {
      const int code = going->process().wait(20s);
      if (!kill && code != 0) FAIL("exit code " + std::to_string(code) + "\n" + going->process().err());
      auto host = start();
      host->wait_ready();
      return host;
    });
  }
  void take_started() {
    for (std::size_t i = 0; i < instances; ++i) {
      if (coming_[i].valid() && coming_[i].wait_for(0s) == std::future_status::ready) hosts_[i] = coming_[i].get();
    }
  }

  std::mt19937_64 random_;
  RedisServer redis_;
  std::vector<std::string> options_;
  std::vector<std::unique_ptr<HostProcess>> hosts_;  // null: on its way
  std::vector<Speaker> speakers_;
  std::size_t sent_ = 0, connections_ = 0, killed_ = 0, drained_ = 0;
  std::vector<std::future<std::unique_ptr<HostProcess>>> coming_;  // last: its threads use what is above
};

// The sum of all lines that begin so.
double sum_of(const std::string& page, const std::string& begin) {
  double sum = 0;
  for (std::size_t at = page.find(begin); at != std::string::npos; at = page.find(begin, at + 1)) {
    const std::size_t line_end = page.find('\n', at);
    const std::size_t blank = page.rfind(' ', line_end);
    if (at == 0 || page[at - 1] == '\n') sum += std::strtod(page.c_str() + blank, nullptr);
  }
  return sum;
}

void print_waits(const std::string& page, const std::string& how) {
  const std::string name = "fluentgate_sequence_wait_seconds_";
  const double count = sum_of(page, name + "count{how=\"" + how + "\"}");
  std::printf("  %-12s %6.0f", how.c_str(), count);
  for (const double part : {0.5, 0.99}) {
    for (const char* bound : {"0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.2", "0.3", "0.5", "0.75", "1", "1.5", "2", "3", "5", "10", "30"}) {
      if (count == 0 || sum_of(page, name + "bucket{how=\"" + how + "\",le=\"" + bound + "\"}") < part * count) continue;
      std::printf("  p%.0f <= %s s", part * 100, bound);
      break;
    }
  }
  std::printf("\n");
}

}  // namespace

TEST(numbers_rise_by_one_over_three_instances_with_reconnects_and_kills) {
  const unsigned long seed = given("FLUENTGATE_TEST_SEED", std::random_device{}());
  const std::size_t chunks = given("FLUENTGATE_TEST_CHUNKS", 100000);
  std::printf("seed %lu (FLUENTGATE_TEST_SEED), %zu chunks\n", seed, chunks);
  std::fflush(stdout);
  const auto bootstrap = real_kafka();
  if (!bootstrap) FAIL("needs FLUENTGATE_TEST_KAFKA");
  const OwnTopics topics(*bootstrap);
  Storm storm(seed, topics);
  storm.run(chunks);
  KafkaPeer peer(*bootstrap);
  const auto& records = peer.read_rest(topics.name("audio.raw"), 5000);
  std::map<std::pair<std::string, std::string>, std::int64_t> next;
  std::map<std::int32_t, std::int64_t> last_offset;
  std::size_t faults = 0;
  for (const PeerRecord& record : records) {
    const std::string user = text_member(record.value, "payload.user_id");
    std::int64_t& expected = next[{record.key, user}];
    const std::int64_t number = number_of(record);
    if (number != expected && ++faults <= 20) {
      std::printf("  %s in %s: %lld in place of %lld, partition %d offset %lld, of %s\n", user.c_str(), record.key.c_str(), static_cast<long long>(number),
                  static_cast<long long>(expected), record.partition, static_cast<long long>(record.offset), record.header("fg-instance").value_or("?").c_str());
    }
    expected = number + 1;
    CHECK(last_offset.try_emplace(record.partition, -1).first->second < record.offset);
    last_offset[record.partition] = record.offset;
  }
  const std::string page = storm.pages();
  storm.report();
  std::printf("%zu records of %zu speakers in the log, %zu faults; how numbering came to the instances that live now:\n", records.size(), next.size(), faults);
  for (const char* how : {"fresh", "resumed", "handed_over", "forced", "log"}) print_waits(page, how);
  CHECK_EQ(faults, 0u);
  CHECK(chunks < 100000 || storm.faults() >= 5);
  CHECK_EQ(next.size(), static_cast<std::size_t>(speakers_count));
  CHECK(records.size() > storm.sent() * 8 / 10);  // what a killed instance had is lost
  CHECK_EQ(sum_of(page, "fluentgate_sequence_conflicts_total"), 0);
}

}  // namespace fluentgate::test
