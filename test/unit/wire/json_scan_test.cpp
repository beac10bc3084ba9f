// json_scan.hpp: the grammar of RFC 8259, the members as spans, decoding, depth.
#include <string>
#include <vector>

#include "core/wire/json_scan.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::wire;

namespace {

std::string outcome(std::string_view text) {
  ObjectScanner scanner(text);
  while (scanner.next()) {
  }
  const Status status = scanner.status();
  return status ? "ok" : status.error().code;
}

std::string in_object(std::string_view value) { return "{\"a\":" + std::string(value) + "}"; }

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

}  // namespace

TEST(scan_gives_members_with_keys_decoded_and_values_raw) {
  ObjectScanner scanner(" { \"a\" : 1.50e+2 ,\"b\\u0063\":[ 1 , {\"x\":2} ],\t\"a\":null,\"\":\"\\/\"}\r\n");
  auto member = scanner.next();
  CHECK(member && member->key == "a" && member->value == "1.50e+2" && member->type == JsonType::number);
  CHECK_EQ(member->raw, "\"a\" : 1.50e+2");
  member = scanner.next();
  CHECK(member && member->key == "bc" && member->value == "[ 1 , {\"x\":2} ]" && member->type == JsonType::array);
  CHECK_EQ(member->raw, "\"b\\u0063\":[ 1 , {\"x\":2} ]");
  member = scanner.next();
  CHECK(member && member->key == "a" && member->type == JsonType::null);
  member = scanner.next();
  CHECK(member && member->key.empty() && member->value == "\"\\/\"" && member->type == JsonType::string);
  CHECK(!scanner.next());
  CHECK(scanner.status().ok());
  CHECK(!scanner.next());
}

TEST(scan_accepts_every_kind_of_value) {
  for (const char* value : {"0", "-0", "-1", "10", "1.5", "0.0", "1e5", "1E+5", "0e-0", "123456789012345678901234567890", "1e999", "true", "false",
                            "null", "\"\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"", "\"caf\xC3\xA9\"", "[]", "{}", "[[],{}]",
                            "[1,2,3]", "{\"b\":{\"c\":[{}]}}", " [ ] ", "{ }", "\"\\u0000\"", "\"\x7F\"", "[{\"a\":[]},[]]"}) {
    if (outcome(in_object(value)) != "ok") FAIL(value);
  }
  CHECK_EQ(outcome("{}"), "ok");
  CHECK_EQ(outcome(" \r\n\t{ } \n"), "ok");
}

TEST(scan_refuses_broken_values) {
  for (const char* value : {"", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x10", "1_0", "NaN", "Infinity", "-Infinity", "True", "nul", "nulll", "truefalse",
                            "'a'", "\"", "\"a", "\"\\\"", "\"\\x41\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\u\"", "\"\\", "\"a\nb\"", "\"\t\"", "\"\x01\"",
                            "\"\xFF\"", "\"\xC3\"", "\"\xED\xA0\x80\"", "\"\xC0\xAF\"", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{\"b\":1]",
                            "{", "{\"b\"", "{\"b\":", "{\"b\":1", "{\"b\":1,", "{\"b\":1,}", "{,}", "{b:1}", "{1:1}", "{\"b\" 1}", "{\"b\":}", "1 2", "1,2",
                            "// x\n1", "/**/1", "\xC2\xA0""1", "\xEF\xBB\xBF""1"}) {
    if (outcome(in_object(value)) != "invalid_json") FAIL(value);
  }
}

TEST(scan_refuses_broken_objects) {
  for (const char* text : {"", " ", "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,\"a\":1}", "{\"a\":1,,\"b\":2}", "{\"a\":1 \"b\":2}",
                           "{\"a\":1}}", "{\"a\":1}x", "{\"a\":1}{}", "{a:1}", "{'a':1}", "{null:1}", "{\"a\":1]", "x", "}", "\xEF\xBB\xBF{}", "{}\x0B", "{\"\\uZZZZ\":1}",
                           "{\"a\\\":1}"}) {
    if (outcome(text) != "invalid_json") FAIL(text);
  }
  CHECK_EQ(outcome(std::string_view("{}\0", 3)), "invalid_json");
  CHECK_EQ(outcome(std::string_view("{\"a\0\":1}", 8)), "invalid_json");
  CHECK_EQ(outcome(std::string_view("\0{}", 3)), "invalid_json");
}

TEST(scan_tells_json_that_is_no_object) {
  for (const char* text : {"[]", "[{}]", "1", "-1.5e3", "\"a\"", "true", "false", "null", " [1] ", "\"{}\""}) {
    if (outcome(text) != "not_an_object") FAIL(text);
  }
  for (const char* text : {"[", "[}", "1x", "\"a", "tru", "[]]", "null null"}) {
    if (outcome(text) != "invalid_json") FAIL(text);
  }
}

TEST(scan_takes_64_levels_and_no_more) {
  // The outer object is level 1.
  CHECK_EQ(outcome(in_object(repeated("[", 63) + repeated("]", 63))), "ok");
  CHECK_EQ(outcome(in_object(repeated("[", 64) + repeated("]", 64))), "invalid_json");
  CHECK_EQ(outcome(repeated("{\"a\":", 63) + "{}" + repeated("}", 63)), "ok");
  CHECK_EQ(outcome(repeated("{\"a\":", 64) + "{}" + repeated("}", 64)), "invalid_json");
  CHECK_EQ(outcome(repeated("[", 64) + repeated("]", 64)), "not_an_object");
  CHECK_EQ(outcome(repeated("[", 65) + repeated("]", 65)), "invalid_json");
  CHECK_EQ(outcome(in_object(repeated("[", 100000))), "invalid_json");
  // Levels closed again don't count.
  CHECK_EQ(outcome(in_object("[" + repeated("[[]],", 200) + "[]]")), "ok");
}

TEST(scan_says_where_it_broke) {
  ObjectScanner scanner("{\"a\":1,\"b\":tru}");
  while (scanner.next()) {
  }
  CHECK_EQ(scanner.status().error().text, "a value expected at byte 11");
}

TEST(scan_has_no_result_before_its_end) {
  ObjectScanner scanner("{\"a\":1}");
  CHECK(scanner.next().has_value());
  CHECK(!scanner.status().ok());
}

TEST(decoded_strings_are_utf_8) {
  CHECK_EQ(decoded_string("\"\""), "");
  CHECK_EQ(decoded_string("\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\""), "a\"\\/\b\f\n\r\tz");
  CHECK_EQ(decoded_string("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\""), "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  CHECK_EQ(decoded_string("\"a\\u0000b\""), std::string("a\0b", 3));
  CHECK_EQ(decoded_string("\"caf\xC3\xA9\""), "caf\xC3\xA9");
}

TEST(half_a_surrogate_pair_is_passed_on_and_equals_no_text) {
  CHECK_EQ(outcome(in_object("\"\\ud83d\"")), "ok");
  CHECK_EQ(decoded_string("\"\\ud83d\""), "\xED\xA0\xBD");
  CHECK_EQ(decoded_string("\"\\ude00x\""), "\xED\xB8\x80x");
  CHECK_EQ(decoded_string("\"\\ud83d\\u0041\""), "\xED\xA0\xBD" "A");
  CHECK_EQ(decoded_string("\"\\ud83d\\n\""), "\xED\xA0\xBD\n");
  CHECK_EQ(decoded_string("\"\\ud83d\\ud83d\\ude00\""), "\xED\xA0\xBD\xF0\x9F\x98\x80");
}

TEST(numbers_are_integers_where_they_are_whole) {
  CHECK_EQ(integer_value("16000"), std::optional<std::int64_t>(16000));
  CHECK_EQ(integer_value("16000.0"), std::optional<std::int64_t>(16000));
  CHECK_EQ(integer_value("1.6e4"), std::optional<std::int64_t>(16000));
  CHECK_EQ(integer_value("-0"), std::optional<std::int64_t>(0));
  CHECK_EQ(integer_value("9223372036854775807"), std::optional<std::int64_t>(INT64_MAX));
  for (const char* text : {"9223372036854775808", "1.5", "1e300", "1e999", "\"1\"", "true", "null", ""}) CHECK(!integer_value(text));
  CHECK_EQ(number_value("-1.5"), std::optional<double>(-1.5));
  CHECK(!number_value("1e999"));
  CHECK(!number_value("null"));
}

TEST(array_scanner_gives_each_element) {
  ArrayScanner array("[ \"a,]\" , [1,2],{\"x\":[]} ,null]");
  std::vector<std::string> values;
  while (const auto element = array.next()) values.emplace_back(element->value);
  CHECK_EQ(values.size(), 4u);
  CHECK_EQ(values[0], "\"a,]\"");
  CHECK_EQ(values[1], "[1,2]");
  CHECK_EQ(values[2], "{\"x\":[]}");
  CHECK_EQ(values[3], "null");
  ArrayScanner empty("[ ]");
  CHECK(!empty.next());
}
