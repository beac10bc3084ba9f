// librdkafka's Admin API, one request at a time.
#include "test/support/kafka_admin.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>

#include "test/support/check.hpp"

namespace fluentgate::test {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr int request_ms = 20000;

template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* value) const noexcept { destroy(value); }
};
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>>;
using DeleteTopic = std::unique_ptr<rd_kafka_DeleteTopic_t, Destroy<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy>>;
using Config = std::unique_ptr<rd_kafka_ConfigResource_t, Destroy<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>>;
using Acl = std::unique_ptr<rd_kafka_AclBinding_t, Destroy<rd_kafka_AclBinding_t, rd_kafka_AclBinding_destroy>>;

void check_topics(const rd_kafka_topic_result_t** results, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (rd_kafka_topic_result_error(results[i]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* text = rd_kafka_topic_result_error_string(results[i]);
      FAIL(std::string(rd_kafka_topic_result_name(results[i])) + ": " + (text != nullptr ? text : "refused"));
    }
  }
}

}  // namespace

KafkaAdmin::KafkaAdmin(const std::string& bootstrap) {
  char text[512];
  kafka::ConfHandle conf(rd_kafka_conf_new());
  if (rd_kafka_conf_set(conf.get(), "bootstrap.servers", bootstrap.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK) FAIL(text);
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), text, sizeof text));
  if (!client_) FAIL(text);
  (void)conf.release();
  queue_.reset(rd_kafka_queue_new(client_.get()));
}

kafka::EventHandle KafkaAdmin::answer(rd_kafka_event_type_t type) {
  kafka::EventHandle event(rd_kafka_queue_poll(queue_.get(), request_ms));
  if (!event || rd_kafka_event_type(event.get()) != type) FAIL("Kafka does not answer the request");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) FAIL(rd_kafka_event_error_string(event.get()));
  return event;
}

void KafkaAdmin::create_topics(const std::vector<std::string>& names, int partitions, const Settings& settings) {
  std::vector<NewTopic> topics;
  std::vector<rd_kafka_NewTopic_t*> asked;
  char text[512];
  for (const std::string& name : names) {
    topics.emplace_back(rd_kafka_NewTopic_new(name.c_str(), partitions, -1, text, sizeof text));
    if (!topics.back()) FAIL(text);
    for (const auto& [setting, value] : settings) rd_kafka_NewTopic_set_config(topics.back().get(), setting.c_str(), value.c_str());
    asked.push_back(topics.back().get());
  }
  rd_kafka_CreateTopics(client_.get(), asked.data(), asked.size(), nullptr, queue_.get());
  const kafka::EventHandle event = answer(RD_KAFKA_EVENT_CREATETOPICS_RESULT);
  std::size_t count = 0;
  const auto results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  check_topics(results, count);
  wait_leaders(names);
}

void KafkaAdmin::delete_topics(const std::vector<std::string>& names) {
  std::vector<DeleteTopic> topics;
  std::vector<rd_kafka_DeleteTopic_t*> asked;
  for (const std::string& name : names) {
    topics.emplace_back(rd_kafka_DeleteTopic_new(name.c_str()));
    asked.push_back(topics.back().get());
  }
  rd_kafka_DeleteTopics(client_.get(), asked.data(), asked.size(), nullptr, queue_.get());
  const kafka::EventHandle event = answer(RD_KAFKA_EVENT_DELETETOPICS_RESULT);
  std::size_t count = 0;
  const auto results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  check_topics(results, count);
}

void KafkaAdmin::set_topic(const std::string& name, const Settings& settings) {
  const Config config(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
  for (const auto& [setting, value] : settings) rd_kafka_ConfigResource_set_config(config.get(), setting.c_str(), value.c_str());
  std::array<rd_kafka_ConfigResource_t*, 1> asked{config.get()};
  rd_kafka_AlterConfigs(client_.get(), asked.data(), asked.size(), nullptr, queue_.get());
  const kafka::EventHandle event = answer(RD_KAFKA_EVENT_ALTERCONFIGS_RESULT);
  std::size_t count = 0;
  const auto results = rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event.get()), &count);
  if (count != 1 || rd_kafka_ConfigResource_error(results[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) FAIL("the settings of " + name + " are refused");
}

void KafkaAdmin::wait_leaders(const std::vector<std::string>& names) {
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(request_ms);
  for (const std::string& name : names) {
    const kafka::TopicHandle topic(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr));
    for (bool all = false; !all;) {
      if (SteadyClock::now() > deadline) FAIL("topic " + name + " has no leader");
      const rd_kafka_metadata_t* given = nullptr;
      const rd_kafka_resp_err_t code = rd_kafka_metadata(client_.get(), 0, topic.get(), &given, 1000);
      const kafka::MetadataHandle metadata(given);
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt == 0) continue;
      all = true;
      for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) {
        // A broker is named as the leader some 50 ms before it knows it itself.
        std::int64_t low = 0, high = 0;
        all = all && metadata->topics[0].partitions[i].leader >= 0 &&
              rd_kafka_query_watermark_offsets(client_.get(), name.c_str(), metadata->topics[0].partitions[i].id, &low, &high, 500) == RD_KAFKA_RESP_ERR_NO_ERROR;
      }
    }
  }
}

void KafkaAdmin::allow(const std::string& user, rd_kafka_ResourceType_t type, const std::string& name, rd_kafka_AclOperation_t operation) {
  char text[512];
  const Acl acl(rd_kafka_AclBinding_new(type, name.c_str(), RD_KAFKA_RESOURCE_PATTERN_LITERAL, ("User:" + user).c_str(), "*", operation,
                                        RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, text, sizeof text));
  if (!acl) FAIL(text);
  std::array<rd_kafka_AclBinding_t*, 1> asked{acl.get()};
  rd_kafka_CreateAcls(client_.get(), asked.data(), asked.size(), nullptr, queue_.get());
  const kafka::EventHandle event = answer(RD_KAFKA_EVENT_CREATEACLS_RESULT);
  std::size_t count = 0;
  const auto results = rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (const rd_kafka_error_t* error = rd_kafka_acl_result_error(results[i])) FAIL(rd_kafka_error_string(error));
  }
}

void KafkaAdmin::disallow(const std::string& user, rd_kafka_ResourceType_t type, const std::string& name, rd_kafka_AclOperation_t operation) {
  char text[512];
  const Acl filter(rd_kafka_AclBindingFilter_new(type, name.c_str(), RD_KAFKA_RESOURCE_PATTERN_LITERAL, ("User:" + user).c_str(), "*", operation,
                                                 RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, text, sizeof text));
  if (!filter) FAIL(text);
  std::array<rd_kafka_AclBindingFilter_t*, 1> asked{filter.get()};
  rd_kafka_DeleteAcls(client_.get(), asked.data(), asked.size(), nullptr, queue_.get());
  const kafka::EventHandle event = answer(RD_KAFKA_EVENT_DELETEACLS_RESULT);
  std::size_t count = 0;
  const auto results = rd_kafka_DeleteAcls_result_responses(rd_kafka_event_DeleteAcls_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (const rd_kafka_error_t* error = rd_kafka_DeleteAcls_result_response_error(results[i])) FAIL(rd_kafka_error_string(error));
  }
}

std::optional<std::string> real_kafka() {
  const char* bootstrap = std::getenv("FLUENTGATE_TEST_KAFKA");
  if (bootstrap == nullptr || *bootstrap == '\0') return std::nullopt;
  return bootstrap;
}

OwnTopics::OwnTopics(const std::string& bootstrap, std::vector<std::string> plain_names, int partitions, const KafkaAdmin::Settings& settings)
    : address_{bootstrap} {
  std::random_device random;
  address_.topic_suffix = "-" + std::to_string(random()) + std::to_string(random());
  for (std::string& plain : plain_names) names_.push_back(plain + address_.topic_suffix);
  KafkaAdmin(bootstrap).create_topics(names_, partitions, settings);
}

// A shared broker must not gather the partitions of every test; one that is gone needs no tidying.
OwnTopics::~OwnTopics() {
  try {
    if (!names_.empty()) KafkaAdmin(address_.bootstrap).delete_topics(names_);
  } catch (const Failure&) {  // the broker is away, or has lost them: nothing that a test looks at
  }
}

std::vector<std::string> OwnTopics::options() const {
  return {"kafka.bootstrap.servers=" + address_.bootstrap, "kafka.topic.audio_raw=" + name("audio.raw"),
          "kafka.topic.audio_synthesized=" + name("audio.synthesized"), "kafka.topic.text_original=" + name("text.original"),
          "kafka.topic.text_translated=" + name("text.translated")};
}

}  // namespace fluentgate::test
