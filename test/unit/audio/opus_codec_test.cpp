#include "core/audio/opus_codec.hpp"

#include <random>
#include <string>

#include "core/audio/opus_mono_encoder.hpp"
#include "test/support/check.hpp"
#include "test/unit/audio/tone.hpp"

using namespace fluentgate;
using namespace fluentgate::audio;
using fluentgate::test::amplitude_at;
using fluentgate::test::rms;
using fluentgate::test::sine;

namespace {

using Samples = std::vector<std::int16_t>;
using Packet = std::vector<std::uint8_t>;

template <class T>
T made(Result<T> result) {
  if (!result) FAIL(result.error().text);
  return std::move(result).value();
}

// A second of 20 ms packets.
std::vector<Packet> encoded(const Samples& pcm, int rate, int channels = 1, int bitrate = 64000) {
  auto encoder = made(OpusEncoder::make(rate, bitrate, channels));
  const std::size_t step = static_cast<std::size_t>(rate / 50 * channels);
  std::vector<Packet> packets;
  for (std::size_t at = 0; at + step <= pcm.size(); at += step) {
    Packet packet;
    const Status status = encoder.encode(std::span(pcm).subspan(at, step), packet);
    if (!status) FAIL(status.error().text);
    packets.push_back(packet);
  }
  return packets;
}

Samples decoded(const std::vector<Packet>& packets, int rate) {
  auto decoder = made(OpusDecoder::make(rate));
  Samples out;
  for (const Packet& packet : packets) {
    const Status status = decoder.decode(packet, out);
    if (!status) FAIL(status.error().text);
  }
  return out;
}

void check_bad(const Packet& packet) {
  CHECK_EQ(opus_packet_us(packet).error().code, "bad_opus");
  auto decoder = made(OpusDecoder::make(16000));
  Samples out{1, 2, 3};
  const Status status = decoder.decode(packet, out);
  CHECK(!status);
  CHECK_EQ(status.error().code, "bad_opus");
  CHECK((out == Samples{1, 2, 3}));
}

}  // namespace

TEST(opus_round_trip_keeps_a_tone_at_every_rate) {
  for (const int rate : {8000, 12000, 16000, 24000, 48000}) {
    const auto packets = encoded(sine(600, 48000, 48000), 48000);
    CHECK_EQ(packets.size(), std::size_t{50});
    const Samples out = decoded(packets, rate);
    CHECK_EQ(out.size(), static_cast<std::size_t>(rate));
    const double level = amplitude_at(std::span(out).subspan(out.size() / 2), 600, rate);
    CHECK(level > 8500 && level < 11500);
  }
}

TEST(opus_stereo_is_mixed_down) {
  const Samples left = sine(500, 48000, 48000), right = sine(1200, 48000, 48000);
  Samples both;
  for (std::size_t i = 0; i < left.size(); ++i) {
    both.push_back(left[i]);
    both.push_back(right[i]);
  }
  const Samples out = decoded(encoded(both, 48000, 2, 128000), 16000);
  CHECK_EQ(out.size(), std::size_t{16000});
  const auto half = std::span(out).subspan(8000);
  // Each channel is in the mix at half of its level.
  CHECK(amplitude_at(half, 500, 16000) > 3800 && amplitude_at(half, 500, 16000) < 6500);
  CHECK(amplitude_at(half, 1200, 16000) > 3800 && amplitude_at(half, 1200, 16000) < 6500);
}

TEST(opus_duration_is_read_from_the_packet) {
  auto encoder = made(OpusEncoder::make(48000, 32000));
  for (const auto& [samples, us] : {std::pair{120, 2500}, {240, 5000}, {480, 10000}, {960, 20000}, {1920, 40000}, {2880, 60000}}) {
    Packet packet;
    CHECK(encoder.encode(sine(440, 48000, static_cast<std::size_t>(samples)), packet).ok());
    CHECK_EQ(*opus_packet_us(packet), us);
  }
  // RFC 6716, 3.1: configuration 3 is SILK of 60 ms; two equal frames (code 1) of one byte each make 120 ms, the most a packet may hold.
  CHECK_EQ(*opus_packet_us(Packet{(3 << 3) | 1, 0x10, 0x20}), 120000);
}

TEST(opus_packet_of_nothing_but_its_first_byte_is_silence) {
  const Packet discontinuous{(9 << 3) | 0};  // wideband SILK, 20 ms, a frame of no bytes: DTX
  CHECK_EQ(*opus_packet_us(discontinuous), 20000);
  auto decoder = made(OpusDecoder::make(16000));
  Samples out;
  CHECK(decoder.decode(discontinuous, out).ok());
  CHECK_EQ(out.size(), std::size_t{320});
}

TEST(opus_broken_packets_are_refused) {
  check_bad({});
  check_bad({(3 << 3) | 1, 0x10});                    // code 1: two frames of equal length, but an odd byte
  check_bad({(3 << 3) | 2, 0xff});                    // code 2: a length that is cut off
  check_bad({(3 << 3) | 2, 100, 1, 2});               // code 2: longer than the packet
  check_bad({(3 << 3) | 3});                          // code 3 without its count
  check_bad({(3 << 3) | 3, 0});                       // no frames
  check_bad({(3 << 3) | 3, 3, 1, 2, 3});              // 180 ms
  check_bad(Packet(3000, 0));                         // one frame of 2999 bytes; 1275 are allowed
}

TEST(opus_decoder_lives_on_after_a_broken_packet) {
  const auto packets = encoded(sine(600, 16000, 16000), 16000);
  auto decoder = made(OpusDecoder::make(16000));
  Samples out;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (i % 5 == 0) CHECK(!decoder.decode(Packet{(3 << 3) | 3, 0}, out));
    CHECK(decoder.decode(packets[i], out).ok());
  }
  CHECK(out == decoded(packets, 16000));
}

TEST(opus_decoder_survives_any_bytes) {
  std::mt19937 random(20261122);
  auto decoder = made(OpusDecoder::make(48000));
  for (int round = 0; round < 3000; ++round) {
    Packet packet(random() % 200);
    for (auto& byte : packet) byte = static_cast<std::uint8_t>(random());
    const auto us = opus_packet_us(packet);
    Samples out;
    const Status status = decoder.decode(packet, out);
    if (!us) CHECK(!status);
    if (status) CHECK_EQ(static_cast<std::int64_t>(out.size()) * 1'000'000 / 48000, *us);
    if (!status) CHECK(out.empty());
  }
}

TEST(opus_refuses_what_libopus_does_not_know) {
  CHECK_EQ(OpusDecoder::make(44100).error().code, "unsupported_sample_rate");
  CHECK_EQ(OpusEncoder::make(11025, 32000).error().code, "unsupported_sample_rate");
  CHECK_EQ(OpusEncoder::make(16000, 5999).error().code, "bad_bitrate");
  CHECK_EQ(OpusEncoder::make(16000, 32000, 3).error().code, "bad_channels");
  auto encoder = made(OpusEncoder::make(16000, 32000));
  Packet packet{1};
  CHECK_EQ(encoder.encode(Samples(321), packet).error().code, "bad_duration");
  CHECK(packet.empty());
  CHECK_EQ(encoder.encode({}, packet).error().code, "bad_duration");
  CHECK_EQ(encoder.encode(Samples(16000), packet).error().code, "bad_duration");
}

TEST(opus_mono_encoder_makes_one_packet_of_every_duration) {
  for (std::size_t steps = 1; steps <= 48; ++steps) {  // of 2.5 ms
    auto encoder = made(OpusMonoEncoder::make());
    const Samples in = sine(600, 48000, steps * 120 * 20);
    std::vector<Packet> packets;
    for (std::size_t at = 0; at < in.size(); at += steps * 120) {
      Packet packet;
      const Status status = encoder.encode(std::span(in).subspan(at, steps * 120), packet);
      if (!status) FAIL(std::to_string(steps) + ": " + status.error().text);
      CHECK(!is_opus_stereo(packet));
      CHECK_EQ(*opus_packet_us(packet), static_cast<std::int64_t>(steps) * 2500);
      packets.push_back(packet);
    }
    const Samples out = decoded(packets, 48000);
    CHECK_EQ(out.size(), in.size());
    const double level = amplitude_at(std::span(out).subspan(out.size() / 4, out.size() / 2), 600, 48000);
    if (level < 9000 || level > 11000) FAIL(std::to_string(steps) + " steps: level " + std::to_string(level));
  }
}

TEST(opus_mono_encoder_takes_nothing_that_is_no_packet) {
  auto encoder = made(OpusMonoEncoder::make());
  for (const std::size_t samples : {0, 1, 119, 121, 5880}) {
    Packet packet{1};
    CHECK_EQ(encoder.encode(Samples(samples), packet).error().code, "bad_duration");
    CHECK(packet.empty());
  }
}

TEST(opus_mono_encoder_packs_loud_noise_without_running_over) {
  std::mt19937 random(7);
  auto encoder = made(OpusMonoEncoder::make());
  for (const std::size_t samples : {120, 360, 840, 1440, 5640, 5760}) {
    Samples noise(samples);
    for (auto& sample : noise) sample = static_cast<std::int16_t>(random());
    Packet packet;
    CHECK(encoder.encode(noise, packet).ok());
    CHECK_EQ(*opus_packet_us(packet), static_cast<std::int64_t>(samples) * 1'000'000 / 48000);
  }
}

TEST(opus_mono_encoder_forgets_when_it_is_reset) {
  auto used = made(OpusMonoEncoder::make()), fresh = made(OpusMonoEncoder::make());
  Packet before, after, expected;
  CHECK(used.encode(sine(600, 48000, 960), before).ok());
  used.reset();
  CHECK(used.encode(sine(300, 48000, 960), after).ok());
  CHECK(fresh.encode(sine(300, 48000, 960), expected).ok());
  CHECK(after == expected);
}
