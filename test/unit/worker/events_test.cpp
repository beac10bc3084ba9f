// What the worker understands of audio.raw, which languages it takes for wanted, and what it copies along.
#include "tools/worker/events.hpp"

#include <simdjson.h>

#include "core/wire/base64.hpp"
#include "test/support/check.hpp"
#include "tools/worker/phrase.hpp"

using namespace fluentgate;
using namespace fluentgate::worker;

namespace {

const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::string json_chunk(const std::string& members) {
  return R"({"event_id":"x","event_type":"audio.chunk","timestamp":"2026-11-22T10:00:00.123456+00:00","payload":{)" + members + "}}";
}
const std::string good_members = R"("room_id":"r","user_id":"u","sequence_number":7,"audio_data":"AAEC/w==","source_language":"en-GB")";

std::string error_of(const std::string& value, std::vector<Header> headers = {}) {
  ChunkParser parser;
  auto chunk = parser.parse(value, std::move(headers), 0, 0);
  return chunk ? "none" : chunk.error().code;
}

Chunk parsed(const std::string& value, std::vector<Header> headers) {
  ChunkParser parser;
  auto chunk = parser.parse(value, std::move(headers), 5, 6);
  if (!chunk) FAIL(chunk.error().text);
  return std::move(*chunk);
}

std::string header_of(const Message& message, std::string_view name) {
  for (const Header& header : message.headers) {
    if (header.name == name) return header.value;
  }
  return "(none)";
}

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& item : list) out += item + ";";
  return out;
}

}  // namespace

TEST(json_chunk_is_read_with_its_defaults) {
  const Chunk chunk = parsed(json_chunk(good_members), {{"fg-ingest-ms", "1234"}, {"fg-wanted", "es"}});
  CHECK_EQ(chunk.info->room, "r");
  CHECK_EQ(chunk.info->user, "u");
  CHECK_EQ(chunk.info->sequence_number, 7);
  CHECK_EQ(chunk.info->source_language, "en-GB");
  CHECK_EQ(chunk.sample_rate, 16000);
  CHECK(chunk.encoding == Encoding::linear16);
  CHECK_EQ(chunk.audio.size(), 4u);
  CHECK_EQ(*chunk.info->ingest_ms, 1234);
  CHECK_EQ(*chunk.info->wanted, "es");
}

TEST(binary_chunk_is_read_from_its_headers) {
  const Chunk chunk = parsed("abcd", {{"fg-room", "r"}, {"fg-user", "u"}, {"fg-seq", "9"}, {"fg-rate", "48000"}, {"fg-enc", "opus"}, {"fg-lang", "en"}});
  CHECK_EQ(chunk.info->sequence_number, 9);
  CHECK_EQ(chunk.sample_rate, 48000);
  CHECK(chunk.encoding == Encoding::opus);
  CHECK_EQ(chunk.info->source_language, "en");
  CHECK(!chunk.info->wanted.has_value());
}

TEST(malformed_chunks_are_told_apart) {
  CHECK_EQ(error_of("not json"), "not_json");
  CHECK_EQ(error_of("[1]"), "not_an_object");
  CHECK_EQ(error_of("{}"), "not_an_object");
  CHECK_EQ(error_of(""), "not_json");
  CHECK_EQ(error_of(json_chunk(R"("user_id":"u","sequence_number":7,"audio_data":"AAEC/w==")")), "missing_room");
  CHECK_EQ(error_of(json_chunk(R"("room_id":"r","sequence_number":7,"audio_data":"AAEC/w==")")), "missing_user");
  CHECK_EQ(error_of(json_chunk(R"("room_id":"r","user_id":"u","audio_data":"AAEC/w==")")), "missing_sequence");
  CHECK_EQ(error_of(json_chunk(R"("room_id":"r","user_id":"u","sequence_number":7)")), "missing_audio");
  CHECK_EQ(error_of(json_chunk(R"("room_id":"r","user_id":"u","sequence_number":7,"audio_data":"**")")), "bad_base64");
  CHECK_EQ(error_of(json_chunk(R"("room_id":"r","user_id":"u","sequence_number":7,"audio_data":"AAEC")")), "odd_bytes");
  CHECK_EQ(error_of(json_chunk(good_members + R"(,"sample_rate":7999)")), "bad_sample_rate");
  CHECK_EQ(error_of(json_chunk(good_members + R"(,"encoding":"mp3")")), "bad_encoding");
  CHECK_EQ(error_of("abc", {{"fg-room", "r"}, {"fg-user", "u"}, {"fg-seq", "1"}}), "odd_bytes");
  CHECK_EQ(error_of("abcd", {{"fg-room", "r"}, {"fg-user", "u"}, {"fg-seq", "one"}}), "missing_sequence");
  CHECK_EQ(error_of("abcd", {{"fg-room", "r"}, {"fg-user", "u"}, {"fg-seq", "1"}, {"fg-rate", "fast"}}), "bad_sample_rate");
}

TEST(wanted_header_is_split_trimmed_and_without_repeats) {
  CHECK_EQ(joined(parse_wanted("es, fr-CA ,ES,,pt;x,ca")), "es;fr-CA;ca;");
  CHECK(parse_wanted("").empty());
  std::string many;
  for (int i = 0; i < 200; ++i) many += "es-" + std::to_string(100 + i) + ",";
  CHECK_EQ(parse_wanted(many).size(), wanted_languages_max);
}

TEST(regional_tags_are_served_by_their_language_under_their_own_name) {
  ChunkInfo info;
  info.wanted = "es-MX,de,es,FR-ca,en";
  const auto wanted = wanted_languages(info, {"es", "ca", "fr", "pt"});
  CHECK_EQ(wanted.size(), 2u);
  CHECK_EQ(joined(wanted.at("es")), "es-MX;es;");
  CHECK_EQ(joined(wanted.at("fr")), "FR-ca;");
}

TEST(without_the_header_everything_is_wanted_and_with_an_empty_one_nothing) {
  ChunkInfo info;
  CHECK_EQ(wanted_languages(info, {"es", "ca"}).size(), 2u);
  info.wanted = "";
  CHECK(wanted_languages(info, {"es", "ca"}).empty());
}

TEST(headers_are_copied_along_and_the_span_is_a_new_one) {
  const Chunk chunk = parsed(json_chunk(good_members), {{"fg-ingest-ms", "1234"}, {"fg-seq", "7"}, {"fg-instance", "i"}, {"traceparent", trace}, {"x-own", "kept"}});
  const Message message = transcript_message({*chunk.info, "hello", "utt", 2, true}, 0);
  CHECK_EQ(header_of(message, "fg-ingest-ms"), "1234");
  CHECK_EQ(header_of(message, "fg-seq"), "7");
  CHECK_EQ(header_of(message, "fg-instance"), "i");
  CHECK_EQ(header_of(message, "x-own"), "kept");
  const std::string own = header_of(message, "traceparent");
  CHECK_EQ(own.size(), trace.size());
  CHECK_EQ(own.substr(0, 36), trace.substr(0, 36));
  CHECK_EQ(own.substr(52), trace.substr(52));
  CHECK(own.substr(36, 16) != trace.substr(36, 16));
}

TEST(transcript_has_the_contracts_members) {
  const Chunk chunk = parsed(json_chunk(good_members), {});
  const Message message = transcript_message({*chunk.info, "say \"hi\"", "utt", 2, false}, 1'700'000'000'000);
  CHECK_EQ(message.key, "r");
  simdjson::dom::parser parser;
  simdjson::dom::element document = parser.parse(message.value);
  CHECK_EQ(std::string_view(document["event_type"]), "text.transcription");
  const auto payload = document["payload"];
  CHECK_EQ(std::string_view(payload["room_id"]), "r");
  CHECK_EQ(std::string_view(payload["user_id"]), "u");
  CHECK_EQ(std::int64_t(payload["sequence_number"]), 7);
  CHECK_EQ(std::string_view(payload["text"]), "say \"hi\"");
  CHECK_EQ(std::string_view(payload["source_language"]), "en-GB");
  CHECK_EQ(bool(payload["is_final"]), false);
  CHECK_EQ(std::string_view(payload["utterance_id"]), "utt");
  CHECK_EQ(std::int64_t(payload["revision"]), 2);
}

TEST(binary_piece_is_its_audio_and_describes_itself) {
  const Chunk chunk = parsed("abcd", {{"fg-room", "r"}, {"fg-user", "u"}, {"fg-seq", "9"}, {"fg-rate", "48000"}, {"fg-enc", "opus"}, {"fg-lang", "en"}, {"fg-ingest-ms", "5"}});
  const Bytes audio{1, 2, 3, 4};
  const Message message = synthesized_message({*chunk.info, "es", "utt", 16000, audio}, true, 0);
  CHECK_EQ(message.value, std::string("\1\2\3\4"));
  CHECK_EQ(header_of(message, "fg-lang"), "es");
  CHECK_EQ(header_of(message, "fg-rate"), "16000");
  CHECK_EQ(header_of(message, "fg-enc"), "linear16");
  CHECK_EQ(header_of(message, "fg-seq"), "9");
  CHECK_EQ(header_of(message, "fg-utterance"), "utt");
  CHECK_EQ(header_of(message, "fg-ingest-ms"), "5");
  std::size_t languages = 0;
  for (const Header& header : message.headers) languages += header.name == "fg-lang" ? 1 : 0;
  CHECK_EQ(languages, 1u);
}

TEST(json_piece_does_not_carry_headers_of_the_chunks_own_format) {
  const Chunk chunk = parsed("abcd", {{"fg-room", "r"}, {"fg-user", "u"}, {"fg-seq", "9"}, {"fg-rate", "48000"}, {"fg-enc", "opus"}, {"fg-lang", "en"}});
  const Bytes audio{1, 2, 3, 4};
  const Message message = synthesized_message({*chunk.info, "es", "utt", 16000, audio}, false, 0);
  CHECK_EQ(header_of(message, "fg-lang"), "(none)");
  CHECK_EQ(header_of(message, "fg-seq"), "9");
  simdjson::dom::parser parser;
  simdjson::dom::element document = parser.parse(message.value);
  CHECK_EQ(std::string_view(document["event_type"]), "audio.synthesized");
  CHECK_EQ(std::string_view(document["payload"]["audio_data"]), "AQIDBA==");
  CHECK_EQ(std::string_view(document["payload"]["target_language"]), "es");
  CHECK_EQ(std::int64_t(document["payload"]["sample_rate"]), 16000);
}
