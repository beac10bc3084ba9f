// CONTRACT 3, captions: members, filters, history, resume, WebVTT.
#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

const TokenClaims reader{.user = "bob", .listening_language = "fr"};  // claims narrow nothing here

std::string text_of(const std::string& caption) { return text_member(caption, "text"); }

std::vector<std::string> texts(const std::vector<std::string>& greeting) {
  std::vector<std::string> found;
  for (const std::string& message : greeting) {
    if (text_member(message, "event") == "caption") found.push_back(text_of(message));
  }
  return found;
}

TEST(captions_have_exactly_the_members_of_the_contract) {
  World world;
  Client client = world.captions(reader);
  world.worker.produce(transcript({.text = "Hello \\\"you\\\" \\u00fc\\n", .number = 7}));
  CHECK_EQ(client.text(), std::string("{\"event\":\"caption\",\"type\":\"original\",\"speaker_id\":\"speaker\",\"speaker_name\":null,\"language\":\"en\","
                                      "\"source_language\":\"en\",\"text\":\"Hello \\\"you\\\" \xc3\xbc\\n\",\"is_final\":true,\"sequence_number\":7,"
                                      "\"utterance_id\":\"speaker:7\",\"revision\":0,\"timestamp_ms\":1795341600123}"));
  world.worker.produce(translation({.text = "Hola", .language = "es", .number = 7, .original = "Hello",
                                     .more = ",\"utterance_id\":\"u-9\",\"extra\":[]"}));
  CHECK_EQ(client.text(), std::string("{\"event\":\"caption\",\"type\":\"translated\",\"speaker_id\":\"speaker\",\"speaker_name\":null,\"language\":\"es\","
                                      "\"source_language\":\"en\",\"text\":\"Hola\",\"is_final\":true,\"sequence_number\":7,"
                                      "\"utterance_id\":\"u-9\",\"revision\":0,\"timestamp_ms\":1795341600123,\"original_text\":\"Hello\"}"));
  // The least that a worker may send: what is unknown is null, and the time is Kafka's.
  PeerMessage least{"text.translated", "r1",
                    "{\"payload\":{\"room_id\":\"r1\",\"user_id\":\"speaker\",\"target_language\":\"es\",\"translated_text\":\"\"}}", {},
                    now_ms() - 1000, -1};
  world.worker.produce(least);
  CHECK_EQ(client.text(), "{\"event\":\"caption\",\"type\":\"translated\",\"speaker_id\":\"speaker\",\"speaker_name\":null,\"language\":\"es\","
                          "\"source_language\":null,\"text\":\"\",\"is_final\":true,\"sequence_number\":null,"
                          "\"utterance_id\":null,\"revision\":0,\"timestamp_ms\":" + std::to_string(least.timestamp_ms) + "}");
}

TEST(names_revisions_and_blank_timestamps) {
  World world;
  Client speaker = world.signaling({.user = "speaker", .name = "Ann B."});
  Client client = world.captions(reader);
  for (const char* more : {",\"is_final\":false", ",\"is_final\":false", ",\"is_final\":true"}) {
    world.worker.produce(transcript({.text = "a", .number = 1, .more = more, .timestamp = "2026-11-22 10:00:00.123456+00:00"}));
  }
  world.worker.produce(transcript({.text = "b", .number = 2, .more = ",\"revision\":9"}));
  for (int revision = 0; revision < 3; ++revision) {
    const std::string caption = client.text();
    CHECK_EQ(text_member(caption, "speaker_name"), std::string("Ann B."));
    CHECK_EQ(number_member(caption, "revision"), revision);
    CHECK_EQ(number_member(caption, "timestamp_ms"), line_timestamp_ms);
    CHECK_EQ(member(caption, "is_final"), std::string(revision == 2 ? "true" : "false"));
  }
  CHECK_EQ(number_member(client.text(), "revision"), 9);
}

TEST(legacy_members_are_added_where_asked) {
  World world({"captions.legacy_members=true"});
  Client client = world.captions(reader);
  world.worker.produce(translation({.text = "Hola", .language = "es", .original = "Hello"}));
  const std::string caption = client.text();
  CHECK_EQ(text_member(caption, "translated_text"), std::string("Hola"));
  CHECK_EQ(text_member(caption, "target_language"), std::string("es"));
}

TEST(lang_narrows_to_the_best_per_speaker_and_type_to_one_kind) {
  World world;
  Client all = world.captions(reader);
  Client es = world.captions(reader, "lang=es-AR,en");
  Client fr = world.captions(reader, "lang=fr");
  Client original = world.captions(reader, "type=original");
  Client translated = world.captions(reader, "type=translated&lang=es");
  const auto line = [&](const PeerMessage& message, const std::string& text) {
    world.worker.produce(message);
    CHECK_EQ(text_of(all.text()), text);  // seen: the order of the two topics is settled
  };
  line(transcript({.text = "one", .number = 1}), "one");
  line(translation({.text = "uno", .language = "es", .number = 1}), "uno");
  line(transcript({.text = "two", .number = 2}), "two");  // Spanish is there by now: English is only the second best
  line(translation({.text = "deux", .language = "fr", .number = 2}), "deux");
  line(transcript({.text = "other", .number = 1, .user = "ann"}), "other");  // of her, English is the best there is
  line(translation({.text = "fin", .language = "es", .number = 3}), "fin");
  line(translation({.text = "la fin", .language = "fr", .number = 3}), "la fin");
  line(transcript({.text = "end", .number = 3}), "end");
  for (const char* text : {"one", "uno", "other", "fin"}) CHECK_EQ(text_of(es.text()), std::string(text));
  for (const char* text : {"deux", "la fin"}) CHECK_EQ(text_of(fr.text()), std::string(text));
  for (const char* text : {"one", "two", "other", "end"}) CHECK_EQ(text_of(original.text()), std::string(text));
  for (const char* text : {"uno", "fin"}) CHECK_EQ(text_of(translated.text()), std::string(text));
}

TEST(a_late_joiner_gets_the_last_finals_oldest_first_then_history_end) {
  World world({"captions.history=3"});
  Client live = world.captions(reader);
  for (int i = 1; i <= 5; ++i) world.worker.produce(transcript({.text = "e" + std::to_string(i), .number = i}));
  world.worker.produce(transcript({.text = "interim", .number = 6, .more = ",\"is_final\":false"}));
  for (int i = 0; i < 6; ++i) live.text();
  world.worker.produce(translation({.text = "s1", .language = "es", .number = 1}));
  CHECK_EQ(text_of(live.text()), std::string("s1"));

  Client late = world.captions(reader);
  CHECK(texts(late.greeting) == (std::vector<std::string>{"e3", "e4", "e5", "s1"}));
  CHECK(late.greeting[0].ends_with(",\"replay\":true}"));
  const std::string& end = late.greeting.back();
  CHECK(keys(end) == (std::vector<std::string>{"event", "count", "epoch", "offset"}));
  CHECK_EQ(number_member(end, "count"), 4);
  CHECK(!text_member(end, "epoch").empty() && !text_member(end, "offset").empty());
  world.worker.produce(transcript({.text = "now", .number = 7}));
  const std::string now = late.text();
  CHECK_EQ(text_of(now), std::string("now"));
  CHECK(!has_member(now, "replay"));

  CHECK(texts(world.captions(reader, "history=1").greeting) == (std::vector<std::string>{"s1", "now"}));  // per language, in the log's order
  CHECK(texts(world.captions(reader, "history=0").greeting).empty());
  CHECK(texts(world.captions(reader, "history=1000000&lang=es").greeting) == (std::vector<std::string>{"s1"}));
  CHECK(texts(world.captions({.user = "bob", .room = "elsewhere"}).greeting).empty());
}

TEST(history_is_read_back_from_the_log_and_a_cursor_outlives_the_instance) {
  Cluster cluster;
  std::string epoch, offset;
  {
    World world(cluster);
    Client client = world.captions(reader);
    world.worker.produce(transcript({.text = "one", .number = 1}));
    client.text();
    const Client again = world.captions(reader);
    epoch = text_member(again.greeting.back(), "epoch");
    offset = text_member(again.greeting.back(), "offset");
    world.worker.produce(transcript({.text = "two", .number = 2}));
    client.text();
    world.worker.produce(translation({.text = "dos", .language = "es", .number = 2}));
    client.text();
  }
  World world(cluster);
  const Client fresh = world.captions(reader);
  CHECK_EQ(texts(fresh.greeting).size(), std::size_t{3});
  const Client resumed = world.captions(reader, "since=" + offset + "&epoch=" + epoch);
  const auto missed = texts(resumed.greeting);
  CHECK(missed == (std::vector<std::string>{"two", "dos"}) || missed == (std::vector<std::string>{"dos", "two"}));
  const std::string& end = resumed.greeting.back();
  CHECK(keys(end) == (std::vector<std::string>{"event", "count", "epoch", "offset", "recovered"}));
  CHECK_EQ(member(end, "recovered"), std::string("true"));
  CHECK_EQ(number_member(end, "count"), 2);
  CHECK_EQ(text_member(end, "epoch"), epoch);
  // Nothing was missed since.
  const Client nothing = world.captions(reader, "since=" + text_member(end, "offset") + "&epoch=" + epoch);
  CHECK_EQ(nothing.greeting.size(), std::size_t{1});
  CHECK_EQ(member(nothing.greeting[0], "recovered"), std::string("true"));
}

TEST(what_cannot_be_resumed_is_the_normal_history_and_says_so) {
  Cluster other;
  std::string epoch, offset;
  {
    World world(other);
    Client client = world.captions(reader);
    epoch = text_member(client.greeting.back(), "epoch");
    offset = text_member(client.greeting.back(), "offset");
  }
  World world({"kafka.topic.text_original=text.orig2"});
  Client live = world.captions(reader);
  PeerMessage line = transcript({.text = "one", .number = 1});
  line.topic = "text.orig2";
  world.worker.produce(line);
  live.text();
  const std::string here = text_member(live.greeting.back(), "epoch");
  for (const std::string& query : {"since=" + offset + "&epoch=" + epoch, "since=nonsense&epoch=" + here, "since=" + offset + "&epoch=x"}) {
    const Client client = world.captions(reader, query);
    CHECK(texts(client.greeting) == (std::vector<std::string>{"one"}));
    CHECK_EQ(member(client.greeting.back(), "recovered"), std::string("false"));
  }
  CHECK(here != epoch);
}

TEST(more_missed_than_is_kept_is_not_recovered) {
  World world({"captions.history=2"});
  Client live = world.captions(reader);
  const std::string cursor = "since=" + text_member(live.greeting.back(), "offset") + "&epoch=" + text_member(live.greeting.back(), "epoch");
  for (int i = 1; i <= 3; ++i) {
    world.worker.produce(transcript({.text = std::to_string(i), .number = i}));
    live.text();
  }
  const Client client = world.captions(reader, cursor);
  CHECK_EQ(member(client.greeting.back(), "recovered"), std::string("false"));
  CHECK(texts(client.greeting) == (std::vector<std::string>{"2", "3"}));
}

TEST(captions_older_than_history_ms_are_not_replayed) {
  World world({"captions.history_ms=60000"});
  Client live = world.captions(reader);
  PeerMessage old = transcript({.text = "old", .number = 1});
  old.timestamp_ms = now_ms() - 70000;
  world.worker.produce(old);
  world.worker.produce(transcript({.text = "new", .number = 2}));
  CHECK_EQ(text_of(live.text()), std::string("old"));  // live it is all the same
  live.text();
  CHECK(texts(world.captions(reader).greeting) == (std::vector<std::string>{"new"}));
}

TEST(nothing_live_comes_before_history_end_and_nothing_is_lost_or_doubled) {
  World world({"captions.history=1000"});
  std::vector<Client> clients;
  int number = 0;
  for (int join = 0; join < 5; ++join) {
    for (int i = 0; i < 10; ++i) world.worker.produce(transcript({.text = std::to_string(number++)}));
    clients.push_back(world.captions(reader));  // read up to history_end, while the last lines are still on their way
  }
  for (Client& client : clients) {
    int next = 0;
    for (const std::string& text : texts(client.greeting)) CHECK_EQ(text, std::to_string(next++));
    for (; next < number; ++next) {
      const std::string caption = client.text();
      CHECK_EQ(text_of(caption), std::to_string(next));
      CHECK(!has_member(caption, "replay"));
    }
  }
}

TEST(who_reads_too_slowly_is_closed_4008_and_misses_nothing_silently) {
  World world({"limits.outbox_bytes=100000", "limits.slow_close_ms=300"});
  Client slow = world.captions(reader);
  Client quick = world.captions(reader);
  const std::string long_text(400'000, 'a');
  const auto closed = [&] { return world.page("/metrics").find("fluentgate_closes_total{code=\"4008\"} 1\n") != std::string::npos; };
  int sent = 0;
  // Read soon after the close: who doesn't is cut off without its code. And one more that is too late.
  for (bool late = false; !late; ++sent) {
    late = closed();
    CHECK(sent < 400);
    world.worker.produce(transcript({.text = std::to_string(sent) + long_text}));
    CHECK(text_of(quick.text()) == std::to_string(sent) + long_text);
  }
  int next = 0;
  while (true) {
    const Frame frame = slow.ws().message();
    if (frame.opcode == Frame::close) {
      CHECK_EQ(frame.close_code(), 4008);
      break;
    }
    CHECK(text_of(frame.payload) == std::to_string(next++) + long_text);
  }
  CHECK(next < sent);
}

TEST(what_the_client_sends_is_dropped_and_a_flood_closes_1008) {
  World world;
  Client client = world.captions(reader);
  client.send("{\"type\":\"set_language\",\"listening_language\":\"es\"}");
  client.audio("\x01");
  client.send("not even json");
  world.worker.produce(transcript({.text = "still here"}));
  CHECK_EQ(text_of(client.text()), std::string("still here"));
  for (int i = 0; i < 100; ++i) client.send("x");
  CHECK_EQ(client.ws().close_code(), 1008);
}

TEST(captions_may_be_open_several_times) {
  World world;
  Client one = world.captions(reader);
  Client two = world.captions(reader);
  world.worker.produce(transcript({.text = "both"}));
  CHECK_EQ(text_of(one.text()), std::string("both"));
  CHECK_EQ(text_of(two.text()), std::string("both"));
}

TEST(webvtt_has_the_finals_of_the_buffer) {
  World world;
  Client live = world.captions(reader);
  world.worker.produce(transcript({.text = "Hello <world> --> you & me", .number = 1, .timestamp = "2026-11-22T10:00:00.123456+00:00"}));
  world.worker.produce(transcript({.text = "gone", .number = 2, .more = ",\"is_final\":false"}));
  world.worker.produce(transcript({.text = "Second", .number = 2, .timestamp = "2026-11-22T11:02:03.623456+00:00"}));
  for (int i = 0; i < 3; ++i) live.text();
  const HttpReply reply = world.host.connect().request("GET", "/ws/captions/r1.vtt?token=" + make_token(reader));
  CHECK_EQ(reply.status, 200);
  CHECK(reply.header("content-type").starts_with("text/vtt"));
  CHECK(reply.body.starts_with("WEBVTT\n\nNOTE "));
  CHECK(reply.body.find("2026-11-22T10:00:00.123") != std::string::npos);
  CHECK(reply.body.find("\n00:00:00.000 --> 00:00:0") != std::string::npos);
  CHECK(reply.body.find("\n<v speaker>Hello &lt;world&gt; --&gt; you &amp; me\n") != std::string::npos);
  CHECK(reply.body.find("\n01:02:03.500 --> 01:02:04.500\n<v speaker>Second\n") != std::string::npos);
  CHECK(reply.body.find("gone") == std::string::npos);

  const std::string wild = make_token({.user = "bob", .room = "", .more = "\"rooms\":[\"*\"]"});
  const HttpReply unknown = world.host.connect().request("GET", "/ws/captions/nowhere.vtt", {{"Authorization", "Bearer " + wild}});
  CHECK_EQ(unknown.status, 200);
  CHECK_EQ(unknown.body, std::string("WEBVTT\n\n"));
  CHECK_EQ(world.host.connect().request("GET", "/ws/captions/r1.vtt").status, 401);
  CHECK_EQ(world.host.connect().request("GET", "/ws/captions/r2.vtt?token=" + make_token(reader)).status, 403);
}

}  // namespace
}  // namespace fluentgate::test
