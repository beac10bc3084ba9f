// What listeners hear: what is planted is found.
#include "test/soak/check_audio.hpp"
#include "test/unit/soak/run.hpp"

namespace fluentgate::soak {
namespace {

// Listener 1 in room 0 hears Spanish (1); speaker 2 speaks English (0).
struct World : Run {
  AudioChecker checker{journal};
  explicit World(bool together = true) {
    checker.opened(1, 0, {1}, together);
    checker.speaks(2, 0);
    now += AudioChecker::change_ms + 1;
    if (together) checker.suppressed(1, 2);
  }
  void hear(std::uint32_t counter, int language = 1, int speaker = 2, int room = 0, int spoken = 0) {
    checker.frame(1, {static_cast<std::uint16_t>(room), static_cast<std::uint16_t>(speaker), counter, static_cast<std::uint8_t>(spoken),
                      static_cast<std::uint8_t>(language)});
  }
};

TEST(frames_in_the_right_language_and_order_are_well) {
  World world;
  world.hear(3);
  world.hear(4);
  world.hear(9);
  CHECK_WELL(world);
  CHECK_EQ(world.checker.frames(), 3u);
}

TEST(another_room_is_found) {
  World world;
  world.hear(0, 1, 2, 5);
  CHECK_EQ(world.of(AudioChecker::right), 1u);
}

TEST(another_language_is_found) {
  World world;
  world.hear(0, 2);
  CHECK_EQ(world.of(AudioChecker::right), 1u);
}

TEST(own_speech_is_found) {
  World world;
  world.checker.suppressed(1, 1);
  world.hear(0, 1, 1);
  CHECK_EQ(world.of(AudioChecker::right), 1u);
}

TEST(who_speaks_what_the_listener_understands_is_found) {
  World world;
  world.hear(0, 1, 2, 0, 1);
  CHECK_EQ(world.of(AudioChecker::right), 1u);
}

TEST(an_older_frame_after_a_newer_one_is_found) {
  World world;
  world.hear(4);
  world.hear(3);
  CHECK_EQ(world.of(AudioChecker::order), 1u);
}

TEST(a_frame_twice_is_found_over_a_reconnect_too) {
  World world;
  world.hear(4);
  world.checker.opened(1, 0, {1}, true);
  world.checker.suppressed(1, 2);
  world.hear(4);
  CHECK_EQ(world.of(AudioChecker::order), 1u);
}

TEST(a_frame_before_suppress_original_is_found_once) {
  World world;
  world.checker.opened(1, 0, {1}, true);
  CHECK(world.checker.unannounced(1, 2));
  world.hear(0);
  world.hear(1);
  CHECK_EQ(world.of(AudioChecker::suppressed_first), 1u);
}

TEST(sockets_on_two_instances_have_no_such_order) {
  World world(false);
  CHECK(!world.checker.unannounced(1, 2));
  world.hear(0);
  CHECK_WELL(world);
}

TEST(a_frame_long_after_restore_original_is_found) {
  World world;
  world.checker.restored(1, 2);
  world.hear(0);
  CHECK_WELL(world);
  world.now += AudioChecker::restore_ms + 1;
  world.hear(1);
  CHECK_EQ(world.of(AudioChecker::suppressed_first), 1u);
}

TEST(the_old_language_after_the_new_one_is_in_force_is_found) {
  World world;
  world.checker.asked_for(1, {2});
  world.hear(0, 1);
  world.hear(0, 2);
  CHECK_WELL(world);
  world.checker.told(1, {2});
  world.hear(1, 2);
  CHECK_WELL(world);
  world.hear(1, 1);
  CHECK_EQ(world.of(AudioChecker::right), 1u);
}

}  // namespace
}  // namespace fluentgate::soak
