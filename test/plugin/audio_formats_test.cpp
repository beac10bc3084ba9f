// CONTRACT 2, `start`: sample rates, Opus, and what is refused.
#include <span>

#include "core/audio/opus_codec.hpp"
#include "core/audio/pcm.hpp"
#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

const TokenClaims speaker{.user = "ann"};

std::string joined(const std::vector<PeerRecord>& records) {
  std::string all;
  for (const PeerRecord& record : records) all += audio_of(record);
  return all;
}

// One second of 440 Hz in packets of 20 ms.
std::vector<std::string> opus_second(int channels = 1) {
  auto encoder = audio::OpusEncoder::make(48000, 32000, channels);
  if (!encoder) FAIL(encoder.error().text);
  const std::string pcm = tone(1000, 48000);
  const std::vector<std::int16_t> mono = audio::to_samples({reinterpret_cast<const std::uint8_t*>(pcm.data()), pcm.size()});
  std::vector<std::string> packets;
  for (std::size_t at = 0; at + 960 <= mono.size(); at += 960) {
    std::vector<std::int16_t> samples;
    for (std::size_t i = at; i < at + 960; ++i) samples.insert(samples.end(), static_cast<std::size_t>(channels), mono[i]);
    std::vector<std::uint8_t> packet;
    const Status encoded = encoder->encode(samples, packet);
    if (!encoded) FAIL(encoded.error().text);
    packets.emplace_back(packet.begin(), packet.end());
  }
  return packets;
}

TEST(start_is_answered_and_names_the_language) {
  World world;
  Client client = world.audio(speaker);
  client.send("{\"type\":\"start\",\"encoding\":\"linear16\",\"sample_rate\":16000,\"channels\":1,\"speaking_language\":\"en-GB\",\"more\":{}}");
  CHECK_EQ(client.event("started"),
           std::string("{\"type\":\"started\",\"encoding\":\"linear16\",\"sample_rate\":16000,\"channels\":1,\"speaking_language\":\"en-GB\"}"));
  client.audio(pcm_bytes(640));
  CHECK_EQ(text_member(world.worker.read("audio.raw", 1)[0].value, "payload.source_language"), std::string("en-GB"));
}

TEST(another_sample_rate_is_resampled_to_the_right_length) {
  World world({"audio.chunk_ms=100"});
  Client client = world.audio(speaker);
  const std::pair<int, const char*> rates[] = {{24000, "24000"}, {8000, "8000"}, {44100, "44100"}, {48000, "48000"}};
  std::size_t before = 0;
  for (const auto& [rate, name] : rates) {
    client.send("{\"type\":\"start\",\"encoding\":\"linear16\",\"sample_rate\":" + std::string(name) + ",\"channels\":1}");
    CHECK_EQ(number_member(client.event("started"), "sample_rate"), rate);
    const std::string second = tone(1000, rate);
    const std::size_t step = static_cast<std::size_t>(rate) / 50 * 2;
    for (std::size_t at = 0; at < second.size(); at += step) client.audio(second.substr(at, step));
    client.send("{\"type\":\"flush\"}");
    // 16000 samples in chunks of 1600; of one more or less by rounding, that one comes alone or the last chunk is shorter.
    const auto& records = world.worker.read("audio.raw", before + 10);
    std::vector<PeerRecord> mine(records.begin() + static_cast<std::ptrdiff_t>(before), records.begin() + static_cast<std::ptrdiff_t>(before) + 10);
    before += 10;
    client.send("{\"type\":\"flush\"}");
    client.until_pong();
    for (std::size_t i = 0; i + 1 < mine.size(); ++i) {
      if (audio_of(mine[i]).size() != 3200) FAIL("a chunk of " + std::to_string(audio_of(mine[i]).size()) + " bytes");
    }
    for (const auto& record : mine) CHECK_EQ(number_member(record.value, "payload.sample_rate"), 16000);
    const std::size_t samples = joined(mine).size() / 2;
    const auto expected = second.size() / 2 * 16000 / static_cast<std::size_t>(rate);
    if (samples + 1 < expected || samples > expected + 1) {
      FAIL(std::string(name) + ": " + std::to_string(samples) + " samples, not " + std::to_string(expected));
    }
  }
  CHECK_EQ(world.worker.read_rest("audio.raw", 50).size(), before);
}

TEST(a_refused_start_refuses_audio_until_a_good_one) {
  World world;
  Client client = world.audio(speaker);
  const std::pair<const char*, const char*> bad[] = {
      {"\"encoding\":\"mp3\"", "unsupported_encoding"},          {"\"encoding\":7", "unsupported_encoding"},
      {"\"sample_rate\":7999", "unsupported_sample_rate"},      {"\"sample_rate\":48001", "unsupported_sample_rate"},
      {"\"sample_rate\":\"16000\"", "unsupported_sample_rate"}, {"\"sample_rate\":16000.5", "unsupported_sample_rate"},
      {"\"channels\":2", "stereo"},                             {"\"channels\":0", "stereo"},
      {"\"speaking_language\":\"not a tag\"", "bad_language"}};
  for (const auto& [members, code] : bad) {
    client.send("{\"type\":\"start\"," + std::string(members) + "}");
    client.refused(code);
    client.audio(pcm_bytes(640, 7));
    client.refused(code);
  }
  client.send("{\"type\":\"start\",\"encoding\":\"linear16\",\"sample_rate\":16000,\"channels\":1}");
  client.event("started");
  client.audio(pcm_bytes(640, 8));
  CHECK(joined(world.worker.read("audio.raw", 1)) == pcm_bytes(640, 8));
}

TEST(opus_is_decoded_for_the_pipeline) {
  World world({"audio.chunk_ms=250"});
  Client client = world.audio(speaker);
  client.send("{\"type\":\"start\",\"encoding\":\"opus\",\"sample_rate\":48000,\"channels\":1}");
  CHECK_EQ(text_member(client.event("started"), "encoding"), std::string("opus"));
  for (const std::string& packet : opus_second()) client.audio(packet);
  client.send("{\"type\":\"start\",\"encoding\":\"opus\",\"sample_rate\":48000,\"channels\":2}");
  client.event("started");
  for (const std::string& packet : opus_second(2)) client.audio(packet);  // stereo: decoded to mono
  const auto records = world.worker.read("audio.raw", 8);
  for (const auto& record : records) {
    CHECK_EQ(text_member(record.value, "payload.encoding"), std::string("linear16"));
    CHECK_EQ(number_member(record.value, "payload.sample_rate"), 16000);
    CHECK_EQ(audio_of(record).size(), std::size_t{8000});
  }
  // It is the sound: as loud as what was encoded.
  double energy = 0;
  const std::string pcm = audio_of(records[2]);
  for (const std::int16_t sample : audio::to_samples({reinterpret_cast<const std::uint8_t*>(pcm.data()), pcm.size()})) {
    energy += double(sample) * sample;
  }
  const double mean = energy / (static_cast<double>(pcm.size()) / 2);
  CHECK(mean > 0.8 * 32e6 && mean < 1.2 * 32e6);  // 8000 squared, halved
}

TEST(opus_is_passed_on_where_the_pipeline_takes_it) {
  World world({"audio.pipeline_encoding=opus", "audio.chunk_ms=250"});
  Client client = world.audio(speaker);
  client.send("{\"type\":\"start\",\"encoding\":\"opus\"}");
  CHECK_EQ(number_member(client.event("started"), "sample_rate"), 48000);
  const auto packets = opus_second();
  for (const std::string& packet : packets) client.audio(packet);
  const auto records = world.worker.read("audio.raw", packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    CHECK_EQ(text_member(records[i].value, "payload.encoding"), std::string("opus"));
    CHECK_EQ(number_member(records[i].value, "payload.sample_rate"), 48000);
    CHECK(audio_of(records[i]) == packets[i]);
    CHECK_EQ(number_of(records[i]), static_cast<std::int64_t>(i));
  }
  // A client of PCM stays linear16, in the same room.
  Client plain = world.audio({.user = "bob"});
  plain.audio(pcm_bytes(8000));
  const auto all = world.worker.read("audio.raw", packets.size() + 1);
  CHECK_EQ(text_member(all.back().value, "payload.encoding"), std::string("linear16"));
}

TEST(stereo_opus_is_passed_on_in_mono) {
  World world({"audio.pipeline_encoding=opus"});
  Client client = world.audio(speaker);
  client.send("{\"type\":\"start\",\"encoding\":\"opus\",\"channels\":2}");
  client.event("started");
  const auto packets = opus_second(2);
  for (const std::string& packet : packets) client.audio(packet);
  const auto records = world.worker.read("audio.raw", packets.size());
  auto decoder = audio::OpusDecoder::make(16000);
  if (!decoder) FAIL(decoder.error().text);
  std::vector<std::int16_t> heard;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    CHECK((packets[i][0] & 4) != 0);
    CHECK_EQ(text_member(records[i].value, "payload.encoding"), std::string("opus"));
    CHECK_EQ(number_member(records[i].value, "payload.sample_rate"), 48000);
    const std::string published = audio_of(records[i]);
    CHECK_EQ(published[0] & 4, 0);
    const Status decoded = decoder->decode({reinterpret_cast<const std::uint8_t*>(published.data()), published.size()}, heard);
    if (!decoded) FAIL(decoded.error().text);
  }
  CHECK_EQ(heard.size(), std::size_t{16000});
  double energy = 0;
  for (std::size_t i = 4000; i < heard.size(); ++i) energy += double(heard[i]) * heard[i];
  CHECK(energy / 12000 > 0.8 * 32e6 && energy / 12000 < 1.2 * 32e6);  // as loud as what was encoded
}

TEST(what_is_no_opus_packet_is_bad_opus) {
  World world;
  Client client = world.audio(speaker);
  client.send("{\"type\":\"start\",\"encoding\":\"opus\"}");
  client.event("started");
  client.audio("\x03");  // code 3 without its count of frames
  client.refused("bad_opus");
  client.audio("");
  client.refused("empty_message");
  const auto packets = opus_second();
  client.send(base64(packets[0]));  // Opus in base64 is taken like PCM
  client.audio(packets[1]);
  CHECK_EQ(joined(world.worker.read("audio.raw", 2)).size(), std::size_t{1280});
}

}  // namespace
}  // namespace fluentgate::test
