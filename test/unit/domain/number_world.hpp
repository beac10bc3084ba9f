// A Redis, a log and instances in one thread, for NumberKeeper: what core/redis/numbering's scripts and core/kafka/log_tail do, without either.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/domain/number_keeper.hpp"
#include "test/support/check.hpp"
#include "test/support/fake_clock.hpp"

namespace fluentgate::test {

class NumberWorld;

// One instance: chunks wait, are handed over while there are numbers and the window allows, and are acknowledged by ack().
class NumberNode final : public NumberAuthority, public LogTail, public NumberKeeper::Listener {
 public:
  NumberNode(NumberWorld& world, std::string instance);
  void say(const std::string& user, int chunks = 1);
  void hand_over(const std::string& user);
  void ack(bool all = true);  // the log takes what is on its way, or the oldest of it
  void pump();                // takes what Redis and the log told
  void tick();

  // NumberAuthority
  bool connected() const noexcept override;
  void claim(const Speaker& speaker, std::uint64_t ticket, std::optional<std::int64_t> first, UnixMs now) override;
  void claim_by_force(const Speaker& speaker, std::uint64_t ticket, const NumberRecord& held) override;
  void ask_owner(const Speaker& speaker, std::uint64_t ticket, const std::string& owner) override;
  void save_all(std::vector<Saved> records) override;
  void release(const Speaker& speaker, const NumberRecord& record, const std::vector<std::string>& waiting) override;
  void note(NumberNote::Kind kind, const Speaker& speaker, const std::string& instance) override;
  // LogTail
  void ask(Question question) override { questions.push_back(std::move(question)); }
  void answer_questions();
  // NumberKeeper::Listener
  void number_known(const RoomId&, const UserId& user) override { hand_over(user.value); }
  void number_wanted(const RoomId&, const UserId& user) override { hand_over(user.value); }
  std::size_t chunks_waiting(const RoomId&, const UserId& user) const override {
    const auto found = waiting.find(user.value);
    return found == waiting.end() ? 0 : static_cast<std::size_t>(found->second);
  }
  void number_owned(NumberKeeper::Way way, std::int64_t) override { ways += std::string(NumberKeeper::name_of(way)) + " "; }
  void number_conflict(const RoomId&, const UserId& user, const std::string&) override { conflicts += user.value + " "; }

  struct OnItsWay { std::string user; std::int64_t number; };
  NumberWorld& world;
  std::string instance;
  std::map<std::string, int> waiting;
  std::deque<OnItsWay> on_its_way;
  std::deque<std::variant<NumberNews, TailRead>> inbox;
  std::vector<Question> questions;
  std::string ways, conflicts;
  bool alive = true, stopped = false, leased = true, linked = true;
  int acks_of_redis = 0;  // > 0: so many more answers are lost
  NumberKeeper keeper;
};

class NumberWorld {
 public:
  NumberNode& start(const std::string& name) {
    nodes.push_back(std::make_unique<NumberNode>(*this, name));
    NumberNode& node = *nodes.back();
    node.keeper.join(node, node, name);
    node.keeper.take(AuthorityState{true});
    node.keeper.recovery_done();
    return node;
  }
  NumberNode* find(const std::string& name) {
    for (auto& node : nodes) {
      if (node->instance == name && node->alive) return node.get();
    }
    return nullptr;
  }
  // What was on its way reaches the log up to a point, the rest never.
  void kill(NumberNode& node, std::size_t of_its_way = 0) {
    for (std::size_t i = 0; i < of_its_way && i < node.on_its_way.size(); ++i) append(node.on_its_way[i].user, node.on_its_way[i].number);
    node.alive = node.leased = node.linked = false;
    node.inbox.clear();
  }
  std::int64_t append(const std::string& user, std::int64_t number) {
    log.push_back({user, number, clock.unix_ms()});
    return static_cast<std::int64_t>(log.size()) - 1;
  }
  // Until nothing moves.
  void settle() {
    for (int turn = 0; turn < 50; ++turn) {
      bool moved = false;
      for (auto& node : nodes) {
        if (!node->alive || node->stopped) continue;
        moved = moved || !node->inbox.empty() || !node->questions.empty();
        node->answer_questions();
        node->pump();
      }
      if (!moved) return;
    }
  }
  void run(std::int64_t ms, bool acks = true) {
    for (std::int64_t passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      for (auto& node : nodes) {
        if (!node->alive || node->stopped) continue;
        if (acks) node->ack();
        node->tick();
      }
      settle();
    }
  }
  std::string numbers(const std::string& user) const {
    std::string out;
    for (const Entry& entry : log) {
      if (entry.user == user) out += std::to_string(entry.number) + " ";
    }
    return out;
  }
  // The first place where a speaker's numbers are not 0, 1, 2, ...; empty: nowhere.
  std::string fault() const {
    std::map<std::string, std::int64_t> next;
    for (const Entry& entry : log) {
      std::int64_t& expected = next[entry.user];
      if (entry.number != expected) return entry.user + ": " + std::to_string(entry.number) + " in place of " + std::to_string(expected);
      ++expected;
    }
    return {};
  }
  struct Entry { std::string user; std::int64_t number; UnixMs at_ms; };
  FakeClock clock;
  std::map<std::string, NumberRecord> redis;  // by user
  UnixMs born_ms = 1;
  std::vector<Entry> log;                     // one partition, 0; the offset is the index
  std::vector<std::unique_ptr<NumberNode>> nodes;
};

inline const RoomId& the_room() {
  static const RoomId room("r");
  return room;
}

inline NumberNode::NumberNode(NumberWorld& given, std::string name)
    : world(given), instance(std::move(name)), keeper(600000, given.clock, *this) {}

inline void NumberNode::say(const std::string& user, int chunks) {
  waiting[user] += chunks;
  keeper.awake(world.clock.steady_ms());
  hand_over(user);
}

inline void NumberNode::hand_over(const std::string& user) {
  int& left = waiting[user];
  while (left > 0 && on_its_way.size() < 20) {
    const auto number = keeper.next(the_room(), UserId(user));
    if (!number) break;
    --left;
    on_its_way.push_back({user, *number});
    keeper.used(the_room(), UserId(user));
  }
  if (keeper.releasing()) keeper.try_release(the_room(), UserId(user), left == 0);
}

inline void NumberNode::ack(bool all) {
  do {
    if (on_its_way.empty()) return;
    const OnItsWay first = on_its_way.front();
    on_its_way.pop_front();
    const std::int64_t offset = world.append(first.user, first.number);
    keeper.awake(world.clock.steady_ms());
    keeper.settled(the_room(), UserId(first.user), first.number, 0, offset, 1000);
    hand_over(first.user);
  } while (all);
}

inline void NumberNode::pump() {
  while (!inbox.empty()) {
    const auto news = std::move(inbox.front());
    inbox.pop_front();
    keeper.awake(world.clock.steady_ms());
    if (const auto* read = std::get_if<TailRead>(&news)) keeper.take(*read);
    else keeper.take(std::get<NumberNews>(news));
  }
}

inline void NumberNode::tick() {
  keeper.awake(world.clock.steady_ms());
  keeper.tick();
  for (auto& [user, left] : waiting) {
    if (left > 0) hand_over(user);
  }
}

inline bool NumberNode::connected() const noexcept { return linked; }

inline void NumberNode::claim(const Speaker& speaker, std::uint64_t ticket, std::optional<std::int64_t> first, UnixMs now) {
  using Outcome = NumberClaimed::Outcome;
  NumberClaimed answer{speaker.room, speaker.user, ticket, Outcome::away, {}, world.born_ms};
  if (linked) {
    const auto found = world.redis.find(speaker.user.value);
    if (found == world.redis.end() && !first) {
      answer.outcome = Outcome::absent;
    } else {
      NumberRecord& record = world.redis[speaker.user.value];
      if (found == world.redis.end()) record.at_ms = now;
      if (record.owner.empty() || record.owner == instance) {
        record.owner = instance;
        ++record.fence;
        record.next = std::max(record.next, first.value_or(0));
        answer.outcome = Outcome::granted;
      } else {
        answer.outcome = Outcome::held;
      }
      answer.record = record;
    }
  }
  inbox.emplace_back(answer);
}

inline void NumberNode::claim_by_force(const Speaker& speaker, std::uint64_t ticket, const NumberRecord& held) {
  using Outcome = NumberClaimed::Outcome;
  NumberClaimed answer{speaker.room, speaker.user, ticket, Outcome::away, {}, world.born_ms};
  if (linked) {
    const auto found = world.redis.find(speaker.user.value);
    answer.outcome = found == world.redis.end() ? Outcome::absent : Outcome::held;
    if (found != world.redis.end()) {
      NumberRecord& record = found->second;
      if (record.owner == held.owner && record.fence == held.fence) {
        record.owner = instance;
        ++record.fence;
        record.tail = true;
        answer.outcome = Outcome::granted;
      }
      answer.record = record;
    }
  }
  inbox.emplace_back(answer);
}

inline void NumberNode::ask_owner(const Speaker& speaker, std::uint64_t ticket, const std::string& owner) {
  NumberNode* const node = world.find(owner);
  const bool reached = linked && node != nullptr && node->linked;
  if (reached) node->inbox.emplace_back(NumberNote{NumberNote::Kind::wanted, speaker.room, speaker.user, instance});
  inbox.emplace_back(OwnerAsked{ticket, speaker.room, speaker.user, owner, !linked, reached, node != nullptr && node->leased});
}

inline void NumberNode::save_all(std::vector<Saved> records) {
  using Outcome = NumberSaved::Outcome;
  for (const Saved& saved : records) {
    NumberSaved answer{saved.room, saved.user, saved.record.fence, Outcome::away, {}};
    if (linked) {
      const bool fresh = !world.redis.contains(saved.user.value);
      NumberRecord& record = world.redis[saved.user.value];
      const bool ours = record.owner == instance && record.fence == saved.record.fence;
      const bool adopted = saved.adopt && record.next <= saved.record.next;
      if (fresh || ours || adopted) {
        const std::int64_t fence = fresh ? std::max<std::int64_t>(1, saved.record.fence) : ours ? record.fence : record.fence + 1;
        record = saved.record;
        record.owner = instance;
        record.fence = fence;
        record.tail = false;
        answer.outcome = Outcome::kept;
      } else {
        answer.outcome = Outcome::refused;
      }
      answer.record = record;
    }
    inbox.emplace_back(answer);
  }
  if (linked) inbox.emplace_back(NumbersBorn{world.born_ms});
}

inline void NumberNode::release(const Speaker& speaker, const NumberRecord& given, const std::vector<std::string>& waiting_there) {
  if (!linked) return;
  const auto found = world.redis.find(speaker.user.value);
  if (found != world.redis.end()) {
    NumberRecord& record = found->second;
    if (record.owner == instance && (given.fence == 0 || record.fence == given.fence)) {
      record.owner.clear();
      record.tail = given.fence == 0 ? record.tail || given.tail : given.tail;
      record.next = std::max(record.next, given.next);
      if (given.partition >= 0) {
        record.partition = given.partition;
        record.offset = given.offset;
        record.at_ms = given.at_ms;
      }
    }
  }
  for (const std::string& other : waiting_there) note(NumberNote::Kind::released, speaker, other);
}

inline void NumberNode::note(NumberNote::Kind kind, const Speaker& speaker, const std::string& other) {
  NumberNode* const node = world.find(other);
  if (linked && node != nullptr && node->linked) node->inbox.emplace_back(NumberNote{kind, speaker.room, speaker.user, instance});
}

inline void NumberNode::answer_questions() {
  for (const Question& question : std::exchange(questions, {})) {
    TailRead read{question.ticket, question.room, question.user, {}, -1, -1, 0};
    for (std::size_t i = 0; i < world.log.size(); ++i) {
      const NumberWorld::Entry& entry = world.log[i];
      if (entry.user != question.user.value) continue;
      if (question.lookback ? entry.at_ms < world.clock.unix_ms() - 600000 : static_cast<std::int64_t>(i) <= question.after.offset) continue;
      if (read.highest && entry.number <= *read.highest) {
        ++read.out_of_order;
        continue;
      }
      read.highest = entry.number;
      read.partition = 0;
      read.offset = static_cast<std::int64_t>(i);
    }
    inbox.emplace_back(read);
  }
}

}  // namespace fluentgate::test
