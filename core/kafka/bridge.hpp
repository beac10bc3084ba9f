// All of Kafka behind one face: the embedded cluster where there is one, one producer, one consumer, the recovery of sequence numbers.
// Threads: made and stopped by the loop; what it tells comes through the InboundSink.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/settings.hpp"
#include "core/domain/ports.hpp"
#include "core/kafka/broker_state.hpp"
#include "core/kafka/consumer.hpp"
#include "core/kafka/embedded_cluster.hpp"
#include "core/kafka/inbound.hpp"
#include "core/kafka/interest.hpp"
#include "core/kafka/log_tail.hpp"
#include "core/kafka/producer.hpp"
#include "core/kafka/sequence_recovery.hpp"

namespace fluentgate::kafka {

class Bridge {
 public:
  // Returns at once, whether Kafka is there or not. The references outlive the bridge, and so does `overlap` (redis.pipeline_channels; null without).
  // Errors: "bad_property", "bad_topic", "embedded_cluster".
  static Result<std::unique_ptr<Bridge>> start(const config::Settings& settings, InboundSink& sink, Interest& interest, Logger& log,
                                               const Clock& clock, ChannelOverlap* overlap = nullptr);
  ~Bridge();

  ChunkPublisher& publisher() noexcept { return *producer_; }
  LogTail* log_tail() noexcept { return tail_.get(); }  // null where there is no Redis: nobody asks
  // Thread: any. Whether somebody waits for acknowledgements.
  void set_eager(bool eager) noexcept { producer_->set_eager(eager); }
  std::int64_t oldest_unacked_ms() const { return producer_->oldest_unacked_ms(clock_.steady_ms()); }
  std::size_t unacked() const { return producer_->unacked(); }
  std::uint64_t producers_recreated() const noexcept { return producer_->recreated(); }
  BrokerState state() const { return state_.current(); }

  // Thread: any. See Consumer.
  const Traffic& traffic() const noexcept { return consumer_->traffic(); }
  std::optional<std::vector<PartitionPlan::Place>> text_places_of(std::string_view room) const { return consumer_->text_places_of(room); }

  // Of the embedded cluster, or as configured.
  const std::string& bootstrap() const noexcept { return cluster_.bootstrap; }
  // Value of fg-instance: host name, process id and four random hex digits.
  const std::string& instance() const noexcept { return cluster_.instance; }
  EmbeddedCluster* embedded() noexcept { return embedded_.get(); }  // null with an external one

  // Thread: loop; blocks. What was handed over is flushed for that long, then all threads end within a second. May be called again.
  Status flush(int timeout_ms) { return producer_->flush(timeout_ms); }
  void stop(int flush_ms);

 private:
  Bridge(InboundSink& sink, Logger& log, const Clock& clock) : log_(log), clock_(clock), state_(sink, log) {}

  Logger& log_;
  const Clock& clock_;
  Cluster cluster_;
  BrokerStateTeller state_;
  std::unique_ptr<EmbeddedCluster> embedded_;
  std::unique_ptr<Producer> producer_;
  std::unique_ptr<Consumer> consumer_;
  std::unique_ptr<LogTailReader> tail_;
  std::unique_ptr<SequenceRecovery> recovery_;
};

}  // namespace fluentgate::kafka
