#include "core/audio/pcm.hpp"

#include "test/support/check.hpp"

using namespace fluentgate::audio;

TEST(pcm_bytes_are_little_endian) {
  const std::vector<std::int16_t> samples{1, -2, 0x1234, -32768, 32767};
  const std::vector<std::uint8_t> bytes{1, 0, 0xfe, 0xff, 0x34, 0x12, 0x00, 0x80, 0xff, 0x7f};
  CHECK(to_bytes(samples) == bytes);
  CHECK(to_samples(bytes) == samples);
}

TEST(pcm_reads_from_an_odd_address) {
  const std::vector<std::uint8_t> bytes{0xaa, 0x34, 0x12, 0xfe, 0xff};
  CHECK((to_samples(std::span(bytes).subspan(1)) == std::vector<std::int16_t>{0x1234, -2}));
}

TEST(pcm_appends_behind_what_is_there) {
  std::vector<std::int16_t> samples{7};
  append_samples(std::vector<std::uint8_t>{8, 0}, samples);
  CHECK((samples == std::vector<std::int16_t>{7, 8}));
  std::vector<std::uint8_t> bytes{7};
  append_bytes(std::vector<std::int16_t>{8}, bytes);
  CHECK((bytes == std::vector<std::uint8_t>{7, 8, 0}));
}

TEST(pcm_leaves_out_half_a_sample_and_takes_nothing_from_nothing) {
  CHECK((to_samples(std::vector<std::uint8_t>{1, 0, 9}) == std::vector<std::int16_t>{1}));
  CHECK(to_samples({}).empty());
  CHECK(to_bytes({}).empty());
}
