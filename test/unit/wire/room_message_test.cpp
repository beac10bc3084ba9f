// What goes through Redis, read and written.
#include "core/wire/room_message.hpp"

#include "core/wire/participant_state.hpp"
#include "test/support/check.hpp"

namespace fluentgate::test {
namespace {

using namespace wire;

std::string refusal(const std::string& push) {
  const auto parsed = parse_room_push(push);
  return parsed ? "taken" : parsed.error().code;
}

}  // namespace

TEST(pushes_are_read_as_fluentmeet_writes_them) {
  const auto broadcast = parse_room_push(R"({"type": "broadcast", "sender_id": null, "data": {"event":"x",  "n": 1e2}, "new": 1})");
  CHECK(broadcast);
  CHECK(!broadcast->target);
  CHECK_EQ(broadcast->sender, "");
  CHECK_EQ(broadcast->data, R"({"event":"x",  "n": 1e2})");
  const auto unicast = parse_room_push(R"({"type":"unicast","target_user_id":"A@b.c","sender_id":"me","data":"text","fg_instance":"i"})");
  CHECK_EQ(*unicast->target, "A@b.c");
  CHECK_EQ(unicast->data, "\"text\"");
  CHECK_EQ(unicast->instance, "i");
  CHECK_EQ(*parse_room_push(R"({"type":"unicast","target_user_id":17,"data":{}})")->target, "17");
}

TEST(what_is_no_push_is_said) {
  CHECK_EQ(refusal(""), "invalid_json");
  CHECK_EQ(refusal("[1]"), "not_an_object");
  CHECK_EQ(refusal("{}"), "missing_type");
  CHECK_EQ(refusal(R"({"type":1,"data":{}})"), "missing_type");
  CHECK_EQ(refusal(R"({"type":"x","data":{}})"), "unknown_type");
  CHECK_EQ(refusal(R"({"type":"unicast","data":{}})"), "missing_target");
  CHECK_EQ(refusal(R"({"type":"unicast","target_user_id":"","data":{}})"), "missing_target");
  CHECK_EQ(refusal(R"({"type":"broadcast"})"), "missing_data");
  CHECK_EQ(refusal("{\"type\":\"broadcast\",\"data\":\"\xff\"}"), "invalid_json");
}

TEST(pushes_that_are_written_are_read_back) {
  const RoomPush push{"bob", "ann \"x\"", R"({"type":"offer"})", "i-1"};
  CHECK_EQ(room_push_text(push),
           R"({"type":"unicast","target_user_id":"bob","sender_id":"ann \"x\"","data":{"type":"offer"},"fg_instance":"i-1"})");
  const auto read = parse_room_push(room_push_text(push));
  CHECK_EQ(*read->target, "bob");
  CHECK_EQ(read->sender, push.sender);
  CHECK_EQ(room_push_text({std::nullopt, "", "{}", "i"}), R"({"type":"broadcast","sender_id":null,"data":{},"fg_instance":"i"})");
}

TEST(a_seat_is_read_back_as_it_was_told) {
  PeerSeat seat;
  seat.user = UserId("ann b");
  seat.instance = "i-1";
  seat.display_name = "Ann \"\xc3\xa9\"";
  seat.role = "host";
  seat.speaking_spelled = "EN-us";
  seat.hearing = {*parse_language_list("es-MX,fr"), *parse_language_list("de")};
  seat.audio_since_us = 1795403392291675;
  seat.languages_set_us = 5;
  const std::string value = seat_head(seat, 9) + R"(,"audio_since_us":1795403392291675,"signaling_since_us":null})";
  const auto message = parse_room_message(R"({"kind":"seat","seat":)" + value + "}");
  CHECK(message);
  CHECK(std::get<SeatMessage>(*message).seat == seat);
  CHECK_EQ(std::get<SeatMessage>(*message).value, value);
  seat.speaking_spelled.reset();
  CHECK(!parse_seat(seat_head(seat, 9) + "}")->speaking_spelled);
}

TEST(our_own_messages_are_read_back) {
  CHECK_EQ(std::get<SeatGoneMessage>(*parse_room_message(seat_gone_text("i", "u"))).user.value, "u");
  CHECK_EQ(std::get<NoteMessage>(*parse_room_message(note_text("i", R"({"a": 1})"))).json, R"({"a": 1})");
  CHECK_EQ(std::get<MarkMessage>(*parse_room_message(mark_text("i", 42))).number, 42);
  for (const char* bad : {"{}", R"({"kind":"seat"})", R"({"kind":"seat","seat":{}})", R"({"kind":"seat","seat":1})", R"({"kind":"gone","instance":"i"})",
                          R"({"kind":"note","instance":"i","note":1})", R"({"kind":"mark","instance":"i","number":"x"})", R"({"kind":"x","instance":"i"})"}) {
    CHECK(!parse_room_message(bad));
  }
}

TEST(a_participants_state_is_merged_into_what_is_there) {
  const ParticipantState state{"es", "en", "Ann", ""};
  CHECK_EQ(*with_participant_state("", state, "i"), R"({"language":"es","speaking_language":"en","display_name":"Ann","fg_instance":"i"})");
  CHECK_EQ(*with_participant_state(R"({"role":"x","language":"fr","n":[ ],"language":"de"})", state, ""),
           R"({"role":"x","language":"es","n":[ ],"speaking_language":"en","display_name":"Ann"})");
  CHECK_EQ(*with_participant_state("{}", {}, ""), "{}");
  CHECK(!with_participant_state("[]", state, ""));
  CHECK(!with_participant_state("x", state, ""));
  CHECK_EQ(*participant_mark(R"({"fg_instance":"i"})"), "i");
  CHECK(!participant_mark("{}"));
  CHECK(!participant_mark("x"));
}

}  // namespace fluentgate::test
