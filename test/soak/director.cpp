// People and checks; faults are in director_faults.cpp.
#include "test/soak/director.hpp"

#include <algorithm>

namespace fluentgate::soak {
namespace {

constexpr Ms settle_ms = 4000;        // of sockets, before something is asked of them
constexpr Ms growth_sample_ms = 2000, check_ms = 500, progress_ms = 10000;
constexpr Ms warm_min_ms = 60000;
constexpr Ms full_ms = 8 * 60000;     // histories and windows have their five minutes by then, and the allocator its shape
constexpr Ms short_run_ms = 20 * 60000;

}  // namespace

Director::Director(Stage& stage, test::KafkaServer& kafka, test::RedisServer& redis, EchoWorker& worker)
    : stage_(stage), kafka_(kafka), redis_(redis), worker_(worker), growth_(stage.journal), logs_(stage.journal) {
  for (std::size_t i = 0; i < stage.plan.persons.size(); ++i) persons_.push_back(std::make_unique<Person>(stage, static_cast<int>(i), stage.plan.persons[i]));
  for (std::size_t i = 0; i < stage.plan.subscribers.size(); ++i)
    subscribers_.push_back(std::make_unique<Subscriber>(stage, static_cast<int>(i), stage.plan.subscribers[i]));
  // librdkafka's own words about a broker that is away, which the run brings about.
  logs_.expect(" error kafka: FAIL: ");
  logs_.expect(" error kafka: ERROR: ");
  // After an outage of Redis an instance that finds a speaker taken warns that numbers may repeat. Whether they do, the log itself tells.
  logs_.expect(" error redis: sequence numbers: ");
  stage_.instances.ended = [this](int, int life, bool killed) { stage_.chunks.life_ended(life, killed); };
}

void Director::begin() {
  Reactor& loop = stage_.reactor;
  calm_from_ms_ = loop.now_ms() + settle_ms;
  redis_settled_ms_ = calm_from_ms_;
  loop.every(20, [this] { stage_.instances.poll(); });
  loop.every(10, [this] { read_worker(); });
  loop.every(20, [this] { run_deeds(); });
  loop.every(growth_sample_ms, [this] { stage_.instances.sample(growth_); });
  loop.every(progress_ms, [this] { stage_.journal.note(progress()); });
  loop.every(1000, [this] {
    for (const auto& subscriber : subscribers_) subscriber->tick();
    stage_.instances.read_logs(logs_);
    probe();
  });
  loop.every(check_ms, [this] {
    calm_down();
    stage_.presence.compare();
    stage_.signals.tick();
    stage_.heartbeats.tick();
  });
  for (std::size_t i = 0; i < persons_.size(); ++i) {
    Person* const person = persons_[i].get();
    loop.after(static_cast<Ms>(i) * 20, [this, person] {
      person->arrive();
      stage_.reactor.every(1000 / stage_.plan.sizes.chunks_per_s, [person] { person->tick(); });
    });
  }
  for (const auto& subscriber : subscribers_) subscriber->arrive();
  loop.after(warm_up_ms, [this] { next_fault(); });
}

void Director::calm_down() {
  const Ms now = stage_.reactor.now_ms();
  stage_.calm = !broken_ && now >= calm_from_ms_;
  stage_.replacing = !broken_ && now >= redis_settled_ms_;
}

void Director::disturb() {
  broken_ = true;
  stage_.calm = stage_.replacing = false;
  stage_.signals.disturbed();
}

void Director::run_deeds() {
  const auto& deeds = stage_.plan.deeds;
  while (next_deed_ < deeds.size() && deeds[next_deed_].at_ms <= stage_.reactor.now_ms() && !closing_) {
    const Deed& deed = deeds[next_deed_++];
    const auto who = static_cast<std::size_t>(deed.who);
    switch (deed.kind) {
      case Deed::Kind::leave: persons_[who]->leave(deed.for_ms); break;
      case Deed::Kind::move: persons_[who]->move(deed.instance); break;
      case Deed::Kind::takeover: persons_[who]->take_over(deed.instance); break;
      case Deed::Kind::listen: persons_[who]->listen(deed.language); break;
      case Deed::Kind::speak: persons_[who]->speak(deed.language); break;
      case Deed::Kind::mute: persons_[who]->mute(deed.for_ms); break;
      case Deed::Kind::subscriber_move: subscribers_[who]->move(deed.instance); break;
    }
  }
}

// One message in each room, to somebody or to all.
void Director::probe() {
  for (int room = 0; room < stage_.plan.sizes.rooms; ++room) {
    std::vector<Person*> there;
    std::set<int> all, steady;
    for (const auto& person : persons_) {
      if (person->room() != room) continue;
      all.insert(person->id());
      if (!person->present()) continue;
      there.push_back(person.get());
      if (person->settled(settle_ms)) steady.insert(person->id());
    }
    if (there.size() < 2) continue;
    const std::uint64_t id = next_probe_++;
    Person& from = *there[id % there.size()];
    all.erase(from.id());
    const bool must = stage_.calm && from.settled(settle_ms);
    if (id % 4 == 0) {
      steady.erase(from.id());
      stage_.signals.sent(id, from.id(), all, must ? steady : std::set<int>{});
      from.send_probe(id, std::nullopt);
    } else {
      const Person& to = *there[(id + 1 + id / there.size() % (there.size() - 1)) % there.size()];
      if (to.id() == from.id()) continue;
      const std::set<int> only{to.id()};
      stage_.signals.sent(id, from.id(), only, must && steady.contains(to.id()) ? only : std::set<int>{});
      from.send_probe(id, to.id());
    }
  }
}

void Director::read_worker() {
  for (const RawRecord& record : worker_.take()) {
    raw_silent_since_ms_ = stage_.reactor.now_ms();
    if (!record.problem.empty()) {
      stage_.journal.violation(pipeline, record.problem + ": " + record.user + " in " + record.room + ", partition " + std::to_string(record.partition) +
                                             " offset " + std::to_string(record.offset) + " of " + record.instance);
      continue;
    }
    stage_.chunks.record(record.mark.person, record.number, record.mark.counter);
    stage_.journal.held(pipeline);
  }
  const std::vector<std::string> problems = worker_.problems();
  for (; problems_told_ < problems.size(); ++problems_told_) stage_.journal.violation(pipeline, problems[problems_told_]);
}

// Nobody speaks any more, what is on its way arrives, and then everything is counted.
void Director::closing() {
  closing_ = true;
  stage_.journal.note("the end: nobody speaks any more");
  for (const auto& person : persons_) person->quiet();
  when([this] { return stage_.reactor.now_ms() > raw_silent_since_ms_ + 5000 && worker_.unacknowledged() == 0; }, [this] {
    stage_.reactor.after(3000, [this] {
      stage_.chunks.finish();
      for (const auto& subscriber : subscribers_) {
        if (!subscriber->is_open()) continue;
        for (const bool translated : {false, true}) {
          const Produced produced = worker_.produced(subscriber->plan().room, translated);
          subscriber->checker().finish(translated, produced.all, produced.by_language);
        }
      }
      stage_.presence.compare();
      for (const auto& person : persons_) person->depart();
      for (const auto& subscriber : subscribers_) subscriber->depart();
      for (int i = 0; i < stage_.instances.count(); ++i) stage_.instances.terminate(i);
      when([this] {
        for (int i = 0; i < stage_.instances.count(); ++i) {
          if (stage_.instances.running(i)) return false;
        }
        return true;
      }, [this] { done_ = true; });
    });
  });
}

Ms Director::warm_ms() const { return stage_.plan.length_ms < short_run_ms ? warm_min_ms : full_ms; }

void Director::finish() {
  stage_.instances.read_logs(logs_);
  growth_.finish(warm_ms(), stage_.plan.length_ms < short_run_ms);
}

std::string Director::progress() const {
  int here = 0, reading = 0, wanted = 0;
  for (const auto& person : persons_) {
    here += person->all_open() ? 1 : 0;
    wanted += person->wants_in() ? 1 : 0;
  }
  for (const auto& subscriber : subscribers_) reading += subscriber->is_open() ? 1 : 0;
  return std::to_string(here) + "/" + std::to_string(wanted) + " people, " + std::to_string(reading) + " readers, " + std::to_string(stage_.chunks.records()) +
         " chunks, " + std::to_string(stage_.audio.frames()) + " frames, " + std::to_string(stage_.signals.received_count()) + " signals, " +
         std::to_string(stage_.chunks.outstanding()) + " on their way, " + std::to_string(stage_.journal.violation_count()) + " violations";
}

}  // namespace fluentgate::soak
