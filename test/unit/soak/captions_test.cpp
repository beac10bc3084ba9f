// Captions: what is planted is found, also across a resume.
#include "test/soak/check_captions.hpp"
#include "test/unit/soak/run.hpp"

namespace fluentgate::soak {
namespace {

struct World : Run {
  CaptionChecker checker;
  explicit World(SubscriberPlan::Kind kind = SubscriberPlan::Kind::all, int language = 0) : checker(journal, "reader", kind, language) {
    checker.opened(false);
    checker.history_end(std::nullopt);
  }
  void live(std::uint64_t index, bool translated = false) { checker.caption({translated, 0, true, false, index, index}); }
  void replay(std::uint64_t index, bool translated = false) { checker.caption({translated, 0, true, true, index, index}); }
};

TEST(finals_in_a_row_and_a_resume_from_the_position_are_well) {
  World world;
  for (std::uint64_t i = 5; i < 9; ++i) world.live(i);
  world.checker.opened(true);
  for (std::uint64_t i = 5; i < 12; ++i) world.replay(i);
  world.checker.history_end(true);
  world.live(12);
  world.checker.opened(true);  // from the second position: 12 came live after it
  world.replay(12);
  world.checker.history_end(true);
  world.live(13);
  world.checker.finish(false, 14, {});
  CHECK_WELL(world);
  CHECK_EQ(world.checker.resumes(), 2u);
}

TEST(a_final_lost_while_live_is_found) {
  World world;
  world.live(0);
  world.live(2);
  CHECK_EQ(world.of(CaptionChecker::complete), 1u);
}

TEST(a_final_twice_is_found) {
  World world;
  world.live(0);
  world.live(0);
  CHECK_EQ(world.of(CaptionChecker::complete), 1u);
}

TEST(a_final_lost_over_a_reconnect_is_found) {
  World world;
  world.live(0);
  world.live(1);
  world.checker.opened(true);
  world.replay(0);
  world.replay(1);
  world.checker.history_end(true);
  world.live(3);
  CHECK_EQ(world.of(CaptionChecker::complete), 1u);
}

TEST(a_resume_that_begins_after_its_position_is_found) {
  World world;
  world.live(0);
  world.live(1);
  world.checker.opened(true);
  world.replay(1);
  CHECK_EQ(world.of(CaptionChecker::complete), 1u);
}

TEST(a_resume_that_repeats_what_came_before_its_position_is_found) {
  World world;
  world.live(4);
  world.checker.opened(true);
  world.replay(3);
  CHECK_EQ(world.of(CaptionChecker::complete), 1u);
}

TEST(a_resume_that_is_not_recovered_is_found) {
  World world;
  world.checker.opened(true);
  world.checker.history_end(false);
  CHECK_EQ(world.of(CaptionChecker::recovered), 1u);
  World silent;
  silent.checker.opened(true);
  silent.checker.history_end(std::nullopt);
  CHECK_EQ(silent.of(CaptionChecker::recovered), 1u);
}

TEST(live_before_history_end_and_replay_after_it_are_found) {
  World world;
  world.checker.opened(true);
  world.live(0);
  CHECK_EQ(world.of(CaptionChecker::complete), 1u);
  World after;
  after.replay(0);
  CHECK_EQ(after.of(CaptionChecker::complete), 1u);
}

TEST(an_interim_caption_replayed_is_found) {
  World world;
  world.checker.opened(true);
  world.checker.caption({false, 0, false, true, 0, 0});
  CHECK_EQ(world.of(CaptionChecker::complete), 1u);
}

TEST(another_kind_or_language_than_asked_for_is_found) {
  World originals(SubscriberPlan::Kind::originals);
  originals.live(0, true);
  CHECK_EQ(originals.of(CaptionChecker::complete), 1u);
  World translations(SubscriberPlan::Kind::translations);
  translations.live(0);
  CHECK_EQ(translations.of(CaptionChecker::complete), 1u);
  World spanish(SubscriberPlan::Kind::one_language, 1);
  spanish.live(0);
  CHECK_EQ(spanish.of(CaptionChecker::complete), 1u);
}

TEST(a_narrowed_reader_counts_its_language_alone) {
  World world(SubscriberPlan::Kind::one_language, 1);
  world.checker.caption({true, 1, true, false, 10, 4});
  world.checker.caption({true, 1, true, false, 13, 5});
  CHECK_WELL(world);
  world.checker.caption({true, 1, true, false, 14, 7});
  CHECK_EQ(world.of(CaptionChecker::complete), 1u);
}

TEST(what_never_came_is_found_at_the_end) {
  World world;
  world.live(0);
  world.checker.finish(false, 2, {});
  CHECK_EQ(world.of(CaptionChecker::complete), 1u);
}

}  // namespace
}  // namespace fluentgate::soak
