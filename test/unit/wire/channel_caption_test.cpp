// Caption objects of pipeline:captions, as different workers write them.
#include "core/wire/channel_caption.hpp"

#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

Caption read(std::string_view json) {
  wire::ChannelCaptionParser parser;
  auto caption = parser.read(json, RoomId("r1"));
  if (!caption) FAIL(caption.error().code + ": " + caption.error().text);
  return std::move(caption).value();
}

std::string error_of(std::string_view json) {
  wire::ChannelCaptionParser parser;
  const auto caption = parser.read(json, RoomId("r1"));
  return caption ? "taken" : caption.error().code;
}

}  // namespace

TEST(channel_caption_of_fluentmeet_s_streaming_worker_is_taken) {
  const Caption caption = read(R"({"event":"caption","type":"original","speaker_id":"u-1","speaker_name":"Ann","text":"good mor","source_language":"en",)"
                               R"("is_final":false,"sequence_number":3,"timestamp_ms":1795341600123})");
  CHECK_EQ(caption.room.value, "r1");
  CHECK(caption.type == CaptionType::original);
  CHECK_EQ(caption.speaker.value, "u-1");
  CHECK_EQ(caption.speaker_name, "Ann");
  CHECK_EQ(caption.language.spelling(), "en");
  CHECK(caption.source_language == caption.language);
  CHECK_EQ(caption.text, "good mor");
  CHECK(!caption.is_final);
  CHECK_EQ(caption.sequence_number, 3);
  CHECK_EQ(caption.event_ms, 1795341600123);
  CHECK(!caption.utterance_id && !caption.revision && !caption.original_text);
}

TEST(channel_caption_of_fluentmeet_s_translation_worker_is_taken) {
  const Caption caption = read(R"({"event":"caption","type":"translated","speaker_id":"u-1","speaker_name":"Ann","original_text":"good morning",)"
                               R"("translated_text":"buenos días","source_language":"en","target_language":"es","is_final":true,"sequence_number":3,"timestamp_ms":5})");
  CHECK(caption.type == CaptionType::translated);
  CHECK_EQ(caption.language.spelling(), "es");
  CHECK_EQ(caption.source_language.value().spelling(), "en");
  CHECK_EQ(caption.text, "buenos días");
  CHECK_EQ(caption.original_text, "good morning");
  CHECK(caption.is_final);
}

TEST(channel_caption_of_its_older_worker_is_taken) {
  const Caption caption = read(R"({"event":"caption","speaker_id":"u","text":"hola","language":"es","is_final":false,"is_translation":true,"timestamp_ms":5})");
  CHECK(caption.type == CaptionType::translated);
  CHECK_EQ(caption.language.spelling(), "es");
  CHECK(!caption.source_language);
  CHECK(read(R"({"speaker_id":"u","text":"hi","language":"en","is_translation":false})").type == CaptionType::original);
}

TEST(channel_caption_as_we_send_it_is_taken) {
  const Caption caption = read(R"({"event":"caption","type":"translated","speaker_id":"u","speaker_name":null,"language":"es-MX","source_language":"en","text":"hola",)"
                               R"("is_final":false,"sequence_number":7,"utterance_id":"u:7","revision":2,"timestamp_ms":9,"original_text":"hi","more":{"a":[1]}})");
  CHECK_EQ(caption.language.spelling(), "es-MX");
  CHECK_EQ(caption.source_language.value().spelling(), "en");
  CHECK_EQ(caption.utterance_id, "u:7");
  CHECK_EQ(caption.revision, 2);
  CHECK(!caption.speaker_name);
}

TEST(channel_caption_as_the_kafka_event_is_taken) {
  const Caption caption = read(R"({"event_id":"x","event_type":"text.transcription","timestamp":"2026-11-22 10:00:00.123456+00:00","payload":{"room_id":"r1",)"
                               R"("user_id":"u","sequence_number":1,"text":"hi","source_language":"en","is_final":false,"confidence":0.5}})");
  CHECK(caption.type == CaptionType::original);
  CHECK_EQ(caption.speaker.value, "u");
  CHECK_EQ(caption.event_ms, 1795341600123);
  CHECK(!caption.is_final);
}

TEST(channel_caption_is_final_unless_it_says_otherwise) {
  CHECK(read(R"({"speaker_id":"u","text":"hi","language":"en"})").is_final);
  CHECK(read(R"({"speaker_id":"u","text":"hi","language":"en","is_final":"false"})").is_final);
}

TEST(channel_caption_that_lacks_something_is_malformed) {
  CHECK_EQ(error_of("{"), "not_json");
  CHECK_EQ(error_of("[]"), "not_an_object");
  CHECK_EQ(error_of(R"({"text":"hi","language":"en"})"), "missing_user");
  CHECK_EQ(error_of(R"({"speaker_id":7,"text":"hi","language":"en"})"), "missing_user");
  CHECK_EQ(error_of(R"({"speaker_id":"u","text":"hi"})"), "missing_language");
  CHECK_EQ(error_of(R"({"speaker_id":"u","text":"hi","language":"-"})"), "bad_language");
  CHECK_EQ(error_of(R"({"speaker_id":"u","language":"en"})"), "missing_text");
  CHECK_EQ(error_of(R"({"event":"typing","speaker_id":"u","text":"hi","language":"en"})"), "bad_event_type");
  CHECK_EQ(error_of("{\"text\":\"\xff\",\"speaker_id\":\"u\",\"language\":\"en\"}"), "not_json");
}
