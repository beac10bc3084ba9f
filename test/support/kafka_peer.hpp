// A pipeline worker as tests play it: a plain librdkafka producer and consumer that know only the topics. Thread: one at a time.
// Every wait has a deadline; a wait that runs out fails the test and says what was missing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/kafka/handles.hpp"
#include "test/support/kafka_admin.hpp"

namespace fluentgate::test {

using KafkaHeaders = std::vector<std::pair<std::string, std::string>>;

struct PeerRecord {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::string key, value;
  KafkaHeaders headers;
  std::optional<std::string> header(std::string_view name) const;
};

struct PeerMessage {
  std::string topic, key, value;
  KafkaHeaders headers;
  std::int64_t timestamp_ms = 0;   // 0: now
  std::int32_t partition = -1;     // -1: by key
};

class KafkaPeer {
 public:
  explicit KafkaPeer(std::string bootstrap) : bootstrap_(std::move(bootstrap)) {}
  // With topics of the test's own; here they go by their usual names.
  explicit KafkaPeer(KafkaAddress address) : bootstrap_(std::move(address.bootstrap)), topic_suffix_(std::move(address.topic_suffix)) {}

  // Returns when the broker has acknowledged all; a refusal fails the test.
  void produce(const PeerMessage& message) { produce(std::vector<PeerMessage>{message}); }
  void produce(const std::vector<PeerMessage>& messages, int timeout_ms = 10000);

  // All records of the topic from its start so far, in order per partition, once there are `count` of them.
  const std::vector<PeerRecord>& read(const std::string& topic, std::size_t count, int timeout_ms = 10000);
  // What has come up to now, and what comes within `settle_ms` without a new record: to see that nothing more does.
  const std::vector<PeerRecord>& read_rest(const std::string& topic, int settle_ms = 300);

 private:
  void follow(const std::string& topic, int timeout_ms);
  bool pump(int timeout_ms);
  void know(const std::string& topic);

  rd_kafka_t* producer();
  rd_kafka_t* consumer();

  const std::string bootstrap_, topic_suffix_;
  kafka::ClientHandle producer_, consumer_;  // made when needed: one that never connected takes a second to end
  std::map<std::string, kafka::TopicHandle> known_;  // of the producer
  std::map<std::string, std::vector<PeerRecord>> records_;
  std::set<std::string> followed_;
  int unacknowledged_ = 0;
  std::string refusal_;
};

}  // namespace fluentgate::test
