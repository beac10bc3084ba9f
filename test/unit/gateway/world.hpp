// A gateway without Kafka, lws and threads: a Hub with a fake publisher, and clients whose transports live in memory. Time moves by hand.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/auth/token_signer.hpp"
#include "core/gateway/hub.hpp"
#include "core/gateway/sockets.hpp"
#include "core/wire/ws_frame.hpp"
#include "test/support/check.hpp"
#include "test/support/fake_clock.hpp"
#include "test/support/fake_transport.hpp"

namespace fluentgate::test {

inline LanguageTag tag(std::string_view text) { return LanguageTag::parse(text).value(); }
inline LanguageList tags(std::string_view text) { return parse_language_list(text).value(); }

class FakePublisher final : public ChunkPublisher {
 public:
  enum class Mode { takes, queue_full, too_large };
  Status publish(const AudioChunk& chunk, std::uint64_t token) override {
    if (mode == Mode::queue_full) return Error{"queue_full", "later", true};
    if (mode == Mode::too_large || chunk.audio.size() > bytes_max) return Error{"too_large", "never", false};
    chunks.push_back(chunk);
    tokens.push_back(token);
    return ok();
  }
  Mode mode = Mode::takes;
  std::size_t bytes_max = SIZE_MAX;
  std::vector<AudioChunk> chunks;
  std::vector<std::uint64_t> tokens;
};

class FakeLogger final : public Logger {
 public:
  bool enabled(LogLevel) const noexcept override { return true; }
  void write(LogLevel, std::string_view category, std::string_view text) noexcept override { lines.push_back(std::string(category) + ": " + std::string(text)); }
  std::vector<std::string> of(std::string_view category) const {
    std::vector<std::string> out;
    for (const auto& line : lines) {
      if (line.starts_with(category)) out.push_back(line);
    }
    return out;
  }
  std::vector<std::string> lines;
};

// What a client asks for; the defaults are those of a token that says the user and the room.
struct Wish {
  std::string speak;          // claim; empty: unknown
  std::string listen;         // claim
  std::string understands;    // claim
  std::optional<std::string> lang_query, understands_query, speak_query;
  bool framed = false;
  std::string name;
  std::string role;
  std::optional<std::int64_t> exp_s;
  auth::CaptionQuery caption;
};

class World;

class Client {
 public:
  Client(World& world, Endpoint endpoint, std::string user, const Wish& wish, std::string room, FakeTransport::Mode mode = FakeTransport::Mode::ready);
  Client(Client&&) = default;
  ~Client() {
    if (socket) gone();
  }
  void text(std::string_view message) {
    socket->on_message(gateway::Socket::Kind::text, {reinterpret_cast<const std::uint8_t*>(message.data()), message.size()});
  }
  void binary(const Bytes& message) { socket->on_message(gateway::Socket::Kind::binary, message); }
  // What an event loop does when there is room again.
  void drained() {
    transport->mode = FakeTransport::Mode::ready;
    if (transport->wanted > 0) {
      transport->wanted = 0;
      socket->on_writable();
    }
  }
  void gone() { socket->on_closed(); }
  std::vector<std::string> texts() { return transport->take_texts(); }
  // Texts with this member and value, such as "type":"suppress_original".
  std::vector<std::string> events(std::string_view type) {
    std::vector<std::string> out;
    for (auto& text : texts()) {
      if (text.find("\"type\":\"" + std::string(type) + "\"") != std::string::npos) out.push_back(std::move(text));
    }
    return out;
  }
  std::vector<std::string> audio() { return transport->take_audio(); }

  std::unique_ptr<FakeTransport> transport = std::make_unique<FakeTransport>();
  std::shared_ptr<gateway::Socket> socket;
};

class World {
 public:
  // `bus`: this is one of several instances (cluster_world.hpp).
  explicit World(config::Settings given = {}, RoomBus* bus = nullptr) : settings(with_secret(std::move(given))) {
    core.bus = bus;
    auto made = auth::TokenVerifier::create(settings.auth);
    CHECK(made.ok());
    hub.emplace(core, publisher, std::shared_ptr<const auth::TokenVerifier>(std::move(made).value()));
    hub->uploads.recovery_done();
  }

  Client audio(const std::string& user, const Wish& wish = {}) { return {*this, Endpoint::audio, user, wish, room}; }
  Client signaling(const std::string& user, const Wish& wish = {}) { return {*this, Endpoint::signaling, user, wish, room}; }
  Client captions(const std::string& user, const Wish& wish = {}) { return {*this, Endpoint::captions, user, wish, room}; }

  SynthesizedFrame frame(const std::string& speaker, const std::string& language, std::string pcm = "abcd") {
    SynthesizedFrame frame{RoomId(room), UserId(speaker), tag(language)};
    frame.duration_us = 20000;
    frame.pcm = std::make_shared<const Bytes>(pcm.begin(), pcm.end());
    frame.kafka_ms = clock.unix_ms();
    frame.arrival_ms = clock.unix_ms();
    frame.arrival_us = clock.steady_us();
    return frame;
  }
  void play(SynthesizedFrame one) {
    hub->playback.take(std::move(one));
    hub->playback.flush();
  }
  void play(const std::string& speaker, const std::string& language, std::string pcm = "abcd") { play(frame(speaker, language, std::move(pcm))); }

  Caption caption(const std::string& speaker, CaptionType type, const std::string& language, const std::string& text) {
    Caption caption{RoomId(room), type, UserId(speaker), tag(language)};
    caption.text = text;
    caption.source_language = type == CaptionType::original ? std::optional(tag(language)) : std::nullopt;
    caption.position = {static_cast<std::uint8_t>(type == CaptionType::original ? 1 : 2), 0, next_offset++, clock.unix_ms()};
    caption.arrival_ms = clock.unix_ms();
    return caption;
  }
  void say(Caption one) {
    hub->captions.record_seen({one.position});
    hub->caption_arrived(std::move(one));
  }
  // The log of the text topics, empty, read from its beginning.
  void open_log() {
    hub->captions.partition_opened({1, 0, 0, 0});
    hub->captions.partition_opened({2, 0, 0, 0});
    hub->captions.broker_state({true, true, "cluster-1"});
  }
  // The timers that the gateway runs several times a second.
  void tick(std::int64_t ms = 0) {
    clock.advance(ms);
    hub->suppression.tick(clock.steady_ms());
    hub->playback.tick();
    hub->captions.tick();
    hub->uploads.tick();
    hub->check_tokens(clock.unix_ms());
    hub->presence.tell_demand();
    if (hub->cluster) hub->cluster->tick(clock.steady_ms());
  }
  std::string token(const std::string& claims_json) const {
    return auth::sign_token(auth::Algorithm::hs256, {settings.auth.secret, ""}, claims_json).value();
  }
  Room& the_room() { return *rooms.find(room); }
  double metric(std::string_view line_start) const {
    const std::string page = metrics.render();
    const auto at = page.find("\n" + std::string(line_start) + " ");
    return at == std::string::npos ? 0 : std::stod(page.substr(at + line_start.size() + 2));
  }

  const std::string room = "r";
  config::Settings settings;
  FakeClock clock;
  FakeLogger logger;
  gateway::GatewayMetrics metrics{"test"};
  ConnectionManager rooms{settings.audio.language_timeout_ms};
  kafka::Interest interest;
  gateway::Core core{settings, clock, logger, metrics, rooms, interest,
                     {settings.limits.outbox_bytes, settings.limits.slow_close_ms, settings.audio.max_age_ms, settings.limits.messages_per_s,
                      [this](CloseCode code) { metrics.closed(code); }}};
  FakePublisher publisher;
  std::optional<gateway::Hub> hub;
  std::int64_t next_offset = 0;

 private:
  static config::Settings with_secret(config::Settings settings) {
    settings.auth.secret = "a secret that is long enough for HS256, no less";
    return settings;
  }
};

inline Client::Client(World& world, Endpoint endpoint, std::string user, const Wish& wish, std::string room, FakeTransport::Mode mode) {
  transport->mode = mode;
  auth::Admitted admitted;
  admitted.endpoint = endpoint;
  admitted.room = RoomId(room);
  admitted.claims.user = UserId(std::move(user));
  admitted.claims.room = RoomId(room);
  admitted.claims.names_rooms = true;
  if (!wish.name.empty()) admitted.claims.name = wish.name;
  if (!wish.role.empty()) admitted.claims.role = wish.role;
  admitted.claims.exp_s = wish.exp_s;
  admitted.claims.listening = tags(wish.listen);
  admitted.claims.understands = tags(wish.understands);
  if (!wish.speak.empty()) admitted.claims.speaking_language = wish.speak;
  admitted.hearing = {wish.lang_query ? tags(*wish.lang_query) : admitted.claims.listening,
                      wish.understands_query ? tags(*wish.understands_query) : admitted.claims.understands};
  admitted.speaking_language = wish.speak_query ? wish.speak_query : admitted.claims.speaking_language;
  admitted.listening_given = wish.lang_query.has_value();
  admitted.understands_given = wish.understands_query.has_value();
  admitted.speaking_given = wish.speak_query.has_value();
  admitted.framed = wish.framed;
  admitted.caption = wish.caption;
  socket = gateway::make_socket(*world.hub, world.hub->join(std::move(admitted), *transport));
}

// The parts of a message of fluentgate.audio.v1.
struct Framed {
  std::string json, audio;
};
inline Framed framed(const std::string& message) {
  CHECK(message.size() >= 4);
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(message[i]);
  CHECK(message.size() >= 4 + size);
  return {message.substr(4, size), message.substr(4 + size)};
}
inline bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace fluentgate::test
