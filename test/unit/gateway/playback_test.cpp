// The way of a frame to its listeners: who hears it, in which wire format, what is skipped and what is told of it (CONTRACT 1, 2, 6).
#include "core/domain/limits.hpp"
#include "test/unit/gateway/world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

using Mode = FakeTransport::Mode;
using Texts = std::vector<std::string>;

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += part + " ";
  return out;
}

}  // namespace

TEST(playback_routes_by_the_priority_list) {
  World world;
  Client es = world.audio("a", {.listen = "es"});
  Client fr_then_es = world.audio("b", {.listen = "fr,es"});
  Client de = world.audio("c", {.listen = "de"});
  Client regional = world.audio("d", {.listen = "es-MX"});
  world.play("speaker", "es", "es1");
  CHECK_EQ(joined(es.audio()), "es1 ");
  CHECK_EQ(joined(fr_then_es.audio()), "es1 ");
  CHECK_EQ(joined(de.audio()), "");
  CHECK_EQ(joined(regional.audio()), "es1 ");  // RFC 4647 lookup
  world.play("speaker", "fr", "fr1");
  CHECK_EQ(joined(es.audio()), "");
  CHECK_EQ(joined(fr_then_es.audio()), "fr1 ");
  world.play("speaker", "es", "es2");  // fr is produced now, and better
  CHECK_EQ(joined(fr_then_es.audio()), "");
  world.clock.advance(10001);
  world.play("speaker", "es", "es3");
  CHECK_EQ(joined(fr_then_es.audio()), "es3 ");
}

TEST(playback_of_another_room_is_not_heard) {
  World world;
  Client es = world.audio("a", {.listen = "es"});
  SynthesizedFrame frame = world.frame("speaker", "es");
  frame.room = RoomId("elsewhere");
  world.play(std::move(frame));
  CHECK_EQ(joined(es.audio()), "");
}

TEST(playback_leaves_own_speech_out) {
  World world;
  Client self = world.audio("speaker", {.listen = "es"});
  Client other = world.audio("other", {.listen = "es"});
  world.hub->playback.take(world.frame("speaker", "es", "one"));
  world.hub->playback.take(world.frame("other", "es", "two"));
  world.hub->playback.take(world.frame("third", "es", "three"));
  world.hub->playback.flush();
  CHECK_EQ(joined(self.audio()), "two three ");
  CHECK_EQ(joined(other.audio()), "one three ");
}

TEST(playback_of_own_speech_where_it_is_wanted) {
  config::Settings settings;
  settings.audio.hear_self = true;
  World world(settings);
  Client self = world.audio("speaker", {.listen = "es"});
  world.play("speaker", "es", "one");
  CHECK_EQ(joined(self.audio()), "one ");
  CHECK(self.events("suppress_original").empty());  // nobody is told to mute itself
}

TEST(playback_leaves_out_who_understands_the_speaker) {
  World world;
  Client speaker = world.audio("speaker", {.speak = "en"});
  Client first = world.audio("a", {.listen = "en-GB,es"});
  Client also = world.audio("b", {.listen = "es", .understands = "en"});
  Client other = world.audio("c", {.listen = "es"});
  world.play("speaker", "es", "one");
  CHECK_EQ(joined(first.audio()), "");
  CHECK_EQ(joined(also.audio()), "");
  CHECK_EQ(joined(other.audio()), "one ");
}

TEST(playback_changes_language_at_the_next_frame) {
  World world;
  Client a = world.audio("a", {.listen = "es"});
  Client b = world.audio("b", {.listen = "es"});
  Client signaling = world.signaling("a", {.listen = "es"});
  world.play("speaker", "es", "es1");
  world.play("speaker", "fr", "fr1");
  signaling.text(R"({"type":"set_language","listening_language":"fr"})");
  world.play("speaker", "es", "es2");
  world.play("speaker", "fr", "fr2");
  CHECK_EQ(joined(a.audio()), "es1 fr2 ");
  CHECK_EQ(joined(b.audio()), "es1 es2 ");
}

TEST(playback_serves_plain_and_framed_listeners_of_one_group) {
  World world;
  Client plain = world.audio("a", {.listen = "es"});
  Client with_header = world.audio("b", {.listen = "es", .framed = true});
  SynthesizedFrame frame = world.frame("speaker", "es", "sound");
  frame.sequence_number = 42;
  frame.utterance_id = "u-1";
  frame.sample_rate = 24000;
  frame.duration_us = 20400;
  frame.ingest_ms = world.clock.unix_ms() - 800;
  world.play(std::move(frame));
  CHECK_EQ(joined(plain.audio()), "sound ");
  const Framed got = framed(with_header.audio().at(0));
  CHECK_EQ(got.audio, "sound");
  CHECK_EQ(got.json, R"({"speaker_id":"speaker","language":"es","sequence_number":42,"utterance_id":"u-1","sample_rate":24000,)"
                     R"("encoding":"linear16","duration_ms":20,"latency_ms":800,"skipped_ms":0})");
}

TEST(playback_header_says_null_where_nothing_is_known) {
  World world;
  Client client = world.audio("b", {.listen = "es", .framed = true});
  world.play("speaker", "es", "sound");
  const Framed got = framed(client.audio().at(0));
  CHECK(has(got.json, R"("sequence_number":null,"utterance_id":null,)"));
  CHECK(has(got.json, R"("latency_ms":null)"));
}

TEST(playback_writes_the_frames_of_one_turn_in_one_go) {
  World world;
  Client client = world.audio("a", {.listen = "es"});
  client.texts();
  world.hub->playback.take(world.frame("speaker", "es", "one"));
  world.hub->playback.flush();  // tells suppress_original, on this socket
  const std::size_t before = client.transport->writes.size();
  for (const char* pcm : {"two", "three", "four"}) world.hub->playback.take(world.frame("speaker", "es", pcm));
  world.hub->playback.flush();
  CHECK_EQ(client.transport->writes.size(), before + 1);
  CHECK_EQ(joined(client.audio()), "one two three four ");
}

TEST(playback_skips_stale_frames_and_tells_once_with_their_sum) {
  World world;
  Client client = world.audio("a", {.listen = "es"});
  for (int i = 0; i < 3; ++i) {
    SynthesizedFrame old = world.frame("speaker", "es", "old");
    old.ingest_ms = world.clock.unix_ms() - 3001;
    world.play(std::move(old));
    world.tick(100);
  }
  CHECK(client.events("skipped").empty());
  SynthesizedFrame fresh = world.frame("speaker", "es", "fresh");
  fresh.ingest_ms = world.clock.unix_ms() - 3000;  // just not too old
  world.play(std::move(fresh));
  const auto messages = client.transport->take();
  std::string order;
  for (const auto& message : messages) {
    if (message.opcode == 2) order += "audio:" + message.payload + " ";
    if (has(message.payload, "\"skipped\"")) order += message.payload + " ";
  }
  CHECK_EQ(order, R"({"type":"skipped","speaker_id":"speaker","skipped_ms":60,"reason":"stale"} audio:fresh )");
  world.tick(5000);
  CHECK(client.events("skipped").empty());
  CHECK_EQ(world.metric(R"(fluentgate_frames_skipped_total{reason="stale"})"), 3.0);
}

TEST(playback_tells_of_a_gap_that_lasts_after_a_second) {
  World world;
  Client client = world.audio("a", {.listen = "es"});
  const auto stale = [&] {
    SynthesizedFrame old = world.frame("speaker", "es", "old");
    old.ingest_ms = world.clock.unix_ms() - 9000;
    world.play(std::move(old));
  };
  stale();
  world.tick(999);
  CHECK(client.events("skipped").empty());
  stale();
  world.tick(1);
  CHECK_EQ(joined(client.events("skipped")), R"({"type":"skipped","speaker_id":"speaker","skipped_ms":40,"reason":"stale"} )");
  world.tick(1000);
  CHECK(client.events("skipped").empty());
}

TEST(playback_counts_age_from_kafka_where_ingest_is_unknown) {
  World world;
  Client client = world.audio("a", {.listen = "es"});
  SynthesizedFrame frame = world.frame("speaker", "es", "old");
  frame.kafka_ms = world.clock.unix_ms() - 3001;
  world.play(std::move(frame));
  frame = world.frame("speaker", "es", "from the future");
  frame.kafka_ms = world.clock.unix_ms() + 60000;
  world.play(std::move(frame));
  frame = world.frame("speaker", "es", "no timestamp");
  frame.kafka_ms = -1;
  world.play(std::move(frame));
  CHECK_EQ(joined(client.audio()), "from the future no timestamp ");
}

TEST(playback_tells_a_framed_listener_of_a_gap_in_the_next_header) {
  World world;
  Client client = world.audio("a", {.listen = "es", .framed = true});
  SynthesizedFrame old = world.frame("speaker", "es", "old");
  old.ingest_ms = world.clock.unix_ms() - 9000;
  world.play(std::move(old));
  world.hub->playback.take(world.frame("other", "es", "x"));
  world.hub->playback.take(world.frame("speaker", "es", "y"));
  world.hub->playback.take(world.frame("speaker", "es", "z"));
  world.hub->playback.flush();
  std::string skipped;
  for (const auto& message : client.audio()) {
    const Framed got = framed(message);
    skipped += got.audio + got.json.substr(got.json.rfind(':'));
  }
  CHECK_EQ(skipped, "x:0}y:20}z:0}");
}

TEST(playback_skips_the_oldest_for_a_slow_listener_and_tells_it) {
  config::Settings settings;
  settings.limits.outbox_bytes = 3000;
  World world(settings);
  Client slow = world.audio("a", {.listen = "es", .framed = true});
  Client quick = world.audio("b", {.listen = "es"});
  world.play("speaker", "es", "0");
  slow.transport->take();
  slow.transport->mode = Mode::full;
  for (int i = 1; i <= 5; ++i) world.play("speaker", "es", std::string(1000, static_cast<char>('0' + i)));
  CHECK_EQ(quick.audio().size(), 6u);  // one listener's slowness is its own
  slow.drained();
  world.play("speaker", "es", "6");
  world.play("speaker", "es", "7");
  std::string heard;
  std::int64_t told_in_headers = 0, told_in_events = 0;
  for (const auto& message : slow.transport->take()) {
    const auto at = message.payload.find("\"skipped_ms\":");
    if (message.opcode == 2) {
      const Framed got = framed(message.payload);
      heard += got.audio[0];
      told_in_headers += std::stoll(got.json.substr(got.json.find("\"skipped_ms\":") + 13));
    } else if (has(message.payload, "\"skipped\"")) {
      CHECK(has(message.payload, R"("reason":"slow")"));
      told_in_events += std::stoll(message.payload.substr(at + 13));
    }
  }
  CHECK_EQ(heard, "4567");
  CHECK_EQ(told_in_events, 60);
  CHECK_EQ(told_in_headers, 60);  // each millisecond once, however many frames follow while the queue is not empty
}

TEST(playback_suppresses_before_the_first_frame_though_signaling_is_slow) {
  World world;
  Client audio = world.audio("a", {.listen = "es"});
  Client signaling = world.signaling("a", {.listen = "es"});
  signaling.transport->mode = Mode::full;
  world.play("speaker", "es", "one");
  world.play("speaker", "es", "two");
  audio.drained();
  CHECK_EQ(joined(audio.audio()), "");
  signaling.transport->mode = Mode::backlogs;  // written, but not out yet
  signaling.transport->wanted = 0;
  signaling.socket->on_writable();
  CHECK_EQ(signaling.events("suppress_original").size(), 1u);
  CHECK_EQ(joined(audio.audio()), "");
  signaling.drained();
  CHECK_EQ(joined(audio.audio()), "one two ");
}

TEST(playback_goes_on_when_the_socket_it_waited_for_ends) {
  World world;
  Client audio = world.audio("a", {.listen = "es"});
  Client signaling = world.signaling("a", {.listen = "es"});
  signaling.transport->mode = Mode::full;
  world.play("speaker", "es", "one");
  CHECK_EQ(joined(audio.audio()), "");
  signaling.gone();
  CHECK_EQ(joined(audio.audio()), "one ");
}

TEST(playback_goes_on_when_the_socket_it_waited_for_is_replaced) {
  World world;
  Client audio = world.audio("a", {.listen = "es"});
  Client signaling = world.signaling("a", {.listen = "es"});
  signaling.transport->mode = Mode::full;
  world.play("speaker", "es", "one");
  Client newer = world.signaling("a", {.listen = "es"});
  CHECK_EQ(joined(audio.audio()), "one ");
}

TEST(playback_logs_one_line_a_frame_for_the_slowest_listener) {
  World world;
  Client speaker = world.audio("sp", {.speak = "en", .listen = "es"});
  Client quick = world.audio("a", {.listen = "es"});
  Client slow = world.audio("b", {.listen = "es"});
  world.play("sp", "es", "zero");
  world.logger.lines.clear();
  slow.transport->mode = Mode::full;
  SynthesizedFrame frame = world.frame("sp", "es", "one");
  frame.sequence_number = 7;
  frame.ingest_ms = world.clock.unix_ms() - 500;
  world.play(std::move(frame));
  CHECK(world.logger.of("latency").empty());  // somebody still waits
  world.clock.advance(30);
  slow.drained();
  CHECK_EQ(joined(world.logger.of("latency")),
           "latency: room=r speaker=sp seq=7 lang=en>es e2e_ms=530 stt_ms=- mt_ms=- tts_ms=- egress_ms=30 ");
}

TEST(playback_logs_nothing_of_a_frame_that_nobody_had) {
  World world;
  Client only = world.audio("speaker", {.listen = "es"});  // flushed, but it is its own speech
  Client slow = world.audio("b", {.listen = "es"});
  slow.transport->mode = Mode::full;
  world.play("speaker", "es", "one");
  world.clock.advance(4000);
  slow.drained();  // stale by now
  CHECK_EQ(joined(slow.audio()), "");
  CHECK(world.logger.of("latency").empty());
}

TEST(playback_samples_the_latency_lines) {
  config::Settings settings;
  settings.log.latency_sample = 3;
  World world(settings);
  Client client = world.audio("a", {.listen = "es"});
  for (int i = 0; i < 7; ++i) world.play("speaker", "es");
  CHECK_EQ(world.logger.of("latency").size(), 3u);
}

TEST(playback_measures_mouth_to_ear) {
  World world;
  Client client = world.audio("a", {.listen = "es"});
  SynthesizedFrame frame = world.frame("speaker", "es");
  frame.sequence_number = 3;
  frame.source_language = "en";
  frame.ingest_ms = world.clock.unix_ms() - 600;
  world.play(std::move(frame));
  client.text(R"({"type":"played","speaker_id":"speaker","sequence_number":3,"buffered_ms":150})");
  client.text(R"({"type":"played","speaker_id":"speaker","sequence_number":4,"buffered_ms":150})");  // never heard of: unknown stays unknown
  CHECK_EQ(world.metric(R"(fluentgate_stage_latency_seconds_sum{stage="mouth_to_ear",source="en",target="es"})"), 0.75);
}

TEST(playback_keeps_no_gap_for_a_newer_socket) {
  World world;
  Client older = world.audio("a", {.listen = "es"});
  SynthesizedFrame old = world.frame("speaker", "es", "old");
  old.ingest_ms = world.clock.unix_ms() - 9000;
  world.play(std::move(old));
  Client newer = world.audio("a", {.listen = "es"});
  world.play("speaker", "es", "one");
  CHECK(newer.events("skipped").empty());
}

TEST(playback_bounds_the_speakers_that_a_room_remembers) {
  World world;
  Client client = world.audio("a", {.listen = "es"});
  for (std::size_t i = 0; i < limits::room_speakers_max + 10; ++i) world.play("s" + std::to_string(i), "es");
  CHECK_EQ(world.the_room().speaker_count(), limits::room_speakers_max);
  client.texts();
  world.play("a new one", "es");
  CHECK_EQ(client.events("suppress_original").size(), 1u);  // in a place that was another's: told all the same
}
