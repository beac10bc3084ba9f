// What is broken, and how it is mended: see director.hpp.
#include <signal.h>

#include <algorithm>

#include "test/soak/director.hpp"

namespace fluentgate::soak {
namespace {

// A heartbeat tells an outage 2 s after it began, within 2 s; silence of a frozen Redis has to be noticed first.
constexpr Ms down_told_ms = 7000, degraded_told_ms = 6000, frozen_told_ms = 10000, ok_told_ms = 20000;
constexpr Ms kill_settled_after_ms = 18000;  // a killed instance's users are gone by then
constexpr Ms redis_settled_after_ms = 8000, settled_after_ms = 4000;
constexpr const char* broker_up_words = "Kafka Server started";
// going_away spreads from 0.5 to 5 s: a tenth of them in one 250 ms slice is chance, a half is not.
constexpr Ms slice_ms = 250;
constexpr double slice_share_max = 0.5;
constexpr std::size_t spread_clients_min = 30;

}  // namespace

void Director::when(std::function<bool()> condition, std::function<void()> then) {
  if (condition()) return then();
  stage_.reactor.after(50, [this, condition = std::move(condition), then = std::move(then)] { when(condition, then); });
}

void Director::next_fault() {
  const Ms left = stage_.plan.length_ms - stage_.reactor.now_ms();
  if (next_fault_ >= stage_.plan.faults.size() || left < last_calm_ms) {
    stage_.reactor.after(std::max<Ms>(0, left), [this] { closing(); });
    return;
  }
  begin_fault(stage_.plan.faults[next_fault_]);
}

void Director::begin_fault(const Fault& fault) {
  fault_began_ms_ = stage_.reactor.now_ms();
  pauses_before_ = stage_.pauses.size();
  stage_.journal.note("fault " + std::to_string(next_fault_ + 1) + ": " + name_of(fault.kind) + " for " + std::to_string(fault.for_ms) + " ms");
  disturb();
  stage_.heartbeats.expect_nothing();  // of the fault before
  const auto done = [this] { mended(); };
  switch (fault.kind) {
    case Fault::Kind::kill: kill_instance(fault.instance, fault.for_ms, done); break;
    case Fault::Kind::roll: roll(0); break;
    case Fault::Kind::broker: kill_broker(fault.for_ms, done); break;
    case Fault::Kind::kill_while_broker_away:
      kill_broker(fault.for_ms, [this, fault, done] { when([this] { return stage_.instances.all_serving(); }, done); });
      stage_.reactor.after(fault.for_ms / 2, [this, fault] { kill_instance(fault.instance, 1000, [] {}); });
      break;
    case Fault::Kind::redis_kill:
    case Fault::Kind::kill_while_redis_away:
    case Fault::Kind::redis_freeze: {
      const bool freeze = fault.kind == Fault::Kind::redis_freeze;
      stage_.presence.redis_away();
      stage_.redis_away = true;
      stage_.nobody_moves = fault.kind == Fault::Kind::kill_while_redis_away;
      freeze ? redis_.freeze() : redis_.kill();
      const Ms told_ms = freeze ? frozen_told_ms : degraded_told_ms;
      if (fault.for_ms > told_ms) stage_.heartbeats.expect({"degraded", "down"}, told_ms);
      if (fault.kind == Fault::Kind::kill_while_redis_away)
        stage_.reactor.after(fault.for_ms / 2, [this, fault] { kill_instance(fault.instance, 1000, [] {}); });
      stage_.reactor.after(fault.for_ms, [this, freeze, done] {
        stage_.journal.note(freeze ? "Redis answers again" : "Redis is started again");
        freeze ? redis_.thaw() : redis_.start();
        redis_back(done);
      });
      break;
    }
  }
}

void Director::redis_back(std::function<void()> then) {
  stage_.presence.redis_back();
  stage_.heartbeats.expect({"ok"}, ok_told_ms);
  when([this] { return stage_.instances.all_serving(); }, std::move(then));
}

void Director::kill_instance(int instance, Ms for_ms, std::function<void()> then) {
  stage_.instances.kill(instance);
  stage_.reactor.after(for_ms, [this, instance, then = std::move(then)] {
    stage_.instances.start(instance);
    when([this, instance] { return stage_.instances.serving(instance); }, then);
  });
}

void Director::kill_broker(Ms for_ms, std::function<void()> then) {
  kafka_.kill();
  if (for_ms > down_told_ms) stage_.heartbeats.expect({"down"}, down_told_ms);
  stage_.reactor.after(for_ms, [this, then = std::move(then)] { restart_broker(then); });
}

void Director::restart_broker(std::function<void()> then) {
  stage_.journal.note("the broker is started again");
  stage_.heartbeats.expect_nothing();
  kafka_.start();
  when([this] { return kafka_.log().find(broker_up_words) != std::string::npos; }, [this, then = std::move(then)] {
    stage_.journal.note("the broker is up");
    stage_.heartbeats.expect({"ok"}, ok_told_ms);
    then();
  });
}

// One instance after the other; the next only when all serve again.
void Director::roll(int instance) {
  if (instance == stage_.instances.count()) {
    check_spread();
    return mended();
  }
  stage_.instances.terminate(instance);
  when([this, instance] { return !stage_.instances.running(instance); }, [this, instance] {
    stage_.instances.start(instance);
    when([this, instance] { return stage_.instances.serving(instance); }, [this, instance] { stage_.reactor.after(2000, [this, instance] { roll(instance + 1); }); });
  });
}

void Director::check_spread() {
  std::map<Ms, std::size_t> slices;
  std::size_t clients = 0, most = 0;
  for (std::size_t i = pauses_before_; i < stage_.pauses.size(); ++i) {
    if (stage_.pauses[i].cause != Pause::Cause::drain) continue;
    ++clients;
    most = std::max(most, ++slices[stage_.pauses[i].since_fault_ms / slice_ms]);
  }
  stage_.journal.held(spread);
  if (clients >= spread_clients_min && static_cast<double>(most) > slice_share_max * static_cast<double>(clients)) {
    stage_.journal.violation(spread, std::to_string(most) + " of " + std::to_string(clients) + " clients came back within the same " + std::to_string(slice_ms) + " ms");
  }
}

void Director::mended() {
  const Ms now = stage_.reactor.now_ms();
  const Fault& fault = stage_.plan.faults[next_fault_++];
  faults_.push_back({fault.kind, fault_began_ms_, now - fault_began_ms_});
  stage_.journal.note(name_of(fault.kind) + ": all serve again after " + std::to_string(now - fault_began_ms_) + " ms");
  broken_ = false;
  const bool redis = fault.kind == Fault::Kind::redis_kill || fault.kind == Fault::Kind::redis_freeze || fault.kind == Fault::Kind::kill_while_redis_away;
  const bool kill = fault.kind == Fault::Kind::kill || fault.kind == Fault::Kind::kill_while_redis_away || fault.kind == Fault::Kind::kill_while_broker_away;
  stage_.redis_away = stage_.nobody_moves = false;
  redis_settled_ms_ = now + (redis ? redis_settled_after_ms : settled_after_ms);
  calm_from_ms_ = std::max(redis_settled_ms_, kill ? fault_began_ms_ + kill_settled_after_ms : 0);
  // Sometimes the next one comes before all have settled, mostly after.
  stage_.reactor.after(fault.rest_ms, [this] { next_fault(); });
}

}  // namespace fluentgate::soak
