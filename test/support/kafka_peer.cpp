// Raw librdkafka, so that what tests see is what any other client would.
#include "test/support/kafka_peer.hpp"

#include <chrono>

#include "test/support/check.hpp"

namespace fluentgate::test {
namespace {

using SteadyClock = std::chrono::steady_clock;

kafka::ClientHandle make(rd_kafka_type_t type, const std::map<std::string, std::string>& properties, void (*report)(rd_kafka_t*, const rd_kafka_message_t*, void*)) {
  kafka::ConfHandle conf(rd_kafka_conf_new());
  char text[512];
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK) FAIL(text);
  }
  if (report != nullptr) rd_kafka_conf_set_dr_msg_cb(conf.get(), report);
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  kafka::ClientHandle client(rd_kafka_new(type, conf.get(), text, sizeof text));
  if (!client) FAIL(text);
  (void)conf.release();
  return client;
}

struct Report {
  int* unacknowledged;
  std::string* refusal;
};

}  // namespace

std::optional<std::string> PeerRecord::header(std::string_view name) const {
  for (const auto& [key_of_header, value_of_header] : headers) {
    if (key_of_header == name) return value_of_header;
  }
  return std::nullopt;
}

rd_kafka_t* KafkaPeer::producer() {
  if (producer_) return producer_.get();
  producer_ = make(RD_KAFKA_PRODUCER,
                   {{"bootstrap.servers", bootstrap_}, {"linger.ms", "0"}, {"message.max.bytes", "8388608"}, {"socket.nagle.disable", "true"},
                    {"reconnect.backoff.max.ms", "200"}},
                   [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
                     const auto* report = static_cast<const Report*>(message->_private);
                     --*report->unacknowledged;
                     if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) *report->refusal = rd_kafka_err2str(message->err);
                   });
  return producer_.get();
}

rd_kafka_t* KafkaPeer::consumer() {
  if (consumer_) return consumer_.get();
  consumer_ = make(RD_KAFKA_CONSUMER,
                   {{"bootstrap.servers", bootstrap_}, {"group.id", "test-peer"}, {"enable.auto.commit", "false"}, {"auto.offset.reset", "earliest"},
                    {"fetch.wait.max.ms", "10"}, {"socket.nagle.disable", "true"}, {"reconnect.backoff.max.ms", "200"}},
                   nullptr);
  rd_kafka_poll_set_consumer(consumer_.get());
  return consumer_.get();
}

// librdkafka may let a topic's first message wait for a second if it doesn't know the leader when it comes.
void KafkaPeer::know(const std::string& topic) {
  if (known_.contains(topic)) return;
  kafka::TopicHandle handle(rd_kafka_topic_new(producer(), (topic + topic_suffix_).c_str(), nullptr));
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t code = rd_kafka_metadata(producer(), 0, handle.get(), &answer, 5000);
  const kafka::MetadataHandle metadata(answer);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) known_.emplace(topic, std::move(handle));  // else producing tells what is wrong
}

void KafkaPeer::produce(const std::vector<PeerMessage>& messages, int timeout_ms) {
  for (const PeerMessage& message : messages) know(message.topic);
  Report report{&unacknowledged_, &refusal_};
  for (const PeerMessage& message : messages) {
    kafka::HeadersHandle headers(rd_kafka_headers_new(message.headers.size()));
    for (const auto& [name, value] : message.headers)
      rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(), static_cast<ssize_t>(value.size()));
    ++unacknowledged_;
    const std::string topic = message.topic + topic_suffix_;
    const rd_kafka_resp_err_t code = rd_kafka_producev(
        producer(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(message.key.data(), message.key.size()), RD_KAFKA_V_VALUE(const_cast<char*>(message.value.data()), message.value.size()),
        RD_KAFKA_V_PARTITION(message.partition), RD_KAFKA_V_TIMESTAMP(message.timestamp_ms), RD_KAFKA_V_OPAQUE(&report),
        RD_KAFKA_V_HEADERS(headers.get()), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      --unacknowledged_;
      FAIL(std::string("produce: ") + rd_kafka_err2str(code));
    }
    (void)headers.release();
  }
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
  while (unacknowledged_ > 0 && SteadyClock::now() < deadline) rd_kafka_poll(producer(), 50);
  if (unacknowledged_ > 0) {
    rd_kafka_purge(producer(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    const int missing = unacknowledged_;
    while (unacknowledged_ > 0) rd_kafka_poll(producer(), 50);  // the reports point into this call
    FAIL(std::to_string(missing) + " message(s) not acknowledged");
  }
  if (!refusal_.empty()) FAIL("refused: " + std::exchange(refusal_, {}));
}

void KafkaPeer::follow(const std::string& topic, int timeout_ms) {
  if (followed_.contains(topic)) return;
  const std::string full_name = topic + topic_suffix_;
  const kafka::TopicHandle handle(rd_kafka_topic_new(consumer(), full_name.c_str(), nullptr));
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
  while (SteadyClock::now() < deadline) {
    const rd_kafka_metadata_t* answer = nullptr;
    const rd_kafka_resp_err_t code = rd_kafka_metadata(consumer(), 0, handle.get(), &answer, 1000);
    const kafka::MetadataHandle metadata(answer);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt == 0) {
      pump(20);
      continue;
    }
    const kafka::PartitionsHandle list(rd_kafka_topic_partition_list_new(metadata->topics[0].partition_cnt));
    for (int i = 0; i < metadata->topics[0].partition_cnt; ++i)
      rd_kafka_topic_partition_list_add(list.get(), full_name.c_str(), metadata->topics[0].partitions[i].id)->offset = RD_KAFKA_OFFSET_BEGINNING;
    const kafka::ErrorHandle error(rd_kafka_incremental_assign(consumer(), list.get()));
    if (error) FAIL(rd_kafka_error_string(error.get()));
    followed_.insert(topic);
    return;
  }
  FAIL("topic " + topic + " is not there");
}

bool KafkaPeer::pump(int timeout_ms) {
  const kafka::MessageHandle message(rd_kafka_consumer_poll(consumer(), timeout_ms));
  if (!message || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  PeerRecord record;
  record.topic = rd_kafka_topic_name(message->rkt);
  record.topic.resize(record.topic.size() - topic_suffix_.size());
  record.partition = message->partition;
  record.offset = message->offset;
  record.timestamp_ms = rd_kafka_message_timestamp(message.get(), nullptr);
  if (message->key != nullptr) record.key.assign(static_cast<const char*>(message->key), message->key_len);
  if (message->payload != nullptr) record.value.assign(static_cast<const char*>(message->payload), message->len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message.get(), &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
      record.headers.emplace_back(name, value == nullptr ? std::string() : std::string(static_cast<const char*>(value), size));
  }
  records_[record.topic].push_back(std::move(record));
  return true;
}

const std::vector<PeerRecord>& KafkaPeer::read(const std::string& topic, std::size_t count, int timeout_ms) {
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
  follow(topic, timeout_ms);
  std::vector<PeerRecord>& records = records_[topic];
  while (records.size() < count && SteadyClock::now() < deadline) pump(20);
  if (records.size() < count) FAIL(std::to_string(records.size()) + " of " + std::to_string(count) + " record(s) in " + topic);
  return records;
}

const std::vector<PeerRecord>& KafkaPeer::read_rest(const std::string& topic, int settle_ms) {
  follow(topic, 10000);
  while (pump(settle_ms)) {}
  return records_[topic];
}

}  // namespace fluentgate::test
