// The worker's side of Kafka: one consumer of audio.raw, of all its partitions and without a group, from the end of the log; one producer.
// If the brokers are away it waits and goes on where it was; new partitions are found within 5 s and read from their beginning.
// Thread: any, but start() and stop() by the owner only. on_record is called on a thread of the link's own; while it blocks, Kafka waits.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <condition_variable>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/domain/result.hpp"
#include "tools/worker/events.hpp"
#include "tools/worker/say.hpp"

typedef struct rd_kafka_s rd_kafka_t;
typedef struct rd_kafka_queue_s rd_kafka_queue_t;
typedef struct rd_kafka_topic_s rd_kafka_topic_t;
typedef struct rd_kafka_message_s rd_kafka_message_t;

namespace fluentgate::worker {

struct KafkaSettings {
  std::string bootstrap;
  std::string topic_in = "audio.raw";
  std::string topic_text_original = "text.original";
  std::string topic_text_translated = "text.translated";
  std::string topic_audio_synthesized = "audio.synthesized";
  // librdkafka's, by name; "producer." or "consumer." before it: for one side.
  std::vector<std::pair<std::string, std::string>> properties;
};

class KafkaLink : public Publisher {
 public:
  struct Callbacks {
    // `headers` may be moved from; `value` is librdkafka's and valid during the call.
    std::function<void(std::string_view value, std::vector<Header> headers)> on_record;
    std::function<void()> on_ready;  // once: every partition has a position
    // Asked when no broker has answered for some seconds: where the brokers are now. May be empty.
    std::function<std::optional<std::string>()> find_bootstrap;
  };

  // Errors: bad_option (its text names the property).
  static Result<std::unique_ptr<KafkaLink>> make(const KafkaSettings& settings);
  ~KafkaLink() override;

  void start(Callbacks callbacks);
  // Consuming ends; what was published goes out, for at most flush_ms. Idempotent.
  void stop_consuming();
  void stop(int flush_ms);

  // Never blocks. What the producer's queue has no room for is dropped, counted and said.
  void publish(Message message) override;

 private:
  struct FreeKafka {
    void operator()(rd_kafka_t* handle) const noexcept;
  };
  struct FreeTopic {
    void operator()(rd_kafka_topic_t* handle) const noexcept;
  };
  struct FreeQueue {
    void operator()(rd_kafka_queue_t* handle) const noexcept;
  };
  using Kafka = std::unique_ptr<rd_kafka_t, FreeKafka>;

  explicit KafkaLink(KafkaSettings settings) : settings_(std::move(settings)) {}
  static Result<Kafka> make_handle(const KafkaSettings& settings, bool producer, KafkaLink* link);
  void consume();
  void hand_over(const rd_kafka_message_t& record);
  void discover();
  bool discover_once();
  bool warm_up_producer();
  void look_elsewhere();
  const std::string& name_of_topic(Topic topic) const;

  const KafkaSettings settings_;
  Callbacks callbacks_;
  Kafka producer_;
  Kafka consumer_;
  std::unique_ptr<rd_kafka_topic_t, FreeTopic> topic_in_;
  std::unique_ptr<rd_kafka_queue_t, FreeQueue> queue_;
  std::vector<std::unique_ptr<rd_kafka_topic_t, FreeTopic>> topics_out_;
  // discovery thread
  std::map<std::int32_t, bool> partitions_;  // started?
  bool seen_missing_ = false;                // the topic was not there when we came: all of it is new
  bool ready_ = false;
  std::string known_bootstrap_;

  std::atomic<bool> stopping_{false};
  std::atomic<bool> stopped_polling_{false};
  std::mutex stop_mutex_;
  std::condition_variable stop_changed_;
  std::thread consumer_thread_;
  std::thread discovery_thread_;
  std::thread delivery_thread_;
  SaySometimes full_;
  SaySometimes undelivered_;
  SaySometimes read_error_;
  SaySometimes trouble_{5000};
  friend struct KafkaLinkCallbacks;
};

}  // namespace fluentgate::worker
