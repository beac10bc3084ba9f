#include "core/redis/bridge.hpp"

namespace fluentgate::redis {

Result<std::unique_ptr<Bridge>> Bridge::start(const config::Settings& settings, std::string instance, InboundSink& sink, Logger& log, const Clock& clock) {
  std::unique_ptr<Bridge> made(new Bridge);
  Link::Options options;
  options.url = settings.redis.url;
  options.client_name = "fluentgate:" + instance;
  Result<std::unique_ptr<Link>> link = Link::start(std::move(options), made->nobody_, log, clock);
  if (!link) return link.error();
  made->link_ = std::move(link).value();
  RedisBus::Hooks hooks;
  if (settings.redis.publish_participants) {
    made->participants_ = std::make_unique<Participants>(
        *made->link_, Participants::Options{instance, settings.auth.membership == config::Membership::token}, log, clock);
    Participants& participants = *made->participants_;
    hooks.reaped = [&participants](const RoomId& room, const UserId& user, const std::string& dead) { participants.withdraw_of(dead, room, user); };
    hooks.left_elsewhere = [&participants](const RoomId& room, const UserId& user) { participants.publish_again(room, user); };
  }
  made->membership_ = std::make_unique<Membership>(*made->link_, sink, log, clock);
  made->bus_ = std::make_unique<RedisBus>(*made->link_, std::move(instance), sink, log, clock, std::move(hooks));
  return made;
}

Bridge::~Bridge() { stop(0); }

void Bridge::stop(int flush_ms) noexcept {
  if (stopped_ || !link_) return;
  stopped_ = true;
  if (participants_) participants_->leave();
  bus_->leave();
  link_->stop(flush_ms);
}

}  // namespace fluentgate::redis
