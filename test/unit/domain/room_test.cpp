// A room: listeners grouped by what they hear, demand for a speaker's speech, and the rooms that are open.
#include "core/domain/room.hpp"

#include <memory>
#include <string>
#include <vector>

#include "test/support/check.hpp"
#include "test/support/fake_clock.hpp"
#include "test/support/fake_transport.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

LanguageTag tag(std::string_view text) { return LanguageTag::parse(text).value(); }

struct TestRoom {
  Participant& add(const std::string& user, std::string_view listening, std::string_view understands = "", bool audio = true) {
    auto participant = std::make_shared<Participant>();
    participant->user = UserId(user);
    participant->hearing = {parse_language_list(listening).value(), parse_language_list(understands).value()};
    room.participants().emplace(participant->user, participant);
    if (audio) {
      participant->audio = std::make_shared<Session>(++sessions, Endpoint::audio, false, transport, bounds, clock);
      room.add_listener(*participant);
    }
    return *participant;
  }
  std::string demand(const std::string& user, const std::optional<LanguageTag>& spoken = {}) {
    std::string out;
    for (const auto& one : room.demand_for(UserId(user), spoken)) out += one.language.spelling() + "=" + std::to_string(one.count) + " ";
    return out;
  }
  FakeClock clock;
  FakeTransport transport;
  SessionBounds bounds;
  std::uint64_t sessions = 0;
  Room room{RoomId("r"), 10000};
};

}  // namespace

TEST(room_groups_listeners_by_equal_preferences) {
  TestRoom test;
  Participant& a = test.add("a", "es,fr");
  test.add("b", "ES,fr");
  Participant& c = test.add("c", "fr,es");
  test.add("d", "es,fr", "en");
  CHECK_EQ(test.room.groups().size(), 3u);
  CHECK_EQ(test.room.groups()[0].members.size(), 2u);
  test.room.remove_listener(c);  // a group in the middle goes; the last takes its place
  CHECK_EQ(test.room.groups().size(), 2u);
  test.room.remove_listener(a);
  CHECK_EQ(test.room.groups().size(), 2u);
  CHECK_EQ(test.room.groups()[0].members.at(0).participant->user.value, "b");
}

TEST(room_survives_listeners_coming_and_going_in_any_order) {
  TestRoom test;
  std::vector<Participant*> all;
  for (int i = 0; i < 60; ++i) all.push_back(&test.add("u" + std::to_string(i), i % 3 == 0 ? "es" : i % 3 == 1 ? "fr" : "ca,es"));
  for (std::size_t i = 0; i < all.size(); ++i) {
    Participant& one = *all[(i * 37) % all.size()];
    test.room.remove_listener(one);
    test.room.remove_listener(one);  // once more does no harm
    if (i % 4 == 0) test.room.add_listener(one);
  }
  std::size_t members = 0;
  for (const auto& group : test.room.groups()) {
    CHECK(!group.members.empty());
    for (const auto& member : group.members) CHECK(member.participant->hearing == group.hearing);
    members += group.members.size();
  }
  CHECK_EQ(members, 15u);
}

TEST(room_demand_leaves_the_speaker_itself_out) {
  TestRoom test;
  test.add("speaker", "es");
  test.add("a", "es");
  test.add("b", "fr");
  CHECK_EQ(test.demand("speaker"), "es=1 fr=1 ");
  CHECK_EQ(test.demand("elsewhere"), "es=2 fr=1 ");
}

TEST(room_demand_counts_first_tags_of_those_with_an_audio_socket) {
  TestRoom test;
  test.add("a", "es,fr");
  test.add("b", "");
  test.add("c", "de", "", false);
  CHECK_EQ(test.demand("speaker"), "es=1 ");
}

TEST(room_demand_counts_who_understands_nowhere) {
  TestRoom test;
  test.add("a", "en-GB");       // related to what is spoken, in either direction
  test.add("b", "es", "fr,en");
  test.add("c", "es", "fr");
  CHECK_EQ(test.demand("speaker", tag("en")), "es=1 ");
  CHECK_EQ(test.demand("speaker"), "en-GB=1 es=2 ");  // unknown counts as different
}

TEST(room_demand_joins_tags_that_differ_by_case_as_first_seen) {
  TestRoom test;
  test.add("z", "zh-Hant");
  test.add("b", "FR");
  test.add("a", "fr");          // earlier by name, later in time
  test.add("c", "ca");
  CHECK_EQ(test.demand("speaker"), "FR=2 ca=1 zh-Hant=1 ");
}

TEST(room_wanted_header_follows_demand) {
  TestRoom test;
  Speaker& speaker = test.room.speaker(UserId("speaker"));
  CHECK_EQ(test.room.wanted_from(speaker), "");
  test.add("a", "es");
  Participant& b = test.add("b", "fr");
  CHECK_EQ(test.room.wanted_from(speaker), "es,fr");
  test.room.remove_listener(b);
  b.audio.reset();
  CHECK_EQ(test.room.wanted_from(speaker), "es");
  speaker.spoken = tag("es");
  test.room.demand_changed();
  CHECK_EQ(test.room.wanted_from(speaker), "");
}

TEST(room_listens_to_every_tag_of_every_group) {
  TestRoom test;
  test.add("a", "es,fr");
  test.add("b", "fr,ca");
  test.add("c", "de", "", false);
  CHECK_EQ(join(test.room.listened()), "es,fr,ca");
}

TEST(room_numbers_speakers_in_turn) {
  Room room(RoomId("r"), 10000);
  CHECK_EQ(room.speaker(UserId("a")).number, 0u);
  CHECK_EQ(room.speaker(UserId("b")).number, 1u);
  CHECK_EQ(room.speaker(UserId("a")).number, 0u);
  CHECK_EQ(room.speaker_by_number(1).user.value, "b");
  CHECK(room.find_speaker("c") == nullptr);
}

TEST(rooms_close_when_the_last_participant_is_gone) {
  ConnectionManager rooms(10000);
  const auto room = rooms.open(RoomId("r"));
  CHECK(rooms.open(RoomId("r")) == room);
  room->participants().emplace(UserId("a"), std::make_shared<Participant>());
  CHECK(!rooms.close_if_empty(RoomId("r")));
  room->participants().clear();
  CHECK(rooms.close_if_empty(RoomId("r")));
  CHECK(rooms.find("r") == nullptr);
  CHECK(!rooms.close_if_empty(RoomId("r")));
}
