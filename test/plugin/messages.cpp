// JSON as text, made-up audio, and the events of a worker.
#include <chrono>
#include <cmath>

#include "core/wire/base64.hpp"
#include "core/wire/json_scan.hpp"
#include "test/plugin/world.hpp"

namespace fluentgate::test {

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
  const std::string value = envelope("audio.synthesized", "2026-11-22T10:00:00.123456+00:00", payload);
  return {"audio.synthesized", frame.room, value, frame.headers, frame.timestamp_ms, -1};
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
  const std::string payload = "\"room_id\":\"" + line.room + "\"" + quoted("user_id", line.user) +
                              ",\"sequence_number\":" + std::to_string(line.number) +
                              quoted("text", line.text) + quoted("source_language", line.language) + ",\"confidence\":0.9" + line.more;
  return {"text.original", line.room, envelope("text.transcription", line.timestamp, payload), line.headers, 0, -1};
}

PeerMessage translation(const Line& line) {
  const std::string payload = "\"room_id\":\"" + line.room + "\"" + quoted("user_id", line.user) +
                              ",\"sequence_number\":" + std::to_string(line.number) +
                              quoted("original_text", line.original) + quoted("translated_text", line.text) + quoted("source_language", "en") +
                              quoted("target_language", line.language) + line.more;
  return {"text.translated", line.room, envelope("text.translation", line.timestamp, payload), line.headers, 0, -1};
}

}  // namespace fluentgate::test
