// json_write.hpp: escapes, numbers, order.
#include "core/wire/json_write.hpp"

#include <cmath>
#include <limits>

#include "test/support/check.hpp"

using namespace fluentgate::wire;

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}
std::string real(double value) {
  std::string out;
  append_json_real(out, value);
  return out;
}

}  // namespace

TEST(strings_are_escaped_where_rfc_8259_demands_it) {
  CHECK_EQ(quoted(""), "\"\"");
  CHECK_EQ(quoted("a/b'<>\x7F"), "\"a/b'<>\x7F\"");
  CHECK_EQ(quoted("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
  CHECK_EQ(quoted(std::string_view("\0\x1F", 2)), "\"\\u0000\\u001f\"");
  CHECK_EQ(quoted("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

TEST(what_is_no_utf_8_is_replaced_byte_by_byte) {
  CHECK_EQ(quoted("a\xFF\xC3z\xED\xA0\x80"), "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK_EQ(quoted("\xF0\x9F"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(real_numbers_are_short_and_never_look_like_integers) {
  CHECK_EQ(real(0.0), "0.0");
  CHECK_EQ(real(0.15), "0.15");
  CHECK_EQ(real(1), "1.0");
  CHECK_EQ(real(-2.5), "-2.5");
  CHECK_EQ(real(std::nan("")), "null");
  CHECK_EQ(real(std::numeric_limits<double>::infinity()), "null");
}

TEST(objects_keep_the_order_of_the_calls) {
  CHECK_EQ(ObjectWriter()
               .text("a", "x")
               .text("b", std::optional<std::string>())
               .integer("c", std::numeric_limits<std::int64_t>::min())
               .integer("d", std::optional<std::int64_t>())
               .boolean("e", true)
               .raw("f", "[1]")
               .null("g")
               .finish(),
           R"({"a":"x","b":null,"c":-9223372036854775808,"d":null,"e":true,"f":[1],"g":null})");
}
