// Hands synthesized frames to Kafka as a pipeline worker would, paced, from a thread of its own. Thread: start() and begin() the caller's; the rest any.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/domain/result.hpp"
#include "tools/bench/histogram.hpp"
#include "tools/bench/load.hpp"

namespace fluentgate::bench {

struct FreeKafka { void operator()(rd_kafka_t* kafka) const noexcept; };
struct FreeTopic { void operator()(rd_kafka_topic_t* topic) const noexcept { rd_kafka_topic_destroy(topic); } };
using KafkaHandle = std::unique_ptr<rd_kafka_t, FreeKafka>;
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, FreeTopic>;

using ReportCallback = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void*);
// `report` hears of messages that Kafka did not take. Errors "kafka": librdkafka's words.
Result<KafkaHandle> make_kafka(rd_kafka_type_t type, const std::vector<std::pair<std::string, std::string>>& properties,
                               ReportCallback report = nullptr, void* opaque = nullptr);
// Partitions of a topic, waiting a little for one that the broker makes now. Error "kafka".
Result<int> partitions_of(rd_kafka_t* kafka, const std::string& topic);

class KafkaFeed {
 public:
  // Connects and learns the topic. Errors "kafka".
  static Result<std::unique_ptr<KafkaFeed>> start(const Load& load, std::uint32_t run);
  ~KafkaFeed();
  // Frames are handed over between these times, every stream in turn; then done() becomes true when Kafka has acknowledged all of them.
  void begin(std::int64_t start_ns, std::int64_t stop_ns);
  bool done() const { return done_.load(); }

  // After done():
  const std::vector<std::int64_t>& sent() const { return sent_; }  // per stream
  std::int64_t foreign_sent() const { return foreign_; }
  std::int64_t failed() const { return failed_; }
  const std::string& first_failure() const { return first_failure_; }
  const Histogram& delay() const { return delay_; }                // how late frames were handed over, against the plan
  std::int64_t foreign_so_far() const { return foreign_shown_.load(); }
  std::int64_t sent_so_far() const { return sent_shown_.load(); }

 private:
  KafkaFeed(const Load& load, std::uint32_t run);
  void run(std::int64_t start_ns, std::int64_t stop_ns);
  void hand_over_stream(std::int64_t turn);
  void hand_over_foreign();
  void hand_over(const std::string& room, const std::string& language, std::int64_t sequence);
  static void on_report(rd_kafka_t* kafka, const rd_kafka_message_t* report, void* opaque);

  const Load& load_;
  const std::uint32_t run_;
  KafkaHandle kafka_;
  TopicHandle topic_;
  std::thread thread_;
  std::atomic<bool> done_{false}, stopping_{false};
  std::atomic<std::int64_t> foreign_shown_{0}, sent_shown_{0};
  std::vector<std::uint8_t> frame_;
  std::string json_;
  std::vector<std::int64_t> sent_;
  std::int64_t foreign_ = 0, failed_ = 0;
  std::string first_failure_;
  Histogram delay_;
};

}  // namespace fluentgate::bench
