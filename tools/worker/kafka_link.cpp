// See kafka_link.hpp.
#include "tools/worker/kafka_link.hpp"

#include <librdkafka/rdkafka.h>

#include <chrono>

namespace fluentgate::worker {
namespace {

constexpr int poll_ms = 100;
constexpr int metadata_ms = 2000;
constexpr auto search_again = std::chrono::milliseconds(250);    // until every partition has a position
constexpr auto look_for_new = std::chrono::milliseconds(4000);   // partitions; with the query itself within 5 s
constexpr int failures_before_elsewhere = 2;

using Properties = std::vector<std::pair<std::string, std::string>>;

const Properties common_defaults{
    {"socket.nagle.disable", "true"}, {"reconnect.backoff.ms", "50"}, {"reconnect.backoff.max.ms", "1000"},
    {"log.connection.close", "false"}, {"client.id", "fluentgate-worker"}};
const Properties producer_defaults{
    {"linger.ms", "0"}, {"enable.idempotence", "true"}, {"max.in.flight.requests.per.connection", "1"}, {"message.timeout.ms", "30000"},
    {"queue.buffering.max.kbytes", "65536"}};
const Properties consumer_defaults{
    {"fetch.wait.max.ms", "10"}, {"fetch.min.bytes", "1"}, {"fetch.error.backoff.ms", "100"}, {"auto.offset.reset", "latest"}};

using Acknowledged = std::function<void(bool)>;

}  // namespace

struct KafkaLinkCallbacks {
  static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) noexcept {
    const std::unique_ptr<Acknowledged> acknowledged(static_cast<Acknowledged*>(message->_private));
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !static_cast<KafkaLink*>(opaque)->stopped_polling_) {
      static_cast<KafkaLink*>(opaque)->undelivered_(std::string("not delivered: ") + rd_kafka_err2str(message->err));
    }
    if (acknowledged && *acknowledged) (*acknowledged)(message->err == RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  static void error(rd_kafka_t*, int code, const char* reason, void* opaque) noexcept {
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && code != RD_KAFKA_RESP_ERR__TRANSPORT) {
      static_cast<KafkaLink*>(opaque)->trouble_(std::string("kafka: ") + reason);
    } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
      static_cast<KafkaLink*>(opaque)->trouble_("kafka: no broker answers, waiting");
    }
  }
};

void KafkaLink::FreeKafka::operator()(rd_kafka_t* handle) const noexcept { rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }
void KafkaLink::FreeTopic::operator()(rd_kafka_topic_t* handle) const noexcept { rd_kafka_topic_destroy(handle); }
void KafkaLink::FreeQueue::operator()(rd_kafka_queue_t* handle) const noexcept { rd_kafka_queue_destroy(handle); }

Result<KafkaLink::Kafka> KafkaLink::make_handle(const KafkaSettings& settings, bool producer, KafkaLink* link) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char text[512];
  const auto failed = [&](const std::string& name, const std::string& value) -> Result<Kafka> {
    rd_kafka_conf_destroy(conf);
    // A password's value is never shown.
    const bool secret = name.find("password") != std::string::npos || name.find("secret") != std::string::npos || name.find("key") != std::string::npos;
    return Error{"bad_option", "--kafka " + name + "=" + (secret ? "..." : value) + ": " + (secret ? "not accepted" : text)};
  };
  const auto set = [&](const Properties& list) -> const std::pair<std::string, std::string>* {
    for (const auto& property : list) {
      if (rd_kafka_conf_set(conf, property.first.c_str(), property.second.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK) return &property;
    }
    return nullptr;
  };
  if (const auto* bad = set(common_defaults)) return failed(bad->first, bad->second);
  if (const auto* bad = set(producer ? producer_defaults : consumer_defaults)) return failed(bad->first, bad->second);
  if (const auto* bad = set({{"bootstrap.servers", settings.bootstrap}})) return failed(bad->first, bad->second);
  for (const auto& [name, value] : settings.properties) {
    std::string property = name.starts_with("kafka.") ? name.substr(6) : name;
    const bool for_producer = property.starts_with("producer.");
    const bool for_consumer = property.starts_with("consumer.");
    if (for_producer != for_consumer && for_producer != producer) continue;
    if (for_producer || for_consumer) property.erase(0, 9);
    if (set({{property, value}}) != nullptr) return failed(name, value);
  }
  rd_kafka_conf_set_opaque(conf, link);
  rd_kafka_conf_set_error_cb(conf, &KafkaLinkCallbacks::error);
  if (producer) rd_kafka_conf_set_dr_msg_cb(conf, &KafkaLinkCallbacks::delivered);
  rd_kafka_t* handle = rd_kafka_new(producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, text, sizeof text);
  if (handle == nullptr) {
    rd_kafka_conf_destroy(conf);
    return Error{"bad_option", std::string("kafka: ") + text};
  }
  return Kafka(handle);
}

Result<std::unique_ptr<KafkaLink>> KafkaLink::make(const KafkaSettings& settings) {
  std::unique_ptr<KafkaLink> link(new KafkaLink(settings));
  auto producer = make_handle(settings, true, link.get());
  if (!producer) return producer.error();
  auto consumer = make_handle(settings, false, link.get());
  if (!consumer) return consumer.error();
  link->producer_ = std::move(*producer);
  link->consumer_ = std::move(*consumer);
  link->topic_in_.reset(rd_kafka_topic_new(link->consumer_.get(), settings.topic_in.c_str(), nullptr));
  if (!link->topic_in_) return Error{"bad_option", "not a topic's name: " + settings.topic_in};
  link->queue_.reset(rd_kafka_queue_new(link->consumer_.get()));
  link->known_bootstrap_ = settings.bootstrap;
  return link;
}

KafkaLink::~KafkaLink() { stop(0); }

void KafkaLink::start(Callbacks callbacks) {
  callbacks_ = std::move(callbacks);
  delivery_thread_ = std::thread([this] {
    while (!stopped_polling_) rd_kafka_poll(producer_.get(), poll_ms);
  });
  discovery_thread_ = std::thread([this] { discover(); });
  consumer_thread_ = std::thread([this] { consume(); });
}

void KafkaLink::stop_consuming() {
  {
    const std::lock_guard lock(stop_mutex_);
    stopping_ = true;
  }
  stop_changed_.notify_all();
  if (consumer_thread_.joinable()) consumer_thread_.join();
}

void KafkaLink::stop(int flush_ms) {
  stop_consuming();
  if (producer_ && flush_ms > 0) rd_kafka_flush(producer_.get(), flush_ms);
  stopped_polling_ = true;
  if (delivery_thread_.joinable()) delivery_thread_.join();
  if (discovery_thread_.joinable()) discovery_thread_.join();
  if (producer_) {
    // What is left is dropped, and its callbacks are freed by their delivery reports.
    rd_kafka_purge(producer_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(producer_.get(), 100);
  }
  for (auto& [partition, started] : partitions_) {
    if (started) rd_kafka_consume_stop(topic_in_.get(), partition);
    started = false;
  }
  queue_.reset();
  topics_out_.clear();
  topic_in_.reset();
  consumer_.reset();
  producer_.reset();
}

void KafkaLink::consume() {
  while (!stopping_) {
    rd_kafka_poll(consumer_.get(), 0);
    rd_kafka_message_t* record = rd_kafka_consume_queue(queue_.get(), poll_ms);
    if (record == nullptr) continue;
    if (record->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      hand_over(*record);
    } else if (record->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      read_error_(std::string("reading: ") + rd_kafka_message_errstr(record));
    }
    rd_kafka_message_destroy(record);
  }
}

void KafkaLink::hand_over(const rd_kafka_message_t& record) {
  std::vector<Header> headers;
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(&record, &list) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      headers.push_back({name, value == nullptr ? std::string() : std::string(static_cast<const char*>(value), size)});
    }
  }
  callbacks_.on_record(std::string_view(static_cast<const char*>(record.payload), record.payload == nullptr ? 0 : record.len), std::move(headers));
}

void KafkaLink::discover() {
  int failures = 0;
  while (!stopping_) {
    const bool answered = discover_once();
    failures = answered ? 0 : failures + 1;
    if (failures >= failures_before_elsewhere) look_elsewhere();
    std::unique_lock lock(stop_mutex_);
    stop_changed_.wait_for(lock, ready_ ? look_for_new : search_again, [this] { return stopping_.load(); });
  }
}

// False where no broker answered.
bool KafkaLink::discover_once() {
  const rd_kafka_metadata_t* metadata = nullptr;
  // In slices, so that stop() doesn't wait for a broker that is away.
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
  for (int waited = 0; waited < metadata_ms && !stopping_; waited += 500) {
    error = rd_kafka_metadata(consumer_.get(), 0, topic_in_.get(), &metadata, 500);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  bool complete = false;
  if (metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topics[0].partition_cnt > 0) {
    complete = true;
    for (int i = 0; i < metadata->topics[0].partition_cnt && !stopping_; ++i) {
      const std::int32_t partition = metadata->topics[0].partitions[i].id;
      if (partitions_[partition]) continue;
      std::int64_t low = 0;
      std::int64_t high = 0;
      // A topic made a moment ago answers NOT_LEADER: asked again in the next round.
      const auto asked = rd_kafka_query_watermark_offsets(consumer_.get(), settings_.topic_in.c_str(), partition, &low, &high, 500);
      if (asked != RD_KAFKA_RESP_ERR_NO_ERROR ||
          rd_kafka_consume_start_queue(topic_in_.get(), partition, ready_ || seen_missing_ ? low : high, queue_.get()) != 0) {
        complete = false;
        continue;
      }
      partitions_[partition] = true;
    }
  } else if (metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
    if (!seen_missing_) say("topic " + settings_.topic_in + " is not there yet, waiting");
    seen_missing_ = true;
  }
  rd_kafka_metadata_destroy(metadata);
  if (complete && !ready_ && warm_up_producer() && !stopping_) {
    ready_ = true;
    say("ready: reading " + settings_.topic_in);
    if (callbacks_.on_ready) callbacks_.on_ready();
  }
  return true;
}

// Topics that the producer has not written to are looked up at the first message: that took the first phrase almost a second.
bool KafkaLink::warm_up_producer() {
  topics_out_.clear();
  for (const Topic topic : {Topic::text_original, Topic::text_translated, Topic::audio_synthesized}) {
    if (stopping_) return false;
    std::unique_ptr<rd_kafka_topic_t, FreeTopic> handle(rd_kafka_topic_new(producer_.get(), name_of_topic(topic).c_str(), nullptr));
    const rd_kafka_metadata_t* metadata = nullptr;
    if (!handle || rd_kafka_metadata(producer_.get(), 0, handle.get(), &metadata, 500) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    rd_kafka_metadata_destroy(metadata);
    topics_out_.push_back(std::move(handle));  // kept: librdkafka follows the leaders of topics in use
  }
  return true;
}

void KafkaLink::look_elsewhere() {
  if (!callbacks_.find_bootstrap || stopping_) return;
  const auto found = callbacks_.find_bootstrap();
  if (!found || *found == known_bootstrap_) return;
  say("the brokers are at " + *found + " now");
  known_bootstrap_ = *found;
  rd_kafka_brokers_add(consumer_.get(), found->c_str());
  rd_kafka_brokers_add(producer_.get(), found->c_str());
}

const std::string& KafkaLink::name_of_topic(Topic topic) const {
  if (topic == Topic::text_original) return settings_.topic_text_original;
  return topic == Topic::text_translated ? settings_.topic_text_translated : settings_.topic_audio_synthesized;
}

void KafkaLink::publish(Message message) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());
  for (const Header& header : message.headers) {
    rd_kafka_header_add(headers, header.name.c_str(), static_cast<ssize_t>(header.name.size()), header.value.data(), static_cast<ssize_t>(header.value.size()));
  }
  auto acknowledged = message.acknowledged ? std::make_unique<Acknowledged>(std::move(message.acknowledged)) : nullptr;
  const auto error = rd_kafka_producev(producer_.get(), RD_KAFKA_V_TOPIC(name_of_topic(message.topic).c_str()),
                                       RD_KAFKA_V_KEY(message.key.data(), message.key.size()), RD_KAFKA_V_VALUE(message.value.data(), message.value.size()),
                                       RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(acknowledged.get()),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    (void)acknowledged.release();  // the delivery report's now
    return;
  }
  rd_kafka_headers_destroy(headers);
  full_(std::string("not published: ") + rd_kafka_err2str(error));
  if (acknowledged) (*acknowledged)(false);
}

}  // namespace fluentgate::worker
