// CONTRACT 1, 2, 3: the exact bytes of every event and of framed audio.
#include <array>
#include <string>

#include "core/wire/server_event.hpp"
#include "core/wire/ws_frame.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::wire;

namespace {

LanguageTag tag(std::string_view text) { return LanguageTag::parse(text).value(); }

Caption caption(CaptionType type) {
  Caption caption{RoomId("r"), type, UserId("ann"), tag(type == CaptionType::original ? "en" : "es")};
  caption.text = type == CaptionType::original ? "hello" : "hola";
  caption.source_language = tag("en");
  caption.sequence_number = 7;
  caption.event_ms = 1700000000123;
  caption.position.timestamp_ms = 1700000000999;
  return caption;
}

}  // namespace

TEST(events_of_every_control_socket) {
  CHECK_EQ(error_event(ErrorCode::bad_base64, "not \"base64\""), R"({"type":"error","code":"bad_base64","detail":"not \"base64\""})");
  CHECK_EQ(pong_event(Ping{}), R"({"type":"pong"})");
  CHECK_EQ(language_event(LanguageList{tag("es-MX"), tag("fr")}, tag("en"), LanguageList{}),
           R"({"type":"language","listening_language":["es-MX","fr"],"speaking_language":"en","understands":[]})");
  CHECK_EQ(language_event(LanguageList{}, std::nullopt, LanguageList{tag("de")}),
           R"({"type":"language","listening_language":[],"speaking_language":null,"understands":["de"]})");
  CHECK_EQ(refreshed_event(1700000000), R"({"type":"refreshed","exp":1700000000})");
  CHECK_EQ(refreshed_event(std::nullopt), R"({"type":"refreshed","exp":null})");
  CHECK_EQ(token_expiring_event(1700000000), R"({"type":"token_expiring","exp":1700000000})");
  CHECK_EQ(pipeline_heartbeat_event(1700000000123, PipelineState::ok), R"({"type":"pipeline_heartbeat","ts":1700000000123,"state":"ok"})");
  CHECK_EQ(pipeline_heartbeat_event(1, PipelineState::degraded), R"({"type":"pipeline_heartbeat","ts":1,"state":"degraded"})");
  CHECK_EQ(pipeline_heartbeat_event(1, PipelineState::down), R"({"type":"pipeline_heartbeat","ts":1,"state":"down"})");
  CHECK_EQ(going_away_event(2500), R"({"type":"going_away","retry_after_ms":2500})");
}

TEST(events_of_audio_sockets) {
  CHECK_EQ(started_event(Start{Encoding::opus, 48000, 2, tag("en")}),
           R"({"type":"started","encoding":"opus","sample_rate":48000,"channels":2,"speaking_language":"en"})");
  CHECK_EQ(started_event(Start{}), R"({"type":"started","encoding":"linear16","sample_rate":16000,"channels":1,"speaking_language":null})");
  CHECK_EQ(skipped_event("ann", 120, "stale"), R"({"type":"skipped","speaker_id":"ann","skipped_ms":120,"reason":"stale"})");
  CHECK_EQ(listeners_event(ListenerCounts{{"fr", 1}, {"es", 3}}), R"({"type":"listeners","languages":{"es":3,"fr":1}})");
  CHECK_EQ(listeners_event(ListenerCounts{}), R"({"type":"listeners","languages":{}})");
  CHECK_EQ(audio_dropped_event(640, DropCause::waited),
           R"({"type":"error","code":"audio_dropped","detail":"audio waited too long for Kafka and was dropped","dropped_ms":640})");
  CHECK_EQ(audio_dropped_event(20, DropCause::refused),
           R"({"type":"error","code":"audio_dropped","detail":"audio was refused by Kafka and was dropped","dropped_ms":20})");
  CHECK_EQ(audio_dropped_event(660, DropCause::both),
           R"({"type":"error","code":"audio_dropped","detail":"audio waited too long for Kafka, or was refused by it, and was dropped","dropped_ms":660})");
}

TEST(events_of_signaling_sockets) {
  const Peer ann{"ann", "Ann \"A\"", "host", "en", "es"};
  const Peer bob{"bob", std::nullopt, std::nullopt, std::nullopt, std::nullopt};
  CHECK_EQ(existing_users_event(std::array{ann, bob}),
           R"({"type":"existing_users","users":[{"user_id":"ann","display_name":"Ann \"A\"","role":"host","speaking_language":"en","listening_language":"es"},)"
           R"({"user_id":"bob","display_name":null,"role":null,"speaking_language":null,"listening_language":null}]})");
  CHECK_EQ(existing_users_event({}), R"({"type":"existing_users","users":[]})");
  CHECK_EQ(user_joined_event(ann),
           R"({"type":"user_joined","user_id":"ann","display_name":"Ann \"A\"","role":"host","speaking_language":"en","listening_language":"es"})");
  CHECK_EQ(user_left_event("ann"), R"({"type":"user_left","user_id":"ann"})");
  CHECK_EQ(suppress_original_event({"ann", "es", "mute", 0.0, 200, "ann:7", 1700000000123}),
           R"({"type":"suppress_original","speaker_id":"ann","language":"es","mode":"mute","gain":0.0,"fade_ms":200,"utterance_id":"ann:7","timestamp_ms":1700000000123})");
  CHECK_EQ(suppress_original_event({"ann", "es", "duck", 0.15, 50, std::nullopt, 1}),
           R"({"type":"suppress_original","speaker_id":"ann","language":"es","mode":"duck","gain":0.15,"fade_ms":50,"utterance_id":null,"timestamp_ms":1})");
  CHECK_EQ(restore_original_event("ann", RestoreReason::stalled, 200), R"({"type":"restore_original","speaker_id":"ann","reason":"stalled","fade_ms":200})");
}

TEST(captions_of_both_types) {
  CHECK_EQ(caption_event(caption(CaptionType::original), "Ann", 0, false, false),
           R"({"event":"caption","type":"original","speaker_id":"ann","speaker_name":"Ann","language":"en","source_language":"en","text":"hello","is_final":true,)"
           R"("sequence_number":7,"utterance_id":"ann:7","revision":0,"timestamp_ms":1700000000123})");
  Caption translated = caption(CaptionType::translated);
  translated.original_text = "hello";
  translated.is_final = false;
  CHECK_EQ(caption_event(translated, std::nullopt, 2, false, false),
           R"({"event":"caption","type":"translated","speaker_id":"ann","speaker_name":null,"language":"es","source_language":"en","text":"hola","is_final":false,)"
           R"("sequence_number":7,"utterance_id":"ann:7","revision":2,"timestamp_ms":1700000000123,"original_text":"hello"})");
}

TEST(captions_replayed_and_with_legacy_members) {
  Caption translated = caption(CaptionType::translated);
  CHECK(caption_event(translated, std::nullopt, 0, true, true)
            .ends_with(R"("timestamp_ms":1700000000123,"translated_text":"hola","target_language":"es","replay":true})"));
  CHECK(caption_event(caption(CaptionType::original), std::nullopt, 0, true, true).ends_with(R"("timestamp_ms":1700000000123,"replay":true})"));
}

TEST(captions_fall_back_to_what_is_known) {
  Caption unknown = caption(CaptionType::translated);
  unknown.sequence_number.reset();
  unknown.source_language.reset();
  unknown.event_ms.reset();
  CHECK(caption_event(unknown, std::nullopt, std::nullopt, false, false)
            .ends_with(R"("source_language":null,"text":"hola","is_final":true,"sequence_number":null,"utterance_id":null,"revision":null,"timestamp_ms":1700000000999})"));
  unknown.utterance_id = "u-1";
  CHECK_EQ(utterance_id_of(unknown), std::optional<std::string>("u-1"));
}

TEST(other_events_of_captions_sockets) {
  CHECK_EQ(history_end_event(3, "e", "o", std::nullopt), R"({"event":"history_end","count":3,"epoch":"e","offset":"o"})");
  CHECK_EQ(history_end_event(0, "e", "o", true), R"({"event":"history_end","count":0,"epoch":"e","offset":"o","recovered":true})");
  CHECK_EQ(history_end_event(0, "e", "o", false), R"({"event":"history_end","count":0,"epoch":"e","offset":"o","recovered":false})");
  CHECK_EQ(captions_going_away_event(2500), R"({"event":"going_away","retry_after_ms":2500})");
  CHECK_EQ(captions_token_expiring_event(1700000000), R"({"event":"token_expiring","exp":1700000000})");
}

TEST(framed_audio_is_length_json_audio) {
  AudioFrameHeader header{"ann", "es"};
  header.sequence_number = 7;
  header.utterance_id = "ann:7";
  header.sample_rate = 24000;
  header.duration_ms = 20;
  header.latency_ms = 430;
  header.skipped_ms = 0;
  const std::string json =
      R"({"speaker_id":"ann","language":"es","sequence_number":7,"utterance_id":"ann:7","sample_rate":24000,"encoding":"linear16","duration_ms":20,"latency_ms":430,"skipped_ms":0})";
  CHECK_EQ(audio_frame_json(header), json);
  const Bytes pcm{1, 2, 3, 4};
  Bytes out;
  append_framed_audio(out, header, pcm);
  const std::size_t payload = 4 + json.size() + pcm.size();
  CHECK_EQ(out.size(), 4 + payload);  // a header of four bytes
  CHECK_EQ(int{out[0]}, 0x82);
  CHECK_EQ(int{out[1]}, 126);
  CHECK_EQ(static_cast<std::size_t>(out[2] << 8 | out[3]), payload);
  CHECK_EQ(static_cast<std::size_t>(out[4] << 24 | out[5] << 16 | out[6] << 8 | out[7]), json.size());
  CHECK_EQ(std::string(out.begin() + 8, out.end() - 4), json);
  CHECK(Bytes(out.end() - 4, out.end()) == pcm);
}

TEST(framed_audio_tells_what_is_unknown_as_null) {
  CHECK_EQ(audio_frame_json(AudioFrameHeader{"ann", "es"}),
           R"({"speaker_id":"ann","language":"es","sequence_number":null,"utterance_id":null,"sample_rate":16000,"encoding":"linear16","duration_ms":null,"latency_ms":null,"skipped_ms":null})");
}
