// Looks at the partitions that kafka.partition_aware leaves out, a few at a time and only at their last records, and warns loudly of records of
// a room that is hosted here: whoever writes them places keys in a way that kafka.key_partitioners does not name, and listeners miss them.
// Own thread ("kafka-sample") and client, so that what is fetched never waits for it.
#pragma once

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/config/settings.hpp"
#include "core/domain/ports.hpp"
#include "core/kafka/client_conf.hpp"
#include "core/kafka/handles.hpp"
#include "core/kafka/interest.hpp"
#include "core/kafka/partition_plan.hpp"
#include "core/kafka/traffic.hpp"
#include "core/wire/kafka_event.hpp"

namespace fluentgate::kafka {

class PartitionSampler {
 public:
  static constexpr SteadyMs every_ms = 3000;
  static constexpr std::size_t partitions_at_once = 8;

  // The references outlive it. Errors: "bad_property".
  static Result<std::unique_ptr<PartitionSampler>> start(const config::Settings& settings, const Cluster& cluster, const Interest& interest,
                                                         PartitionPlan& plan, Traffic& traffic, Logger& log, const Clock& clock);
  ~PartitionSampler() { stop(); }
  void begin_stop() noexcept;
  void stop();  // waits for at most 100 ms and the client's end

 private:
  PartitionSampler(const config::Settings& settings, const Interest& interest, PartitionPlan& plan, Traffic& traffic, Logger& log, const Clock& clock);
  void run();
  bool stopping();
  void look_at(const std::vector<PartitionPlan::Sample>& samples);
  void judge(std::uint8_t topic, const rd_kafka_message_t& message);
  std::optional<RoomId> room_of(std::uint8_t topic, const rd_kafka_message_t& message);
  void warn(std::uint8_t topic, std::int32_t partition, const RoomId& room, bool keyed_by_room, const std::vector<std::int32_t>& expected);

  const std::array<std::string, incoming_topics> topics_;
  const std::vector<std::string> partitioners_;
  const Interest& interest_;
  PartitionPlan& plan_;
  Traffic& traffic_;
  Logger& log_;
  const Clock& clock_;
  ClientContext context_;
  ClientHandle client_;
  wire::EventParser parser_;
  std::array<SteadyMs, incoming_topics> warned_ms_;
  std::array<std::uint64_t, incoming_topics> unwarned_{};

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fluentgate::kafka
