// Redis as the gateway has it: started and wired where redis.url is set, its messages taken in the loop, stopped after Kafka. Thread: loop.
#pragma once

#include <memory>
#include <string>

#include "core/auth/admission.hpp"
#include "core/domain/result.hpp"
#include "core/gateway/hub.hpp"
#include "core/kafka/channel_overlap.hpp"
#include "core/kafka/inbound.hpp"
#include "core/redis/bridge.hpp"
#include "core/redis/numbering.hpp"
#include "core/redis/pipeline_channels.hpp"

namespace fluentgate::gateway {

class JoinedInstances {
 public:
  // Null without redis.url. From now on core.bus and, where membership is asked, core.members are there: to be called before the Hub is made.
  // `of_pipeline` and `overlap` are for redis.pipeline_channels. Errors: those of redis::Bridge::start.
  static Result<std::unique_ptr<JoinedInstances>> start(Core& core, auth::Admission& admission, const std::string& instance, redis::InboundSink& sink,
                                                        kafka::InboundSink& of_pipeline, kafka::ChannelOverlap& overlap);

  // `tail`: of the same kafka::Bridge as `instance`.
  void follow(Hub& hub, LogTail& tail);
  void take(redis::Inbound& message);
  // Every seat here is taken back: before Kafka is flushed.
  void withdraw() noexcept;
  void stop(int flush_ms) noexcept;

 private:
  JoinedInstances(std::unique_ptr<redis::Bridge> bridge, std::string instance, redis::InboundSink& sink, const Clock& clock);
  void follow_participants();
  void follow_rooms();

  const std::string instance_;
  std::unique_ptr<redis::RedisNumbers> numbers_;
  std::unique_ptr<redis::PipelineChannels> channels_;  // null with redis.pipeline_channels off
  std::unique_ptr<redis::Bridge> bridge_;              // its thread ends before what it calls
  Hub* hub_ = nullptr;
};

}  // namespace fluentgate::gateway
