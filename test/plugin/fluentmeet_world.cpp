// See fluentmeet_world.hpp.
#include "test/plugin/fluentmeet_world.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/auth/token_signer.hpp"
#include "core/wire/timestamp.hpp"

namespace fluentgate::test {

using namespace std::chrono_literals;

namespace {

std::vector<std::string> with_servers(std::vector<std::string> options, const FluentMeet& world) {
  options.push_back("auth.secret_file=" + world.folder.file("secret", test_secret));
  for (std::string& option : world.kafka.options()) options.push_back(std::move(option));
  options.push_back("redis.url=" + world.redis.url());  // the last one counts
  options.emplace_back("kafka.consumer.fetch.wait.max.ms=10");  // the mock delays an empty fetch by the whole wait
  return options;
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }  // no test has anything to escape

std::string signed_token(const std::string& claims) {
  auth::SigningKey key;
  key.secret = test_secret;
  auto token = auth::sign_token(auth::Algorithm::hs256, key, claims);
  if (!token) FAIL(token.error().text);
  return *token;
}

// json.dumps(event.model_dump(), default=str): blanks behind commas and colons, and one in place of the T.
std::string envelope(const std::string& type, const std::string& payload) {
  std::string timestamp;
  wire::append_timestamp(timestamp, now_ms());
  timestamp[timestamp.find('T')] = ' ';
  return R"({"event_id": "7d4448f2-2b7d-4b0e-9a57-2e2a9f2c1a11", "event_type": )" + quoted(type) + R"(, "timestamp": )" + quoted(timestamp) +
         R"(, "payload": {)" + payload + "}}";
}

std::string of(const FluentMeet::Speech& speech) {
  return R"("room_id": )" + quoted(speech.room) + R"(, "user_id": )" + quoted(speech.user) + R"(, "sequence_number": )" + std::to_string(speech.number);
}

}  // namespace

FluentMeet::FluentMeet(const std::vector<std::string>& options)
    : host(std::make_unique<HostProcess>(FLUENTGATE_BUILD_DIR, with_servers(options, *this),
                                         std::vector<std::string>{"--config", FLUENTGATE_SOURCE_DIR "/conf/fluentmeet.toml"})),
      worker(kafka.address()) {
  host->wait_ready();
}

void FluentMeet::join(const Joined& who, const std::string& room) {
  redis.ask({"HSET", "room:" + room + ":participants", who.user,
             R"({"status": "connected", "language": )" + quoted(who.language) + R"(, "speaking_language": )" + quoted(who.speaking_language) +
                 R"(, "hardware_ready": true, "display_name": )" + quoted(who.display_name) + R"(, "role": )" + quoted(who.role) + "}"});
}

void FluentMeet::remove(const std::string& user, const std::string& room) { redis.ask({"HDEL", "room:" + room + ":participants", user}); }

std::string FluentMeet::state_of(const std::string& user, const std::string& room) const { return redis.ask({"HGET", "room:" + room + ":participants", user}); }

void FluentMeet::broadcast(const std::string& data, const std::optional<std::string>& sender, const std::string& room) {
  redis.ask({"PUBLISH", "ws:room:" + room, R"({"type": "broadcast", "sender_id": )" + (sender ? quoted(*sender) : "null") + R"(, "data": )" + data + "}"});
}

void FluentMeet::unicast(const std::string& target, const std::string& data, const std::string& room) {
  redis.ask({"PUBLISH", "ws:room:" + room, R"({"type": "unicast", "target_user_id": )" + quoted(target) + R"(, "data": )" + data + "}"});
}

std::string FluentMeet::guest_token(const std::string& session, const std::string& name) {
  return signed_token(R"({"sub":)" + quoted(session) + R"(,"name":)" + quoted(name) + R"(,"type":"guest"})");
}

std::string FluentMeet::access_token(const std::string& email, const std::string& user_id) {
  return signed_token(R"({"sub":)" + quoted(email) + R"(,"jti":"0a1b","exp":)" + std::to_string(now_ms() / 1000 + 900) + R"(,"type":"access")" +
                      (user_id.empty() ? "" : R"(,"user_id":)" + quoted(user_id)) + "}");
}

void FluentMeet::interim(const Speech& speech, const std::string& text) {
  redis.ask({"PUBLISH", "pipeline:captions:" + speech.room,
             R"({"event": "caption", "type": "original", "speaker_id": )" + quoted(speech.user) + R"(, "speaker_name": "Speaker", "text": )" + quoted(text) +
                 R"(, "source_language": )" + quoted(speech.language) + R"(, "is_final": false, "sequence_number": )" + std::to_string(speech.number) +
                 R"(, "timestamp_ms": )" + std::to_string(now_ms()) + "}"});
}

void FluentMeet::transcribed(const Speech& speech, const std::string& text) {
  worker.produce({"text.original", speech.room,
                  envelope("text.transcription", of(speech) + R"(, "text": )" + quoted(text) + R"(, "source_language": )" + quoted(speech.language) +
                                                     R"(, "is_final": true, "confidence": 0.98)"), {}, 0, -1});
  broadcast(R"({"type": "active_speaker_changed", "user_id": )" + quoted(speech.user) + "}", {}, speech.room);
  redis.ask({"PUBLISH", "pipeline:captions:" + speech.room,
             R"({"event": "caption", "type": "original", "speaker_id": )" + quoted(speech.user) + R"(, "speaker_name": "Speaker", "text": )" + quoted(text) +
                 R"(, "source_language": )" + quoted(speech.language) + R"(, "is_final": true, "sequence_number": )" + std::to_string(speech.number) +
                 R"(, "timestamp_ms": )" + std::to_string(now_ms()) + "}"});
}

std::set<std::string> FluentMeet::translate(const Speech& speech, const std::string& text) {
  const std::string states = redis.ask({"HVALS", "room:" + speech.room + ":participants"}) + "\n";
  std::set<std::string> languages;
  for (std::size_t at = 0; at + 1 < states.size();) {
    const std::size_t end = states.find('\n', at);
    const std::string language = text_member(states.substr(at, end - at), "language");
    if (language != speech.language) languages.insert(language);
    at = end + 1;
  }
  for (const std::string& language : languages) {
    const std::string translated = language + " " + text;
    worker.produce({"text.translated", speech.room,
                    envelope("text.translation", of(speech) + R"(, "original_text": )" + quoted(text) + R"(, "translated_text": )" + quoted(translated) +
                                                     R"(, "source_language": )" + quoted(speech.language) + R"(, "target_language": )" + quoted(language)), {}, 0, -1});
    redis.ask({"PUBLISH", "pipeline:captions:" + speech.room,
               R"({"event": "caption", "type": "translated", "speaker_id": )" + quoted(speech.user) + R"(, "speaker_name": "Speaker", "original_text": )" +
                   quoted(text) + R"(, "translated_text": )" + quoted(translated) + R"(, "source_language": )" + quoted(speech.language) +
                   R"(, "target_language": )" + quoted(language) + R"(, "is_final": true, "sequence_number": )" + std::to_string(speech.number) +
                   R"(, "timestamp_ms": )" + std::to_string(now_ms()) + "}"});
  }
  return languages;
}

std::string FluentMeet::piece(const Speech& speech, const std::string& language, const std::string& pcm) const {
  return envelope("audio.synthesized", of(speech) + R"(, "audio_data": )" + quoted(base64(pcm)) + R"(, "target_language": )" + quoted(language) +
                                           R"(, "sample_rate": 24000, "encoding": "linear16")");
}

void FluentMeet::publish_piece(const Speech& speech, const std::string& language, const std::string& pcm) {
  redis.ask({"PUBLISH", "pipeline:audio:" + speech.room, piece(speech, language, pcm)});
}

void FluentMeet::publish_whole(const Speech& speech, const std::string& language, const std::string& pcm) {
  worker.produce({"audio.synthesized", speech.room, piece(speech, language, pcm), {}, 0, -1});
}

void FluentMeet::synthesize_streaming(const Speech& speech, const std::string& language, const std::string& pcm) {
  for (std::size_t at = 0; at < pcm.size(); at += 4096) publish_piece(speech, language, pcm.substr(at, 4096));
  publish_whole(speech, language, pcm);
}

void FluentMeet::synthesize_batch(const Speech& speech, const std::string& language, const std::string& pcm) {
  publish_whole(speech, language, pcm);
  publish_piece(speech, language, pcm);
}

Client FluentMeet::open(const std::string& endpoint, const std::string& token, const std::string& room, std::string_view last) {
  Client client(host->open("/api/v1/ws/" + endpoint + "/" + room + "?token=" + token));
  do client.greeting.push_back(client.ws().message().payload);
  while (client.greeting.back().find(last) == std::string::npos);
  return client;
}

Client FluentMeet::audio(const std::string& token, const std::string& room) { return open("audio", token, room, "\"pipeline_heartbeat\""); }
Client FluentMeet::captions(const std::string& token, const std::string& room) { return open("captions", token, room, "\"history_end\""); }

// existing_users may wait for the room's other instances.
Client FluentMeet::signaling(const std::string& token, const std::string& room) {
  Client client = open("signaling", token, room, "\"pipeline_heartbeat\"");
  const bool there = std::any_of(client.greeting.begin(), client.greeting.end(),
                                 [](const std::string& message) { return message.find("\"existing_users\"") != std::string::npos; });
  if (!there) client.greeting.push_back(client.event("existing_users"));
  return client;
}

HttpReply FluentMeet::refused(const std::string& endpoint, const std::string& token, const std::string& room) {
  return host->connect().upgrade("/api/v1/ws/" + endpoint + "/" + room + (token.empty() ? "" : "?token=" + token));
}

void FluentMeet::wait_log(const std::string& text) {
  std::string all;
  const bool seen = host->process().wait_until([&](const std::string&, const std::string& err) {
    all = err;
    return err.find(text) != std::string::npos;
  }, 10s);
  if (!seen) FAIL("never logged: " + text + "\n" + all);
}

void FluentMeet::wait_channels(bool subscribed, const std::string& room) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  std::string all;
  do {
    all = "\n" + redis.ask({"PUBSUB", "CHANNELS"}) + "\n";
    const bool any = all.find(":" + room + "\n") != std::string::npos;
    const bool every = all.find("\nws:room:" + room + "\n") != std::string::npos && all.find("\npipeline:audio:" + room + "\n") != std::string::npos &&
                       all.find("\npipeline:captions:" + room + "\n") != std::string::npos;
    if (subscribed ? every : !any) return;
    std::this_thread::sleep_for(5ms);
  } while (std::chrono::steady_clock::now() < until);
  FAIL(std::string("channels of the room still ") + (subscribed ? "missing: " : "there: ") + all);
}

std::string heard(Client& client, std::size_t bytes) {
  std::string pcm;
  while (pcm.size() < bytes) pcm += client.bytes();
  return pcm;
}

}  // namespace fluentgate::test
