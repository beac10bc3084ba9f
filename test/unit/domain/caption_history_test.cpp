// What late joiners and resuming clients get (CONTRACT 3).
#include "core/domain/caption_history.hpp"

#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

constexpr std::uint8_t original = 1, translated = 2;
constexpr UnixMs start = 1'763'805'600'000;

struct Spec {
  std::int64_t offset = 0;
  std::string language = "en";
  UnixMs ms = start;
  std::uint8_t topic = original;
  std::int32_t partition = 0;
  std::string room = "r";
  bool is_final = true;
};

CaptionHistory::Entry caption(const Spec& spec) {
  return std::make_shared<const Caption>(Caption{.room = RoomId(spec.room), .type = spec.topic == original ? CaptionType::original : CaptionType::translated,
                                                 .speaker = UserId("u"), .language = LanguageTag::parse(spec.language).value(), .source_language = {},
                                                 .text = spec.language + std::to_string(spec.offset), .is_final = spec.is_final,
                                                 .position = {spec.topic, spec.partition, spec.offset, spec.ms}, .arrival_ms = spec.ms});
}

std::string texts(const std::vector<CaptionHistory::Entry>& entries) {
  std::string out;
  for (const auto& entry : entries) out += (out.empty() ? "" : " ") + entry->text;
  return out;
}

std::string since(const CaptionHistory& history, std::int64_t offset, UnixMs now = start + 1000, const std::string& room = "r") {
  LogCursor cursor;
  cursor.places[{original, 0}] = {offset, 0};
  const auto entries = history.since(RoomId(room), cursor, now);
  return entries ? texts(*entries) : "gone";
}

}  // namespace

TEST(only_finals_are_kept_oldest_first) {
  CaptionHistory history({});
  history.add(caption({.offset = 0}), start);
  history.add(caption({.offset = 1, .is_final = false}), start);
  history.add(caption({.offset = 2}), start);
  CHECK_EQ(texts(history.last(RoomId("r"), 50, start)), "en0 en2");
  CHECK(history.last(RoomId("other"), 50, start).empty());
}

TEST(the_count_is_per_language_and_at_most_the_option) {
  CaptionHistory history({.per_language = 2});
  for (std::int64_t i = 0; i < 4; ++i) history.add(caption({.offset = i, .ms = start + i}), start + 10);
  history.add(caption({.offset = 4, .language = "es", .ms = start + 4}), start + 10);
  history.add(caption({.offset = 5, .language = "ES", .ms = start + 5}), start + 10);
  CHECK_EQ(texts(history.last(RoomId("r"), 50, start + 10)), "en2 en3 es4 ES5");
  CHECK_EQ(texts(history.last(RoomId("r"), 1, start + 10)), "en3 ES5");
  CHECK_EQ(texts(history.last(RoomId("r"), 0, start + 10)), "");
}

TEST(a_filter_counts_only_what_it_wants) {
  CaptionHistory history({.per_language = 10});
  for (std::int64_t i = 0; i < 3; ++i) history.add(caption({.offset = i, .ms = start + i}), start + 10);
  history.add(caption({.offset = 0, .language = "en", .ms = start, .topic = translated}), start + 10);
  const auto only_translated = [](const Caption& c) { return c.type == CaptionType::translated; };
  CHECK_EQ(history.last(RoomId("r"), 1, start + 10, only_translated).size(), 1u);
}

TEST(partitions_are_merged_by_timestamp_and_keep_their_own_order) {
  CaptionHistory history({});
  // Read back topic by topic, as after a start.
  history.add(caption({.offset = 0, .language = "en", .ms = start + 10}), start + 100);
  history.add(caption({.offset = 1, .language = "en", .ms = start + 5}), start + 100);  // a worker's clock stepped: order stays
  history.add(caption({.offset = 2, .language = "en", .ms = start + 30}), start + 100);
  history.add(caption({.offset = 0, .language = "es", .ms = start + 10, .topic = translated}), start + 100);
  history.add(caption({.offset = 1, .language = "es", .ms = start + 20, .topic = translated}), start + 100);
  CHECK_EQ(texts(history.last(RoomId("r"), 50, start + 100)), "en0 en1 es0 es1 en2");
}

TEST(captions_older_than_keep_ms_are_neither_taken_nor_told) {
  CaptionHistory history({.per_language = 50, .keep_ms = 1000});
  history.add(caption({.offset = 0, .ms = start - 1001}), start);
  history.add(caption({.offset = 1, .ms = start - 1000}), start);
  CHECK_EQ(texts(history.last(RoomId("r"), 50, start)), "en1");
  CHECK_EQ(texts(history.last(RoomId("r"), 50, start + 1)), "");  // before any trim
}

TEST(a_timestamp_in_the_future_or_none_counts_as_now) {
  CaptionHistory history({.per_language = 50, .keep_ms = 1000});
  history.add(caption({.offset = 0, .ms = start + 1'000'000}), start);
  history.add(caption({.offset = 1, .ms = -1}), start);
  CHECK_EQ(texts(history.last(RoomId("r"), 50, start + 1000)), "en0 en1");
  CHECK_EQ(texts(history.last(RoomId("r"), 50, start + 1001)), "");
}

TEST(since_gives_what_came_after_the_cursor) {
  CaptionHistory history({});
  for (std::int64_t i = 0; i < 4; ++i) history.add(caption({.offset = i * 10, .ms = start + i}), start + 10);
  CHECK_EQ(since(history, -1), "en0 en10 en20 en30");
  CHECK_EQ(since(history, 10), "en20 en30");
  CHECK_EQ(since(history, 15), "en20 en30");  // the cursor's record may be another room's, or an interim
  CHECK_EQ(since(history, 30), "");
  CHECK_EQ(since(history, 30, start + 1000, "never heard of"), "");
}

TEST(a_partition_that_the_cursor_lacks_is_wholly_after_it) {
  CaptionHistory history({});
  history.add(caption({.offset = 0, .ms = start}), start);
  history.add(caption({.offset = 0, .language = "es", .ms = start + 1, .topic = translated}), start + 1);
  CHECK_EQ(since(history, 0), "es0");
}

TEST(since_is_impossible_when_some_of_it_was_dropped_by_count) {
  CaptionHistory history({.per_language = 2});
  for (std::int64_t i = 0; i < 4; ++i) history.add(caption({.offset = i, .ms = start + i}), start + 10);
  CHECK_EQ(since(history, 0), "gone");  // 1 is gone
  CHECK_EQ(since(history, 1), "en2 en3");
}

TEST(since_is_impossible_when_some_of_it_is_too_old_trimmed_or_not) {
  CaptionHistory history({.per_language = 50, .keep_ms = 1000});
  history.add(caption({.offset = 0, .ms = start}), start);
  history.add(caption({.offset = 1, .ms = start + 600}), start + 600);
  const UnixMs now = start + 1100;
  CHECK_EQ(since(history, -1, now), "gone");
  CHECK_EQ(since(history, 0, now), "en1");
  history.trim(now);
  CHECK_EQ(since(history, -1, now), "gone");
  CHECK_EQ(since(history, 0, now), "en1");
  history.trim(start + 100000);  // an empty room remembers still
  CHECK_EQ(since(history, 0, start + 100000), "gone");
  CHECK_EQ(since(history, 1, start + 100000), "");
  CHECK_EQ(history.bytes(), 0u);
}

TEST(a_history_of_none_keeps_none_and_knows_what_it_did_not_keep) {
  CaptionHistory history({.per_language = 0});
  history.add(caption({.offset = 3}), start);
  CHECK_EQ(texts(history.last(RoomId("r"), 50, start)), "");
  CHECK_EQ(since(history, 2), "gone");
  CHECK_EQ(since(history, 3), "");
}

TEST(records_read_again_are_kept_once) {
  CaptionHistory history({.per_language = 2});
  for (int round = 0; round < 2; ++round) {
    for (std::int64_t i = 0; i < 4; ++i) history.add(caption({.offset = i, .ms = start + i}), start + 10);
  }
  CHECK_EQ(texts(history.last(RoomId("r"), 50, start + 10)), "en2 en3");
  CHECK_EQ(since(history, 1), "en2 en3");
}

TEST(captions_of_a_replaced_log_are_shown_but_belong_to_no_cursor) {
  CaptionHistory history({});
  for (std::int64_t i = 0; i < 3; ++i) history.add(caption({.offset = 100 + i, .ms = start + i}), start + 10);
  history.add(caption({.offset = 5, .ms = start + 10}), start + 10);
  history.add(caption({.offset = 6, .ms = start + 11}), start + 11);
  CHECK_EQ(texts(history.last(RoomId("r"), 50, start + 11)), "en100 en101 en102 en5 en6");
  CHECK_EQ(since(history, 5), "en6");
  CHECK_EQ(since(history, 4), "en5 en6");
  CHECK_EQ(since(history, 3), "gone");
}

TEST(over_the_bound_of_rooms_the_least_recently_written_goes_and_old_cursors_are_refused) {
  CaptionHistory history({});
  history.add(caption({.offset = 7, .room = "first"}), start);
  for (std::size_t i = 0; i < limits::history_rooms_max; ++i) {
    history.add(caption({.offset = static_cast<std::int64_t>(100 + i), .room = "room" + std::to_string(i)}), start);
  }
  CHECK_EQ(history.rooms(), limits::history_rooms_max);
  CHECK(history.last(RoomId("first"), 50, start).empty());
  CHECK_EQ(since(history, 6, start, "first"), "gone");
  CHECK_EQ(since(history, 7, start, "first"), "");
  CHECK_EQ(since(history, 6, start, "never heard of"), "gone");     // can't be told from a room that went
  history.add(caption({.offset = 90000, .room = "first"}), start);  // it comes back: what went is not forgotten
  CHECK_EQ(since(history, 6, start, "first"), "gone");
}

TEST(bytes_are_counted_and_given_back) {
  CaptionHistory history({.per_language = 3});
  for (std::int64_t i = 0; i < 100; ++i) history.add(caption({.offset = i, .ms = start + i}), start + 100);
  const std::size_t full = history.bytes();
  CHECK(full > 0);
  history.add(caption({.offset = 100, .ms = start + 100}), start + 100);
  CHECK(history.bytes() <= full + 8);
  history.trim(start + 1'000'000);
  CHECK_EQ(history.bytes(), 0u);
}
