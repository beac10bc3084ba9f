// Reads the three incoming topics on its own thread ("kafka"), and delivers what it finds in batches, one a turn. It is in no group that splits
// anything: it assigns itself every partition, at the places that TopicWatch says, or with kafka.partition_aware those that PartitionPlan wants.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "core/config/settings.hpp"
#include "core/domain/ports.hpp"
#include "core/kafka/broker_state.hpp"
#include "core/kafka/client_conf.hpp"
#include "core/kafka/handles.hpp"
#include "core/kafka/inbound.hpp"
#include "core/kafka/interest.hpp"
#include "core/kafka/partition_plan.hpp"
#include "core/kafka/partition_sampler.hpp"
#include "core/kafka/producer.hpp"
#include "core/kafka/record_reader.hpp"
#include "core/kafka/topic_watch.hpp"
#include "core/kafka/traffic.hpp"

namespace fluentgate::kafka {

class Consumer {
 public:
  static constexpr std::size_t records_per_turn_max = 512;

  // Works while Kafka is away and goes on when it comes. `overlap` and `dead_letters` as in RecordReader. Errors: "bad_property".
  static Result<std::unique_ptr<Consumer>> start(const config::Settings& settings, const Cluster& cluster, InboundSink& sink,
                                                 Interest& interest, ChannelOverlap* overlap, Producer* dead_letters,
                                                 BrokerStateTeller& state, Logger& log, const Clock& clock);
  ~Consumer();
  void begin_stop() noexcept;  // waits for nothing; nothing is delivered soon after
  void stop();                 // waits for its threads, at most a second; may be called again

  // Thread: any.
  const Traffic& traffic() const noexcept { return traffic_; }
  // Which partitions of the text topics hold the room's captions. Nothing: any may. Empty: not known yet.
  std::optional<std::vector<PartitionPlan::Place>> text_places_of(std::string_view room) const;

 private:
  Consumer(const config::Settings& settings, InboundSink& sink, Interest& interest, ChannelOverlap* overlap, Producer* dead_letters,
           BrokerStateTeller& state, Logger& log, const Clock& clock);
  void run();
  void assign(std::vector<Inbound>& batch);
  void release(std::vector<Inbound>& batch);
  void take(rd_kafka_message_t* message, std::vector<Inbound>& batch);
  void on_client_error(rd_kafka_resp_err_t code, const char* reason);

  InboundSink& sink_;
  Interest& interest_;
  BrokerStateTeller& state_;
  Logger& log_;
  const Clock& clock_;
  const std::array<std::string, incoming_topics> topics_;
  Traffic traffic_;
  RecordReader reader_;
  std::unique_ptr<PartitionPlan> plan_;  // null: every partition is read

  ClientContext context_;
  ClientHandle client_;
  QueueHandle queue_;
  std::unique_ptr<TopicWatch> watch_;
  std::unique_ptr<PartitionSampler> sampler_;
  std::vector<Opening> unassigned_;
  std::size_t assigned_ = 0;
  SteadyMs release_due_ms_ = 0;
  SteadyMs complained_ms_ = -60000;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace fluentgate::kafka
