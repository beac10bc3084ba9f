// Events of workers that simdjson refuses though they are valid JSON: they were counted as not_json, and nobody saw the caption.
#include <string>

#include "core/wire/json_mend.hpp"
#include "core/wire/kafka_event.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::wire;

namespace {

KafkaRecord record(std::string_view value) { return {value, {}, {}}; }

std::string transcription(const std::string& text, const std::string& more = "", const std::string& outside = "") {
  return "{" + outside + R"("payload":{"room_id":"r","user_id":"u","source_language":"en","text":")" + text + "\"" + more + "}}";
}

std::string code(const std::string& value) {
  EventParser parser;
  const auto caption = parser.original(record(value));
  return caption.ok() ? caption->text : caption.error().code;
}

}  // namespace

TEST(numbers_beyond_64_bits_in_unknown_members_are_ignored) {
  for (const char* number : {"123456789012345678901234567890", "-99999999999999999999", "18446744073709551616", "1e999", "-1.5E+400"}) {
    CHECK_EQ(code(transcription("hi", std::string(",\"trace\":") + number)), "hi");
    CHECK_EQ(code(transcription("hi", std::string(",\"trace\":[{\"x\":") + number + "}]")), "hi");
    CHECK_EQ(code(transcription("hi", "", std::string("\"snowflake\":") + number + ",")), "hi");
  }
}

TEST(numbers_beyond_64_bits_in_known_members_are_no_numbers_of_ours) {
  EventParser parser;
  const auto caption = parser.original(record(transcription("hi", R"(,"sequence_number":99999999999999999999,"revision":-99999999999999999999)")));
  CHECK(caption.ok());
  CHECK(!caption->sequence_number && !caption->revision);
  const auto event = parser.synthesized(
      record(R"({"payload":{"room_id":"r","user_id":"u","target_language":"es","audio_data":"AAA=","sample_rate":99999999999999999999}})"));
  CHECK(!event.ok());
  CHECK_EQ(event.error().code, "bad_sample_rate");
}

TEST(half_a_surrogate_pair_becomes_the_replacement_character) {
  CHECK_EQ(code(transcription(R"(a\ud800b)")), "a\xEF\xBF\xBD" "b");
  CHECK_EQ(code(transcription(R"(\uDC00)")), "\xEF\xBF\xBD");
  CHECK_EQ(code(transcription(R"(a\ud83d)")), "a\xEF\xBF\xBD");
  CHECK_EQ(code(transcription(R"(\ud83d\ud83d\ude00\n)")), "\xEF\xBF\xBD\xF0\x9F\x98\x80\n");
  CHECK_EQ(code(transcription(R"(\ud800\u0041)")), "\xEF\xBF\xBD" "A");
  CHECK_EQ(code(transcription(R"(\\ud800 \" \ud800)")), "\\ud800 \" \xEF\xBF\xBD");
  CHECK_EQ(code(transcription("x", R"(,"other\ud800":1)")), "x");
}

TEST(what_is_broken_beside_them_stays_broken) {
  const std::string big = ",\"x\":123456789012345678901234567890";
  CHECK_EQ(code(transcription("hi", big) + "x"), "not_json");
  CHECK_EQ(code(transcription("hi", big + ",\"y\":01")), "not_json");
  CHECK_EQ(code(transcription("hi", big + "1x")), "not_json");
  CHECK_EQ(code(transcription("hi", ",\"x\":0123456789012345678901234567890")), "not_json");
  CHECK_EQ(code(transcription("hi", ",\"x\":-")), "not_json");
  CHECK_EQ(code(transcription("hi", big + ",")), "not_json");
  CHECK_EQ(code(transcription(R"(\ud80)")), "not_json");
  CHECK_EQ(code(transcription(R"(\ud800\q)")), "not_json");
  CHECK_EQ(code(transcription("\\ud800\xFF")), "not_json");
  CHECK_EQ(code(transcription("\\ud800\n")), "not_json");
  for (const char* cut : {"\"\\", "\"\\u", "\"\\ud8", "\"\\ud800", "\"\\ud800\\", "-", "1e", "1234567890123456789012345.", "\""})
    CHECK_EQ(mended_json(cut).empty(), false);
  CHECK_EQ(mended_json(""), "");
}
