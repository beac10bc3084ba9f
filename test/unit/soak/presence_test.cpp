// Presence: what is planted is found, and each fact has its time to be known.
#include "test/soak/check_presence.hpp"
#include "test/unit/soak/run.hpp"

namespace fluentgate::soak {
namespace {

struct World : Run {
  PresenceChecker checker{journal};
  World() {
    checker.opened(0, 1);
    checker.existing_users(1, {});
    checker.opened(0, 2);
    checker.existing_users(2, {1});
    checker.user_joined(1, 2);
  }
  void later(Ms ms) {
    now += ms;
    checker.compare();
  }
  static constexpr Ms soon = PresenceChecker::known_within_ms + PresenceChecker::slack_ms;
};

TEST(coming_and_going_is_well) {
  World world;
  world.later(World::soon + 1);
  world.checker.ended(0, 2, false);
  world.checker.user_left(1, 2);
  world.later(World::soon + 1);
  world.checker.opened(0, 2);
  world.checker.existing_users(2, {1});
  world.checker.user_joined(1, 2);
  world.later(World::soon + 1);
  CHECK_WELL(world);
}

TEST(somebody_joining_twice_is_found) {
  World world;
  world.checker.user_joined(1, 2);
  CHECK_EQ(world.of(PresenceChecker::once), 1u);
}

TEST(somebody_twice_among_existing_users_is_found) {
  World world;
  world.checker.existing_users(1, {2, 2});
  CHECK_EQ(world.of(PresenceChecker::once), 1u);
}

TEST(oneself_among_existing_users_is_found) {
  World world;
  world.checker.existing_users(1, {1});
  CHECK_EQ(world.of(PresenceChecker::once), 1u);
}

TEST(somebody_leaving_who_was_not_there_is_found) {
  World world;
  world.checker.user_left(1, 3);
  CHECK_EQ(world.of(PresenceChecker::once), 1u);
}

TEST(somebody_said_to_have_left_who_is_there_is_found) {
  World world;
  world.later(World::soon + 1);
  world.checker.user_left(1, 2);
  CHECK_EQ(world.of(PresenceChecker::stays), 1u);
}

TEST(others_may_hear_of_an_end_before_its_client_does) {
  World world;
  world.later(World::soon + 1);
  world.checker.ending(2);
  world.checker.user_left(1, 2);
  world.later(1);
  world.checker.ended(0, 2, false);
  world.later(World::soon + 1);
  CHECK_WELL(world);
}

TEST(somebody_never_told_of_is_found_in_time) {
  World world;
  world.checker.opened(0, 3);
  world.checker.existing_users(3, {1, 2});
  world.checker.user_joined(1, 3);
  world.later(World::soon - 1);
  CHECK_WELL(world);
  world.later(2);
  CHECK_EQ(world.of(PresenceChecker::truth), 1u);  // by 2, and once
  world.later(1000);
  CHECK_EQ(world.of(PresenceChecker::truth), 1u);
}

TEST(somebody_still_shown_who_has_left_is_found) {
  World world;
  world.checker.ended(0, 2, false);
  world.later(World::soon + 1);
  CHECK_EQ(world.of(PresenceChecker::truth), 1u);
}

TEST(a_killed_instances_user_has_fifteen_seconds_and_no_more) {
  World world;
  world.checker.ended(0, 2, true);
  world.later(PresenceChecker::killed_known_within_ms + PresenceChecker::slack_ms - 1);
  CHECK_WELL(world);
  world.later(2);
  CHECK_EQ(world.of(PresenceChecker::truth), 1u);
}

TEST(who_comes_back_and_goes_again_has_the_fifteen_seconds_of_its_killed_instance) {
  World world;
  world.checker.ended(0, 2, true);
  world.checker.opened(0, 2);
  world.checker.existing_users(2, {1});
  world.checker.ended(0, 2, false);
  world.later(PresenceChecker::killed_known_within_ms + PresenceChecker::slack_ms - 1);
  CHECK_WELL(world);
  world.later(2);
  CHECK_EQ(world.of(PresenceChecker::truth), 1u);
}

TEST(nothing_is_asked_while_redis_is_away_and_all_is_five_seconds_after) {
  World world;
  world.checker.redis_away();
  world.checker.ended(0, 2, false);
  world.later(60000);
  CHECK_WELL(world);
  world.checker.redis_back();
  world.later(PresenceChecker::redis_back_within_ms + PresenceChecker::slack_ms - 1);
  CHECK_WELL(world);
  world.later(2);
  CHECK_EQ(world.of(PresenceChecker::truth), 1u);
}

TEST(a_takeover_that_others_notice_is_found) {
  World world;
  world.later(World::soon + 1);
  world.checker.replaced(2);
  world.checker.existing_users(2, {1});
  world.later(1);
  CHECK_WELL(world);
  world.checker.user_left(1, 2);
  CHECK_EQ(world.of(PresenceChecker::stays), 1u);
}

}  // namespace
}  // namespace fluentgate::soak
