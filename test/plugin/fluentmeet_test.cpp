// A host with conf/fluentmeet.toml among FluentMeet's backend, workers and clients (CONTRACT 9; docs/fluentmeet.md).
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "test/plugin/fluentmeet_world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;
using namespace std::chrono_literals;

namespace {

// Ids in sub. Ann speaks English, Bea hears Spanish.
struct Guests : FluentMeet {
  Guests() {
    join({.user = "ann", .language = "en", .speaking_language = "en", .display_name = "Ann", .role = "host"});
    join({.user = "bea", .language = "es", .speaking_language = "es", .display_name = "Bea"});
  }
};

std::vector<std::string> of_type(const std::vector<std::string>& events, const std::string& type) {
  std::vector<std::string> found;
  for (const std::string& event : events) {
    if (event.find("\"type\":\"" + type + "\"") != std::string::npos) found.push_back(event);
  }
  return found;
}

std::size_t descriptors_of(pid_t pid) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) ++count;
  return count;
}

}  // namespace

TEST(speech_goes_through_its_pipeline_and_back) {
  Guests world;
  Client speaker = world.audio(FluentMeet::guest_token("ann"));
  Client listener = world.audio(FluentMeet::guest_token("bea"));
  Client captions = world.captions(FluentMeet::guest_token("bea"));
  Client signaling = world.signaling(FluentMeet::guest_token("bea"));
  world.wait_channels(true);

  // Its clients send base64 as text, of any length; its speech worker takes five chunks and gives the text the fifth one's number.
  const std::string speech = tone(550);
  speaker.send(base64(speech.substr(0, 9000)));
  speaker.send(base64(speech.substr(9000)));
  const std::vector<PeerRecord> chunks = world.worker.read("audio.raw", 5);
  std::string sent;
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK_EQ(number_of(chunks[i]), static_cast<std::int64_t>(i));
    CHECK_EQ(audio_of(chunks[i]).size(), 3200u);  // 100 ms
    CHECK_EQ(text_member(chunks[i].value, "event_type"), "audio.chunk");
    CHECK_EQ(text_member(chunks[i].value, "payload.room_id"), "r1");
    CHECK_EQ(text_member(chunks[i].value, "payload.user_id"), "ann");
    CHECK_EQ(text_member(chunks[i].value, "payload.encoding"), "linear16");
    CHECK_EQ(number_member(chunks[i].value, "payload.sample_rate"), 16000);
    CHECK_EQ(text_member(chunks[i].value, "payload.source_language"), "en");
    CHECK_EQ(chunks[i].key, "r1");
    sent += audio_of(chunks[i]);
  }
  CHECK(sent == speech.substr(0, sent.size()));
  const FluentMeet::Speech of{.user = "ann", .number = 4};

  world.interim(of, "good mor");
  std::string caption = captions.event("caption");
  CHECK_EQ(text_member(caption, "type"), "original");
  CHECK_EQ(text_member(caption, "text"), "good mor");
  CHECK_EQ(text_member(caption, "language"), "en");
  CHECK_EQ(text_member(caption, "speaker_name"), "Ann");
  CHECK_EQ(member(caption, "is_final"), "false");
  CHECK_EQ(text_member(caption, "utterance_id"), "ann:4");
  CHECK_EQ(number_member(caption, "revision"), 0);

  world.transcribed(of, "good morning");
  CHECK_EQ(signaling.event("active_speaker_changed"), R"({"type": "active_speaker_changed", "user_id": "ann"})");
  caption = captions.event("caption");
  CHECK_EQ(text_member(caption, "text"), "good morning");
  CHECK_EQ(member(caption, "is_final"), "true");
  CHECK_EQ(text_member(caption, "utterance_id"), "ann:4");
  CHECK_EQ(number_member(caption, "revision"), 1);

  CHECK((world.translate(of, "good morning") == std::set<std::string>{"es"}));
  caption = captions.event("caption");  // once: the final in Redis is not shown again
  CHECK_EQ(text_member(caption, "type"), "translated");
  CHECK_EQ(text_member(caption, "text"), "es good morning");
  CHECK_EQ(text_member(caption, "translated_text"), "es good morning");
  CHECK_EQ(text_member(caption, "target_language"), "es");
  CHECK_EQ(text_member(caption, "original_text"), "good morning");

  // What is heard is the synthesis, byte for byte, once; the original is suppressed first.
  const std::string synthesis = tone(700, 24000);
  world.synthesize_streaming(of, "es", synthesis);
  CHECK(heard(listener, synthesis.size()) == synthesis);
  CHECK_EQ(text_member(signaling.event("suppress_original"), "speaker_id"), "ann");
  world.publish_whole({.user = "ann", .number = 9}, "es", tone(40, 24000, 4000));  // behind it in Kafka
  CHECK(heard(listener, 1) == tone(40, 24000, 4000));
  for (const Frame& frame : speaker.until_pong()) CHECK(frame.opcode == Frame::text);  // neither its own nor another's language
  world.interim({.user = "ann", .number = 10}, "next");
  CHECK_EQ(text_member(captions.text(), "text"), "next");
}

TEST(sentence_that_its_worker_publishes_on_both_ways_is_heard_once) {
  Guests world;
  Client listener = world.audio(FluentMeet::guest_token("bea"));
  world.wait_channels(true);
  for (int i = 1; i <= 20; ++i) {  // now the one comes first, now the other
    const std::string sentence = tone(60, 24000, 300.0 * i);
    world.synthesize_batch({.user = "ann", .number = i}, "es", sentence);
    CHECK(heard(listener, sentence.size()) == sentence);
  }
  for (const Frame& frame : listener.until_pong()) CHECK(frame.opcode == Frame::text);
}

TEST(synthesis_is_heard_by_whoever_listens_to_it_and_its_number_says_nothing) {
  Guests world;
  world.join({.user = "cem", .language = "tr", .speaking_language = "tr"});
  Client es = world.audio(FluentMeet::guest_token("bea"));
  Client tr = world.audio(FluentMeet::guest_token("cem"));
  world.wait_channels(true);
  // Every fifth chunk's number, then counted from 1, then backwards: nothing is dropped or reordered.
  std::string all;
  for (const std::int64_t number : {4, 9, 14, 1, 2, 3, 2}) {
    const std::string sentence = tone(50, 24000, 500.0 + 100.0 * static_cast<double>(all.size() % 7));
    world.publish_whole({.user = "ann", .number = number}, "es", sentence);
    all += sentence;
  }
  CHECK(heard(es, all.size()) == all);
  world.synthesize_streaming({.user = "ann", .number = 2}, "tr", tone(200, 24000));
  CHECK(heard(tr, tone(200, 24000).size()) == tone(200, 24000));
}

TEST(backend_s_pushes_reach_the_clients_as_they_are) {
  Guests world;
  Client a = world.signaling(FluentMeet::guest_token("ann"));
  Client b = world.signaling(FluentMeet::guest_token("bea"));
  world.wait_channels(true);
  a.event("user_joined");
  const std::string knock = R"({"type": "lobby_knock", "user_id": "zoe", "display_name": "Zo\u00e9", "more": [1.50, {"a": null}]})";
  const std::string speaker = R"({"type": "active_speaker_changed", "user_id": "bea"})";
  const std::string config = R"({"event": "room_config_updated", "settings": {"lock_room": true}})";
  const std::string ended = R"({"type": "meeting_ended"})";
  for (const std::string& push : {knock, speaker, config}) world.broadcast(push);
  world.broadcast(R"({"type": "user_joined", "user_id": "zoe", "display_name": "Zoe", "role": "guest"})", "zoe");
  for (Client* client : {&a, &b}) {
    CHECK_EQ(client->text(), knock);
    CHECK_EQ(client->text(), speaker);
    CHECK_EQ(client->text(), config);
    CHECK_EQ(client->text(), R"({"type": "user_joined", "user_id": "zoe", "display_name": "Zoe", "role": "guest"})");
  }
  world.broadcast(ended, "bea");  // its sender is left out
  CHECK_EQ(a.text(), ended);
  world.unicast("bea", R"({"type": "hello"})");
  CHECK_EQ(b.text(), R"({"type": "hello"})");
  world.unicast(" BEA ", R"({"type": "trimmed"})");  // its own service lowers and trims ids
  CHECK_EQ(b.text(), R"({"type": "trimmed"})");
}

TEST(room_survives_what_nobody_can_read) {
  Guests world;
  Client a = world.signaling(FluentMeet::guest_token("ann"));
  Client b = world.signaling(FluentMeet::guest_token("bea"));
  world.wait_channels(true);
  a.event("user_joined");
  // Its own service ends signaling of the whole room at a message that is no object, and at one in Redis that is no JSON.
  for (const char* text : {"[]", "7", "null", "\"text\"", "{", "{\"type\":7}"}) a.send(text);
  for (const char* text : {"", "{", "[]", "7", R"({"type": "broadcast"})", R"({"type": "unicast", "target_user_id": 7, "data": {}})"}) {
    world.redis.ask({"PUBLISH", "ws:room:r1", text});
    world.redis.ask({"PUBLISH", "pipeline:audio:r1", text});
    world.redis.ask({"PUBLISH", "pipeline:captions:r1", text});
  }
  for (int i = 0; i < 6; ++i) a.event("error");
  a.send(R"({"type":"offer","target_user_id":"bea","sdp":"v=0"})");
  const std::string offer = b.event("offer");
  CHECK_EQ(text_member(offer, "from_user_id"), "ann");
  world.broadcast(R"({"type": "lobby_knock"})");
  CHECK_EQ(b.text(), R"({"type": "lobby_knock"})");
}

TEST(registered_users_are_known_by_the_claim_that_has_their_id) {
  FluentMeet world({"auth.claims.user=user_id"});
  const std::string id = "7b0c6d1e-9f35-4c58-8c1b-1a7f0c4b6a01";
  world.join({.user = id, .display_name = "Ann", .role = "host"});
  world.join({.user = "bea"});
  Client ann = world.signaling(FluentMeet::access_token("ann@example.org", id));
  CHECK_EQ(world.refused("signaling", FluentMeet::access_token("ann@example.org")).status, 401);  // without the claim nobody is known
  Client bea = world.signaling(FluentMeet::access_token("bea@example.org", "bea"));
  const std::string there = bea.greeting.front().find("existing_users") != std::string::npos ? bea.greeting.front() : bea.greeting.back();
  CHECK(there.find("\"user_id\":\"" + id + "\",\"display_name\":\"Ann\",\"role\":\"host\"") != std::string::npos);
  CHECK_EQ(text_member(ann.event("user_joined"), "user_id"), "bea");
}

TEST(who_has_not_joined_is_refused) {
  Guests world;
  CHECK_EQ(world.refused("signaling", "").status, 401);
  CHECK_EQ(world.refused("audio", "nonsense").status, 401);
  for (const char* endpoint : {"audio", "captions", "signaling"}) {
    CHECK_EQ(world.refused(endpoint, FluentMeet::guest_token("zoe")).status, 403);
    CHECK_EQ(world.refused(endpoint, FluentMeet::access_token("ann@example.org")).status, 403);  // the hash has the id, not the e-mail
    CHECK_EQ(world.refused(endpoint, FluentMeet::guest_token("ann"), "r2").status, 403);
  }
  world.join({.user = "zoe"});
  world.signaling(FluentMeet::guest_token("zoe"));
}

TEST(removed_participant_is_closed_4003_within_five_seconds_on_every_endpoint) {
  Guests world;
  Client audio = world.audio(FluentMeet::guest_token("bea"));
  Client captions = world.captions(FluentMeet::guest_token("bea"));
  Client signaling = world.signaling(FluentMeet::guest_token("bea"));
  Client other = world.signaling(FluentMeet::guest_token("ann"));
  const auto begin = std::chrono::steady_clock::now();
  world.remove("bea");
  for (Client* client : {&audio, &captions, &signaling}) CHECK_EQ(client->ws().close_code(), 4003);
  CHECK(std::chrono::steady_clock::now() - begin < 5500ms);
  CHECK_EQ(text_member(other.event("user_left"), "user_id"), "bea");
  CHECK_EQ(world.refused("audio", FluentMeet::guest_token("bea")).status, 403);
}

TEST(end_of_the_meeting_closes_who_stays) {
  Guests world;
  Client client = world.signaling(FluentMeet::guest_token("bea"));
  world.wait_channels(true);
  world.broadcast(R"({"type": "meeting_ended"})");
  world.redis.ask({"DEL", "room:r1:participants", "room:r1:lobby"});
  CHECK_EQ(client.text(), R"({"type": "meeting_ended"})");
  CHECK_EQ(client.ws().close_code(), 4003);
}

TEST(languages_keep_their_spelling_wherever_workers_compare_them) {
  Guests world;
  world.join({.user = "dora", .language = "zh-hant", .speaking_language = "pt-br", .display_name = "Dora"});
  Client speaker = world.audio(FluentMeet::guest_token("dora"));
  Client listener = world.audio(FluentMeet::guest_token("bea"));
  world.wait_channels(true);
  speaker.audio(tone(100));
  const PeerRecord chunk = world.worker.read("audio.raw", 1).front();
  CHECK_EQ(text_member(chunk.value, "payload.source_language"), "pt-br");
  CHECK_EQ(text_member(world.state_of("dora"), "language"), "zh-hant");
  CHECK_EQ(text_member(world.state_of("dora"), "speaking_language"), "pt-br");
  CHECK((world.translate({.user = "dora", .language = "pt-br"}, "oi") == std::set<std::string>{"en", "es", "zh-hant"}));
  // Written with another case by a worker it is the same language all the same.
  world.publish_piece({.user = "dora"}, "ES", tone(50, 24000));
  CHECK(heard(listener, 1) == tone(50, 24000));
}

TEST(language_that_a_client_sets_is_in_the_hash_for_the_workers) {
  Guests world;
  Client signaling = world.signaling(FluentMeet::guest_token("bea"));
  world.wait_channels(true);
  signaling.send(R"({"type":"set_language","listening_language":"fr"})");
  signaling.event("language");
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (text_member(world.state_of("bea"), "language") != "fr" && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(5ms);
  const std::string state = world.state_of("bea");
  CHECK_EQ(text_member(state, "language"), "fr");
  CHECK_EQ(text_member(state, "display_name"), "Bea");
  CHECK_EQ(member(state, "hardware_ready"), "true");  // the backend's own members stay
}

TEST(participant_who_leaves_is_still_joined_as_the_backend_sees_it) {
  Guests world;
  {
    Client signaling = world.signaling(FluentMeet::guest_token("bea"));
    signaling.ws().send_close();
    signaling.ws().close_code();
  }
  world.wait_channels(false);
  CHECK_EQ(text_member(world.state_of("bea"), "display_name"), "Bea");
  world.signaling(FluentMeet::guest_token("bea"));
}

TEST(sockets_leave_no_subscription_and_no_descriptor_behind) {
  Guests world;
  const auto round = [&] {
    Client audio = world.audio(FluentMeet::guest_token("bea"));
    Client captions = world.captions(FluentMeet::guest_token("bea"));
    Client signaling = world.signaling(FluentMeet::guest_token("bea"));
    world.wait_channels(true);
    for (Client* client : {&audio, &captions, &signaling}) {
      client->ws().send_close();
      client->ws().close_code();
    }
  };
  round();
  world.wait_channels(false);
  const std::size_t before = descriptors_of(world.host->process().pid());
  for (int i = 0; i < 10; ++i) round();
  world.wait_channels(false);
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (descriptors_of(world.host->process().pid()) > before + 2 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(10ms);
  CHECK(descriptors_of(world.host->process().pid()) <= before + 2);  // librdkafka opens one now and then
}

TEST(user_stays_reachable_when_an_older_socket_of_theirs_closes) {
  Guests world;
  Client a = world.signaling(FluentMeet::guest_token("ann"));
  Client older = world.signaling(FluentMeet::guest_token("bea"));
  a.event("user_joined");
  Client newer = world.signaling(FluentMeet::guest_token("bea"));
  CHECK_EQ(older.ws().close_code(), 4009);
  world.wait_channels(true);
  world.unicast("bea", R"({"type": "hello"})");
  CHECK_EQ(newer.text(), R"({"type": "hello"})");
  a.send(R"({"type":"offer","target_user_id":"bea","sdp":"v=0"})");
  CHECK_EQ(text_member(newer.event("offer"), "from_user_id"), "ann");
  CHECK(of_type(a.texts_until_pong(), "user_left").empty());
}

TEST(redis_restart_leaves_no_room_deaf_and_loses_no_sentence) {
  Guests world;
  Client listener = world.audio(FluentMeet::guest_token("bea"));
  Client signaling = world.signaling(FluentMeet::guest_token("bea"));
  world.wait_channels(true);
  const std::string sentence = tone(600, 24000);
  world.publish_piece({.user = "ann", .number = 1}, "es", sentence.substr(0, 9600));
  CHECK(heard(listener, 9600) == sentence.substr(0, 9600));
  world.redis.kill();
  while (text_member(signaling.event("pipeline_heartbeat"), "state") != "degraded") {}
  // Kafka's whole sentences are heard: of the one that had begun, the rest.
  world.publish_whole({.user = "ann", .number = 1}, "es", sentence);
  CHECK(heard(listener, sentence.size() - 9600) == sentence.substr(9600));
  world.publish_whole({.user = "ann", .number = 2}, "es", tone(80, 24000));
  CHECK(heard(listener, 1) == tone(80, 24000));
  CHECK_EQ(world.refused("signaling", FluentMeet::guest_token("ann")).status, 503);  // membership can't be asked

  world.redis.start();
  world.join({.user = "ann", .display_name = "Ann"});  // it kept nothing: the backend writes it again
  world.join({.user = "bea", .language = "es", .display_name = "Bea"});
  world.wait_channels(true);
  while (text_member(signaling.event("pipeline_heartbeat"), "state") != "ok") {}
  world.broadcast(R"({"type": "lobby_knock"})");
  CHECK_EQ(signaling.text(), R"({"type": "lobby_knock"})");
  world.synthesize_streaming({.user = "ann", .number = 3}, "es", tone(300, 24000));
  CHECK(heard(listener, tone(300, 24000).size()) == tone(300, 24000));
  world.signaling(FluentMeet::guest_token("ann"));
}

TEST(host_with_its_sample_ends_on_sigterm) {
  Guests world;
  Client signaling = world.signaling(FluentMeet::guest_token("bea"));
  world.host->process().signal(SIGTERM);
  signaling.event("going_away");
  signaling.ws().send_close();
  CHECK_EQ(world.host->process().wait(), 0);
}
