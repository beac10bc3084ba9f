// Growth, logs, marks, the plan, and the time line around a violation.
#include <set>

#include "test/soak/check_growth.hpp"
#include "test/soak/check_logs.hpp"
#include "test/soak/mark.hpp"
#include "test/soak/plan.hpp"
#include "test/unit/soak/run.hpp"

namespace fluentgate::soak {
namespace {

struct Growing : Run {
  GrowthChecker checker{journal};
  // Five minutes, each 2 s: memory and descriptors grow by so much in all.
  void run(double memory_mb, double more_descriptors) {
    for (int i = 0; i <= 150; ++i) {
      const double noise = i % 2 == 0 ? 1.0 : -1.0;
      checker.sample("p", 50.0 + noise + memory_mb * i / 150.0, 100 + static_cast<int>(more_descriptors * i / 150.0) + i % 3, i % 3);
      now += 2000;
    }
  }
};

TEST(a_flat_process_is_well) {
  Growing growing;
  growing.run(0, 0);
  growing.checker.finish(0, false);
  CHECK_WELL(growing);
}

TEST(memory_that_grows_is_found) {
  Growing growing;
  growing.run(GrowthChecker::memory_growth_mb_max + 2, 0);
  growing.checker.finish(0, false);
  CHECK_EQ(growing.of(GrowthChecker::flat), 1u);
}

TEST(descriptors_that_grow_are_found) {
  Growing growing;
  growing.run(0, GrowthChecker::descriptor_growth_max + 3);
  growing.checker.finish(0, false);
  CHECK_EQ(growing.of(GrowthChecker::flat), 1u);
}

TEST(a_short_run_may_fill_its_histories_and_no_more) {
  Growing filling, leaking;
  filling.run(GrowthChecker::filling_growth_mb_max - 10, 0);
  filling.checker.finish(0, true);
  CHECK_WELL(filling);
  leaking.run(GrowthChecker::filling_growth_mb_max + 10, 0);
  leaking.checker.finish(0, true);
  CHECK_EQ(leaking.of(GrowthChecker::flat), 1u);
}

TEST(what_grows_while_warming_up_is_left_out) {
  Growing growing;
  growing.run(40, 0);
  for (int i = 0; i <= 150; ++i) {
    growing.checker.sample("p", 90.0, 100, 0);
    growing.now += 2000;
  }
  growing.checker.finish(302000, false);
  CHECK_WELL(growing);
  CHECK_EQ(growing.checker.rows(302000).size(), 1u);
  CHECK(growing.checker.rows(302000)[0].memory_mb.has_value());
}

TEST(a_line_through_samples_is_the_line) {
  std::vector<Sample> samples;
  for (int i = 0; i <= 100; ++i) samples.push_back({i * 1000, 10.0 + 0.1 * i});
  const auto found = trend(samples);
  CHECK(found.has_value());
  CHECK(found->first > 9.999 && found->first < 10.001);
  CHECK(found->growth() > 9.999 && found->growth() < 10.001);
  CHECK(found->per_hour > 359.9 && found->per_hour < 360.1);
}

TEST(too_little_makes_no_line) {
  CHECK(!trend({{0, 1}, {90000, 2}}).has_value());
  std::vector<Sample> samples;
  for (int i = 0; i <= 100; ++i) samples.push_back({i * 100, 1.0});
  CHECK(!trend(samples).has_value());
}

TEST(errors_and_crashes_in_logs_are_found) {
  Run run;
  LogChecker checker(run.journal);
  checker.expect("as planned");
  checker.read("a", "2026-11-22T10:00:00.123Z info gateway: an error told as information\n2026-11-22T10:00:00.123Z error kafka: as planned\n");
  CHECK_WELL(run);
  checker.read("a", "2026-11-22T10:00:00.123Z error kafka: no\n");
  checker.read("b", "==1==ERROR: AddressSanitizer: heap-use-after-free\n");
  checker.read("b", "core/x.cpp:3:4: runtime error: signed integer overflow\n");
  CHECK_EQ(run.of(LogChecker::quiet), 3u);
}

TEST(marks_come_back_as_they_were) {
  const ChunkMark mark{11, 99, 123456, 1, 3};
  const std::string pcm = marked_pcm(mark);
  CHECK_EQ(pcm.size(), chunk_bytes);
  CHECK(read_mark(pcm) == mark);
  std::string spoilt = pcm;
  spoilt[8] = static_cast<char>(spoilt[8] ^ 1);
  CHECK(!read_mark(spoilt).has_value());
  CHECK(!read_mark(pcm.substr(2)).has_value());
  const auto caption = read_caption(caption_text({17, 4}, false));
  CHECK(caption.has_value());
  CHECK(!caption->final);
  CHECK_EQ(caption->mark.index, 17u);
  CHECK_EQ(caption->mark.language_index, 4u);
  CHECK(!read_caption("final 1 x").has_value());
  CHECK_EQ(person_of(person_name(12)).value_or(-1), 12);
  CHECK(!person_of("person-").has_value());
}

TEST(a_seed_makes_the_same_plan_and_another_seed_another) {
  const Plan one = make_plan(5, 300000, {}), same = make_plan(5, 300000, {}), other = make_plan(6, 300000, {});
  CHECK_EQ(one.deeds.size(), same.deeds.size());
  CHECK_EQ(one.faults.size(), same.faults.size());
  bool differs = one.faults.size() != other.faults.size();
  for (std::size_t i = 0; i < one.faults.size(); ++i) {
    CHECK(one.faults[i].kind == same.faults[i].kind && one.faults[i].for_ms == same.faults[i].for_ms && one.faults[i].instance == same.faults[i].instance);
    differs = differs || i >= other.faults.size() || one.faults[i].for_ms != other.faults[i].for_ms;
  }
  CHECK(differs);
  CHECK(one.persons[3].seed == same.persons[3].seed && one.persons[3].seed != other.persons[3].seed);
}

TEST(a_round_of_faults_has_every_kind) {
  const Plan plan = make_plan(1, 3600000, {});
  std::set<Fault::Kind> kinds;
  for (std::size_t i = 0; i < 8 && i < plan.faults.size(); ++i) kinds.insert(plan.faults[i].kind);
  CHECK_EQ(kinds.size(), 7u);
}

TEST(the_time_line_around_a_violation_is_kept) {
  Run run;
  run.journal.detail("long before");
  run.now += 20000;
  run.journal.detail("shortly before");
  run.now += 100;
  run.journal.violation("x", "broken");
  run.now += 100;
  run.journal.detail("shortly after");
  run.now += 60000;
  run.journal.detail("long after");
  const auto notes = run.journal.around(run.journal.violations()[0], 8000);
  CHECK_EQ(notes.size(), 3u);
  CHECK_EQ(notes[0].text, std::string("shortly before"));
  CHECK_EQ(notes[2].text, std::string("shortly after"));
}

}  // namespace
}  // namespace fluentgate::soak
