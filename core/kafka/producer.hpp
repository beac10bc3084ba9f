// Hands chunks to Kafka and tells what became of them. One per process; idempotent, so what was acknowledged is never sent twice.
// Order: a broker takes nothing of an idempotent producer after a batch that it refused, once it has taken something of it in that partition.
// So a room's first record with each client goes alone (producer_lanes.cpp); what was refused or thrown out is sent again before what waits.
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
#include <unordered_map>
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
  // "unknown_topic", "too_large" (not retriable: more than the topic's max.message.bytes, where that is known, or than what was refused lately),
  // "kafka".
  Status publish(const AudioChunk& chunk, std::uint64_t token) override;
  // Thread: kafka. A record that could not be read, as it was, for dlq.<topic>. False where too many wait already, or librdkafka refuses.
  bool dead_letter(const std::string& topic, std::string_view key, std::string_view value, std::span<const wire::Header> headers) noexcept;

  // Thread: any. Whether somebody waits for acknowledgements: reports then wake the loop.
  void set_eager(bool eager) noexcept { eager_.store(eager, std::memory_order_relaxed); }
  // Thread: any. Age of the oldest chunk handed over and not acknowledged; 0 if none.
  std::int64_t oldest_unacked_ms(SteadyMs now) const;
  std::size_t unacked() const;
  // Times that a fatal error of the idempotent producer, a batch too large for the broker, or a limit below batch.size made a new one necessary.
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
  struct Lane;
  struct InFlight {
    std::uint64_t token = 0;
    SteadyUs handed_us = 0;
    Lane* lane = nullptr;           // null: a dead letter, whose order doesn't matter
    std::size_t audio_bytes = 0;    // PCM, which can be shortened; 0: nothing can
    std::int64_t duration_us = 0;
    std::int64_t lost_us = 0;       // of that, cut off since the broker refused all of it
    std::uint64_t serial = 0;  // the order of hand-over
    bool dead_letter = false;
    std::size_t bytes = 0;
    std::list<InFlight>::iterator self;
  };
  // A record that is not librdkafka's: it waits for its turn in a lane, or was thrown out before it reached the log.
  struct Kept {
    InFlight* in_flight = nullptr;
    std::string topic, key, value;
    HeadersHandle headers;
  };
  // The records of one room, which are in one partition.
  struct Lane {
    bool proven = false;      // this client's records have reached the log: from then on the broker sees to the order
    std::size_t given = 0;    // to librdkafka, not yet reported
    SteadyMs acked_ms = 0;
    std::deque<Kept> waiting;
  };

  Producer(const config::Kafka& kafka, Cluster cluster, InboundSink& sink, BrokerStateTeller& state, Logger& log, const Clock& clock);
  Status open();
  Status hand_over(rd_kafka_topic_t* topic, const char* topic_name, std::string_view key, std::string_view value, HeadersHandle headers,
                   InFlight entry);
  InFlight& remember(InFlight entry);
  void forget(InFlight& in_flight);
  void run();
  bool everything_is_reported();
  void take_reports(rd_kafka_event_t* event, std::vector<Inbound>& batch);
  void settle(const rd_kafka_message_t& message, std::vector<Inbound>& batch);
  void log_failure(const rd_kafka_message_t& message);
  void on_error_event(rd_kafka_event_t* event);
  void probe_connection();
  void finish(InFlight& in_flight, std::string error, std::vector<Inbound>& batch, std::int32_t partition = -1, std::int64_t offset = -1);

  // producer_resend.cpp
  enum class Refusal : std::uint8_t { other, shared, alone };
  Refusal refusal_as_too_large(const rd_kafka_message_t& message, const InFlight& in_flight);
  bool wait_for_permission(const rd_kafka_message_t& message);
  void tell_not_authorised();
  void wait_for_right();
  void keep_for_resend(rd_kafka_message_t& message, InFlight& in_flight);
  bool keep_shortened(rd_kafka_message_t& message, InFlight& in_flight);
  void replace_client(std::vector<Inbound>& batch);
  rd_kafka_resp_err_t send_kept(Kept& kept);

  // producer_lanes.cpp; the caller holds lanes_mutex_, unless said
  bool may_give(const Lane& lane) const noexcept;
  void drain(Lane& lane);
  void drain_all();
  void lane_settled(Lane* lane, bool acknowledged);  // takes the lock
  void tend_lanes();                                 // takes the lock

  // producer_limit.cpp
  Status check_size(const AudioChunk& chunk, std::string_view value, std::span<const wire::OwnedHeader> headers) const;
  void ask_limit();
  void take_limit(rd_kafka_event_t* event);
  void end_holding();

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

  std::mutex lanes_mutex_;         // taken after client_mutex_, before in_flight_mutex_
  std::unordered_map<std::string, Lane> lanes_;  // by room
  std::size_t given_ = 0;          // of all lanes
  bool holding_ = true;            // until the topic's limit has been asked for: batches are then made to fit
  bool stalled_ = false;           // librdkafka's queue was full

  std::deque<Kept> resend_;        // kafka-ack only
  bool idempotent_ = true;
  std::size_t message_bytes_max_ = 0;  // librdkafka's message.max.bytes
  std::size_t batch_bytes_ = 0;        // batch.size of the client in use
  std::size_t refused_sum_bytes_ = 0, refused_largest_bytes_ = 0;  // of batches that were too large for the broker, since the last client
  std::atomic<std::size_t> limit_bytes_{0};  // the topic's max.message.bytes; 0: not known
  // What the broker refused alone: as large is refused here until then, before it has a number. Afterwards its limit may have been raised.
  std::atomic<std::size_t> too_large_bytes_{0};
  std::atomic<SteadyMs> too_large_until_ms_{0};
  std::atomic<bool> fatal_{false}, denied_{false}, connected_{false}, eager_{false}, stopping_{false}, asking_{true};
  std::atomic<std::uint64_t> recreated_{0};
  SteadyMs failure_logged_ms_ = -10000, shortened_logged_ms_ = -10000, permission_logged_ms_ = -60000, missing_logged_ms_ = -60000;
  SteadyMs lanes_tended_ms_ = 0;
  SteadyMs limit_due_ms_ = 0, replace_due_ms_ = 0;
  bool limit_asked_ = false, limit_unknown_logged_ = false;
  std::uint64_t failures_unlogged_ = 0;
  std::thread thread_;
};

}  // namespace fluentgate::kafka
