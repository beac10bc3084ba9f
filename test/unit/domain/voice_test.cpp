// The level that suppress.voice_dbfs is compared with.
#include "core/domain/voice.hpp"

#include <cmath>
#include <vector>

#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

double level(const std::vector<int>& samples) {
  std::vector<std::uint8_t> bytes;
  for (int sample : samples) {
    bytes.push_back(static_cast<std::uint8_t>(sample & 0xff));
    bytes.push_back(static_cast<std::uint8_t>((sample >> 8) & 0xff));
  }
  return dbfs(bytes);
}

bool near(double a, double b) { return std::abs(a - b) < 0.01; }

}  // namespace

TEST(voice_of_silence_or_nothing_is_minus_120) {
  CHECK_EQ(level({}), -120.0);
  CHECK_EQ(level({0, 0, 0}), -120.0);
  const std::uint8_t half_a_sample = 0x7f;
  CHECK_EQ(dbfs({&half_a_sample, 1}), -120.0);
}

TEST(voice_full_scale_is_0) {
  CHECK_EQ(level({-32768, -32768}), 0.0);
  CHECK(near(level({32767, -32767}), 0.0));
}

TEST(voice_level_is_the_rms) {
  CHECK(near(level({16384, -16384}), -6.02));
  CHECK(near(level({184, -184}), -45.01));
  CHECK(near(level({16384, 0}), -9.03));
  std::vector<int> sine;
  for (int i = 0; i < 1600; ++i) sine.push_back(static_cast<int>(std::lround(32767 * std::sin(i * 2 * 3.14159265358979 / 16))));
  CHECK(near(level(sine), -3.01));
}

TEST(voice_faintest_is_not_below_silence) {
  CHECK(near(level({1}), -90.31));
  std::vector<int> faint(100000, 0);
  faint[0] = 1;
  CHECK_EQ(level(faint), -120.0);
}

TEST(voice_ignores_an_odd_byte_at_the_end) {
  const std::vector<std::uint8_t> bytes = {0x00, 0x40, 0x7f};
  CHECK(near(dbfs(bytes), -6.02));
}
