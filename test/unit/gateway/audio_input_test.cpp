// What clients send on an audio socket until it is chunks for Kafka: formats, mute, re-cutting, refusals (CONTRACT 2).
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/audio/opus_codec.hpp"
#include "core/audio/resampler.hpp"
#include "core/wire/base64.hpp"
#include "test/unit/gateway/world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

Bytes pcm(std::size_t bytes, std::uint8_t first = 0) {
  Bytes out(bytes);
  std::iota(out.begin(), out.end(), first);
  return out;
}
std::string base64_of(const Bytes& bytes) {
  std::string out;
  wire::base64_append(out, bytes);
  return out;
}
std::string code_of(const std::vector<std::string>& errors) {
  if (errors.size() != 1) return "(" + std::to_string(errors.size()) + " errors)";
  const auto at = errors[0].find("\"code\":\"") + 8;
  return errors[0].substr(at, errors[0].find('"', at) - at);
}
Bytes published(const World& world) {
  Bytes all;
  for (const auto& chunk : world.publisher.chunks) all.insert(all.end(), chunk.audio.begin(), chunk.audio.end());
  return all;
}
Bytes opus_packet(int channels = 1) {
  auto encoder = audio::OpusEncoder::make(48000, 32000, channels);
  std::vector<std::int16_t> samples(static_cast<std::size_t>(960 * channels));
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::int16_t>((i % 100) * 200);
  Bytes packet;
  CHECK(encoder->encode(samples, packet).ok());
  return packet;
}
config::Settings cutting(std::int64_t chunk_ms) {
  config::Settings settings;
  settings.audio.chunk_ms = chunk_ms;
  return settings;
}

}  // namespace

TEST(audio_is_published_as_it_came) {
  World world;
  Client speaker = world.audio("sp", {.speak = "en-US"});
  Client listener = world.audio("a", {.listen = "es"});
  speaker.binary(pcm(640));
  speaker.binary(pcm(2, 9));
  CHECK_EQ(world.publisher.chunks.size(), 2u);
  const AudioChunk& chunk = world.publisher.chunks[0];
  CHECK(chunk.audio == pcm(640));
  CHECK_EQ(chunk.room.value, "r");
  CHECK_EQ(chunk.user.value, "sp");
  CHECK_EQ(chunk.source_language, "en-US");
  CHECK_EQ(chunk.duration_us, 20000);
  CHECK_EQ(chunk.ingest_ms, world.clock.unix_ms());
  CHECK_EQ(chunk.wanted, "es");
  CHECK_EQ(chunk.sample_rate, 16000);
  CHECK_EQ(world.publisher.chunks[1].sequence_number, 1);
}

TEST(audio_that_is_odd_or_empty_is_told_and_dropped) {
  World world;
  Client speaker = world.audio("sp");
  speaker.texts();
  speaker.binary(pcm(3));
  CHECK_EQ(code_of(speaker.events("error")), "odd_bytes");
  speaker.binary({});
  CHECK_EQ(code_of(speaker.events("error")), "empty_message");
  speaker.text("");
  CHECK_EQ(code_of(speaker.events("error")), "empty_message");
  CHECK(world.publisher.chunks.empty());
  speaker.binary(pcm(4));
  CHECK_EQ(world.publisher.chunks.at(0).sequence_number, 0);  // what was dropped took no number
  CHECK(!speaker.transport->closed);
}

TEST(audio_in_base64_is_the_same_audio) {
  World world;
  Client speaker = world.audio("sp");
  speaker.text(base64_of(pcm(640)));
  CHECK(published(world) == pcm(640));
  speaker.texts();
  speaker.text("@@@");
  CHECK_EQ(code_of(speaker.events("error")), "bad_base64");
  speaker.text(base64_of(pcm(3)));
  CHECK_EQ(code_of(speaker.events("error")), "odd_bytes");
}

TEST(audio_in_base64_can_be_turned_off) {
  config::Settings settings;
  settings.audio.accept_base64 = false;
  World world(settings);
  Client speaker = world.audio("sp");
  speaker.texts();
  speaker.text(base64_of(pcm(640)));
  CHECK_EQ(code_of(speaker.events("error")), "not_an_object");
  CHECK(world.publisher.chunks.empty());
}

TEST(audio_controls_that_are_wrong_are_told) {
  World world;
  Client speaker = world.audio("sp");
  speaker.texts();
  for (const auto& [message, code] : {std::pair<const char*, const char*>{" {\"type\":", "invalid_json"}, {"{}", "missing_type"},
                                      {R"({"type":"nonsense"})", "unknown_type"}, {R"({"type":"start","encoding":"mp3"})", "unsupported_encoding"},
                                      {R"({"type":"start","sample_rate":7999})", "unsupported_sample_rate"},
                                      {R"({"type":"start","channels":2})", "stereo"},
                                      {R"({"type":"set_language","listening_language":"?"})", "bad_language"}}) {
    speaker.text(message);
    CHECK_EQ(code_of(speaker.events("error")), code);
  }
}

TEST(start_is_answered_and_sets_the_language) {
  World world;
  Client speaker = world.audio("sp");
  speaker.texts();
  speaker.text(R"({"type":"start","encoding":"linear16","sample_rate":16000,"channels":1,"speaking_language":"en"})");
  CHECK_EQ(speaker.texts().at(0), R"({"type":"started","encoding":"linear16","sample_rate":16000,"channels":1,"speaking_language":"en"})");
  speaker.binary(pcm(640));
  CHECK_EQ(world.publisher.chunks.at(0).source_language, "en");
  // The answer tells what is in force: a start without a language leaves the one there was.
  speaker.text(R"({"type":"start","encoding":"linear16","sample_rate":16000,"channels":1})");
  CHECK_EQ(speaker.texts().at(0), R"({"type":"started","encoding":"linear16","sample_rate":16000,"channels":1,"speaking_language":"en"})");
  speaker.binary(pcm(640));
  CHECK_EQ(world.publisher.chunks.at(1).source_language, "en");
}

TEST(start_with_another_rate_resamples_and_loses_nothing) {
  config::Settings settings;
  settings.kafka.inflight_ms = 60000;  // nothing is acknowledged here
  for (const int rate : {8000, 44100, 48000}) {
    World world(settings);
    Client speaker = world.audio("sp");
    speaker.text(R"({"type":"start","sample_rate":)" + std::to_string(rate) + "}");
    const int seconds = 2;
    for (int i = 0; i < seconds * 50; ++i) speaker.binary(Bytes(static_cast<std::size_t>(rate / 50) * 2, 1));
    speaker.text(R"({"type":"flush"})");
    const auto samples = static_cast<long>(published(world).size() / 2);
    CHECK_EQ(samples, 16000 * seconds);
    CHECK_EQ(world.publisher.chunks[0].sample_rate, 16000);
  }
}

TEST(start_after_a_refused_one_lets_audio_in_again) {
  World world;
  Client speaker = world.audio("sp");
  speaker.texts();
  speaker.text(R"({"type":"start","channels":2})");
  CHECK_EQ(code_of(speaker.events("error")), "stereo");
  speaker.binary(pcm(640));
  CHECK_EQ(code_of(speaker.events("error")), "stereo");
  CHECK(world.publisher.chunks.empty());
  speaker.text(R"({"type":"start"})");
  CHECK_EQ(speaker.events("started").size(), 1u);
  speaker.binary(pcm(640));
  CHECK_EQ(world.publisher.chunks.size(), 1u);
}

TEST(opus_is_decoded_for_a_pipeline_of_pcm) {
  World world;
  Client speaker = world.audio("sp");
  speaker.text(R"({"type":"start","encoding":"opus","channels":2})");
  for (int i = 0; i < 5; ++i) speaker.binary(opus_packet(2));
  CHECK_EQ(world.publisher.chunks.size(), 5u);
  CHECK(world.publisher.chunks[0].encoding == Encoding::linear16);
  CHECK_EQ(world.publisher.chunks[0].audio.size(), 640u);
  speaker.texts();
  speaker.binary({0xff});
  CHECK_EQ(code_of(speaker.events("error")), "bad_opus");
  speaker.binary(opus_packet());
  CHECK_EQ(world.publisher.chunks.size(), 6u);
}

TEST(opus_is_passed_on_where_the_pipeline_takes_it) {
  config::Settings settings = cutting(250);
  settings.audio.pipeline_encoding = config::PipelineEncoding::opus;
  World world(settings);
  Client speaker = world.audio("sp");
  speaker.binary(pcm(640));
  CHECK(world.publisher.chunks.empty());
  speaker.text(R"({"type":"start","encoding":"opus"})");
  const Bytes packet = opus_packet();
  speaker.binary(packet);
  CHECK_EQ(world.publisher.chunks.size(), 2u);
  CHECK(world.publisher.chunks[0].encoding == Encoding::linear16);  // what was buffered, in the old format
  CHECK(world.publisher.chunks[0].audio == pcm(640));
  CHECK(world.publisher.chunks[1].encoding == Encoding::opus);
  CHECK_EQ(world.publisher.chunks[1].sample_rate, 48000);
  CHECK_EQ(world.publisher.chunks[1].duration_us, 20000);
  CHECK(world.publisher.chunks[1].audio == packet);
}

// Frames of one packet of `channels` channels, a tone of 500 Hz that goes on from packet to packet.
struct OpusClient {
  explicit OpusClient(int channel_count) : channels(channel_count), encoder(std::move(audio::OpusEncoder::make(48000, 64000, channel_count)).value()) {}
  Bytes packet(std::size_t samples) {
    std::vector<std::int16_t> pcm;
    for (std::size_t i = 0; i < samples; ++i, ++at) {
      const auto value = static_cast<std::int16_t>(8000.0 * std::sin(2.0 * std::numbers::pi * 500.0 * static_cast<double>(at) / 48000.0));
      pcm.insert(pcm.end(), static_cast<std::size_t>(channels), value);
    }
    Bytes out;
    CHECK(encoder.encode(pcm, out).ok());
    return out;
  }
  int channels;
  audio::OpusEncoder encoder;
  std::size_t at = 0;
};

TEST(opus_in_stereo_is_published_in_mono_packet_by_packet) {
  config::Settings settings;
  settings.audio.pipeline_encoding = config::PipelineEncoding::opus;
  settings.kafka.inflight_ms = 60000;
  for (const std::size_t samples : {120u, 480u, 960u, 1920u, 2880u, 5760u}) {  // 2.5 to 120 ms, those beyond 20 in several frames
    World world(settings);
    Client speaker = world.audio("sp");
    speaker.text(R"({"type":"start","encoding":"opus","channels":2})");
    OpusClient stereo(2);
    auto decoder = std::move(audio::OpusDecoder::make(48000)).value();
    std::vector<std::int16_t> heard;
    for (std::size_t i = 0; i < 10; ++i) {
      const Bytes packet = stereo.packet(samples);
      CHECK((packet[0] & 4) != 0);
      speaker.binary(packet);
      CHECK_EQ(world.publisher.chunks.size(), i + 1);
      const AudioChunk& chunk = world.publisher.chunks.back();
      CHECK(chunk.encoding == Encoding::opus);
      CHECK_EQ(chunk.sample_rate, 48000);
      CHECK_EQ(chunk.audio[0] & 4, 0);
      CHECK_EQ(chunk.duration_us, static_cast<std::int64_t>(samples) * 1'000'000 / 48000);
      CHECK_EQ(*audio::opus_packet_us(chunk.audio), chunk.duration_us);
      CHECK(decoder.decode(chunk.audio, heard).ok());
    }
    double energy = 0;
    for (std::size_t i = heard.size() / 2; i < heard.size(); ++i) energy += double(heard[i]) * heard[i];
    const double mean = energy / (static_cast<double>(heard.size()) / 2);
    CHECK(mean > 0.7 * 32e6 && mean < 1.3 * 32e6);  // 8000 squared, halved: it is the sound
  }
}

TEST(opus_of_a_client_that_mixes_mono_and_stereo_is_mono_and_mono_stays_as_it_is) {
  config::Settings settings;
  settings.audio.pipeline_encoding = config::PipelineEncoding::opus;
  World world(settings);
  Client speaker = world.audio("sp");
  speaker.text(R"({"type":"start","encoding":"opus","channels":2})");
  speaker.texts();
  OpusClient mono(1), stereo(2);
  for (int i = 0; i < 8; ++i) {
    const Bytes packet = i % 2 == 0 ? stereo.packet(960) : mono.packet(960);
    speaker.binary(packet);
    const Bytes& published = world.publisher.chunks.back().audio;
    CHECK_EQ(published[0] & 4, 0);
    CHECK_EQ(published == packet, i % 2 == 1);
  }
  speaker.binary({0xff});  // stereo by its first byte, and no packet
  CHECK_EQ(code_of(speaker.events("error")), "bad_opus");
  CHECK_EQ(world.publisher.chunks.size(), 8u);
}

TEST(mute_drops_silently_and_unmute_goes_on) {
  World world(cutting(250));
  Client speaker = world.audio("sp");
  speaker.texts();
  speaker.binary(pcm(640));
  speaker.text(R"({"type":"mute"})");
  CHECK_EQ(world.publisher.chunks.size(), 1u);  // what was left
  speaker.binary(pcm(16000));
  speaker.binary(pcm(3));
  speaker.text(R"({"type":"unmute"})");
  speaker.binary(pcm(8000));
  CHECK_EQ(world.publisher.chunks.size(), 2u);
  CHECK_EQ(world.publisher.chunks[1].sequence_number, 1);
  CHECK(speaker.texts().empty());
}

TEST(mute_ends_with_its_socket) {
  World world;
  Client speaker = world.audio("sp");
  speaker.text(R"({"type":"mute"})");
  Client again = world.audio("sp");
  again.binary(pcm(640));
  CHECK_EQ(world.publisher.chunks.size(), 1u);
}

TEST(mute_is_silent_after_a_refused_start_too) {
  World world;
  Client speaker = world.audio("sp");
  speaker.text(R"({"type":"start","channels":2})");
  speaker.text(R"({"type":"mute"})");
  speaker.texts();
  speaker.binary(pcm(640));
  CHECK(speaker.texts().empty());
}

TEST(chunks_are_cut_to_the_wanted_duration) {
  World world(cutting(250));
  Client speaker = world.audio("sp");
  for (int i = 0; i < 30; ++i) speaker.binary(pcm(640, static_cast<std::uint8_t>(i)));  // 600 ms
  CHECK_EQ(world.publisher.chunks.size(), 2u);
  CHECK_EQ(world.publisher.chunks[0].audio.size(), 8000u);
  speaker.text(R"({"type":"flush"})");
  CHECK_EQ(world.publisher.chunks.at(2).audio.size(), 3200u);
  speaker.text(R"({"type":"flush"})");
  CHECK_EQ(world.publisher.chunks.size(), 3u);
}

TEST(chunks_that_wait_go_out_after_a_pause) {
  World world(cutting(250));
  Client speaker = world.audio("sp");
  const auto timers = std::dynamic_pointer_cast<gateway::AudioTimers>(speaker.socket);
  const UnixMs arrived = world.clock.unix_ms();
  speaker.binary(pcm(640));
  world.clock.advance(499);
  timers->tick();
  CHECK(world.publisher.chunks.empty());
  world.clock.advance(1);
  timers->tick();
  CHECK_EQ(world.publisher.chunks.size(), 1u);
  CHECK_EQ(world.publisher.chunks[0].ingest_ms, arrived);
}

TEST(chunks_that_wait_go_out_when_the_socket_ends) {
  World world(cutting(250));
  Client speaker = world.audio("sp");
  speaker.binary(pcm(640));
  speaker.gone();
  CHECK_EQ(world.publisher.chunks.size(), 1u);
}

TEST(chunks_that_wait_go_out_before_those_of_the_socket_that_replaces_theirs) {
  World world(cutting(250));
  Client older = world.audio("sp", {.speak = "en"});
  older.binary(pcm(640, 1));
  Client newer = world.audio("sp", {.speak = "fr"});
  CHECK(older.transport->closed == CloseCode::replaced);
  CHECK_EQ(world.publisher.chunks.size(), 1u);
  newer.binary(pcm(8000, 2));  // a whole chunk, while the older socket is still closing
  older.binary(pcm(640, 3));   // too late
  older.gone();
  CHECK_EQ(world.publisher.chunks.size(), 2u);
  CHECK(world.publisher.chunks[0].audio == pcm(640, 1));
  CHECK_EQ(world.publisher.chunks[0].source_language, "en");
  CHECK(world.publisher.chunks[1].audio == pcm(8000, 2));
  CHECK_EQ(world.publisher.chunks[1].source_language, "fr");
  CHECK_EQ(world.publisher.chunks[1].sequence_number, 1);
}

TEST(chunks_of_another_room_user_or_endpoint_wait_on) {
  World world(cutting(250));
  Client speaker = world.audio("sp");
  speaker.binary(pcm(640));
  Client other = world.audio("else");
  Client signaling = world.signaling("sp");
  Client elsewhere(world, Endpoint::audio, "sp", {}, "r2");
  CHECK(world.publisher.chunks.empty());
}

TEST(chunks_are_never_longer_than_the_bound) {
  config::Settings settings;
  settings.audio.max_chunk_ms = 100;
  World world(settings);
  Client speaker = world.audio("sp");
  speaker.binary(pcm(32 * 250));
  CHECK_EQ(world.publisher.chunks.size(), 3u);
  CHECK_EQ(world.publisher.chunks[0].audio.size(), 3200u);
  CHECK_EQ(world.publisher.chunks[2].audio.size(), 1600u);
  CHECK(published(world) == pcm(32 * 250));
}

TEST(audio_over_the_rate_closes_4029) {
  World world;
  Client speaker = world.audio("sp");
  for (int i = 0; i < 400; ++i) speaker.binary(pcm(2));
  CHECK(!speaker.transport->closed);
  speaker.text(R"({"type":"ping"})");  // control is included
  CHECK(speaker.transport->closed == CloseCode::rate_limited);
  CHECK_EQ(world.publisher.chunks.size(), 400u);
}
