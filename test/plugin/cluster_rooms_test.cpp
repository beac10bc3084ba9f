// One room on two and three hosts, as its clients see it (CONTRACT 1 to 3 and 5).
#include "test/plugin/cluster_world.hpp"

using namespace fluentgate::test;

TEST(cluster_presence_and_signaling_span_hosts) {
  Joined joined;
  World a = joined.host(), b = joined.host(), c = joined.host();
  Client ann = a.signaling({.user = "ann", .listening_language = "es,fr", .speaking_language = "en-us", .name = "Ann", .more = R"("role":"host")"});
  CHECK_EQ(existing_users(ann), R"({"type":"existing_users","users":[]})");
  Client bob = b.signaling({.user = "bob"});
  CHECK_EQ(existing_users(bob), R"({"type":"existing_users","users":[{"user_id":"ann","display_name":"Ann","role":"host",)"
                                R"("speaking_language":"en-us","listening_language":"es"}]})");
  CHECK_EQ(user_of(ann.event("user_joined")), "bob");
  Client cid = c.signaling({.user = "cid"});
  const std::string there = existing_users(cid);
  CHECK(there.find("\"ann\"") != std::string::npos && there.find("\"bob\"") != std::string::npos);
  CHECK_EQ(user_of(ann.event("user_joined")), "cid");
  CHECK_EQ(user_of(bob.event("user_joined")), "cid");

  ann.send(R"({"type":"offer","target_user_id":"cid","sdp":"v=0","n":1.50,"from_user_id":"bob","k":1,"k":2})");
  CHECK_EQ(cid.event("offer"), R"({"type":"offer","target_user_id":"cid","sdp":"v=0","n":1.50,"k":1,"k":2,"from_user_id":"ann"})");
  cid.send(R"({"type":"hello","x":[1, 2]})");
  CHECK_EQ(ann.event("hello"), R"({"type":"hello","x":[1, 2],"from_user_id":"cid"})");
  CHECK_EQ(bob.event("hello"), R"({"type":"hello","x":[1, 2],"from_user_id":"cid"})");
  bob.send(R"({"type":"offer","target_user_id":"nobody"})");
  bob.refused("unknown_peer");

  cid.ws().send_close();
  CHECK_EQ(ann.event("user_left"), left("cid"));
  CHECK_EQ(bob.event("user_left"), left("cid"));
  CHECK(gathered(ann, presence_events).empty());
  CHECK(gathered(bob, presence_events).empty());
}

TEST(cluster_a_newer_socket_on_another_host_replaces_silently) {
  Joined joined;
  World a = joined.host(), b = joined.host();
  Client watcher = a.signaling({.user = "watcher"});
  existing_users(watcher);
  Client captions = a.captions({.user = "u"});
  Client older = a.signaling({.user = "u"}), older_audio = a.audio({.user = "u"});
  CHECK_EQ(user_of(watcher.event("user_joined")), "u");
  Client newer = b.signaling({.user = "u"});
  CHECK_EQ(older.ws().close_code(), 4009);
  Client newer_audio = b.audio({.user = "u"});
  CHECK_EQ(older_audio.ws().close_code(), 4009);
  CHECK_EQ(existing_users(newer), R"({"type":"existing_users","users":[{"user_id":"watcher","display_name":null,"role":null,)"
                                  R"("speaking_language":null,"listening_language":null}]})");
  CHECK(gathered(watcher, presence_events).empty());
  watcher.send(R"({"type":"offer","target_user_id":"u"})");
  newer.event("offer");
  newer_audio.until_pong();
  newer.ws().send_close();
  CHECK_EQ(watcher.event("user_left"), left("u"));
  a.worker.produce(transcript({.text = "hello"}));
  CHECK_EQ(text_member(captions.event("caption"), "text"), "hello");  // lives on
}

TEST(cluster_speech_demand_and_suppression_span_hosts) {
  Joined joined;
  World a = joined.host(), b = joined.host();
  Client speaker = a.audio({.user = "speaker", .listening_language = "en", .speaking_language = "en"});
  Client audio = b.audio({.user = "u", .listening_language = "es"});
  CHECK_EQ(speaker.event("listeners"), R"({"type":"listeners","languages":{"es":1}})");
  Client signaling = a.signaling({.user = "u", .listening_language = "es"});
  existing_users(signaling);
  speaker.audio(pcm_bytes(640));
  const auto& records = a.worker.read("audio.raw", 1);
  CHECK_EQ(records.at(0).header("fg-wanted").value(), "es");
  b.worker.produce(synthesized({.pcm = pcm_bytes(640, 2), .language = "es", .number = 0}));
  CHECK_EQ(audio.bytes(), pcm_bytes(640, 2));
  const std::string suppress = signaling.event("suppress_original");
  CHECK_EQ(text_member(suppress, "speaker_id"), "speaker");
  // A language set on one host is in force on the other.
  signaling.send(R"({"type":"set_language","listening_language":["fr"]})");
  CHECK_EQ(audio.event("language"), R"({"type":"language","listening_language":["fr"],"speaking_language":null,"understands":[]})");
  CHECK_EQ(text_member(signaling.event("restore_original"), "reason"), "language_changed");
  CHECK_EQ(speaker.event("listeners"), R"({"type":"listeners","languages":{"fr":1}})");
  b.worker.produce(synthesized({.pcm = pcm_bytes(640, 3), .language = "fr", .number = 1}));
  CHECK_EQ(audio.bytes(), pcm_bytes(640, 3));
  audio.ws().send_close();
  CHECK_EQ(speaker.event("listeners"), R"({"type":"listeners","languages":{}})");
}

TEST(cluster_the_backends_pushes_go_to_signaling_sockets_as_they_are) {
  Joined joined;
  World a = joined.host(), b = joined.host();
  Client ann = a.signaling({.user = "Ann@x.org"}), bob = b.signaling({.user = "bob"});
  Client audio = b.audio({.user = "bob"}), captions = b.captions({.user = "bob"});
  existing_users(ann), existing_users(bob);
  joined.push(R"({"type":"broadcast","sender_id":null,"data":{"event":"meeting_ended","n":1.0}})");
  CHECK_EQ(ann.event("meeting_ended"), R"({"event":"meeting_ended","n":1.0})");
  CHECK_EQ(bob.event("meeting_ended"), R"({"event":"meeting_ended","n":1.0})");
  joined.push(R"({"type":"unicast","target_user_id":" ann@X.ORG ","data":{"type":"lobby_knock","who":"z"}})");
  CHECK_EQ(ann.event("lobby_knock"), R"({"type":"lobby_knock","who":"z"})");
  joined.push(R"({"type":"broadcast","sender_id":"bob","data":{"type":"active_speaker_changed","user_id":"bob"}})");
  ann.event("active_speaker_changed");
  CHECK(gathered(bob, {"active_speaker_changed", "lobby_knock"}).empty());
  CHECK(audio.texts_until_pong().empty());
  joined.push("not json");
  joined.push(R"({"type":"unicast","target_user_id":"bob","data":{"type":"removed"}})");
  CHECK_EQ(bob.ws().close_code(), 4003);
  CHECK_EQ(audio.ws().close_code(), 4003);
  CHECK_EQ(captions.ws().close_code(), 4003);
  joined.push(R"({"type":"unicast","target_user_id":"Ann@x.org","data":{"type":"revoked"}})");
  CHECK_EQ(ann.ws().close_code(), 4001);
}

TEST(cluster_the_channel_tells_fluentmeets_clients) {
  Joined joined;
  World a = joined.host();
  Process listener({"/usr/bin/redis-cli", "-p", std::to_string(joined.redis.port()), "SUBSCRIBE", "ws:room:r1"});
  const auto heard = [&](const std::string& text) {
    const bool seen = listener.wait_until([&](const std::string& out, const std::string&) { return out.find(text) != std::string::npos; });
    if (!seen) FAIL("never on the channel: " + text + "\n" + listener.out());
  };
  heard("subscribe");
  Client ann = a.signaling({.user = "ann"});
  existing_users(ann);
  heard(R"("type":"broadcast","sender_id":"ann")");
  heard(R"({"type":"user_joined","user_id":"ann")");
  ann.send(R"({"type":"x","n":1.50})");
  heard(R"({"type":"x","n":1.50,"from_user_id":"ann"})");
  // One who is there with FluentMeet's own service.
  joined.push(R"({"type":"broadcast","sender_id":"guest","data":{"type":"user_joined","user_id":"guest"}})");
  CHECK_EQ(ann.event("user_joined"), R"({"type":"user_joined","user_id":"guest"})");
  ann.send(R"({"type":"offer","target_user_id":"guest"})");
  heard(R"("target_user_id":"guest")");
  ann.ws().send_close();
  heard(left("ann"));
}

TEST(cluster_captions_resume_on_another_host) {
  Joined joined;
  World a = joined.host(), b = joined.host();
  Client first = a.captions({.user = "u"});
  a.worker.produce(transcript({.text = "one", .number = 0}));
  first.event("caption");
  Client mark = a.captions({.user = "v"});  // a place in the log behind "one"
  const std::string end = mark.greeting.back();
  Client there = b.captions({.user = "w"});  // tells that "two" has reached that host too: else it may come live, behind history_end
  a.worker.produce(transcript({.text = "two", .number = 1}));
  CHECK_EQ(text_member(first.event("caption"), "text"), "two");
  while (text_member(there.event("caption"), "text") != "two") continue;  // each wait has its deadline
  Client resumed = b.captions({.user = "u"}, "since=" + text_member(end, "offset") + "&epoch=" + text_member(end, "epoch"));
  CHECK_EQ(member(resumed.greeting.back(), "recovered"), "true");
  CHECK_EQ(resumed.greeting.size(), 2u);
  CHECK_EQ(text_member(resumed.greeting.front(), "text"), "two");
}
