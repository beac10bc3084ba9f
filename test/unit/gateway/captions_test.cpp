// Captions to subscribers: live, from the history, resumed, narrowed, and as WebVTT (CONTRACT 3).
#include "test/unit/gateway/world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

std::string member(const std::string& json, const std::string& name) {
  const auto at = json.find("\"" + name + "\":");
  if (at == std::string::npos) return "(none)";
  auto begin = at + name.size() + 3;
  const bool text = json[begin] == '"';
  if (text) ++begin;
  return json.substr(begin, json.find_first_of(text ? "\"" : ",}", begin) - begin);
}
std::string shown(const std::vector<std::string>& messages) {
  std::string out;
  for (const auto& message : messages) {
    const std::string event = member(message, "event");
    out += event == "caption" ? (has(message, R"("replay":true)") ? "r:" : "") + member(message, "text") : event + member(message, "count");
    if (const auto recovered = member(message, "recovered"); recovered != "(none)") out += "," + recovered;
    out += " ";
  }
  return out;
}
Wish narrowed(const std::string& lang, std::optional<CaptionType> type = {}, std::optional<std::size_t> history = {}) {
  Wish wish;
  wish.caption.lang = tags(lang);
  wish.caption.lang_given = !lang.empty();
  wish.caption.type = type;
  wish.caption.history = history;
  return wish;
}
Wish resumed(const std::string& since, const std::string& epoch) {
  Wish wish;
  wish.caption.since = since;
  wish.caption.epoch = epoch;
  return wish;
}

}  // namespace

TEST(captions_come_live_in_full) {
  World world;
  world.open_log();
  Client speaker = world.audio("sp", {.name = "Ann"});
  Client client = world.captions("a");
  CHECK_EQ(shown(client.texts()), "history_end0 ");
  Caption caption = world.caption("sp", CaptionType::translated, "es", "hola");
  caption.source_language = tag("en");
  caption.original_text = "hello";
  caption.sequence_number = 5;
  caption.event_ms = 1234;
  world.say(caption);
  CHECK_EQ(client.texts().at(0),
           R"({"event":"caption","type":"translated","speaker_id":"sp","speaker_name":"Ann","language":"es","source_language":"en","text":"hola",)"
           R"("is_final":true,"sequence_number":5,"utterance_id":"sp:5","revision":0,"timestamp_ms":1234,"original_text":"hello"})");
  caption = world.caption("gone", CaptionType::original, "en", "x");
  world.say(caption);
  const std::string got = client.texts().at(0);
  CHECK(has(got, R"("speaker_name":null)") && has(got, R"("sequence_number":null,"utterance_id":null,)"));
  CHECK_EQ(member(got, "timestamp_ms"), std::to_string(world.clock.unix_ms()));
}

TEST(captions_send_history_before_anything_live) {
  World world;
  Client early = world.captions("a");  // the log is still being read back
  Caption old = world.caption("sp", CaptionType::original, "en", "old");
  old.replayed = true;
  world.hub->captions.partition_opened({1, 0, 0, 1});
  world.hub->captions.partition_opened({2, 0, 0, 0});
  world.hub->captions.broker_state({true, true, "cluster-1"});
  CHECK_EQ(shown(early.texts()), "");
  world.say(old);
  world.say(world.caption("sp", CaptionType::original, "en", "live"));
  CHECK_EQ(shown(early.texts()), "");
  world.tick();
  CHECK_EQ(shown(early.texts()), "r:old r:live history_end2 ");
  world.say(world.caption("sp", CaptionType::original, "en", "next"));
  CHECK_EQ(shown(early.texts()), "next ");
}

TEST(captions_wait_for_the_log_for_three_seconds_at_most) {
  World world;
  Client client = world.captions("a");
  world.tick(2999);
  CHECK_EQ(shown(client.texts()), "");
  world.tick(1);
  const auto got = client.texts();
  CHECK_EQ(shown(got), "history_end0 ");
  // What stands there while the cluster is unknown is a cursor too: it can't be resumed at, but it isn't refused.
  const std::string epoch = member(got.back(), "epoch");
  CHECK(!epoch.empty());
  world.open_log();
  CHECK_EQ(shown(world.captions("b", resumed(member(got.back(), "offset"), epoch)).texts()), "history_end0,false ");
}

TEST(captions_history_is_of_finals_and_as_long_as_asked_for) {
  World world;
  world.open_log();
  Client room_keeper = world.captions("k");
  for (const char* text : {"1", "2", "3"}) world.say(world.caption("sp", CaptionType::original, "en", text));
  Caption interim = world.caption("sp", CaptionType::original, "en", "interim");
  interim.is_final = false;
  world.say(interim);
  CHECK_EQ(shown(room_keeper.texts()), "history_end0 1 2 3 interim ");
  CHECK_EQ(shown(world.captions("a").texts()), "r:1 r:2 r:3 history_end3 ");
  CHECK_EQ(shown(world.captions("b", narrowed("", {}, 2)).texts()), "r:2 r:3 history_end2 ");
  CHECK_EQ(shown(world.captions("c", narrowed("", {}, 0)).texts()), "history_end0 ");
  world.clock.advance(300001);
  CHECK_EQ(shown(world.captions("d").texts()), "history_end0 ");
}

TEST(captions_history_is_counted_after_narrowing) {
  World world;
  world.open_log();
  world.say(world.caption("sp", CaptionType::translated, "es", "t1"));
  world.say(world.caption("other", CaptionType::original, "es", "o1"));
  world.say(world.caption("other", CaptionType::original, "es", "o2"));
  CHECK_EQ(shown(world.captions("a", narrowed("", CaptionType::translated, 2)).texts()), "r:t1 history_end1 ");
}

TEST(captions_narrow_to_the_best_language_of_each_speaker) {
  World world;
  world.open_log();
  Client es = world.captions("a", narrowed("es,en"));
  Client all = world.captions("b");
  Client translated = world.captions("c", narrowed("", CaptionType::translated));
  es.texts(), all.texts(), translated.texts();
  world.say(world.caption("sp", CaptionType::original, "en", "en1"));
  world.say(world.caption("sp", CaptionType::translated, "es", "es1"));
  world.say(world.caption("sp", CaptionType::original, "en", "en2"));  // es is produced now, and better
  world.clock.advance(1);
  world.say(world.caption("other", CaptionType::original, "en", "en3"));
  CHECK_EQ(shown(es.texts()), "en1 es1 en3 ");
  CHECK_EQ(shown(all.texts()), "en1 es1 en2 en3 ");
  CHECK_EQ(shown(translated.texts()), "es1 ");
  world.clock.advance(10001);
  world.say(world.caption("sp", CaptionType::original, "en", "en4"));
  CHECK_EQ(shown(es.texts()), "en4 ");
  CHECK_EQ(shown(world.captions("d", narrowed("es,en")).texts()), "r:es1 r:en3 history_end2 ");
}

TEST(captions_resume_where_they_stopped) {
  World world;
  world.open_log();
  Client first = world.captions("a");
  Client keeper = world.captions("k");
  const std::string empty_end = first.texts().at(0);
  for (const char* text : {"1", "2"}) world.say(world.caption("sp", CaptionType::original, "en", text));
  Client second = world.captions("b");
  const auto got = second.texts();
  const std::string end = got.back();
  world.say(world.caption("sp", CaptionType::original, "en", "3"));
  CHECK_EQ(shown(world.captions("c", resumed(member(end, "offset"), member(end, "epoch"))).texts()), "r:3 history_end1,true ");
  CHECK_EQ(shown(world.captions("d", resumed(member(empty_end, "offset"), member(empty_end, "epoch"))).texts()), "r:1 r:2 r:3 history_end3,true ");
  CHECK_EQ(shown(world.captions("e", resumed(member(end, "offset"), "another")).texts()), "r:1 r:2 r:3 history_end3,false ");
  CHECK_EQ(shown(world.captions("f", resumed("nonsense", member(end, "epoch"))).texts()), "r:1 r:2 r:3 history_end3,false ");
  world.clock.advance(300001);
  CHECK_EQ(shown(world.captions("g", resumed(member(empty_end, "offset"), member(empty_end, "epoch"))).texts()), "history_end0,false ");
}

TEST(captions_resume_narrows_by_what_was_produced_before_too) {
  World world;
  world.open_log();
  Client keeper = world.captions("k");
  world.say(world.caption("sp", CaptionType::translated, "es", "es1"));
  const std::string end = world.captions("a").texts().back();
  world.say(world.caption("sp", CaptionType::original, "en", "en1"));
  Wish wish = resumed(member(end, "offset"), member(end, "epoch"));
  wish.caption.lang = tags("es,en");
  wish.caption.lang_given = true;
  CHECK_EQ(shown(world.captions("b", wish).texts()), "history_end0,true ");
}

TEST(captions_count_revisions_by_utterance) {
  World world;
  world.open_log();
  Client client = world.captions("a");
  client.texts();
  const auto say = [&](const char* utterance, CaptionType type, const char* language, std::optional<std::int64_t> own = {}) {
    Caption caption = world.caption("sp", type, language, "x");
    caption.utterance_id = utterance;
    caption.is_final = false;
    caption.revision = own;
    world.say(caption);
    return member(client.texts().at(0), "revision");
  };
  CHECK_EQ(say("u1", CaptionType::original, "en"), "0");
  CHECK_EQ(say("u1", CaptionType::original, "en"), "1");
  CHECK_EQ(say("u1", CaptionType::translated, "es"), "0");
  CHECK_EQ(say("u2", CaptionType::original, "en"), "0");
  CHECK_EQ(say("u1", CaptionType::original, "en"), "2");  // interleaved
  CHECK_EQ(say("u2", CaptionType::original, "en"), "1");
  CHECK_EQ(say("u2", CaptionType::original, "en", 9), "9");  // the worker's own
}

TEST(captions_socket_that_is_flooded_closes_1008) {
  World world;
  Client client = world.captions("a");
  for (int i = 0; i < 20; ++i) client.text("{}");
  CHECK(!client.transport->closed);
  client.text("{}");
  CHECK(client.transport->closed == CloseCode::policy_violation);
}

TEST(captions_history_larger_than_the_outbox_is_sent_whole) {
  config::Settings settings;
  settings.limits.outbox_bytes = 2000;
  World world(settings);
  world.open_log();
  for (int i = 0; i < 20; ++i) world.say(world.caption("sp", CaptionType::original, "en", "a caption of some length " + std::to_string(i)));
  Client client{world, Endpoint::captions, "a", {}, "r", FakeTransport::Mode::full};
  CHECK(!client.transport->closed);
  client.drained();
  CHECK_EQ(client.texts().size(), 21u);
}

TEST(captions_as_webvtt) {
  World world;
  world.open_log();
  CHECK_EQ(world.hub->captions.webvtt(RoomId("unknown")).substr(0, 6), "WEBVTT");
  world.say(world.caption("sp", CaptionType::original, "en", "hello there"));
  const std::string vtt = world.hub->captions.webvtt(RoomId("r"));
  CHECK(has(vtt, "hello there") && has(vtt, "NOTE"));
}

TEST(captions_of_a_room_wait_for_its_own_partitions_only) {
  World world;
  const LogScope scope{{{1, 0}, {2, 0}}};
  world.hub->captions.scope_by([&](const RoomId&) { return scope; });
  world.hub->captions.broker_state({true, true, "cluster-1"});
  world.hub->captions.partition_opened({1, 7, 100, 200});  // of another room, and busy
  Client client = world.captions("a");
  CHECK_EQ(shown(client.texts()), "");
  Caption old = world.caption("sp", CaptionType::original, "en", "old");
  old.replayed = true;
  world.hub->captions.partition_opened({1, 0, 0, 1});
  world.hub->captions.begin_ready();
  CHECK_EQ(shown(client.texts()), "");
  world.hub->captions.partition_opened({2, 0, 0, 0});
  world.say(old);
  world.hub->captions.begin_ready();
  const auto got = client.texts();
  CHECK_EQ(shown(got), "r:old history_end1 ");
  // A resume here, after the partition was given up and is read again, and on an instance that reads others.
  world.say(world.caption("sp", CaptionType::original, "en", "live"));
  const Wish wish = resumed(member(got.back(), "offset"), member(got.back(), "epoch"));
  CHECK_EQ(shown(world.captions("b", wish).texts()), "r:live history_end1,true ");
  world.hub->captions.partition_closed({1, 0});
  Client again = world.captions("c", wish);
  CHECK_EQ(shown(again.texts()), "");
  world.hub->captions.partition_opened({1, 0, 0, 2});
  world.hub->captions.record_seen({{1, 0, 0, world.clock.unix_ms()}});
  world.hub->captions.record_seen({{1, 0, 1, world.clock.unix_ms()}});
  world.hub->captions.begin_ready();
  CHECK_EQ(shown(again.texts()), "r:live history_end1,true ");
}
