#include "core/gateway/joined_instances.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace fluentgate::gateway {

namespace {
constexpr int flush_ms_max = 500;  // for what is taken back at the end
}

JoinedInstances::JoinedInstances(std::unique_ptr<redis::Bridge> bridge, std::string instance, redis::InboundSink& sink, const Clock& clock)
    : instance_(std::move(instance)), numbers_(std::make_unique<redis::RedisNumbers>(bridge->link(), instance_, sink, clock)), bridge_(std::move(bridge)) {}

Result<std::unique_ptr<JoinedInstances>> JoinedInstances::start(Core& core, auth::Admission& admission, const std::string& instance,
                                                                redis::InboundSink& sink, kafka::InboundSink& of_pipeline,
                                                                kafka::ChannelOverlap& overlap) {
  if (core.settings.redis.url.empty()) return std::unique_ptr<JoinedInstances>();
  auto bridge = redis::Bridge::start(core.settings, instance, sink, core.logger, core.clock);
  if (!bridge) return Error{bridge.error().code, "redis.url: " + bridge.error().text};
  core.bus = &(*bridge)->rooms();
  if (core.settings.auth.membership != config::Membership::token) {
    core.members = &(*bridge)->membership();
    admission.ask(*core.members);
  }
  std::unique_ptr<JoinedInstances> made(new JoinedInstances(std::move(bridge).value(), instance, sink, core.clock));
  if (core.settings.redis.pipeline_channels) {
    made->channels_ = std::make_unique<redis::PipelineChannels>(core.settings, made->bridge_->link(), of_pipeline, core.interest, overlap, core.logger,
                                                                core.clock);
  }
  return made;
}

void JoinedInstances::follow(Hub& hub, LogTail& tail) {
  hub_ = &hub;
  hub.uploads.join(*numbers_, tail, instance_);
  hub.health.expect_redis();
  follow_participants();
  follow_rooms();
}

void JoinedInstances::follow_rooms() {
  if (!channels_) return;
  hub_->cluster->on_room = [channels = channels_.get()](const RoomId& room, bool open) { open ? channels->open(room) : channels->close(room); };
}

void JoinedInstances::follow_participants() {
  redis::Participants* participants = bridge_->participants();
  if (participants == nullptr) return;
  hub_->cluster->on_seat = [participants](const RoomId& room, const UserId& user, const PeerSeat* seat) {
    if (seat == nullptr) return participants->withdraw(room, user);
    const LanguageList& listening = seat->hearing.listening;
    participants->publish(room, user, {listening.empty() ? "" : listening.front().spelling(), seat->speaking_spelled.value_or(""), seat->display_name, seat->role});
  };
}

void JoinedInstances::take(redis::Inbound& message) {
  if (const auto* news = std::get_if<NumberNews>(&message)) return hub_->uploads.numbers(*news);
  if (const auto* state = std::get_if<redis::BusState>(&message)) {
    hub_->health.redis(state->connected);
    hub_->core.metrics.redis_up(state->connected);
  }
  hub_->cluster->take(message);
}

void JoinedInstances::withdraw() noexcept {
  if (hub_ == nullptr) return;
  try {
    hub_->cluster->withdraw();
  } catch (const std::exception& error) {  // out of memory: the lease runs out
    hub_->core.logger.write(LogLevel::error, "gateway", error.what());
  }
}

void JoinedInstances::stop(int flush_ms) noexcept { bridge_->stop(std::min(flush_ms, flush_ms_max)); }

}  // namespace fluentgate::gateway
