#include "test/plugin/world.hpp"

#include <chrono>
#include <cmath>
#include <span>
#include <thread>

#include "core/wire/base64.hpp"
#include "core/wire/json_scan.hpp"

namespace fluentgate::test {

using namespace std::chrono_literals;

std::vector<std::string> keys(std::string_view object) {
  std::vector<std::string> found;
  wire::ObjectScanner scanner(object);
  while (const auto next = scanner.next()) found.emplace_back(next->key);
  if (!scanner.status()) FAIL("not an object: " + std::string(object));
  return found;
}

namespace {

std::optional<std::string> find_member(std::string_view object, std::string_view name) {
  wire::ObjectScanner scanner(object);
  std::optional<std::string> value;
  while (const auto next = scanner.next()) {
    if (next->key == name) value = std::string(next->value);
  }
  if (!scanner.status()) FAIL("not an object: " + std::string(object));
  return value;
}

std::string type_of(const Frame& frame) {
  if (frame.opcode != Frame::text) return {};
  for (const char* name : {"type", "event"}) {
    // captions have both: there `event` is what tells them apart
    if (const auto value = find_member(frame.payload, name == std::string_view("type") && has_member(frame.payload, "event") ? "event" : name)) {
      return wire::decoded_string(*value);
    }
  }
  return {};
}

}  // namespace

bool has_member(std::string_view object, std::string_view name) { return find_member(object, name).has_value(); }

std::string member(std::string_view object, std::string_view path) {
  std::string current(object);
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    const auto value = find_member(current, name);
    if (!value) FAIL("no member " + std::string(name) + " in " + current);
    current = *value;
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return current;
}

std::string text_member(std::string_view object, std::string_view path) {
  const std::string raw = member(object, path);
  if (!raw.starts_with('"')) FAIL(std::string(path) + " is no string: " + raw);
  return wire::decoded_string(raw);
}

std::int64_t number_member(std::string_view object, std::string_view path) {
  const std::string raw = member(object, path);
  const auto value = wire::integer_value(raw);
  if (!value || raw.find_first_not_of("-0123456789") != std::string::npos) FAIL(std::string(path) + " is no integer: " + raw);
  return *value;
}

std::string base64(std::string_view bytes) {
  std::string out;
  wire::base64_append(out, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  return out;
}

std::string unbase64(std::string_view text) {
  const auto bytes = wire::base64_decode(text);
  if (!bytes) FAIL("not base64: " + std::string(text.substr(0, 100)));
  return {bytes->begin(), bytes->end()};
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string pcm_bytes(std::size_t bytes, int seed) {
  std::string out(bytes, '\0');
  std::uint32_t state = static_cast<std::uint32_t>(seed) * 2654435761u + 12345u;
  for (std::size_t i = 0; i < bytes; i += 2) {  // the high byte stays 0: below -42 dBFS
    state = state * 1664525u + 1013904223u;
    out[i] = static_cast<char>(state >> 24);
  }
  return out;
}

std::string tone(int ms, int sample_rate, double amplitude, double hz) {
  std::string out;
  for (int i = 0; i < sample_rate / 1000 * ms; ++i) {
    const auto sample = static_cast<std::int16_t>(std::lround(amplitude * std::sin(6.283185307179586 * hz * i / sample_rate)));
    out.push_back(static_cast<char>(sample & 0xff));
    out.push_back(static_cast<char>(sample >> 8));
  }
  return out;
}

std::string silence(int ms, int sample_rate) { return std::string(static_cast<std::size_t>(sample_rate / 1000 * ms) * 2, '\0'); }

Frame Client::next() {
  while (true) {
    Frame frame = ws_.message();
    if (frame.opcode == Frame::close) FAIL("closed with " + std::to_string(frame.close_code()));
    if (type_of(frame) != "pipeline_heartbeat") return frame;
  }
}

std::string Client::text() {
  Frame frame = next();
  if (frame.opcode != Frame::text) FAIL("a binary message of " + std::to_string(frame.payload.size()) + " bytes in place of text");
  return std::move(frame.payload);
}

std::string Client::event(std::string_view type) {
  std::string passed;
  while (true) {
    Frame frame;
    try {
      frame = ws_.message();
    } catch (const Failure& failure) {
      FAIL("no " + std::string(type) + ": " + failure.what() + ", after" + passed);
    }
    if (frame.opcode == Frame::close) {
      FAIL("closed with " + std::to_string(frame.close_code()) + " before " + std::string(type) + " came, after" + passed);
    }
    if (type_of(frame) == type) return std::move(frame.payload);
    if (frame.opcode == Frame::text) passed += "\n  " + frame.payload;
  }
}

std::string Client::bytes() {
  while (true) {
    Frame frame = next();
    if (frame.opcode == Frame::binary) return std::move(frame.payload);
  }
}

std::vector<Frame> Client::until_pong() {
  const std::string mark = "mark-" + std::to_string(++pings_);
  send("{\"type\":\"ping\",\"mark\":\"" + mark + "\"}");
  std::vector<Frame> before;
  while (true) {
    Frame frame = next();
    if (frame.payload == "{\"type\":\"pong\",\"mark\":\"" + mark + "\"}") return before;
    before.push_back(std::move(frame));
  }
}

std::vector<std::string> Client::texts_until_pong() {
  std::vector<std::string> texts;
  for (Frame& frame : until_pong()) {
    if (frame.opcode == Frame::text) texts.push_back(std::move(frame.payload));
  }
  return texts;
}

std::string Client::refused(std::string_view code) {
  const std::string got = event("error");
  if (text_member(got, "code") != code) FAIL("expected " + std::string(code) + ", got " + got);
  if (text_member(got, "detail").empty()) FAIL("no detail: " + got);
  return got;
}

FramedAudio framed(const std::string& message) {
  if (message.size() < 4) FAIL("a framed message of " + std::to_string(message.size()) + " bytes");
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(message[i]);
  if (message.size() < 4 + size) FAIL("a header longer than its message");
  return {message.substr(4, size), message.substr(4 + size)};
}

namespace {

std::string quoted(std::string_view name, std::string_view value) { return ",\"" + std::string(name) + "\":\"" + std::string(value) + "\""; }

std::string envelope(std::string_view type, std::string_view timestamp, std::string_view payload) {
  return "{\"event_id\":\"7f1c1f0e-5a52-4d5c-9c43-7b1d9c7d5f10\",\"event_type\":\"" + std::string(type) + "\",\"timestamp\":\"" +
         std::string(timestamp) + "\",\"payload\":{" + std::string(payload) + "}}";
}

}  // namespace

PeerMessage synthesized(const Synthesis& frame) {
  std::string payload = "\"room_id\":\"" + frame.room + "\"" + quoted("user_id", frame.user) + quoted("audio_data", base64(frame.pcm)) +
                        quoted("target_language", frame.language) + quoted("encoding", frame.encoding) +
                        ",\"sample_rate\":" + std::to_string(frame.sample_rate);
  if (frame.number) payload += ",\"sequence_number\":" + std::to_string(*frame.number);
  if (!frame.utterance.empty()) payload += quoted("utterance_id", frame.utterance);
  return {"audio.synthesized", frame.room, envelope("audio.synthesized", "2026-11-22T10:00:00.123456+00:00", payload), frame.headers, frame.timestamp_ms, -1};
}

PeerMessage synthesized_binary(const Synthesis& frame) {
  PeerMessage message{"audio.synthesized", frame.room, frame.pcm, frame.headers, frame.timestamp_ms, -1};
  const auto add = [&message](const char* name, const std::string& value) { message.headers.emplace_back(name, value); };
  add("fg-room", frame.room);
  add("fg-user", frame.user);
  add("fg-lang", frame.language);
  add("fg-rate", std::to_string(frame.sample_rate));
  add("fg-enc", frame.encoding);
  if (frame.number) add("fg-seq", std::to_string(*frame.number));
  if (!frame.utterance.empty()) add("fg-utterance", frame.utterance);
  return message;
}

PeerMessage transcript(const Line& line) {
  const std::string payload = "\"room_id\":\"" + line.room + "\"" + quoted("user_id", line.user) + ",\"sequence_number\":" + std::to_string(line.number) +
                              quoted("text", line.text) + quoted("source_language", line.language) + ",\"confidence\":0.9" + line.more;
  return {"text.original", line.room, envelope("text.transcription", line.timestamp, payload), line.headers, 0, -1};
}

PeerMessage translation(const Line& line) {
  const std::string payload = "\"room_id\":\"" + line.room + "\"" + quoted("user_id", line.user) + ",\"sequence_number\":" + std::to_string(line.number) +
                              quoted("original_text", line.original) + quoted("translated_text", line.text) + quoted("source_language", "en") +
                              quoted("target_language", line.language) + line.more;
  return {"text.translated", line.room, envelope("text.translation", line.timestamp, payload), line.headers, 0, -1};
}

Cluster::Cluster(const std::vector<std::string>& topics) {
  auto cluster = kafka::EmbeddedCluster::start(topics, log_, 2);
  if (!cluster) FAIL("no cluster: " + cluster.error().text);
  cluster_ = std::move(cluster).value();
}

namespace {

std::vector<std::string> quick(std::vector<std::string> options) {
  options.emplace_back("kafka.consumer.fetch.wait.max.ms=10");  // the mock delays an empty fetch by the whole wait
  return options;
}

std::string bootstrap_of(HostProcess& host) {
  host.wait_ready();
  return text_member(host.connect().request("GET", "/readyz").body, "kafka.bootstrap");
}

std::vector<std::string> with(std::vector<std::string> options, const std::string& one) {
  options.push_back(one);
  return options;
}

}  // namespace

World::World(const std::vector<std::string>& options) : host(FLUENTGATE_BUILD_DIR, quick(options)), worker(bootstrap_of(host)) {}

World::World(Cluster& cluster, const std::vector<std::string>& options)
    : host(FLUENTGATE_BUILD_DIR, quick(with(options, cluster.option()))), worker(cluster.bootstrap()) {
  host.wait_ready();
}

Client World::open(const std::string& endpoint, const TokenClaims& claims, const std::string& query, const std::string& subprotocol) {
  Headers headers{{"Authorization", "Bearer " + make_token(claims)}};
  if (!subprotocol.empty()) headers.emplace_back("Sec-WebSocket-Protocol", subprotocol);
  return Client(host.open("/ws/" + endpoint + "/" + claims.room + (query.empty() ? "" : "?" + query), headers));
}

namespace {

void read_greeting(Client& client, std::string_view last) {
  do {
    const Frame frame = client.ws().message();
    if (frame.opcode != Frame::text) FAIL("no text in the greeting");
    client.greeting.push_back(frame.payload);
  } while (type_of({Frame::text, true, client.greeting.back()}) != last);
}

}  // namespace

Client World::audio(const TokenClaims& claims, const std::string& query, const std::string& subprotocol) {
  Client client = open("audio", claims, query, subprotocol);
  read_greeting(client, "pipeline_heartbeat");
  return client;
}

Client World::signaling(const TokenClaims& claims, const std::string& query) {
  Client client = open("signaling", claims, query, {});
  read_greeting(client, "pipeline_heartbeat");
  return client;
}

Client World::captions(const TokenClaims& claims, const std::string& query) {
  Client client = open("captions", claims, query, {});
  read_greeting(client, "history_end");
  return client;
}

std::string World::page(const std::string& path) {
  const HttpReply reply = host.connect().request("GET", path);
  CHECK_EQ(reply.status, 200);
  return reply.body;
}

void World::wait_metric(const std::string& line) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  std::string body;
  do {
    body = page("/metrics");
    if (("\n" + body).find("\n" + line + "\n") != std::string::npos) return;
    std::this_thread::sleep_for(10ms);
  } while (std::chrono::steady_clock::now() < until);
  const std::string name = line.substr(0, line.find_first_of("{ "));
  std::string same;
  for (std::size_t at = body.find("\n" + name); at != std::string::npos; at = body.find("\n" + name, at + 1)) {
    same += body.substr(at, body.find('\n', at + 1) - at);
  }
  FAIL("/metrics never had: " + line + "\nbut:" + same);
}

std::string World::wait_log(const std::string& text) {
  std::string all;
  const bool seen = host.process().wait_until([&](const std::string&, const std::string& err) {
    all = err;
    return err.find(text) != std::string::npos;
  }, 10s);
  if (!seen) FAIL("never logged: " + text + "\n" + all);
  return all;
}

}  // namespace fluentgate::test
