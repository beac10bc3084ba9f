// Hands chunks to Kafka and tells what became of them. One per process; idempotent, so what was acknowledged is never sent twice.
// Threads: publish() and flush() on the loop; reports are taken on a thread of its own ("kafka-ack") and delivered in order, in batches.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/config/settings.hpp"
#include "core/domain/ports.hpp"
#include "core/kafka/broker_state.hpp"
#include "core/kafka/client_conf.hpp"
#include "core/kafka/handles.hpp"
#include "core/kafka/inbound.hpp"
#include "core/wire/kafka_event.hpp"

namespace fluentgate::kafka {

class Producer final : public ChunkPublisher {
 public:
  // Copies for the dead letter topics that may wait for Kafka at a time; beyond, the copy is left out and the log says so.
  static constexpr std::size_t dead_letters_max = 1000;
  static constexpr std::size_t dead_letter_bytes_max = 16u << 20;

  static Result<std::unique_ptr<Producer>> start(const config::Kafka& kafka, Cluster cluster, InboundSink& sink, BrokerStateTeller& state,
                                                 Logger& log, const Clock& clock);
  ~Producer() override;

  // Thread: loop. Errors, all retriable unless said: "queue_full" (librdkafka's queue, or a fatal error is being recovered from),
  // "unknown_topic", "too_large" (not retriable), "kafka".
  Status publish(const AudioChunk& chunk, std::uint64_t token) override;
  // Thread: kafka. A record that could not be read, as it was, for dlq.<topic>. False where too many wait already, or librdkafka refuses.
  bool dead_letter(const std::string& topic, std::string_view key, std::string_view value, std::span<const wire::Header> headers) noexcept;

  // Thread: any. Whether somebody waits for acknowledgements: reports then wake the loop.
  void set_eager(bool eager) noexcept { eager_.store(eager, std::memory_order_relaxed); }
  // Thread: any. Age of the oldest chunk handed over and not acknowledged; 0 if none.
  std::int64_t oldest_unacked_ms(SteadyMs now) const;
  std::size_t unacked() const;
  // Times that a fatal error of the idempotent producer, or a batch too large for the broker, made a new one necessary.
  std::uint64_t recreated() const noexcept { return recreated_.load(); }

  // Blocks until everything handed over is settled. Error: "timed_out", says how many are not.
  Status flush(int timeout_ms);
  // Stops asking whether a broker is there; waits for nothing, and stop() then doesn't wait for an answer either.
  void begin_stop() noexcept { asking_.store(false); }
  // Flushes that long, then ends; what is unsettled then is reported as failed ("stopped"). May be called again.
  void stop(int flush_ms);

  // For tests of the way out of a fatal error.
  void provoke_fatal_error();

 private:
  struct InFlight {
    std::uint64_t token = 0;
    SteadyUs handed_us = 0;
    std::uint64_t serial = 0;  // the order of hand-over
    bool dead_letter = false;
    std::size_t bytes = 0;
    std::list<InFlight>::iterator self;
  };
  // A record that was thrown out before it reached the log; goes to the next producer in its old place.
  struct Resend {
    InFlight* in_flight = nullptr;
    std::string topic, key, value;
    HeadersHandle headers;
  };

  Producer(const config::Kafka& kafka, Cluster cluster, InboundSink& sink, BrokerStateTeller& state, Logger& log, const Clock& clock);
  Status open();
  Status hand_over(rd_kafka_topic_t* topic, const char* topic_name, std::string_view key, std::string_view value, HeadersHandle headers,
                   InFlight entry);
  void run();
  bool everything_is_reported();
  void take_reports(rd_kafka_event_t* event, std::vector<Inbound>& batch);
  void settle(const rd_kafka_message_t& message, std::vector<Inbound>& batch);
  bool shared_a_refused_batch(const rd_kafka_message_t& message, const InFlight& in_flight);
  void keep_for_resend(rd_kafka_message_t& message, InFlight& in_flight);
  void on_error_event(rd_kafka_event_t* event);
  void probe_connection();
  void replace_client(std::vector<Inbound>& batch);
  std::string send_again(Resend& kept);
  void finish(InFlight& in_flight, std::string error, std::vector<Inbound>& batch);
  void deliver(std::vector<Inbound>& batch);

  const config::Kafka kafka_;
  const Cluster cluster_;
  const bool binary_;
  InboundSink& sink_;
  BrokerStateTeller& state_;
  Logger& log_;
  const Clock& clock_;

  ClientContext context_;
  mutable std::shared_mutex client_mutex_;  // shared to use the client, unique to replace it
  ClientHandle client_;
  TopicHandle topic_;
  QueueHandle queue_;

  mutable std::mutex in_flight_mutex_;
  std::condition_variable all_settled_;
  std::list<InFlight> in_flight_;  // in the order of hand-over
  std::size_t dead_letters_ = 0, dead_letter_bytes_ = 0;
  std::uint64_t serial_ = 0;

  std::deque<Resend> resend_;      // kafka-ack only
  std::size_t batch_bytes_ = 0;    // batch.size of the client in use
  std::size_t refused_sum_bytes_ = 0, refused_largest_bytes_ = 0;  // of batches that were too large for the broker, since the last client
  // What the broker refused alone: as large is refused here until then, before it has a number. Afterwards its limit may have been raised.
  std::atomic<std::size_t> too_large_bytes_{0};
  std::atomic<SteadyMs> too_large_until_ms_{0};
  std::atomic<bool> fatal_{false}, connected_{false}, eager_{false}, stopping_{false}, asking_{true};
  std::atomic<std::uint64_t> recreated_{0};
  SteadyMs probed_ms_ = 0, failure_logged_ms_ = -10000;
  std::uint64_t failures_unlogged_ = 0;
  std::thread thread_;
};

}  // namespace fluentgate::kafka
