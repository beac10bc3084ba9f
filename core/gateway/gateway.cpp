// Gateway: wiring and life cycle. What it wires is in the other files of this folder.
#include "core/gateway/gateway.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "core/gateway/hub.hpp"
#include "core/gateway/joined_instances.hpp"
#include "core/gateway/mailbox.hpp"
#include "core/gateway/pages.hpp"
#include "core/gateway/sockets.hpp"
#include "core/gateway/version.hpp"
#include "core/kafka/bridge.hpp"
#include "core/wire/server_event.hpp"
#include "core/wire/ws_frame.hpp"

namespace fluentgate::gateway {

namespace {

constexpr std::int64_t busy_tick_ms = 20;    // while somebody is connected
constexpr std::int64_t idle_tick_ms = 200;
constexpr int settle_pause_ms = 2;           // between two looks at what is not acknowledged, at the end
constexpr std::int64_t slow_timers_ms = 200; // what needs no finer clock
constexpr std::int64_t publish_every_ms = 1000;  // to the other processes of the host
constexpr std::int64_t drain_close_ms = 1000; // a drain's wait for the answers to its close frames
constexpr std::int64_t retry_after_min_ms = 500, retry_after_max_ms = 5000;

class GatewayImpl final : public Gateway, public auth::Gate {
 public:
  GatewayImpl(config::Settings settings, Environment environment, std::shared_ptr<auth::TokenVerifier> verifier, OpsAccess access)
      : settings_(std::move(settings)), environment_(std::move(environment)), verifier_(std::move(verifier)), access_(std::move(access)),
        metrics_(version_text), rooms_(settings_.audio.language_timeout_ms), mailbox_(environment_.wake),
        core_{settings_, environment_.clock, environment_.logger, metrics_, rooms_, interest_,
              {settings_.limits.outbox_bytes, settings_.limits.slow_close_ms, settings_.audio.max_age_ms, settings_.limits.messages_per_s,
               [this](CloseCode code) { metrics_.closed(code); }}},
        admission_(settings_, verifier_) {}
  ~GatewayImpl() override { stop(0); }

  Status begin() {
    auto bridge = kafka::Bridge::start(settings_, mailbox_, interest_, environment_.logger, environment_.clock,
                                       settings_.redis.pipeline_channels ? &overlap_ : nullptr);
    if (!bridge) return bridge.error();
    bridge_ = std::move(bridge).value();
    auto instances = JoinedInstances::start(core_, admission_, bridge_->instance(), mailbox_, mailbox_, overlap_);
    if (!instances) return instances.error();
    instances_ = std::move(instances).value();
    hub_.emplace(core_, bridge_->publisher(), verifier_);
    if (instances_) instances_->follow(*hub_, *bridge_->log_tail());
    hub_->captions.scope_by([this](const RoomId& room) { return bridge_->text_places_of(room.value); });
    pages_.emplace(*hub_, std::move(access_), bridge_->bootstrap(), environment_.siblings);
    Bytes ping;
    constexpr std::array<std::uint8_t, 1> payload{0};  // lws 4.1 tells of no pong without one, and every quiet peer would end as dead
    wire::append_ping_frame(ping, payload);
    ping_ = std::make_shared<const Bytes>(std::move(ping));
    if (settings_.auth.allowed_origins.empty()) {
      log(LogLevel::warn, "auth", "auth.allowed_origins is not set: web pages of any origin may connect with a valid token");
    }
    return ok();
  }

  const config::Settings& settings() const noexcept override { return settings_; }

  std::variant<auth::Admitted, auth::Refusal> admit(const auth::UpgradeRequest& request) override {
    auto verdict = admission_.decide(request, *this, core_.clock.unix_ms());
    if (const auto* refusal = std::get_if<auth::Refusal>(&verdict)) metrics_.refused(refusal->code);
    return verdict;
  }

  std::shared_ptr<Socket> open(auth::Admitted admitted, Transport& transport) override {
    metrics_.accepted(admitted.endpoint);
    const bool audio = admitted.endpoint == Endpoint::audio;
    auto socket = make_socket(*hub_, hub_->join(std::move(admitted), transport));
    if (audio) audio_timers_.push_back(std::dynamic_pointer_cast<AudioTimers>(socket));
    return socket;
  }

  std::optional<Page> page(const PageRequest& request) override { return pages_->page(request, admission_, *this, draining_); }

  void turn() noexcept override;
  std::int64_t tick() noexcept override;
  void drain() noexcept override;
  bool draining() const noexcept override { return draining_; }
  Status reload(const config::Settings& settings) override;
  void stop(int flush_ms) noexcept override;

  // auth::Gate
  bool ready_gate_closed() const override { return settings_.ready_gate && !hub_->health.kafka_ready(); }
  std::optional<auth::LimitReached> over_limit(const RoomId& room, const UserId& user, Endpoint endpoint) const override {
    return hub_->over_limit(room, user, endpoint);
  }

 private:
  void log(LogLevel level, std::string_view category, std::string_view text) { environment_.logger.write(level, category, text); }
  void handle(kafka::Inbound& message);
  void slow_timers(SteadyMs now);
  int settle_uploads(int flush_ms) noexcept;
  void check_sessions(SteadyMs now);
  void heartbeats();

  // given
  config::Settings settings_;
  Environment environment_;
  std::shared_ptr<auth::TokenVerifier> verifier_;
  OpsAccess access_;
  // owned
  GatewayMetrics metrics_;
  ConnectionManager rooms_;
  kafka::Interest interest_{environment_.clock};
  Mailbox mailbox_;
  Core core_;
  auth::Admission admission_;
  kafka::ChannelOverlap overlap_;
  std::unique_ptr<kafka::Bridge> bridge_;
  std::unique_ptr<JoinedInstances> instances_;  // null without redis.url
  std::optional<Hub> hub_;
  std::optional<Pages> pages_;
  std::vector<std::weak_ptr<AudioTimers>> audio_timers_;
  SharedBytes ping_;
  // state
  std::vector<kafka::Inbound> taken_;
  std::vector<redis::Inbound> taken_of_redis_;
  bool draining_ = false;
  bool drain_told_ = false;
  bool stopped_ = false;
  SteadyMs drain_since_ms_ = 0;
  SteadyMs slow_due_ms_ = 0;
  SteadyMs heartbeat_due_ms_ = 0;
  SteadyMs publish_due_ms_ = 0;
};

void GatewayImpl::handle(kafka::Inbound& message) {
  if (auto* frame = std::get_if<SynthesizedFrame>(&message)) {
    hub_->playback.take(std::move(*frame));
  } else if (auto* caption = std::get_if<Caption>(&message)) {
    hub_->caption_arrived(std::move(*caption));
  } else if (const auto* closed = std::get_if<kafka::PartitionClosed>(&message)) {
    hub_->captions.partition_closed(*closed);
  } else if (const auto* settled = std::get_if<kafka::ChunkSettled>(&message)) {
    hub_->uploads.settled(*settled);
  } else if (const auto* seen = std::get_if<kafka::RecordSeen>(&message)) {
    hub_->captions.record_seen(*seen);
  } else if (const auto* opened = std::get_if<kafka::PartitionOpened>(&message)) {
    hub_->captions.partition_opened(*opened);
  } else if (const auto* speaker = std::get_if<kafka::SpeakerRecovered>(&message)) {
    hub_->uploads.recovered(*speaker);
  } else if (std::holds_alternative<kafka::RecoveryDone>(message)) {
    hub_->uploads.recovery_done();
  } else if (const auto* read = std::get_if<TailRead>(&message)) {
    hub_->uploads.numbers(*read);
  } else if (const auto* malformed = std::get_if<kafka::Malformed>(&message)) {
    const config::Kafka& kafka = settings_.kafka;
    const std::array<std::string_view, 5> topics{kafka.topic_audio_synthesized, kafka.topic_text_original, kafka.topic_text_translated, "pipeline:audio",
                                                 "pipeline:captions"};
    metrics_.malformed(topics[std::min<std::size_t>(malformed->topic, topics.size() - 1)], malformed->reason);
  } else if (const auto* trouble = std::get_if<kafka::KafkaTrouble>(&message)) {
    metrics_.kafka_trouble(trouble->reason);
  } else if (const auto* state = std::get_if<kafka::BrokerState>(&message)) {
    hub_->health.broker(*state, core_.clock.steady_ms());
    hub_->captions.broker_state(*state);
    metrics_.kafka_up(state->connected);
  }
}

void GatewayImpl::turn() noexcept {
  if (stopped_) return;
  try {
    mailbox_.take(taken_, taken_of_redis_);
    if (taken_.empty() && taken_of_redis_.empty()) return;
    const SteadyUs begin_us = core_.clock.steady_us();
    metrics_.mailbox_messages(taken_.size());
    for (auto& message : taken_of_redis_) instances_->take(message);
    for (auto& message : taken_) handle(message);
    hub_->playback.flush();
    hub_->captions.begin_ready();
    taken_.clear();
    taken_of_redis_.clear();
    bridge_->set_eager(hub_->uploads.waiting());
    metrics_.turn_us(core_.clock.steady_us() - begin_us);
    environment_.logger.flush();
  } catch (const std::exception& error) {  // out of memory: this turn's messages are lost, the host goes on
    log(LogLevel::error, "gateway", error.what());
  }
}

// Pings, dead and slow peers.
void GatewayImpl::check_sessions(SteadyMs now) {
  std::size_t waiting_bytes = 0;
  hub_->each_session([&](const std::shared_ptr<Session>& session) {
    waiting_bytes += session->waiting_bytes();
    if (!session->check_alive(now, ping_)) {
      session->abort();
    } else if (session->too_slow(now)) {
      session->close(CloseCode::too_slow);
    }
  });
  metrics_.outbox_bytes(waiting_bytes);
}

void GatewayImpl::heartbeats() {
  hub_->each_session([&](const std::shared_ptr<Session>& session) {
    if (session->endpoint() != Endpoint::captions) hub_->heartbeat(session);
  });
}

void GatewayImpl::slow_timers(SteadyMs now) {
  const bool changed = hub_->health.tick(now, bridge_->oldest_unacked_ms());
  if (changed) {
    log(hub_->health.state() == PipelineState::ok ? LogLevel::info : LogLevel::warn, "kafka",
        "pipeline is " + std::string(wire::name_of(hub_->health.state())));
    if (hub_->health.state() == PipelineState::down) hub_->suppression.pipeline_down();
  }
  if (changed || now >= heartbeat_due_ms_) {
    heartbeat_due_ms_ = now + limits::heartbeat_ms;
    heartbeats();
  }
  hub_->suppression.tick(now);
  hub_->playback.tick();
  hub_->captions.tick();
  hub_->uploads.tick();
  hub_->check_tokens(core_.clock.unix_ms());
  check_sessions(now);
  if (const auto dropped = mailbox_.take_dropped(); dropped > 0) {
    metrics_.mailbox_dropped(dropped);
    log(LogLevel::warn, "gateway", std::to_string(dropped) + " frames dropped: the loop does not keep up");
  }
  const config::Kafka& kafka = settings_.kafka;
  metrics_.kafka_traffic(bridge_->traffic(), {kafka.topic_audio_synthesized, kafka.topic_text_original, kafka.topic_text_translated});
  metrics_.buffered(hub_->uploads.waiting_us(), hub_->uploads.waiting_bytes());
  metrics_.ready(pages_->ready(draining_));
  if (now >= publish_due_ms_) {
    publish_due_ms_ = now + publish_every_ms;
    pages_->publish(draining_);
  }
}

std::int64_t GatewayImpl::tick() noexcept {
  if (stopped_) return idle_tick_ms;
  turn();
  try {
    const SteadyMs now = core_.clock.steady_ms();
    std::erase_if(audio_timers_, [](const std::weak_ptr<AudioTimers>& timers) {
      const auto alive = timers.lock();
      if (alive) alive->tick();
      return !alive;
    });
    hub_->presence.tell_demand();
    if (hub_->cluster) hub_->cluster->tick(now);
    bridge_->set_eager(hub_->uploads.waiting());
    if (now >= slow_due_ms_) {
      slow_due_ms_ = now + slow_timers_ms;
      slow_timers(now);
    }
    if (draining_ && !drain_told_) {
      if (hub_->session_count() == 0) {
        drain_told_ = true;
        if (environment_.drained) environment_.drained();
      } else if (now - drain_since_ms_ >= settings_.drain_ms + drain_close_ms) {
        hub_->each_session([](const std::shared_ptr<Session>& session) { session->abort(); });
      } else if (now - drain_since_ms_ >= settings_.drain_ms) {
        hub_->each_session([](const std::shared_ptr<Session>& session) { session->close(CloseCode::going_away); });
      }
    }
    environment_.logger.flush();
  } catch (const std::exception& error) {
    log(LogLevel::error, "gateway", error.what());
  }
  return hub_->session_count() > 0 || draining_ ? busy_tick_ms : idle_tick_ms;
}

void GatewayImpl::drain() noexcept {
  if (draining_ || stopped_) return;
  draining_ = true;
  drain_since_ms_ = core_.clock.steady_ms();
  metrics_.draining();
  log(LogLevel::info, "gateway", "draining: " + std::to_string(hub_->session_count()) + " sockets");
  // Spread over time, so that the instances that stay aren't met by all at once.
  std::mt19937_64 random(std::random_device{}());
  std::uniform_int_distribution<std::int64_t> spread(retry_after_min_ms, retry_after_max_ms);
  hub_->each_session([&](const std::shared_ptr<Session>& session) {
    const std::int64_t retry_after_ms = spread(random);
    tell(session, session->endpoint() == Endpoint::captions ? wire::captions_going_away_event(retry_after_ms) : wire::going_away_event(retry_after_ms));
  });
}

Status GatewayImpl::reload(const config::Settings& settings) { return verifier_->reload(settings.auth); }

// What waits is handed over as acknowledgements make room for it. Returns what is left of the time.
int GatewayImpl::settle_uploads(int flush_ms) noexcept {
  const SteadyMs deadline_ms = core_.clock.steady_ms() + flush_ms;
  const auto left_ms = [&] { return static_cast<int>(std::max<SteadyMs>(0, deadline_ms - core_.clock.steady_ms())); };
  try {
    while (!hub_->uploads.settled() && left_ms() > 0) {
      mailbox_.take(taken_, taken_of_redis_);
      for (auto& message : taken_of_redis_) {
        if (std::holds_alternative<NumberNews>(message)) instances_->take(message);
      }
      for (auto& message : taken_) {
        if (std::holds_alternative<kafka::ChunkSettled>(message) || std::holds_alternative<TailRead>(message)) handle(message);
      }
      hub_->uploads.tick();
      std::this_thread::sleep_for(std::chrono::milliseconds(settle_pause_ms));
    }
  } catch (const std::exception& error) {  // out of memory: the next instance reads the log
    log(LogLevel::error, "gateway", error.what());
  }
  return left_ms();
}

void GatewayImpl::stop(int flush_ms) noexcept {
  if (stopped_) return;
  stopped_ = true;
  mailbox_.silence();
  if (hub_) hub_->each_session([](const std::shared_ptr<Session>& session) { session->close(CloseCode::going_away); });
  if (instances_) instances_->withdraw();
  const int left_ms = hub_ && flush_ms > 0 ? settle_uploads(flush_ms) : flush_ms;
  if (hub_) hub_->uploads.release_numbers();
  if (bridge_) bridge_->stop(left_ms);
  if (instances_) instances_->stop(flush_ms);
  environment_.logger.flush();
}

}  // namespace

Result<std::shared_ptr<Gateway>> Gateway::start(config::Settings settings, Environment environment) {
  auto verifier = auth::TokenVerifier::create(settings.auth);
  if (!verifier) return verifier.error();
  auto access = OpsAccess::parse(settings.ops.allow);
  if (!access) return access.error();
  auto gateway = std::make_shared<GatewayImpl>(std::move(settings), std::move(environment), std::move(verifier).value(), std::move(access).value());
  if (const Status begun = gateway->begin(); !begun) return begun.error();
  return std::shared_ptr<Gateway>(std::move(gateway));
}

}  // namespace fluentgate::gateway
