// CONTRACT 1, 2, 3: the messages of clients as they are written there.
#include <string>

#include "core/wire/client_message.hpp"
#include "core/wire/server_event.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::wire;

namespace {

std::string error_of(const ClientMessage& message) {
  const auto* refusal = std::get_if<Refusal>(&message);
  return refusal == nullptr ? "accepted" : std::string(name_of(refusal->code));
}

std::string nested(int levels) {
  std::string text = R"({"type":"ping","x":)";
  for (int i = 1; i < levels; ++i) text += '[';
  for (int i = 1; i < levels; ++i) text += ']';
  return text + '}';
}

}  // namespace

TEST(each_control_message_of_the_contract_is_understood) {
  CHECK(std::holds_alternative<SetLanguage>(parse_audio_control(R"({"type":"set_language","listening_language":"es","speaking_language":"en"})")));
  CHECK(std::holds_alternative<SetLanguage>(parse_signaling(R"({"type":"set_language","listening_language":["es","fr"]})")));
  CHECK(std::holds_alternative<Refresh>(parse_signaling(R"({"type":"refresh","token":"x.y.z"})")));
  CHECK(std::holds_alternative<Start>(
      parse_audio_control(R"({"type":"start","encoding":"linear16","sample_rate":16000,"channels":1,"speaking_language":"en"})")));
  CHECK(std::holds_alternative<Mute>(parse_audio_control(R"({"type":"mute"})")));
  CHECK(std::holds_alternative<Unmute>(parse_audio_control(R"({"type":"unmute"})")));
  CHECK(std::holds_alternative<Flush>(parse_audio_control(R"({"type":"flush"})")));
  CHECK(std::holds_alternative<Played>(parse_audio_control(R"({"type":"played","speaker_id":"ann","sequence_number":3,"buffered_ms":40})")));
}

TEST(a_ping_comes_back_with_its_members) {
  const ClientMessage message = parse_signaling(R"({"type":"ping","id":1.50,"t":"\u00e9"})");
  CHECK_EQ(pong_event(std::get<Ping>(message)), R"({"type":"pong","id":1.50,"t":"\u00e9"})");
}

TEST(json_may_be_64_deep) {
  CHECK_EQ(error_of(parse_audio_control(nested(64))), "accepted");
  CHECK_EQ(error_of(parse_audio_control(nested(65))), "invalid_json");
  CHECK_EQ(error_of(parse_signaling(nested(64))), "accepted");
  CHECK_EQ(error_of(parse_signaling(nested(65))), "invalid_json");
}

TEST(signaling_errors_are_the_contracts) {
  CHECK_EQ(error_of(parse_signaling("{\"type\":")), "invalid_json");
  CHECK_EQ(error_of(parse_signaling("[1,2]")), "not_an_object");
  CHECK_EQ(error_of(parse_signaling("\"offer\"")), "not_an_object");
  CHECK_EQ(error_of(parse_signaling("{\"sdp\":1}")), "missing_type");
  CHECK_EQ(error_of(parse_signaling("{\"type\":1}")), "missing_type");
  CHECK_EQ(error_of(parse_signaling("{\"type\":\"user_joined\"}")), "reserved_type");
  CHECK_EQ(error_of(parse_signaling("{\"type\":\"offer\",\"target_user_id\":7}")), "invalid_json");
}

TEST(an_offer_is_relayed_as_it_was_sent) {
  const std::string offer = R"({"type":"offer","sdp":"v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\n","target_user_id":"bob","n":1.0,"from_user_id":"eve"})";
  const ClientMessage message = parse_signaling(offer);
  CHECK_EQ(std::get<Relay>(message).target_user_id, std::optional<std::string>("bob"));
  CHECK_EQ(relay_text(offer, "ann"), R"({"type":"offer","sdp":"v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\n","target_user_id":"bob","n":1.0,"from_user_id":"ann"})");
}
