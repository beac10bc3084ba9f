#include "test/soak/plan.hpp"

#include <algorithm>

#include "test/soak/mark.hpp"

namespace fluentgate::soak {
namespace {

// The distributions of <random> differ between libraries; a seed should not.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed + 0x9e3779b97f4a7c15u) {}
  std::uint64_t raw() {  // splitmix64
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  int below(int end) { return static_cast<int>(raw() % static_cast<std::uint64_t>(end)); }
  Ms between(Ms low, Ms high) { return low + static_cast<Ms>(raw() % static_cast<std::uint64_t>(high - low + 1)); }
  bool one_in(int n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

std::vector<int> some_languages(Dice& dice) {
  std::vector<int> out{dice.below(language_count)};
  if (dice.one_in(4)) {
    const int second = dice.below(language_count);
    if (second != out[0]) out.push_back(second);
  }
  return out;
}

void add_people(Plan& plan, Dice& dice) {
  const Sizes& sizes = plan.sizes;
  for (int i = 0; i < sizes.speakers + sizes.listeners; ++i) {
    PersonPlan person;
    person.room = i % sizes.rooms;
    person.speaks = i < sizes.speakers;
    person.framed = dice.one_in(2);
    person.split = sizes.instances > 1 && dice.one_in(8);
    person.instance = dice.below(sizes.instances);
    person.spoken = dice.below(language_count);
    person.listening = some_languages(dice);
    person.seed = dice.raw();
    plan.persons.push_back(std::move(person));
  }
  for (int i = 0; i < sizes.subscribers; ++i) {
    SubscriberPlan subscriber;
    subscriber.room = i % sizes.rooms;
    const int kind = dice.below(6);
    subscriber.kind = kind < 3 ? SubscriberPlan::Kind::all : static_cast<SubscriberPlan::Kind>(kind - 2);
    subscriber.language = dice.below(language_count);
    subscriber.instance = dice.below(sizes.instances);
    subscriber.seed = dice.raw();
    plan.subscribers.push_back(subscriber);
  }
}

Deed some_deed(Dice& dice, const Plan& plan, Ms at_ms) {
  static constexpr Deed::Kind kinds[] = {Deed::Kind::leave, Deed::Kind::move, Deed::Kind::move, Deed::Kind::takeover, Deed::Kind::listen,
                                         Deed::Kind::listen, Deed::Kind::speak, Deed::Kind::mute, Deed::Kind::subscriber_move,
                                         Deed::Kind::subscriber_move};
  Deed deed;
  deed.at_ms = at_ms;
  deed.kind = kinds[dice.below(static_cast<int>(std::size(kinds)))];
  const Sizes& sizes = plan.sizes;
  switch (deed.kind) {
    case Deed::Kind::subscriber_move: deed.who = dice.below(sizes.subscribers); break;
    case Deed::Kind::speak:
    case Deed::Kind::mute: deed.who = dice.below(sizes.speakers); break;
    default: deed.who = dice.below(static_cast<int>(plan.persons.size())); break;
  }
  deed.instance = dice.below(sizes.instances);
  deed.language = dice.below(language_count);
  deed.for_ms = dice.between(1000, 8000);
  return deed;
}

Ms time_for(Fault::Kind kind, Dice& dice) {
  switch (kind) {
    case Fault::Kind::broker:
    case Fault::Kind::kill_while_broker_away: return dice.between(3000, 12000);
    case Fault::Kind::redis_kill:
    case Fault::Kind::kill_while_redis_away: return dice.between(2000, 10000);
    case Fault::Kind::redis_freeze: return dice.between(2000, 14000);
    default: return dice.between(1000, 10000);
  }
}

// Every kind once in a round, in an order of the seed's; memory is measured on instance 0, which is spared once a third of the run is over.
void add_faults(Plan& plan, Dice& dice) {
  std::vector<Fault::Kind> kinds{Fault::Kind::kill, Fault::Kind::broker};
  if (plan.sizes.instances > 1) {
    kinds.insert(kinds.end(), {Fault::Kind::kill, Fault::Kind::redis_kill, Fault::Kind::redis_freeze, Fault::Kind::kill_while_redis_away,
                               Fault::Kind::kill_while_broker_away});
  }
  Ms at = warm_up_ms;
  bool rolled = false;
  while (at < plan.length_ms) {
    std::vector<Fault::Kind> round = kinds;
    for (std::size_t i = round.size(); i > 1; --i) std::swap(round[i - 1], round[static_cast<std::size_t>(dice.below(static_cast<int>(i)))]);
    if (!rolled) {
      round.insert(round.begin() + 1, Fault::Kind::roll);  // the second of all
      rolled = true;
    } else {
      round.push_back(Fault::Kind::roll);
    }
    for (const Fault::Kind kind : round) {
      Fault fault;
      fault.kind = kind;
      fault.for_ms = time_for(kind, dice);
      fault.rest_ms = dice.between(9000, 22000);
      const bool spared = at * 3 > plan.length_ms && plan.sizes.instances > 1;
      fault.instance = spared ? 1 + dice.below(plan.sizes.instances - 1) : dice.below(plan.sizes.instances);
      plan.faults.push_back(fault);
      at += fault.for_ms + fault.rest_ms;  // at least; starting takes its time
    }
  }
}

}  // namespace

std::string name_of(Fault::Kind kind) {
  switch (kind) {
    case Fault::Kind::kill: return "kill -9 of an instance";
    case Fault::Kind::roll: return "rolling restart";
    case Fault::Kind::broker: return "broker kill -9";
    case Fault::Kind::redis_kill: return "Redis kill -9";
    case Fault::Kind::redis_freeze: return "Redis frozen";
    case Fault::Kind::kill_while_redis_away: return "kill -9 of an instance while Redis is away";
    case Fault::Kind::kill_while_broker_away: return "kill -9 of an instance while the broker is away";
  }
  return "?";
}

Plan make_plan(std::uint64_t seed, Ms length_ms, const Sizes& sizes) {
  Plan plan;
  plan.seed = seed;
  plan.length_ms = length_ms;
  plan.sizes = sizes;
  Dice dice(seed);
  add_people(plan, dice);
  const Ms deed_gap_ms = 60000 / std::max<Ms>(1, static_cast<Ms>(plan.persons.size()) * 2);  // each about twice a minute
  for (Ms at = 5000; at < length_ms - last_calm_ms; at += dice.between(1, 2 * deed_gap_ms)) plan.deeds.push_back(some_deed(dice, plan, at));
  add_faults(plan, dice);
  return plan;
}

}  // namespace fluentgate::soak
