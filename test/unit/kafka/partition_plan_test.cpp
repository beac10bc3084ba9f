// What is fetched and from where, as rooms, ends and partition counts change.
#include <algorithm>
#include <set>

#include "core/kafka/partition_plan.hpp"
#include "test/support/check.hpp"
#include "test/support/fake_clock.hpp"

using namespace fluentgate;
using namespace fluentgate::kafka;
using namespace fluentgate::test;

namespace {

struct Planning {
  explicit Planning(std::vector<std::string> partitioners = {"murmur2"}) : plan({std::move(partitioners), 30000, 900000}, interest, clock), keys({"murmur2"}) {
    interest.follow([] {});
  }
  void topic(std::uint8_t index, std::int32_t count, bool all_new = false) {
    std::vector<PartitionPlan::Seen> seen;
    for (std::int32_t i = 0; i < count; ++i) seen.push_back({i, true});
    plan.note_topic(index, seen, all_new);
  }
  // Every end that is asked for is answered so.
  void ends(std::int64_t end) {
    const auto places = plan.to_ask();
    plan.note_ends(places, std::vector<std::int64_t>(places.size(), end));
  }
  void join(const std::string& room) { interest.set(RoomId(room), {}); }
  void leave(const std::string& room) { interest.erase(RoomId(room)); }
  std::int32_t home(const std::string& room, std::int32_t count) {
    std::vector<std::int32_t> found;
    keys.add(room, count, found);
    return found.front();
  }
  std::vector<PartitionPlan::Wanted> open_audio() {
    auto wanted = plan.take_wanted(false);
    for (const auto& one : wanted) plan.assigned(one.place);
    return wanted;
  }

  FakeClock clock;
  Interest interest{clock};
  PartitionPlan plan;
  KeyPartitions keys;
};

}  // namespace

TEST(only_the_partitions_of_hosted_rooms_are_wanted) {
  Planning world;
  for (std::uint8_t index = 0; index < 3; ++index) world.topic(index, 8);
  world.ends(100);
  CHECK(world.plan.take_wanted(false).empty());
  world.join("r");
  const auto audio = world.open_audio();
  CHECK_EQ(audio.size(), 1u);
  CHECK_EQ(audio[0].place.second, world.home("r", 8));
  CHECK_EQ(audio[0].live_from, 100);
  const auto text = world.plan.take_wanted(true);
  CHECK_EQ(text.size(), 2u);
  CHECK_EQ(static_cast<int>(text[0].place.first), 1);
  CHECK_EQ(static_cast<int>(text[1].place.first), 2);
  CHECK(world.plan.take_wanted(true).empty());  // each once
}

TEST(reading_begins_at_the_end_known_before_the_join) {
  Planning world;
  world.topic(0, 8);
  world.ends(100);
  const auto places = world.plan.to_ask();
  world.join("r");  // while the next ends are asked for
  world.plan.note_ends(places, std::vector<std::int64_t>(places.size(), 250));
  const auto wanted = world.open_audio();
  CHECK_EQ(wanted.size(), 1u);
  CHECK_EQ(wanted[0].live_from, 100);
  world.clock.advance(500);
  world.ends(300);
  world.join("a room that comes later");
  for (const auto& one : world.open_audio()) CHECK_EQ(one.live_from, one.place.second == wanted[0].place.second ? 100 : 300);
}

TEST(a_room_that_was_there_before_kafka_is_read_from_the_first_end_that_is_known) {
  Planning world;
  world.join("r");
  CHECK(world.plan.take_wanted(false).empty());
  world.topic(0, 4);
  CHECK(world.plan.take_wanted(false).empty());
  CHECK_EQ(world.plan.placed(), 0u);
  CHECK(world.plan.incomplete());
  world.ends(7);
  CHECK(!world.plan.incomplete());
  CHECK_EQ(world.plan.placed(), 4u);
  const auto wanted = world.open_audio();
  CHECK_EQ(wanted.size(), 1u);
  CHECK_EQ(wanted[0].live_from, 7);
}

TEST(a_partition_is_released_some_time_after_its_last_room_left) {
  Planning world;
  world.topic(0, 1);
  world.ends(10);
  world.join("a");
  world.join("b");
  CHECK_EQ(world.open_audio().size(), 1u);
  world.leave("a");
  world.clock.advance(60000);
  CHECK(world.plan.take_unwanted().empty());
  world.leave("b");
  CHECK(world.plan.take_unwanted().empty());
  world.clock.advance(29000);
  CHECK(world.plan.take_unwanted().empty());
  world.join("c");
  world.clock.advance(29000);
  CHECK(world.plan.take_unwanted().empty());  // somebody came back in time
  world.leave("c");
  CHECK(world.plan.take_unwanted().empty());
  world.clock.advance(30000);
  CHECK_EQ(world.plan.take_unwanted().size(), 1u);
  CHECK(world.plan.take_unwanted().empty());
  world.join("d");  // while it is being released: goes on where reading stopped, not at an end told later
  world.plan.released({0, 0}, 42);
  const auto wanted = world.open_audio();
  CHECK_EQ(wanted.size(), 1u);
  CHECK_EQ(wanted[0].live_from, 42);
}

TEST(a_released_partition_begins_where_it_ended_until_a_newer_end_is_known) {
  Planning world;
  world.topic(0, 1);
  world.ends(10);
  world.join("a");
  world.open_audio();
  world.leave("a");
  CHECK(world.plan.take_unwanted().empty());
  world.clock.advance(30000);
  CHECK_EQ(world.plan.take_unwanted().size(), 1u);
  world.plan.released({0, 0}, 42);
  CHECK_EQ(world.plan.fetched(), 0u);
  CHECK_EQ(world.plan.to_ask().size(), 1u);
  world.clock.advance(500);
  world.ends(50);
  world.join("b");
  CHECK_EQ(world.open_audio()[0].live_from, 50);
}

TEST(when_the_partition_count_grows_old_and_new_places_are_read) {
  Planning world;
  world.topic(0, 4);
  world.ends(1000);
  // A room whose key moves to a partition that was there before, and one whose key moves to a new partition.
  std::string to_old, to_new;
  for (int i = 0; to_old.empty() || to_new.empty(); ++i) {
    const std::string room = "room-" + std::to_string(i);
    const std::int32_t before = world.home(room, 4), after = world.home(room, 7);
    if (to_old.empty() && after < 4 && after != before) to_old = room;
    if (to_new.empty() && after >= 4 && (to_old.empty() || before != world.home(to_old, 7))) to_new = room;
  }
  world.join(to_old);
  world.join(to_new);
  world.open_audio();
  for (int i = 1; i <= 20; ++i) {
    world.clock.advance(500);
    world.ends(1000 + i * 10);
  }
  world.topic(0, 7);
  const auto moved = world.open_audio();
  CHECK(moved.size() >= 1);
  for (const auto& [place, live_from, whole] : moved) {
    if (place.second >= 4) {
      CHECK(whole);
      CHECK_EQ(live_from, 0);
    } else {
      // Whoever writes may have known of the new count some seconds before.
      CHECK(!whole);
      CHECK_EQ(place.second, world.home(to_old, 7));
      CHECK(live_from <= 1200 - 6 * 20);
    }
  }
  const auto places = world.plan.partitions_of(0, to_new);
  CHECK(std::find(places.begin(), places.end(), world.home(to_new, 4)) != places.end());
  CHECK(std::find(places.begin(), places.end(), world.home(to_new, 7)) != places.end());
  // After its time the old place is given up.
  world.clock.advance(900001);
  world.topic(0, 7);
  CHECK_EQ(world.plan.partitions_of(0, to_new).size(), 1u);
  world.clock.advance(30000);
  const auto unwanted = world.plan.take_unwanted();
  CHECK(std::find(unwanted.begin(), unwanted.end(), PartitionPlan::Place(0, world.home(to_new, 4))) != unwanted.end());
}

TEST(all_of_a_topic_that_was_missing_is_new) {
  Planning world;
  world.join("r");
  world.topic(0, 4, true);
  const auto wanted = world.open_audio();
  CHECK_EQ(wanted.size(), 1u);
  CHECK(wanted[0].whole);
  CHECK_EQ(wanted[0].live_from, 0);
}

TEST(an_end_that_goes_back_is_another_log) {
  Planning world;
  world.topic(0, 1);
  world.ends(1000);
  world.clock.advance(500);
  world.ends(3);
  world.join("r");
  CHECK_EQ(world.open_audio()[0].live_from, 3);
}

TEST(a_partition_without_a_leader_is_neither_asked_nor_opened) {
  Planning world;
  const PartitionPlan::Seen leaderless[] = {{0, false}};
  world.plan.note_topic(0, leaderless, false);
  CHECK(world.plan.to_ask().empty());
  CHECK(!world.plan.incomplete());
  CHECK_EQ(world.plan.placed(), 0u);  // so it is not ready
  world.topic(0, 1);
  world.ends(5);
  world.plan.note_topic(0, leaderless, false);
  world.join("r");
  CHECK(world.open_audio().empty());
  world.topic(0, 1);
  CHECK_EQ(world.open_audio()[0].live_from, 5);
}

TEST(a_room_that_left_at_once_leaves_nothing_wanted) {
  Planning world;
  world.topic(0, 1);
  world.ends(5);
  world.join("r");
  world.leave("r");
  CHECK(world.open_audio().empty());
  CHECK_EQ(world.plan.rooms(), 0u);
  world.join("r");
  CHECK_EQ(world.plan.rooms(), 1u);  // wanted now,
  world.leave("r");
  CHECK(world.open_audio().empty());  // and given up before anybody took it
  world.ends(9);
  world.join("r");
  CHECK_EQ(world.open_audio()[0].live_from, 9);
}

TEST(text_places_are_those_of_both_topics_and_all_partitioners) {
  Planning world({"murmur2", "crc32"});
  CHECK(!world.plan.text_places_of("r").has_value());
  world.topic(1, 16);
  CHECK(!world.plan.text_places_of("r").has_value());
  world.topic(2, 16);
  const auto places = world.plan.text_places_of("r");
  CHECK(places.has_value());
  std::set<std::int32_t> expected;
  for (const std::int32_t partition : world.plan.partitions_of(1, "r")) expected.insert(partition);
  CHECK_EQ(places->size(), expected.size() * 2);
}

TEST(samples_go_round_the_partitions_that_grew_and_never_back) {
  Planning world;
  world.topic(0, 5);
  world.ends(100);
  CHECK(world.plan.next_samples(8).empty());  // what was there when we came is nobody's news
  world.join("r");
  world.open_audio();
  const std::int32_t home = world.home("r", 5);
  world.clock.advance(500);
  world.ends(103);
  std::set<std::int32_t> seen;
  for (int i = 0; i < 2; ++i) {
    for (const auto& sample : world.plan.next_samples(2)) {
      world.plan.sampled(sample.place, sample.end);
      CHECK_EQ(sample.from, 100);
      CHECK_EQ(sample.end, 103);
      CHECK(seen.insert(sample.place.second).second);
    }
  }
  CHECK_EQ(seen.size(), 4u);
  CHECK(!seen.contains(home));
  CHECK(world.plan.next_samples(8).empty());
  world.clock.advance(500);
  world.ends(5000);
  const auto more = world.plan.next_samples(8);
  CHECK_EQ(more.size(), 4u);
  CHECK_EQ(world.plan.next_samples(8).size(), 4u);  // as long as nobody has looked
  CHECK_EQ(more[0].from, 5000 - PartitionPlan::sample_records);
}
