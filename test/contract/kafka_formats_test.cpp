// CONTRACT 4: the exact value and headers of audio.raw, and FluentMeet's events as its workers write them.
#include <jansson.h>

#include <string>

#include "core/wire/base64.hpp"
#include "core/wire/kafka_event.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::wire;

namespace {

AudioChunk chunk() {
  AudioChunk chunk;
  chunk.room = RoomId("room-1");
  chunk.user = UserId("ann");
  chunk.sequence_number = 41;
  chunk.source_language = "en-US";
  chunk.ingest_ms = 1795341600123;
  chunk.wanted = "es,fr";
  chunk.audio = {0x00, 0x01, 0xFE, 0xFF};
  return chunk;
}

// 'h' stands for a hexadecimal digit, 'v' for a variant's first.
bool has_form(std::string_view text, std::string_view form) {
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view allowed = form[i] == 'h' ? "0123456789abcdef" : form[i] == 'v' ? "89ab" : form.substr(i, 1);
    if (allowed.find(text[i]) == std::string_view::npos) return false;
  }
  return true;
}
constexpr std::string_view uuid_form = "hhhhhhhh-hhhh-4hhh-vhhh-hhhhhhhhhhhh";
constexpr std::string_view trace_form = "00-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-01";

std::string listed(const std::vector<OwnedHeader>& headers) {
  std::string out;
  for (const OwnedHeader& header : headers) {
    out += std::string(header.name) + "=" + (has_form(header.value, trace_form) ? "a trace" : header.value) + "\n";
  }
  return out;
}

KafkaRecord record(std::string_view value, std::span<const Header> headers = {}) { return {value, headers, {1, 2, 3, 1795341600000}}; }

}  // namespace

TEST(audio_raw_json_is_fluentmeets_event) {
  const std::string value = audio_chunk_json(chunk(), 1795341600123);
  const std::string_view begin = "{\"event_id\":\"";
  CHECK(value.starts_with(begin));
  CHECK(has_form(std::string_view(value).substr(begin.size(), uuid_form.size()), uuid_form));
  CHECK_EQ(value.substr(begin.size() + uuid_form.size()),
           R"(","event_type":"audio.chunk","timestamp":"2026-11-22T10:00:00.123000+00:00","payload":{"room_id":"room-1","user_id":"ann",)"
           R"("sequence_number":41,"audio_data":"AAH+/w==","sample_rate":16000,"encoding":"linear16","source_language":"en-US"}})");
}

TEST(audio_raw_json_of_opus_and_of_an_unknown_language) {
  AudioChunk opus = chunk();
  opus.encoding = Encoding::opus;
  opus.sample_rate = 48000;
  opus.source_language.clear();
  const std::string value = audio_chunk_json(opus, 0);
  CHECK(value.ends_with(R"("sample_rate":48000,"encoding":"opus"}})"));
  CHECK(value.find("1970-01-01T00:00:00.000000+00:00") != std::string::npos);
}

TEST(audio_raw_json_is_json_whatever_the_ids_are) {
  AudioChunk odd = chunk();
  odd.user = UserId(std::string_view("a\"b\\c\n\0\x1F\x7F\xC3\xA9\xFF", 12));
  const std::string value = audio_chunk_json(odd, 1);
  json_t* json = json_loadb(value.data(), value.size(), JSON_ALLOW_NUL, nullptr);
  CHECK(json != nullptr);
  const json_t* user = json_object_get(json_object_get(json, "payload"), "user_id");
  const std::string text(json_string_value(user), json_string_length(user));
  json_decref(json);
  CHECK_EQ(text, std::string("a\"b\\c\n\0\x1F\x7F\xC3\xA9\xEF\xBF\xBD", 14));
}

TEST(audio_raw_headers_in_json) {
  CHECK_EQ(listed(audio_chunk_headers(chunk(), "host-1", false)), "fg-ingest-ms=1795341600123\nfg-seq=41\nfg-instance=host-1\nfg-wanted=es,fr\ntraceparent=a trace\n");
}

TEST(audio_raw_headers_in_binary_and_after_a_gap) {
  AudioChunk gapped = chunk();
  gapped.gap_ms = 250;
  gapped.wanted.clear();
  CHECK_EQ(listed(audio_chunk_headers(gapped, "host-1", true)),
           "fg-ingest-ms=1795341600123\nfg-seq=41\nfg-instance=host-1\nfg-wanted=\ntraceparent=a trace\nfg-gap-ms=250\n"
           "fg-room=room-1\nfg-user=ann\nfg-rate=16000\nfg-enc=linear16\nfg-lang=en-US\n");
}

TEST(event_ids_and_traces_are_never_the_same) {
  CHECK(audio_chunk_json(chunk(), 1) != audio_chunk_json(chunk(), 1));
  CHECK(audio_chunk_headers(chunk(), "i", false)[4].value != audio_chunk_headers(chunk(), "i", false)[4].value);
}

TEST(text_original_as_fluentmeets_worker_writes_it) {
  EventParser parser;
  const auto caption = parser.original(record(
      R"({"event_id": "6f1c1f9e-33a1-4f8e-8b7e-0d7c9a3f5d11", "event_type": "text.transcription", "timestamp": "2026-11-22 10:00:00.123456+00:00", )"
      R"("payload": {"room_id": "room-1", "user_id": "ann", "sequence_number": 7, "text": "caf\u00e9 \ud83d\ude00", "source_language": "en", "is_final": false, "confidence": 0.93}})"));
  CHECK(caption.ok());
  CHECK_EQ(caption->room.value, "room-1");
  CHECK_EQ(caption->speaker.value, "ann");
  CHECK(caption->type == CaptionType::original);
  CHECK_EQ(caption->language.spelling(), "en");
  CHECK_EQ(caption->source_language->spelling(), "en");
  CHECK_EQ(caption->text, "caf\xC3\xA9 \xF0\x9F\x98\x80");
  CHECK(!caption->is_final);
  CHECK_EQ(caption->sequence_number, std::optional<std::int64_t>(7));
  CHECK_EQ(caption->event_ms, std::optional<UnixMs>(1795341600123));
  CHECK(!caption->utterance_id && !caption->revision && !caption->ingest_ms && !caption->original_text);
  CHECK_EQ(caption->position.offset, 3);
  CHECK_EQ(caption->position.partition, 2);
}

TEST(text_translated_as_fluentmeets_worker_writes_it) {
  EventParser parser;
  const Header headers[] = {{"fg-ingest-ms", "1795341599000"}, {"fg-seq", "9"}};
  const auto caption = parser.translated(record(
      R"({"event_id":"6f1c1f9e-33a1-4f8e-8b7e-0d7c9a3f5d11","event_type":"text.translation","timestamp":"2026-11-22T10:00:00.123456+00:00","payload":)"
      R"({"room_id":"room-1","user_id":"ann","sequence_number":7,"original_text":"hello","translated_text":"hola","source_language":"en","target_language":"es",)"
      R"("utterance_id":"u-1","revision":2}})", headers));
  CHECK(caption.ok());
  CHECK(caption->type == CaptionType::translated);
  CHECK_EQ(caption->language.spelling(), "es");
  CHECK_EQ(caption->source_language->spelling(), "en");
  CHECK_EQ(caption->text, "hola");
  CHECK_EQ(caption->original_text, std::optional<std::string>("hello"));
  CHECK(caption->is_final);
  CHECK_EQ(caption->sequence_number, std::optional<std::int64_t>(7));
  CHECK_EQ(caption->utterance_id, std::optional<std::string>("u-1"));
  CHECK_EQ(caption->revision, std::optional<std::int64_t>(2));
  CHECK_EQ(caption->ingest_ms, std::optional<UnixMs>(1795341599000));
}

TEST(audio_synthesized_as_fluentmeets_worker_writes_it) {
  EventParser parser;
  const auto event = parser.synthesized(record(
      R"({"event_id":"6f1c1f9e-33a1-4f8e-8b7e-0d7c9a3f5d11","event_type":"audio.synthesized","timestamp":"2026-11-22T10:00:00.123456Z","payload":)"
      R"({"room_id":"room-1","user_id":"ann","sequence_number":7,"audio_data":"AAH+\/w==","target_language":"es","sample_rate":24000,"encoding":"linear16"}})"));
  CHECK(event.ok());
  CHECK_EQ(event->room.value, "room-1");
  CHECK_EQ(event->speaker.value, "ann");
  CHECK_EQ(event->language.spelling(), "es");
  CHECK_EQ(event->sequence_number, std::optional<std::int64_t>(7));
  CHECK_EQ(event->sample_rate, 24000);
  CHECK(event->encoding == Encoding::linear16);
  CHECK(event->base64);
  CHECK_EQ(event->audio, "AAH+/w==");
}

TEST(audio_synthesized_takes_the_contracts_defaults) {
  EventParser parser;
  const auto event = parser.synthesized(record(R"({"payload":{"room_id":"r","user_id":"u","audio_data":"AAA=","target_language":"es"}})"));
  CHECK(event.ok());
  CHECK_EQ(event->sample_rate, 16000);
  CHECK(event->encoding == Encoding::linear16);
  CHECK(!event->sequence_number && !event->utterance_id && !event->ingest_ms);
}

TEST(audio_synthesized_in_binary) {
  EventParser parser;
  const Header headers[] = {{"fg-room", "room-1"}, {"fg-user", "ann"}, {"fg-seq", "7"}, {"fg-rate", "22050"}, {"fg-enc", "linear16"},
                            {"fg-lang", "es"}, {"fg-utterance", "u-1"}, {"fg-ingest-ms", "1795341599000"}};
  const std::string_view pcm("\x00\x01\xFE\xFF", 4);
  const auto event = parser.synthesized(record(pcm, headers));
  CHECK(event.ok());
  CHECK_EQ(event->room.value, "room-1");
  CHECK_EQ(event->speaker.value, "ann");
  CHECK_EQ(event->language.spelling(), "es");
  CHECK_EQ(event->sequence_number, std::optional<std::int64_t>(7));
  CHECK_EQ(event->sample_rate, 22050);
  CHECK_EQ(event->utterance_id, std::optional<std::string>("u-1"));
  CHECK_EQ(event->ingest_ms, std::optional<UnixMs>(1795341599000));
  CHECK(!event->base64);
  CHECK_EQ(event->audio, pcm);
}

TEST(what_we_publish_can_be_read_back) {
  EventParser parser;
  const AudioChunk sent = chunk();
  const std::string value = audio_chunk_json(sent, 1);
  const auto from_json = parser.audio_raw_key(record(value));
  CHECK(from_json.ok());
  CHECK_EQ(from_json->room.value, "room-1");
  CHECK_EQ(from_json->user.value, "ann");
  CHECK_EQ(from_json->sequence_number, 41);
  const std::vector<OwnedHeader> owned = audio_chunk_headers(sent, "i", true);
  std::vector<Header> headers;
  for (const OwnedHeader& header : owned) headers.push_back({header.name, header.value});
  const auto from_binary = parser.audio_raw_key(record("\x01\x02", headers));
  CHECK(from_binary.ok());
  CHECK_EQ(from_binary->user.value, "ann");
  CHECK_EQ(from_binary->sequence_number, 41);
}
