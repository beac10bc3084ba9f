// Signaling: what is planted is found.
#include "test/soak/check_signals.hpp"
#include "test/unit/soak/run.hpp"

namespace fluentgate::soak {
namespace {

struct World : Run {
  SignalChecker checker{journal};
  World() { checker.sent(1, 7, {8, 9}, {8}); }
  void late() {
    now += SignalChecker::within_ms + 1;
    checker.tick();
  }
};

TEST(a_message_that_arrives_is_well) {
  World world;
  world.now += 40;
  world.checker.received(1, 8, 7);
  world.late();
  CHECK_WELL(world);
  CHECK_EQ(world.checker.worst_ms(), 40);
}

TEST(a_message_that_does_not_arrive_is_found_once) {
  World world;
  world.late();
  world.late();
  CHECK_EQ(world.of(SignalChecker::arrives), 1u);
}

TEST(whoever_may_get_it_need_not) {
  World world;
  world.checker.received(1, 8, 7);
  world.late();  // 9 never got it
  CHECK_WELL(world);
}

TEST(a_message_twice_is_found) {
  World world;
  world.checker.received(1, 8, 7);
  world.checker.received(1, 8, 7);
  CHECK_EQ(world.of(SignalChecker::exact), 1u);
}

TEST(a_message_at_somebody_else_is_found) {
  World world;
  world.checker.received(1, 8, 7);
  world.checker.received(1, 10, 7);
  CHECK_EQ(world.of(SignalChecker::exact), 1u);
}

TEST(a_message_in_another_name_is_found) {
  World world;
  world.checker.received(1, 8, 9);
  CHECK_EQ(world.of(SignalChecker::exact), 1u);
}

TEST(a_message_that_nobody_sent_is_found) {
  World world;
  world.checker.received(2, 8, 7);
  CHECK_EQ(world.of(SignalChecker::exact), 1u);
}

TEST(unknown_peer_about_somebody_who_is_there_is_found) {
  World world;
  world.checker.unknown_peer(7);
  CHECK_EQ(world.of(SignalChecker::arrives), 1u);
}

TEST(what_was_disturbed_need_not_arrive) {
  World sender, receiver, all;
  sender.checker.disturbed(7);
  receiver.checker.disturbed(8);
  all.checker.disturbed();
  sender.checker.unknown_peer(7);
  sender.late();
  receiver.late();
  all.late();
  CHECK_WELL(sender);
  CHECK_WELL(receiver);
  CHECK_WELL(all);
}

}  // namespace
}  // namespace fluentgate::soak
