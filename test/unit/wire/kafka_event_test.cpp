// kafka_event.hpp: every reason of a malformed record, what is tolerated, and which format a record is taken for.
#include <algorithm>
#include <random>
#include <string>

#include "core/domain/limits.hpp"
#include "core/wire/kafka_event.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::wire;

namespace {

using Headers = std::vector<Header>;

KafkaRecord record(std::string_view value, const Headers& headers = {}) { return {value, headers, {}}; }

template <class T>
std::string code(const Result<T>& result) {
  if (result.ok()) return "ok";
  const auto reasons = malformed_reasons();
  CHECK(std::find(reasons.begin(), reasons.end(), result.error().code) != reasons.end());
  return result.error().code;
}

std::string synthesized(std::string_view value, const Headers& headers = {}) {
  EventParser parser;
  return code(parser.synthesized(record(value, headers)));
}
std::string original(std::string_view value) {
  EventParser parser;
  return code(parser.original(record(value)));
}
std::string translated(std::string_view value) {
  EventParser parser;
  return code(parser.translated(record(value)));
}

std::string event(std::string_view members) { return "{\"payload\":{" + std::string(members) + "}}"; }

constexpr const char* who = R"("room_id":"r","user_id":"u")";
std::string audio(std::string_view more) { return event(std::string(who) + R"(,"target_language":"es","audio_data":"AAA=")" + std::string(more)); }
std::string text(std::string_view more) { return event(std::string(who) + R"(,"source_language":"en","text":"x")" + std::string(more)); }

const Headers binary{{"fg-room", "r"}, {"fg-user", "u"}, {"fg-lang", "es"}};

Headers with(Headers headers, Header header) {
  headers.push_back(header);
  return headers;
}

}  // namespace

TEST(broken_values_are_told_by_reason) {
  for (const char* value : {"", " ", "{", "{\"payload\":{}", "pcm", "{\"payload\":{}}x", "{\"a\":01}", "\xFF\xFE", "{\"a\":\"\xFF\"}"}) {
    if (synthesized(value) != "not_json") FAIL(value);
    CHECK_EQ(original(value), "not_json");
  }
  for (const char* value : {"[]", "7", "\"x\"", "null", "{}", "{\"payload\":7}", "{\"payload\":null}", "{\"payload\":[]}"}) {
    if (synthesized(value) != "not_an_object") FAIL(value);
  }
}

TEST(missing_members_are_told_by_reason) {
  CHECK_EQ(synthesized(audio("")), "ok");
  CHECK_EQ(synthesized(event(R"("user_id":"u","target_language":"es","audio_data":"AAA=")")), "missing_room");
  CHECK_EQ(synthesized(event(R"("room_id":"","user_id":"u","target_language":"es","audio_data":"AAA=")")), "missing_room");
  CHECK_EQ(synthesized(event(R"("room_id":7,"user_id":"u","target_language":"es","audio_data":"AAA=")")), "missing_room");
  CHECK_EQ(synthesized(event(R"("room_id":"r","user_id":null,"target_language":"es","audio_data":"AAA=")")), "missing_user");
  CHECK_EQ(synthesized(event(R"("room_id":"r","user_id":"u","audio_data":"AAA=")")), "missing_language");
  CHECK_EQ(synthesized(event(R"("room_id":"r","user_id":"u","target_language":"e s","audio_data":"AAA=")")), "bad_language");
  CHECK_EQ(synthesized(event(R"("room_id":"r","user_id":"u","target_language":"es")")), "missing_audio");
  CHECK_EQ(synthesized(event(R"("room_id":"r","user_id":"u","target_language":"es","audio_data":"")")), "missing_audio");
  CHECK_EQ(original(text("")), "ok");
  CHECK_EQ(original(event(std::string(who) + R"(,"source_language":"en")")), "missing_text");
  CHECK_EQ(original(event(std::string(who) + R"(,"text":"x")")), "missing_language");
  CHECK_EQ(translated(event(std::string(who) + R"(,"target_language":"es","text":"x")")), "missing_text");
  CHECK_EQ(translated(event(std::string(who) + R"(,"source_language":"en","translated_text":"x")")), "missing_language");
  CHECK_EQ(synthesized(event(R"("room_id":"r","user_id":")" + std::string(limits::user_id_bytes_max + 1, 'u') + "\"")), "missing_user");
}

TEST(rates_and_encodings_have_bounds) {
  for (const char* rate : {"8000", "48000", "22050", "24000.0", "null"}) CHECK_EQ(synthesized(audio(std::string(",\"sample_rate\":") + rate)), "ok");
  for (const char* rate : {"7999", "48001", "0", "-16000", "16000.5", "\"16000\"", "1e99", "18446744073709551615", "true"}) {
    if (synthesized(audio(std::string(",\"sample_rate\":") + rate)) != "bad_sample_rate") FAIL(rate);
  }
  CHECK_EQ(synthesized(audio(",\"encoding\":\"opus\"")), "ok");
  CHECK_EQ(synthesized(audio(",\"encoding\":null")), "ok");
  CHECK_EQ(synthesized(audio(",\"encoding\":\"mp3\"")), "bad_encoding");
  CHECK_EQ(synthesized(audio(",\"encoding\":5")), "bad_encoding");
}

TEST(unknown_and_odd_optional_members_do_no_harm) {
  EventParser parser;
  const std::string value =
      R"({"x":[{"y":{}}],"event_type":"something.new","timestamp":17,"payload":{"z":{"room_id":"no"},"room_id":"r","user_id":"u","source_language":"en","text":"",)"
      R"("sequence_number":"7","is_final":"yes","revision":-1,"utterance_id":9,"confidence":null}})";
  const auto caption = parser.original(record(value));
  CHECK(caption.ok());
  CHECK(caption->is_final);
  CHECK_EQ(caption->text, "");
  CHECK(!caption->sequence_number && !caption->revision && !caption->utterance_id && !caption->event_ms);
}

TEST(numbers_may_be_written_as_floats) {
  EventParser parser;
  CHECK_EQ(parser.original(record(text(",\"sequence_number\":7.0")))->sequence_number, std::optional<std::int64_t>(7));
  CHECK(!parser.original(record(text(",\"sequence_number\":7.5")))->sequence_number);
}

TEST(of_a_repeated_member_the_last_counts) {
  EventParser parser;
  CHECK_EQ(parser.original(record(text(",\"text\":\"y\"")))->text, "y");
  CHECK_EQ(original(text(",\"room_id\":null")), "missing_room");
}

TEST(an_event_of_another_topic_is_refused) {
  CHECK_EQ(original(R"({"event_type":"text.translation","payload":{}})"), "bad_event_type");
  CHECK_EQ(synthesized(R"({"event_type":"audio.chunk","payload":{}})"), "bad_event_type");
}

TEST(nesting_has_the_same_bound_as_everywhere) {
  const auto deep = [](std::size_t levels) { return text(",\"x\":" + std::string(levels, '[') + "1" + std::string(levels, ']')); };
  CHECK_EQ(original(deep(limits::json_depth_max - 2)), "ok");
  CHECK_EQ(original(deep(limits::json_depth_max - 1)), "too_deep");
  CHECK_EQ(original(deep(5000)), "too_deep");
}

TEST(the_bound_of_nesting_stays_when_the_parser_grows) {
  EventParser parser;
  CHECK(parser.original(record(text(",\"y\":\"" + std::string(1 << 20, 'y') + "\""))).ok());
  const std::string levels(limits::json_depth_max - 1, '[');
  CHECK_EQ(code(parser.original(record(text(",\"x\":" + levels + "1" + std::string(levels.size(), ']'))))), "too_deep");
}

TEST(texts_keep_nul_and_every_character) {
  EventParser parser;
  const auto caption = parser.original(record(text(R"(,"text":"a\u0000b\ud83d\ude00")")));
  CHECK_EQ(caption->text, std::string("a\0b\xF0\x9F\x98\x80", 7));
}

TEST(headers_fill_in_what_the_payload_lacks) {
  EventParser parser;
  const Headers headers{{"fg-seq", "1"}, {"fg-ingest-ms", "99"}, {"fg-seq", "5"}};
  CHECK_EQ(parser.original(record(text(""), headers))->sequence_number, std::optional<std::int64_t>(5));
  CHECK_EQ(parser.original(record(text(",\"sequence_number\":3"), headers))->sequence_number, std::optional<std::int64_t>(3));
  CHECK_EQ(parser.original(record(text(""), headers))->ingest_ms, std::optional<UnixMs>(99));
  for (const char* bad : {"", "x", "-1", "1x", " 1", "99999999999999999999"}) {
    CHECK(!parser.original(record(text(""), {{"fg-ingest-ms", bad}}))->ingest_ms);
  }
}

TEST(binary_is_known_by_its_headers) {
  CHECK_EQ(synthesized("abcd", binary), "ok");
  CHECK_EQ(synthesized("abc", binary), "odd_bytes");
  CHECK_EQ(synthesized("abc", with(binary, {"fg-enc", "opus"})), "ok");
  CHECK_EQ(synthesized("", binary), "missing_audio");
  CHECK_EQ(synthesized("abcd", with(binary, {"fg-enc", "mp3"})), "bad_encoding");
  CHECK_EQ(synthesized("abcd", with(binary, {"fg-rate", "0"})), "bad_sample_rate");
  CHECK_EQ(synthesized("abcd", with(binary, {"fg-rate", "x"})), "bad_sample_rate");
  CHECK_EQ(synthesized("abcd", {{"fg-user", "u"}, {"fg-lang", "es"}}), "missing_room");
  CHECK_EQ(synthesized("abcd", {{"fg-room", "r"}, {"fg-lang", "es"}}), "missing_user");
  CHECK_EQ(synthesized("abcd", {{"fg-room", "r"}, {"fg-user", "u"}}), "missing_language");
  CHECK_EQ(synthesized("abcd", {{"fg-room", "r\xFF"}, {"fg-user", "u"}, {"fg-lang", "es"}}), "missing_room");
  CHECK_EQ(synthesized("abcd", {{"fg-room", "r"}, {"fg-user", "u"}, {"fg-lang", "?"}}), "bad_language");
  CHECK_EQ(synthesized("abcd", {{"fg-seq", "1"}}), "not_json");
}

TEST(json_counts_even_where_a_worker_copied_binary_headers) {
  EventParser parser;
  const std::string value = audio("");
  const auto event = parser.synthesized(record(value, {{"fg-room", "r"}, {"fg-user", "u"}, {"fg-lang", "en"}}));
  CHECK(event.ok());
  CHECK(event->base64);
  CHECK_EQ(event->language.spelling(), "es");
  // Cut off: still an event, never noise.
  CHECK_EQ(synthesized(value.substr(0, value.size() - 2), binary), "not_json");
}

TEST(pcm_that_begins_like_an_object_is_pcm) {
  EventParser parser;
  const auto event = parser.synthesized(record("{}{\"", binary));
  CHECK(event.ok());
  CHECK(!event->base64);
  CHECK_EQ(synthesized("{\"ev", binary), "ok");
}

TEST(audio_raw_keys_need_a_number) {
  EventParser parser;
  CHECK_EQ(code(parser.audio_raw_key(record(event(who)))), "missing_sequence");
  CHECK_EQ(code(parser.audio_raw_key(record("pcm", {{"fg-room", "r"}, {"fg-user", "u"}}))), "not_json");
  CHECK_EQ(parser.audio_raw_key(record(event(who), {{"fg-seq", "12"}}))->sequence_number, 12);
}

TEST(damaged_records_never_break_the_parser) {
  EventParser parser;
  std::mt19937 random(5);
  const std::string good = audio(R"(,"sample_rate":24000,"encoding":"linear16","utterance_id":"u","sequence_number":7)");
  for (int i = 0; i < 20000; ++i) {
    std::string value = good;
    for (auto edits = 1 + random() % 3; edits > 0; --edits) value[random() % value.size()] = static_cast<char>(random());
    if (random() % 4 == 0) value.resize(random() % value.size());
    const auto event = parser.synthesized(record(value));
    if (event.ok()) CHECK(!event->audio.empty() && event->sample_rate >= 8000);
    else code(event);
  }
}
