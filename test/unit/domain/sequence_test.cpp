// Sequence numbers (CONTRACT 2).
#include "core/domain/sequence.hpp"

#include <limits>

#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

const RoomId room("room");
const UserId ana("ana");

std::int64_t number(const SequenceBook& book, const RoomId& where, const UserId& who) { return book.next(where, who).value_or(-1); }

}  // namespace

TEST(sequence_gives_no_number_before_recovery_is_done) {
  SequenceBook book(600000);
  CHECK(!book.ready());
  CHECK(!book.next(room, ana));
  book.recovered(room, ana, 41, 0);
  CHECK(!book.next(room, ana));
  book.recovery_done();
  CHECK(book.ready());
  CHECK_EQ(number(book, room, ana), 42);
}

TEST(sequence_starts_at_0_and_rises_by_exactly_1) {
  SequenceBook book(600000);
  book.recovery_done();
  for (std::int64_t expected = 0; expected < 100; ++expected) {
    CHECK_EQ(number(book, room, ana), expected);
    CHECK_EQ(number(book, room, ana), expected);  // asking uses none
    book.used(room, ana, expected);
  }
}

TEST(sequence_is_per_room_and_user) {
  SequenceBook book(600000);
  book.recovery_done();
  book.used(room, ana, 0);
  CHECK_EQ(number(book, room, UserId("ben")), 0);
  CHECK_EQ(number(book, RoomId("other"), ana), 0);
  book.used(RoomId("a"), UserId("bc"), 0);
  CHECK_EQ(number(book, RoomId("ab"), UserId("c")), 0);
  book.used(RoomId("1"), UserId("elevenbytesx"), 0);
  CHECK_EQ(number(book, RoomId("elevenbytes"), UserId("x")), 0);
}

TEST(sequence_goes_on_after_the_highest_recovered) {
  SequenceBook book(600000);
  book.recovered(room, ana, 9, 0);
  book.recovered(room, ana, 4, 0);
  book.recovery_done();
  CHECK_EQ(number(book, room, ana), 10);
  book.used(room, ana, 1);
  book.recovered(room, ana, 3, 2);  // never back
  CHECK_EQ(number(book, room, ana), 11);
  book.recovered(room, ana, 20, 2);  // another instance's
  CHECK_EQ(number(book, room, ana), 21);
}

TEST(sequence_ignores_numbers_that_were_never_given) {
  SequenceBook book(600000);
  book.recovery_done();
  book.recovered(room, ana, -1, 0);
  book.recovered(room, ana, limits::sequence_number_max + 1, 0);
  book.recovered(room, ana, std::numeric_limits<std::int64_t>::max(), 0);
  CHECK_EQ(book.size(), 0u);
  CHECK_EQ(number(book, room, ana), 0);
  book.recovered(room, ana, 0, 0);
  CHECK_EQ(number(book, room, ana), 1);
}

TEST(sequence_remembers_the_silent_while_there_is_room) {
  SequenceBook book(1000, 2);
  book.recovery_done();
  book.used(room, ana, 0);
  book.forget_before(1'000'000);
  CHECK_EQ(number(book, room, ana), 1);
}

TEST(sequence_forgets_the_longest_silent_beyond_the_bound) {
  SequenceBook book(1000, 2);
  book.recovery_done();
  const UserId ben("ben");
  const UserId eva("eva");
  book.used(room, ana, 0);
  book.used(room, ben, 1);
  book.used(room, ana, 2);
  book.used(room, eva, 3);
  book.forget_before(1001);  // ben was silent for exactly the lookback
  CHECK_EQ(book.size(), 3u);
  book.forget_before(1002);
  CHECK_EQ(book.size(), 2u);
  CHECK_EQ(number(book, room, ben), 0);
  CHECK_EQ(number(book, room, ana), 2);
  CHECK_EQ(number(book, room, eva), 1);
}

TEST(sequence_forgets_nobody_of_the_lookback_however_many) {
  SequenceBook book(1000, 2);
  book.recovery_done();
  for (int i = 0; i < 10; ++i) book.used(room, UserId("u" + std::to_string(i)), 500);
  book.forget_before(1500);
  CHECK_EQ(book.size(), 10u);
  book.forget_before(1501);
  CHECK_EQ(book.size(), 2u);
}
