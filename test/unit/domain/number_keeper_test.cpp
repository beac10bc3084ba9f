// Sequence numbers over several instances (CONTRACT 2): each path of docs/decisions/0006, and all of them at random.
#include "core/domain/number_keeper.hpp"

#include <cstdlib>
#include <random>

#include "test/unit/domain/number_world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

TEST(numbers_without_redis_are_the_books) {
  NumberWorld world;
  NumberNode node(world, "a");
  node.say("ana");
  CHECK(node.on_its_way.empty());
  node.keeper.recovered(the_room(), UserId("ana"), 6, 0);
  node.keeper.recovery_done();
  node.hand_over("ana");
  node.say("ana");
  node.ack();
  CHECK_EQ(world.numbers("ana"), "7 8 ");
  CHECK(world.redis.empty());
}

TEST(numbers_of_a_new_speaker_start_at_0_and_ask_nobody_afterwards) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  a.say("ana", 3);
  CHECK(a.on_its_way.empty());
  world.settle();
  CHECK_EQ(a.on_its_way.size(), 3u);
  a.ack();
  a.say("ana");
  CHECK_EQ(a.inbox.size(), 0u);
  CHECK_EQ(a.on_its_way.size(), 1u);
  a.ack();
  CHECK_EQ(world.numbers("ana"), "0 1 2 3 ");
  CHECK_EQ(a.ways, "fresh ");
}

TEST(numbers_are_handed_over_by_a_living_owner_when_all_it_holds_is_acknowledged) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  NumberNode& b = world.start("b");
  a.say("ana", 2);
  world.settle();
  a.waiting["ana"] = 1;  // one more than the window allowed, say
  b.say("ana", 2);
  world.settle();
  CHECK_EQ(a.on_its_way.size(), 3u);
  CHECK(a.keeper.releasing());
  CHECK(b.on_its_way.empty());
  a.ack();
  world.settle();
  CHECK(!a.keeper.releasing());
  b.ack();
  CHECK_EQ(world.numbers("ana"), "0 1 2 3 4 ");
  CHECK_EQ(b.ways, "handed_over ");
  CHECK_EQ(world.redis["ana"].owner, "b");
}

TEST(numbers_are_waited_for_while_the_owner_can_not_drain) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  NumberNode& b = world.start("b");
  a.say("ana", 2);
  world.settle();
  b.say("ana");
  world.run(20000, false);  // Kafka is away
  CHECK(b.on_its_way.empty());
  CHECK_EQ(world.redis["ana"].owner, "a");
  a.ack();
  world.settle();
  b.ack();
  CHECK_EQ(world.numbers("ana"), "0 1 2 ");
}

TEST(numbers_of_a_killed_owner_go_on_behind_what_reached_the_log) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  NumberNode& b = world.start("b");
  a.say("ana", 2);
  world.settle();
  world.run(1200);
  a.say("ana", 3);
  world.kill(a, 2);  // of three on their way two arrive
  b.say("ana", 2);
  world.run(NumberKeeper::gone_ms - 100);
  CHECK(b.on_its_way.empty());
  world.run(500);
  CHECK_EQ(world.numbers("ana"), "0 1 2 3 4 5 ");
  CHECK_EQ(b.ways, "forced ");
  world.run(NumberKeeper::checkpoint_ms + 100);
  CHECK(!world.redis["ana"].tail);
}

TEST(numbers_taken_by_force_have_their_tail_read_by_the_next_if_the_taker_dies_too) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  NumberNode& b = world.start("b");
  NumberNode& c = world.start("c");
  a.say("ana", 4);
  world.settle();
  world.kill(a, 4);
  b.say("ana");
  for (int i = 0; i < 30 && world.redis["ana"].owner != "b"; ++i) {
    world.clock.advance(100);
    b.tick();
    b.pump();
  }
  CHECK(world.redis["ana"].tail);
  world.kill(b);
  c.say("ana");
  world.run(3000);
  CHECK_EQ(world.numbers("ana"), "0 1 2 3 4 ");
}

TEST(numbers_of_an_owner_that_reconnects_to_redis_are_not_taken) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  NumberNode& b = world.start("b");
  a.say("ana", 2);
  world.settle();
  a.linked = false;
  a.keeper.take(AuthorityState{false});
  b.say("ana");
  world.run(500, false);
  a.linked = true;
  a.keeper.take(AuthorityState{true});
  world.run(2000);
  CHECK_EQ(world.numbers("ana"), "0 1 2 ");
  CHECK_EQ(b.ways, "handed_over ");
}

TEST(numbers_of_a_stopped_owner_are_taken_when_its_lease_is_over_and_it_looks_before_it_goes_on) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  NumberNode& b = world.start("b");
  a.say("ana", 2);
  world.settle();
  a.ack();
  a.stopped = true;
  b.say("ana");
  world.run(6000);
  CHECK(b.ways.empty());
  a.leased = false;
  world.run(1000);
  CHECK_EQ(b.ways, "forced ");
  CHECK_EQ(world.numbers("ana"), "0 1 2 ");
  a.stopped = false;
  a.say("ana");  // its socket had a message still
  CHECK(a.on_its_way.empty());
  world.run(1000);
  CHECK_EQ(world.fault(), "");
  CHECK_EQ(a.conflicts, "");
  CHECK_EQ(world.numbers("ana"), "0 1 2 3 ");
}

TEST(numbers_on_their_way_when_the_owner_was_stopped_are_told_as_a_conflict) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  NumberNode& b = world.start("b");
  a.say("ana", 1);
  world.settle();
  a.ack();
  a.say("ana", 1);
  a.stopped = true;
  a.leased = false;
  b.say("ana");
  world.run(4000);
  CHECK_EQ(b.ways, "forced ");
  a.stopped = false;
  world.run(300);
  CHECK_EQ(a.conflicts, "ana ");
}

TEST(numbers_of_the_silent_are_released_exactly) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  a.say("ana", 2);
  world.settle();
  world.run(NumberKeeper::idle_ms + 500);
  CHECK_EQ(world.redis["ana"].owner, "");
  CHECK_EQ(world.redis["ana"].next, 2);
  world.kill(a);
  NumberNode& b = world.start("b");
  b.say("ana");
  world.settle();
  b.ack();
  CHECK_EQ(b.ways, "resumed ");
  CHECK_EQ(world.numbers("ana"), "0 1 2 ");
}

TEST(numbers_are_released_at_the_end) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  NumberNode& b = world.start("b");
  a.say("ana", 2);
  a.say("ben", 1);
  world.settle();
  a.ack();
  a.keeper.release_all();
  world.kill(a);
  b.say("ana");
  b.say("ben");
  world.settle();
  b.ack();
  CHECK_EQ(world.numbers("ana"), "0 1 2 ");
  CHECK_EQ(world.numbers("ben"), "0 1 ");
  CHECK_EQ(b.ways, "resumed resumed ");
}

TEST(numbers_go_on_while_redis_is_away_and_others_read_the_log) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  NumberNode& b = world.start("b");
  a.say("ana", 2);
  world.settle();
  a.ack();
  for (NumberNode* node : {&a, &b}) {
    node->linked = false;
    node->keeper.take(AuthorityState{false});
  }
  for (int i = 0; i < 15; ++i) {
    a.say("ana");
    world.run(100);
  }
  CHECK_EQ(world.numbers("ana"), "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 ");
  b.say("ana");  // it went to the other one
  world.run(1500);
  CHECK_EQ(b.ways, "log ");
  a.say("ana");  // and came back
  world.run(500);
  CHECK_EQ(world.fault(), "");
  for (NumberNode* node : {&a, &b}) {
    node->linked = true;
    node->keeper.take(AuthorityState{true});
  }
  world.run(1500);
  NumberNode& c = world.start("c");
  c.say("ana");
  world.run(1500);
  CHECK_EQ(world.fault(), "");
  CHECK_EQ(world.log.size(), 20u);
}

TEST(numbers_are_told_again_to_a_redis_that_came_back_empty) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  NumberNode& b = world.start("b");
  a.say("ana", 2);
  a.say("ben", 3);
  world.settle();
  world.run(NumberKeeper::idle_ms + 500);  // both are released
  a.say("ana", 1);
  world.run(200);
  world.redis.clear();
  world.born_ms = world.clock.unix_ms();
  world.run(1500);
  CHECK_EQ(world.redis["ana"].owner, "a");
  CHECK(!world.redis.contains("ben"));
  b.say("ben", 1);  // only the log knows
  b.say("ana", 1);
  world.run(500);
  CHECK_EQ(world.numbers("ana"), "0 1 2 3 ");
  CHECK_EQ(world.numbers("ben"), "0 1 2 3 ");
  CHECK_EQ(b.ways, "handed_over log ");
}

// Found by the soak: the speaker went elsewhere while Redis was away, which came back empty; its former owner told Redis what it knew, before the new one
// did, and was not told that it had lost it.
TEST(numbers_of_a_speaker_that_comes_back_after_an_outage_are_asked_for_first) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  NumberNode& b = world.start("b");
  a.say("ana", 2);
  world.settle();
  a.ack();
  for (NumberNode* node : {&a, &b}) {
    node->linked = false;
    node->keeper.take(AuthorityState{false});
  }
  for (int i = 0; i < 15; ++i) {
    a.say("ana");
    world.run(100);
  }
  b.say("ana");  // it went to the other one
  world.run(300);
  b.say("ana", 3);
  world.run(300);
  world.redis.clear();
  for (NumberNode* node : {&a, &b}) {
    node->linked = true;
    node->keeper.take(AuthorityState{true});
    world.run(20);
  }
  CHECK_EQ(world.redis["ana"].owner, "b");
  world.run(3000);
  a.say("ana", 2);  // and came back
  world.run(1500);
  CHECK_EQ(world.fault(), "");
  CHECK_EQ(world.log.size(), 2u + 15u + 4u + 2u);
}

TEST(numbers_are_asked_for_again_where_answers_are_lost) {
  NumberWorld world;
  NumberNode& a = world.start("a");
  NumberNode& b = world.start("b");
  a.say("ana");
  a.inbox.clear();  // what Redis said
  world.run(500);
  CHECK_EQ(world.numbers("ana"), "0 ");
  b.say("ana");
  b.pump();  // asks a
  a.inbox.clear();
  world.run(500);
  CHECK_EQ(world.numbers("ana"), "0 1 ");
  // A release whose way was lost: Redis has it as b's, b knows nothing of it.
  world.run(NumberKeeper::idle_ms + 500);
  world.redis["ana"].owner = "b";
  a.say("ana");
  world.run(500);
  CHECK_EQ(world.numbers("ana"), "0 1 2 ");
}

// Speakers move between three instances at random, which are killed and started, lose Redis for a moment, or can't reach Kafka.
TEST(numbers_rise_by_one_whatever_happens) {
  const char* given = std::getenv("FLUENTGATE_TEST_SEED");
  const unsigned long seed = given != nullptr ? std::strtoul(given, nullptr, 10) : std::random_device{}();
  std::printf("seed %lu (FLUENTGATE_TEST_SEED)\n", seed);
  std::mt19937_64 random(seed);
  const auto chance = [&](int of) { return random() % static_cast<unsigned>(of) == 0; };
  NumberWorld world;
  std::vector<NumberNode*> alive;
  int started = 0;
  const auto start = [&] { alive.push_back(&world.start("i" + std::to_string(started++))); };
  for (int i = 0; i < 3; ++i) start();
  struct Mover { std::string name; NumberNode* at; };
  std::vector<Mover> speakers;
  for (int i = 0; i < 12; ++i) speakers.push_back({"u" + std::to_string(i), alive[random() % 3]});
  for (int step = 0; step < 20000; ++step) {
    world.clock.advance(static_cast<std::int64_t>(random() % 40));
    for (Mover& speaker : speakers) {
      if (chance(40)) speaker.at = alive[random() % alive.size()];
      if (!chance(3)) speaker.at->say(speaker.name);
    }
    for (NumberNode* node : alive) {
      if (!chance(3)) node->ack(chance(2));
      if (chance(4)) node->tick();
      if (chance(2)) node->answer_questions();
      if (!chance(3)) node->pump();
    }
    if (chance(700)) {
      const std::size_t victim = random() % alive.size();
      NumberNode* const dead = alive[victim];
      world.kill(*dead, random() % 20);
      alive.erase(alive.begin() + static_cast<std::ptrdiff_t>(victim));
      start();
      for (Mover& speaker : speakers) {
        if (speaker.at == dead) speaker.at = alive[random() % alive.size()];
      }
    }
    if (step % 500 != 0) continue;
    if (const std::string fault = world.fault(); !fault.empty()) FAIL("step " + std::to_string(step) + ": " + fault);
  }
  for (int i = 0; i < 100; ++i) world.run(100);
  const std::string fault = world.fault();
  if (!fault.empty()) FAIL(fault);
  CHECK(world.log.size() > 50000);
  for (NumberNode* node : alive) CHECK_EQ(node->conflicts, "");
}
