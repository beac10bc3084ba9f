// client_message.hpp: each type's members, each refusal, and relays that hostile keys can't forge.
#include <string>

#include "core/domain/limits.hpp"
#include "core/wire/client_message.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::wire;

namespace {

template <class T>
T audio_as(std::string_view text) {
  ClientMessage message = parse_audio_control(text);
  if (const auto* refusal = std::get_if<Refusal>(&message); refusal && !std::holds_alternative<T>(message)) {
    FAIL("refused: " + std::string(name_of(refusal->code)) + ": " + refusal->detail);
  }
  CHECK(std::holds_alternative<T>(message));
  return std::get<T>(std::move(message));
}

std::string audio_code(std::string_view text) {
  const ClientMessage message = parse_audio_control(text);
  const auto* refusal = std::get_if<Refusal>(&message);
  if (refusal == nullptr) return "accepted";
  CHECK(!refusal->detail.empty());
  return std::string(name_of(refusal->code)) + (refusal->start ? " start" : "");
}

std::string signaling_code(std::string_view text) {
  const ClientMessage message = parse_signaling(text);
  const auto* refusal = std::get_if<Refusal>(&message);
  return refusal == nullptr ? "accepted" : std::string(name_of(refusal->code));
}

Relay relay_of(std::string_view text) {
  ClientMessage message = parse_signaling(text);
  CHECK(std::holds_alternative<Relay>(message));
  return std::get<Relay>(std::move(message));
}

}  // namespace

TEST(control_is_what_begins_with_a_brace) {
  CHECK(is_control("{"));
  CHECK(is_control(" \t\r\n{}"));
  CHECK(!is_control(""));
  CHECK(!is_control("   "));
  CHECK(!is_control("AAAA"));
  CHECK(!is_control("[{}]"));
}

TEST(set_language_takes_a_string_or_a_list) {
  auto message = audio_as<SetLanguage>(R"({"type":"set_language","listening_language":"es-MX","speaking_language":"en"})");
  CHECK_EQ(join(*message.listening), "es-MX");
  CHECK_EQ(message.speaking->spelling(), "en");
  CHECK(!message.understands);
  message = audio_as<SetLanguage>(R"({"type":"set_language","listening_language":["es","fr","ES"],"understands":["\u0064e"]})");
  CHECK_EQ(join(*message.listening), "es,fr");
  CHECK_EQ(join(*message.understands), "de");
  CHECK(!message.speaking);
  message = audio_as<SetLanguage>(R"({"type":"set_language","understands":[],"speaking_language":null})");
  CHECK(message.understands && message.understands->empty());
  CHECK(!message.speaking && !message.listening);
}

TEST(set_language_refuses_what_is_no_language) {
  for (const char* members : {R"("listening_language":"")", R"("listening_language":[])", R"("listening_language":5)", R"("listening_language":[5])",
                              R"("listening_language":["e s"])", R"("listening_language":{})", R"("listening_language":"es,,fr")", R"("speaking_language":"")",
                              R"("speaking_language":["en"])", R"("speaking_language":"en_US")", R"("understands":true)", R"("listening_language":"es\u0000")",
                              R"("listening_language":["a","b","c","d","e","f","g","h","i"])", R"("listening_language":"es","speaking_language":"?")",
                              R"("x":1)", R"("listening_language":null)"}) {
    const std::string text = std::string(R"({"type":"set_language",)") + members + "}";
    if (audio_code(text) != "bad_language") FAIL(text + " " + audio_code(text));
    CHECK_EQ(signaling_code(text), "bad_language");
  }
}

TEST(refresh_needs_a_token) {
  CHECK_EQ(audio_as<Refresh>(R"({"type":"refresh","token":"a.b.c"})").token, "a.b.c");
  CHECK_EQ(audio_code(R"({"type":"refresh"})"), "invalid_token");
  CHECK_EQ(audio_code(R"({"type":"refresh","token":7})"), "invalid_token");
  CHECK_EQ(audio_code(R"({"type":"refresh","token":""})"), "invalid_token");
  CHECK_EQ(audio_code(R"({"type":"refresh","token":")" + std::string(limits::token_bytes_max + 1, 'x') + "\"}"), "invalid_token");
}

TEST(ping_keeps_its_other_members_as_they_were) {
  CHECK_EQ(audio_as<Ping>(R"({"type":"ping"})").members, "");
  CHECK_EQ(audio_as<Ping>(R"({ "id" : 1.0 ,"t\u0079pe":"ping", "x":{"type":"\/"}, "id":2})").members, R"(,"id" : 1.0,"x":{"type":"\/"},"id":2)");
}

TEST(start_has_defaults_and_bounds) {
  auto message = audio_as<Start>(R"({"type":"start"})");
  CHECK(message.encoding == Encoding::linear16);
  CHECK_EQ(message.sample_rate, 16000);
  CHECK_EQ(message.channels, 1);
  CHECK(!message.speaking_language);
  message = audio_as<Start>(R"({"type":"start","encoding":"opus","channels":2,"speaking_language":"en"})");
  CHECK(message.encoding == Encoding::opus);
  CHECK_EQ(message.sample_rate, 48000);
  CHECK_EQ(message.channels, 2);
  CHECK_EQ(message.speaking_language->spelling(), "en");
  CHECK_EQ(audio_as<Start>(R"({"type":"start","sample_rate":8000})").sample_rate, 8000);
  CHECK_EQ(audio_as<Start>(R"({"type":"start","sample_rate":48000.0})").sample_rate, 48000);
}

TEST(a_refused_start_is_marked_as_one) {
  for (const char* rate : {"7999", "48001", "16000.5", "\"16000\"", "-1", "0", "1e99", "true"}) {
    CHECK_EQ(audio_code(std::string(R"({"type":"start","sample_rate":)") + rate + "}"), "unsupported_sample_rate start");
  }
  for (const char* channels : {"2", "0", "-1", "1.5", "\"1\"", "[]"}) {
    CHECK_EQ(audio_code(std::string(R"({"type":"start","channels":)") + channels + "}"), "stereo start");
  }
  CHECK_EQ(audio_code(R"({"type":"start","encoding":"opus","channels":3})"), "stereo start");
  for (const char* encoding : {"\"mp3\"", "\"LINEAR16\"", "7", "\"\""}) {
    CHECK_EQ(audio_code(std::string(R"({"type":"start","encoding":)") + encoding + "}"), "unsupported_encoding start");
  }
  CHECK_EQ(audio_code(R"({"type":"start","speaking_language":"?"})"), "bad_language start");
}

TEST(small_controls_are_told_apart) {
  audio_as<Mute>(R"({"type":"mute"})");
  audio_as<Unmute>(R"({"type":"unmute"})");
  audio_as<Flush>(R"({"type":"fl\u0075sh","x":[1]})");
}

TEST(played_has_a_speaker_and_a_delay) {
  const auto message = audio_as<Played>(R"({"type":"played","speaker_id":"ann","sequence_number":7,"buffered_ms":123.6})");
  CHECK_EQ(message.speaker.value, "ann");
  CHECK_EQ(message.sequence_number, std::optional<std::int64_t>(7));
  CHECK_EQ(message.buffered_ms, 124);
  CHECK(!audio_as<Played>(R"({"type":"played","speaker_id":"ann","sequence_number":null,"buffered_ms":0})").sequence_number);
  for (const char* members : {R"("speaker_id":"","buffered_ms":0)", R"("speaker_id":7,"buffered_ms":0)", R"("buffered_ms":0)", R"("speaker_id":"a")",
                              R"("speaker_id":"a","buffered_ms":-1)", R"("speaker_id":"a","buffered_ms":1e9)", R"("speaker_id":"a","buffered_ms":"1")",
                              R"("speaker_id":"a","buffered_ms":0,"sequence_number":1.5)"}) {
    const std::string text = std::string(R"({"type":"played",)") + members + "}";
    if (audio_code(text) != "invalid_json") FAIL(text);
  }
}

TEST(of_a_repeated_member_the_last_counts) {
  CHECK_EQ(audio_as<Start>(R"({"type":"start","sample_rate":1,"sample_rate":8000})").sample_rate, 8000);
}

TEST(type_decides_and_may_not_be_repeated) {
  for (const auto code : {audio_code, signaling_code}) {
    CHECK_EQ(code("{"), "invalid_json");
    CHECK_EQ(code(""), "invalid_json");
    CHECK_EQ(code("[]"), "not_an_object");
    CHECK_EQ(code("{}"), "missing_type");
    CHECK_EQ(code(R"({"type":null})"), "missing_type");
    CHECK_EQ(code(R"({"type":5})"), "missing_type");
    CHECK_EQ(code(R"({"type":["mute"]})"), "missing_type");
    CHECK_EQ(code(R"({"type":"ping","type":"ping"})"), "invalid_json");
    CHECK_EQ(code(R"({"type":"ping","t\u0079pe":"ping"})"), "invalid_json");
    CHECK_EQ(code(R"({"type":5,"\u0074ype":6})"), "invalid_json");
    CHECK_EQ(code(R"({"type":"ping","x":{"type":"a","type":"b"}})"), "accepted");
  }
  CHECK_EQ(audio_code(R"({"type":"offer"})"), "unknown_type");
  CHECK_EQ(audio_code(R"({"type":""})"), "unknown_type");
  CHECK_EQ(audio_code(R"({"type":"Mute"})"), "unknown_type");
}

TEST(errors_show_a_bounded_piece_of_what_was_sent) {
  const ClientMessage message = parse_audio_control(R"({"type":")" + std::string(100000, 'x') + "\"}");
  CHECK(std::get<Refusal>(message).detail.size() < 200);
}

TEST(reserved_types_are_refused_however_spelled) {
  for (const std::string type : {"existing_users", "user_joined", "user_left", "suppress_original", "restore_original", "going_away", "pipeline_heartbeat",
                                 "listeners", "language", "refreshed", "token_expiring", "removed", "revoked", "pong", "error"}) {
    CHECK(reserved_type(type));
    CHECK_EQ(signaling_code("{\"type\":\"" + type + "\"}"), "reserved_type");
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(type[0]));
    CHECK_EQ(signaling_code("{\"\\u0074ype\":\"" + std::string(escaped) + type.substr(1) + "\"}"), "reserved_type");
  }
  CHECK_EQ(signaling_code(R"({"type":"Error"})"), "accepted");
}

TEST(relays_go_to_one_or_to_all) {
  CHECK(!relay_of(R"({"type":"offer"})").target_user_id);
  CHECK(!relay_of(R"({"type":"offer","target_user_id":null})").target_user_id);
  CHECK_EQ(relay_of(R"({"type":"offer","target_user_id":"b\u006fb"})").target_user_id, std::optional<std::string>("bob"));
  CHECK_EQ(relay_of(R"({"type":"offer","target_user_id":""})").target_user_id, std::optional<std::string>(""));
  CHECK_EQ(relay_of(R"({"type":"","x":{"target_user_id":5}})").type, "");
  for (const char* type : {"start", "mute", "unmute", "flush", "played", "offer", "ICE candidate"}) {
    CHECK_EQ(relay_of(std::string(R"({"type":")") + type + "\"}").type, type);
  }
  for (const char* target : {"5", "true", "[\"bob\"]", "{}"}) {
    CHECK_EQ(signaling_code(std::string(R"({"type":"offer","target_user_id":)") + target + "}"), "invalid_json");
  }
  CHECK_EQ(signaling_code(R"({"type":"offer","target_user_id":"a","target_user_id":"b"})"), "invalid_json");
  CHECK_EQ(signaling_code(R"({"type":"offer","target_user_id":"a","target\u005fuser_id":null})"), "invalid_json");
}

TEST(relay_keeps_every_member_byte_for_byte) {
  CHECK_EQ(relay_text(R"({ "type" : "offer",  "n":1.0e+05 ,"s":"\/\u00e9\ud83d","o":{ "b":[ 1 ,2 ], "b":0 },"n":-0})", "ann"),
           R"({"type" : "offer","n":1.0e+05,"s":"\/\u00e9\ud83d","o":{ "b":[ 1 ,2 ], "b":0 },"n":-0,"from_user_id":"ann"})");
  CHECK_EQ(relay_text("{}", "ann"), R"({"from_user_id":"ann"})");
}

TEST(relay_leaves_no_other_sender_in) {
  CHECK_EQ(relay_text(R"({"from_user_id":"eve","type":"a","from_user_id":{"x":1},"\u0066rom_user_id":"eve","from\u005Fuser\u005fid":[1],"z":0})", "ann"),
           R"({"type":"a","z":0,"from_user_id":"ann"})");
  CHECK_EQ(relay_text(R"({"type":"a","data":{"from_user_id":"kept"},"From_user_id":"kept","from_user_id\u0000":"kept"})", "a\"b\\c\n\xC3\xA9"),
           "{\"type\":\"a\",\"data\":{\"from_user_id\":\"kept\"},\"From_user_id\":\"kept\",\"from_user_id\\u0000\":\"kept\",\"from_user_id\":\"a\\\"b\\\\c\\n\xC3\xA9\"}");
}

TEST(error_table_has_one_row_a_code) {
  for (const ErrorCodeRow& row : error_code_table()) {
    CHECK_EQ(name_of(row.code), row.name);
    CHECK(!row.meaning.empty());
    for (const ErrorCodeRow& other : error_code_table()) CHECK(&row == &other || row.name != other.name);
  }
}
