// Cursors, and every case of whether one still stands for the log (CONTRACT 3, Resume).
#include <limits>

#include "core/domain/caption_history.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

constexpr std::uint8_t original = 1, translated = 2;

LogPosition at(std::uint8_t topic, std::int32_t partition, std::int64_t offset, std::int64_t timestamp_ms) {
  return {topic, partition, offset, timestamp_ms};
}

// Offsets first to last, each with the timestamp 1000 * offset.
void read(LogWindow& window, std::int32_t partition, std::int64_t first, std::int64_t last) {
  for (std::int64_t offset = first; offset <= last; ++offset) window.seen(at(original, partition, offset, 1000 * offset));
}

LogCursor place(std::int64_t offset, std::int64_t timestamp_ms, std::int32_t partition = 0) {
  LogCursor cursor;
  cursor.places[{original, partition}] = {offset, timestamp_ms};
  return cursor;
}

}  // namespace

TEST(a_cursor_comes_back_from_its_text) {
  LogCursor cursor;
  cursor.places[{original, 0}] = {-1, 0};
  cursor.places[{original, 7}] = {123456789012, 1763805600123};
  cursor.places[{translated, 0}] = {41, LogCursor::timestamp_unknown};
  cursor.places[{translated, 2147483647}] = {std::numeric_limits<std::int64_t>::max() - 1, std::numeric_limits<std::int64_t>::min()};
  const std::string text = cursor.encode();
  CHECK_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), std::string::npos);
  const auto decoded = LogCursor::decode(text);
  CHECK(decoded && *decoded == cursor);
}

TEST(a_cursor_without_places_has_a_text_too) {
  CHECK(!LogCursor{}.encode().empty());
  CHECK(LogCursor::decode(LogCursor{}.encode()) == LogCursor{});
}

TEST(a_cursor_of_a_hundred_partitions_fits_into_a_url) {
  LogCursor cursor;
  for (std::int32_t p = 0; p < 50; ++p) {
    cursor.places[{original, p}] = {1'000'000 + p * 137, 1763805600123 + p * 911};
    cursor.places[{translated, p}] = {2'000'000 + p * 137, 1763805600123 - p * 911};
  }
  CHECK(cursor.encode().size() < 1600);
  CHECK(LogCursor::decode(cursor.encode()) == cursor);
}

TEST(what_is_no_cursor_is_refused) {
  const std::string good = place(5, 5000).encode();
  for (const std::string& text : {std::string(), std::string("0"), std::string("hello world"), std::string("AA"), good + "A", good + "=",
                                  good.substr(0, good.size() - 1), std::string("%41"), std::string(100000, 'A'), std::string("Af_______")}) {
    CHECK(!LogCursor::decode(text));
  }
}

TEST(places_out_of_order_repeated_or_too_many_are_refused) {
  // version 1, then the same place twice: topic 1, partition 0, offset+1 = 1, difference 0
  CHECK(LogCursor::decode("AQEAAQA"));
  CHECK(!LogCursor::decode("AQEAAQABAAEA"));
  LogCursor many;
  for (std::size_t p = 0; p <= limits::log_partitions_max; ++p) many.places[{original, static_cast<std::int32_t>(p)}] = {1, 1};
  CHECK(!LogCursor::decode(many.encode()));
}

TEST(the_cursor_is_the_last_record_of_each_partition) {
  LogWindow window;
  window.opened({original, 0}, 0, 0);
  window.opened({original, 1}, 40, 40);
  window.opened({translated, 0}, 0, 3);
  window.seen(at(translated, 0, 2, 777));
  const LogCursor cursor = window.cursor();
  CHECK_EQ(cursor.places.size(), 3u);
  CHECK((cursor.places.at({original, 0}) == LogCursor::Place{-1, 0}));
  CHECK((cursor.places.at({original, 1}) == LogCursor::Place{39, LogCursor::timestamp_unknown}));
  CHECK((cursor.places.at({translated, 0}) == LogCursor::Place{2, 777}));
}

TEST(a_window_verifies_its_own_cursor_then_and_later) {
  LogWindow window;
  window.opened({original, 0}, 0, 0);
  window.opened({original, 1}, 40, 40);
  const LogCursor first = window.cursor();
  CHECK(window.verifies(first));
  read(window, 0, 0, 5);
  read(window, 1, 40, 45);
  const LogCursor second = window.cursor();
  read(window, 0, 6, 9);
  CHECK(window.verifies(first));
  CHECK(window.verifies(second));
}

TEST(another_instance_that_read_the_record_verifies_the_cursor) {
  LogWindow window;
  window.opened({original, 0}, 90, 100);
  read(window, 0, 90, 99);
  CHECK(window.verifies(place(95, 95000)));
}

TEST(a_record_with_another_timestamp_is_another_record) {
  LogWindow window;
  window.opened({original, 0}, 0, 10);
  read(window, 0, 0, 9);
  CHECK(!window.verifies(place(5, 5001)));
}

TEST(an_offset_beyond_the_end_is_refused) {
  LogWindow window;
  window.opened({original, 0}, 0, 10);
  read(window, 0, 0, 9);
  CHECK(window.verifies(place(9, 9000)));
  CHECK(!window.verifies(place(10, 10000)));
  CHECK(!window.verifies(place(5000, 5000000)));
}

TEST(a_place_older_than_what_was_read_is_refused_but_for_the_direct_predecessor) {
  LogWindow window;
  window.opened({original, 0}, 50, 60);
  CHECK(window.verifies(place(49, 49000)));  // nothing read yet
  read(window, 0, 50, 59);
  CHECK(window.verifies(place(49, 49000)));
  CHECK(!window.verifies(place(48, 48000)));
  CHECK(!window.verifies(place(49, 50001)));  // the record after it is older than it: another log
}

TEST(an_empty_partition_in_the_cursor_stands_only_where_reading_began_at_zero) {
  LogWindow whole;
  whole.opened({original, 0}, 0, 3);
  read(whole, 0, 0, 2);
  CHECK(whole.verifies(place(-1, 0)));
  LogWindow later;
  later.opened({original, 0}, 2, 3);
  CHECK(!later.verifies(place(-1, 0)));
}

TEST(an_unknown_timestamp_stands_only_where_reading_began_at_the_same_place) {
  LogWindow same;
  same.opened({original, 0}, 40, 45);
  read(same, 0, 40, 44);
  CHECK(same.verifies(place(39, LogCursor::timestamp_unknown)));
  LogWindow earlier;
  earlier.opened({original, 0}, 30, 45);
  read(earlier, 0, 30, 44);
  CHECK(!earlier.verifies(place(39, LogCursor::timestamp_unknown)));
}

TEST(a_partition_new_since_stands_if_all_of_it_was_read) {
  LogWindow window;
  window.opened({original, 0}, 0, 6);
  read(window, 0, 0, 5);
  const LogCursor cursor = place(5, 5000);
  window.opened({original, 1}, 0, 4);
  read(window, 1, 0, 3);
  CHECK(window.verifies(cursor));
  window.opened({original, 2}, 7, 9);
  CHECK(!window.verifies(cursor));
}

TEST(a_partition_that_is_gone_is_refused) {
  LogWindow window;
  window.opened({original, 0}, 0, 6);
  read(window, 0, 0, 5);
  LogCursor cursor = window.cursor();
  cursor.places[{original, 1}] = {3, 3000};
  CHECK(!window.verifies(cursor));
}

TEST(nothing_is_verified_while_no_partition_is_known) {
  LogWindow window;
  CHECK(!window.verifies(LogCursor{}));
  CHECK(!window.verifies(place(-1, 0)));
  CHECK(!window.caught_up());
}

TEST(a_record_that_is_no_longer_in_the_log_is_refused) {
  LogWindow window;
  window.opened({original, 0}, 0, 10);
  read(window, 0, 0, 3);
  read(window, 0, 6, 9);  // 4 and 5 were compacted away, or were transaction markers
  CHECK(!window.verifies(place(5, 5000)));
  CHECK(window.verifies(place(6, 6000)));
}

TEST(records_beyond_the_bound_are_forgotten_and_then_refused) {
  LogWindow window;
  window.opened({original, 0}, 0, 0);
  const auto count = static_cast<std::int64_t>(limits::log_window_records_max) + 10;
  read(window, 0, 0, count - 1);
  CHECK(!window.verifies(place(9, 9000)));
  CHECK(window.verifies(place(10, 10000)));
  CHECK(window.verifies(place(count - 1, (count - 1) * 1000)));
}

TEST(a_log_replaced_under_the_reader_refuses_the_old_cursor_and_takes_the_new) {
  LogWindow window;
  window.opened({original, 0}, 0, 0);
  read(window, 0, 0, 9);
  const LogCursor old = window.cursor();
  const LogCursor old_middle = place(1, 1000);
  for (std::int64_t offset = 0; offset <= 3; ++offset) window.seen(at(original, 0, offset, 500000 + offset));
  CHECK(!window.verifies(old));
  CHECK(!window.verifies(old_middle));
  CHECK(window.verifies(window.cursor()));
  for (std::int64_t offset = 4; offset <= 12; ++offset) window.seen(at(original, 0, offset, 500000 + offset));
  CHECK(!window.verifies(old));
}

TEST(records_read_again_change_nothing) {
  LogWindow window;
  window.opened({original, 0}, 0, 10);
  read(window, 0, 0, 9);
  const LogCursor cursor = window.cursor();
  window.opened({original, 0}, 5, 10);
  read(window, 0, 5, 7);
  CHECK(window.cursor() == cursor);
  CHECK(window.verifies(place(2, 2000)));
}

TEST(reading_that_goes_on_after_a_gap_begins_anew) {
  LogWindow window;
  window.opened({original, 0}, 0, 10);
  read(window, 0, 0, 9);
  window.opened({original, 0}, 20, 25);
  CHECK(!window.verifies(place(9, 9000)));
  CHECK(window.verifies(place(19, 19000)));
}

TEST(caught_up_when_every_partition_is_read_to_the_end_it_had) {
  LogWindow window;
  window.opened({original, 0}, 0, 0);
  CHECK(window.caught_up());
  window.opened({original, 1}, 5, 8);
  CHECK(!window.caught_up());
  read(window, 1, 5, 6);
  CHECK(!window.caught_up());
  read(window, 1, 7, 7);
  CHECK(window.caught_up());
}

TEST(with_a_scope_only_its_partitions_count) {
  const LogScope scope{{{original, 1}, {original, 2}}};
  LogWindow window;
  window.opened({original, 1}, 5, 8);
  CHECK(!window.caught_up(scope));  // one of the room's partitions is not read yet
  window.opened({original, 2}, 0, 0);
  window.opened({original, 3}, 100, 200);  // another room's, far from read back
  CHECK(!window.caught_up(scope));
  read(window, 1, 5, 7);
  CHECK(window.caught_up(scope));
  CHECK(!window.caught_up());
  CHECK(!window.caught_up(LogScope{std::vector<Partition>{}}));  // where they are isn't known
  const LogCursor cursor = window.cursor(scope);
  CHECK_EQ(cursor.places.size(), 2u);
  CHECK(window.verifies(cursor, scope));
  CHECK(!window.verifies(cursor));  // says nothing of the third
}

TEST(with_a_scope_another_instance_may_read_other_partitions_beside) {
  const LogScope scope{{{original, 1}}};
  LogWindow here, there;
  here.opened({original, 1}, 0, 0);
  here.opened({original, 2}, 0, 0);
  read(here, 1, 0, 5);
  read(here, 2, 0, 5);
  there.opened({original, 1}, 3, 6);
  there.opened({original, 9}, 3, 6);
  read(there, 1, 3, 5);
  CHECK(there.verifies(here.cursor(), scope));       // one that names more
  CHECK(there.verifies(here.cursor(scope), scope));
  CHECK(!there.verifies(here.cursor(LogScope{{{original, 2}}}), scope));  // and one that lacks the room's own
}

TEST(of_a_partition_that_is_closed_nothing_is_known) {
  const LogScope scope{{{original, 0}}};
  LogWindow window;
  window.opened({original, 0}, 0, 0);
  read(window, 0, 0, 9);
  const LogCursor cursor = window.cursor(scope);
  window.closed({original, 0});
  CHECK(!window.caught_up(scope));
  CHECK(!window.verifies(cursor, scope));
  window.opened({original, 0}, 8, 12);  // read back from there
  CHECK(!window.caught_up(scope));
  read(window, 0, 8, 11);
  CHECK(window.caught_up(scope));
  CHECK(window.verifies(cursor, scope));
}
