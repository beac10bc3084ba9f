// timestamp.hpp: the forms that workers write, the edges, and what is no time.
#include "core/wire/timestamp.hpp"

#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::wire;

namespace {

constexpr UnixMs ten_oclock = 1795341600000;  // 2026-11-22T10:00:00Z

std::string written(UnixMs time) {
  std::string out;
  append_timestamp(out, time);
  return out;
}

}  // namespace

TEST(timestamps_are_read_in_each_form_that_occurs) {
  for (const char* text : {"2026-11-22T10:00:00+00:00", "2026-11-22 10:00:00", "2026-11-22t10:00:00z", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000000+00:00",
                           "2026-11-22T12:30:00+02:30", "2026-11-22T12:30:00+0230", "2026-11-22T04:00:00-06", "2026-11-22T10:00Z", "2026-11-22T10:00:00.0000009-00:00"}) {
    if (parse_timestamp(text) != std::optional(ten_oclock)) FAIL(text);
  }
  CHECK_EQ(parse_timestamp("2026-11-22T10:00:00.123456+00:00"), std::optional(ten_oclock + 123));
  CHECK_EQ(parse_timestamp("2026-11-22 10:00:00.5"), std::optional(ten_oclock + 500));
  CHECK_EQ(parse_timestamp("1970-01-01T00:00:00Z"), std::optional<UnixMs>(0));
  CHECK_EQ(parse_timestamp("2024-02-29T00:00:00Z"), std::optional<UnixMs>(1709164800000));
  CHECK(parse_timestamp("2500-12-31T23:59:59Z").has_value());
  CHECK(parse_timestamp("2026-12-31T23:59:60Z").has_value());
}

TEST(what_is_no_timestamp_is_nothing) {
  for (const char* text : {"", "now", "2026", "2026-11-22", "2026-11-22T", "2026-11-22T10", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
                           "2026-11-31T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T10:60:00Z", "2026-11-22T10:00:61Z", "2026-11-22T10:00:00.Z", "2026-11-22T10:00:00+",
                           "2026-11-22T10:00:00+24:00", "2026-11-22T10:00:00+00:60", "2026-11-22T10:00:00Zx", "1969-12-31T23:59:59Z", "2501-01-01T00:00:00Z", "+2026-11-22T10:00:00Z",
                           "2026-11-22_10:00:00", "1795341600"}) {
    if (parse_timestamp(text)) FAIL(text);
  }
}

TEST(timestamps_are_written_with_microseconds) {
  CHECK_EQ(written(ten_oclock + 123), "2026-11-22T10:00:00.123000+00:00");
  CHECK_EQ(written(ten_oclock + 999), "2026-11-22T10:00:00.999000+00:00");
  CHECK_EQ(written(ten_oclock + 1000), "2026-11-22T10:00:01.000000+00:00");
  CHECK_EQ(written(0), "1970-01-01T00:00:00.000000+00:00");
  CHECK_EQ(written(-5), "1970-01-01T00:00:00.000000+00:00");
  CHECK_EQ(written(INT64_MAX), "2500-12-31T23:59:59.999000+00:00");
}

TEST(timestamps_survive_both_ways) {
  for (UnixMs time = 0; time < 16'000'000'000'000; time += 98'765'432'101) CHECK_EQ(parse_timestamp(written(time)), std::optional(time));
}
