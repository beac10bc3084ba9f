// Numbers and chunks in audio.raw: what is planted is found.
#include "test/soak/check_chunks.hpp"
#include "test/unit/soak/run.hpp"

namespace fluentgate::soak {
namespace {

struct World : Run {
  ChunkChecker checker{journal};
  void say(std::uint32_t from, std::uint32_t to, int life = 1, int session = 1) {
    for (std::uint32_t i = from; i <= to; ++i) checker.sent(7, i, life, session, 20);
  }
};

TEST(a_row_of_numbers_and_chunks_is_well) {
  World world;
  world.say(0, 4);
  for (std::uint32_t i = 0; i <= 4; ++i) world.checker.record(7, i, i);
  world.checker.finish();
  CHECK_WELL(world);
  CHECK_EQ(world.checker.records(), 5u);
}

TEST(a_number_left_out_is_found) {
  World world;
  world.say(0, 1);
  world.checker.record(7, 0, 0);
  world.checker.record(7, 2, 1);
  CHECK_EQ(world.of(ChunkChecker::numbers), 1u);
}

TEST(a_number_twice_is_found) {
  World world;
  world.say(0, 1);
  world.checker.record(7, 0, 0);
  world.checker.record(7, 0, 1);
  CHECK_EQ(world.of(ChunkChecker::numbers), 1u);
}

TEST(a_number_that_begins_above_zero_is_found) {
  World world;
  world.say(0, 0);
  world.checker.record(7, 1, 0);
  CHECK_EQ(world.of(ChunkChecker::numbers), 1u);
}

TEST(a_chunk_twice_is_found) {
  World world;
  world.say(0, 1);
  world.checker.record(7, 0, 0);
  world.checker.record(7, 1, 1);
  world.checker.record(7, 2, 1);
  CHECK_EQ(world.of(ChunkChecker::speech), 1u);
}

TEST(a_lost_chunk_is_found_when_a_later_one_comes) {
  World world;
  world.say(0, 2);
  world.checker.record(7, 0, 0);
  world.checker.record(7, 1, 2);
  CHECK_EQ(world.of(ChunkChecker::speech), 1u);
}

TEST(a_lost_chunk_is_found_at_the_end) {
  World world;
  world.say(0, 1);
  world.checker.record(7, 0, 0);
  world.checker.finish();
  CHECK_EQ(world.of(ChunkChecker::speech), 1u);
}

TEST(a_chunk_that_was_never_sent_is_found) {
  World world;  // as what was said while muted
  world.say(0, 0);
  world.checker.record(7, 0, 0);
  world.checker.record(7, 1, 1);
  CHECK_EQ(world.of(ChunkChecker::speech), 1u);
}

TEST(chunks_in_another_order_are_found) {
  World world;
  world.say(0, 2);
  world.checker.life_ended(1, true);  // so that leaving one out is no violation: coming late is
  world.checker.record(7, 0, 0);
  world.checker.record(7, 1, 2);
  world.checker.record(7, 2, 1);
  CHECK_EQ(world.of(ChunkChecker::speech), 1u);
}

TEST(what_goes_down_with_a_killed_instance_is_excused_and_with_a_drained_one_is_not) {
  World killed;
  killed.say(0, 1, 3);
  killed.checker.life_ended(3, true);
  killed.checker.finish();
  CHECK_WELL(killed);
  CHECK_EQ(killed.checker.lost_excused(), 2u);

  World drained;
  drained.say(0, 1, 3);
  drained.checker.life_ended(3, false);
  drained.checker.finish();
  CHECK_EQ(drained.of(ChunkChecker::speech), 2u);
}

TEST(a_socket_closed_by_its_client_loses_nothing) {
  World world;
  world.say(0, 0);
  world.checker.session_ended(1, true);
  world.checker.finish();
  CHECK_EQ(world.of(ChunkChecker::speech), 1u);
}

TEST(a_socket_that_ended_otherwise_may_lose_what_was_sent_last_only) {
  World world;
  world.say(0, 0);
  world.now += ChunkChecker::unread_ms + 1;
  world.say(1, 1);
  world.checker.session_ended(1, false);
  world.checker.finish();
  CHECK_EQ(world.of(ChunkChecker::speech), 1u);
  CHECK_EQ(world.checker.lost_excused(), 1u);
}

TEST(what_was_on_its_way_on_a_replaced_socket_may_come_late_once) {
  World world;
  world.say(0, 0);
  world.checker.session_ended(1, false);
  world.say(1, 1, 1, 2);
  world.checker.record(7, 0, 1);
  world.checker.record(7, 1, 0);
  CHECK_WELL(world);
  world.checker.record(7, 2, 0);
  CHECK_EQ(world.of(ChunkChecker::speech), 1u);
}

TEST(what_was_told_as_dropped_is_excused_and_no_more) {
  World world;
  world.say(0, 2);
  world.checker.dropped_told(7, 40);
  world.checker.finish();
  CHECK_EQ(world.of(ChunkChecker::speech), 1u);
}

}  // namespace
}  // namespace fluentgate::soak
