// A sentence that comes in pieces and whole is heard once, whichever comes first, and to its end.
#include "core/kafka/channel_overlap.hpp"

#include "test/support/check.hpp"

using namespace fluentgate;
using kafka::ChannelOverlap;

namespace {

wire::SynthesizedEvent event(std::optional<std::int64_t> number, const char* language = "es", const char* speaker = "ann", const char* room = "r") {
  wire::SynthesizedEvent made{.room = RoomId(room), .speaker = UserId(speaker), .language = LanguageTag::parse(language).value()};
  made.sequence_number = number;
  return made;
}

}  // namespace

TEST(overlap_leaves_out_the_whole_of_heard_pieces) {
  ChannelOverlap overlap;
  CHECK(overlap.piece(event(1), 100000, 0));
  CHECK(overlap.piece(event(1), 100000, 10));
  CHECK(overlap.would_leave_out(event(1), 20));
  CHECK(!overlap.whole(event(1), 20).heard);
  CHECK(overlap.piece(event(1), 100000, 30));   // one that was under way
  CHECK(!overlap.whole(event(1), 40).heard);    // sent twice
}

TEST(overlap_leaves_out_pieces_of_a_heard_whole) {
  ChannelOverlap overlap;
  CHECK(overlap.whole(event(1), 0).heard);
  CHECK(!overlap.piece(event(1), 100000, 5));
  CHECK(!overlap.piece(event(1), 100000, ChannelOverlap::whole_ms));
  CHECK(overlap.whole(event(1), 100).heard);    // wholes are never filtered by their number
}

TEST(overlap_compares_speaker_language_number_and_room) {
  ChannelOverlap overlap;
  CHECK(overlap.piece(event(1), 100000, 0));
  CHECK(overlap.whole(event(2), 1).heard);
  CHECK(overlap.whole(event(1, "fr"), 1).heard);
  CHECK(overlap.whole(event(1, "es", "bob"), 1).heard);
  CHECK(overlap.whole(event(1, "es", "ann", "other"), 1).heard);
  CHECK(!overlap.whole(event(1, "ES"), 1).heard);
}

TEST(overlap_hears_everything_without_a_number) {
  ChannelOverlap overlap;
  CHECK(overlap.piece(event(std::nullopt), 100000, 0));
  CHECK(!overlap.would_leave_out(event(std::nullopt), 0));
  CHECK(overlap.whole(event(std::nullopt), 1).heard);
  CHECK(overlap.piece(event(std::nullopt), 100000, 2));
}

TEST(overlap_forgets_in_time_for_workers_that_count_anew) {
  ChannelOverlap overlap;
  CHECK(overlap.whole(event(1), 0).heard);
  CHECK(overlap.piece(event(1), 100000, ChannelOverlap::whole_ms + 1));
  CHECK(!overlap.whole(event(1), ChannelOverlap::whole_ms + 2).heard);
  const SteadyMs later = 2 * ChannelOverlap::whole_ms + ChannelOverlap::pieces_ms;
  CHECK(!overlap.would_leave_out(event(1), later));
  CHECK(overlap.whole(event(1), later).heard);
}

TEST(overlap_hears_the_rest_where_redis_was_lost_among_the_pieces) {
  ChannelOverlap overlap;
  overlap.reached();
  CHECK(overlap.piece(event(1), 100000, 0));
  CHECK(overlap.piece(event(1), 150000, 1));
  overlap.lost();
  overlap.reached();
  CHECK(!overlap.piece(event(1), 100000, 500));  // how much is missing before it is unknown
  CHECK(!overlap.would_leave_out(event(1), 600));
  const auto whole = overlap.whole(event(1), 600);
  CHECK(whole.heard);
  CHECK_EQ(whole.from_us, 250000);
  CHECK(!overlap.piece(event(1), 100000, 700));
  CHECK(overlap.piece(event(2), 100000, 700));
}

TEST(overlap_knows_a_settled_sentence_from_an_interrupted_one) {
  ChannelOverlap overlap;
  CHECK(overlap.piece(event(1), 100000, 0));
  CHECK(!overlap.whole(event(1), 1).heard);
  overlap.lost();
  CHECK(!overlap.whole(event(1), 2).heard);
  // Counted anew after that: its length is that of its own pieces.
  CHECK(overlap.piece(event(1), 70000, ChannelOverlap::whole_ms + 10));
  overlap.lost();
  CHECK_EQ(overlap.whole(event(1), ChannelOverlap::whole_ms + 20).from_us, 70000);
}

TEST(overlap_takes_interims_of_the_channel_while_redis_is_there) {
  ChannelOverlap overlap;
  CHECK(!overlap.interims_come());
  overlap.reached();
  CHECK(overlap.interims_come());
  overlap.lost();
  CHECK(!overlap.interims_come());
}

TEST(overlap_remembers_a_bounded_number_of_sentences) {
  ChannelOverlap overlap;
  for (std::size_t i = 0; i <= ChannelOverlap::sentences_max; ++i) CHECK(overlap.piece(event(static_cast<std::int64_t>(i)), 1, 0));
  CHECK(overlap.whole(event(0), 1).heard);
  CHECK(!overlap.whole(event(static_cast<std::int64_t>(ChannelOverlap::sentences_max)), 1).heard);
}
