// What an operator does to a real Kafka, as tests need it: topics and rights. Every call returns when the broker has done it, or fails the test.
// Thread: one at a time.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/kafka/handles.hpp"

namespace fluentgate::test {

// Where a test's Kafka is. On a broker that tests share, each calls its topics by their usual names with an ending of its own.
struct KafkaAddress {
  std::string bootstrap;
  std::string topic_suffix = {};
};

class KafkaAdmin {
 public:
  explicit KafkaAdmin(const std::string& bootstrap);

  using Settings = std::vector<std::pair<std::string, std::string>>;
  void create_topics(const std::vector<std::string>& names, int partitions, const Settings& settings = {});
  void delete_topics(const std::vector<std::string>& names);
  // All of a topic's own settings: those that are not named go back to the broker's.
  void set_topic(const std::string& name, const Settings& settings);
  // The rights of a user (every host) to what is named exactly so.
  void allow(const std::string& user, rd_kafka_ResourceType_t type, const std::string& name, rd_kafka_AclOperation_t operation);
  void disallow(const std::string& user, rd_kafka_ResourceType_t type, const std::string& name, rd_kafka_AclOperation_t operation);
  // Until metadata names a leader for every partition of them.
  void wait_leaders(const std::vector<std::string>& names);

 private:
  kafka::EventHandle answer(rd_kafka_event_type_t type);

  kafka::ClientHandle client_;
  kafka::QueueHandle queue_;
};

// The broker that this test is to run against, from FLUENTGATE_TEST_KAFKA; none: the embedded cluster.
std::optional<std::string> real_kafka();

inline const std::vector<std::string> usual_topics{"audio.raw", "audio.synthesized", "text.original", "text.translated"};

// Topics with an ending that no other test has, until the end of its scope.
class OwnTopics {
 public:
  explicit OwnTopics(const std::string& bootstrap, std::vector<std::string> plain_names = usual_topics, int partitions = 4,
                     const KafkaAdmin::Settings& settings = {});
  ~OwnTopics();
  OwnTopics(const OwnTopics&) = delete;
  OwnTopics& operator=(const OwnTopics&) = delete;

  const KafkaAddress& address() const noexcept { return address_; }
  std::string name(const std::string& plain) const { return plain + address_.topic_suffix; }
  // What a gateway is told: "kafka.topic.audio_raw=..." and where the broker is.
  std::vector<std::string> options() const;

 private:
  KafkaAddress address_;
  std::vector<std::string> names_;
};

}  // namespace fluentgate::test
