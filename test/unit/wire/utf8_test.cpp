// utf8.hpp: the well-formed sequences, and fragments that cut them.
#include <string>

#include "core/wire/utf8.hpp"
#include "test/support/check.hpp"

using namespace fluentgate::wire;

namespace {

std::span<const std::uint8_t> bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

const char* const good[] = {"", "plain text that is longer than eight", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                            "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 and more ascii after it"};
const char* const bad[] = {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                           "\xF5\x80\x80\x80", "\xFF", "\xFE", "\xC3(", "\xE2\x82(", "\xF0\x9F\x98(", "12345678\xFF", "abcdefg\xC3zabcdefgh"};

}  // namespace

TEST(utf8_accepts_what_is_well_formed_in_every_division) {
  for (const std::string_view text : good) {
    CHECK(valid_utf8(text));
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      Utf8Validator validator;
      CHECK(validator.feed(bytes(text.substr(0, cut))));
      CHECK(validator.feed(bytes(text.substr(cut))));
      CHECK(validator.complete());
    }
  }
}

TEST(utf8_refuses_what_is_not_in_every_division) {
  for (const std::string_view text : bad) {
    CHECK(!valid_utf8(text));
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      Utf8Validator validator;
      const bool first = validator.feed(bytes(text.substr(0, cut)));
      const bool second = validator.feed(bytes(text.substr(cut)));
      CHECK(!(first && second));
      CHECK(!validator.feed(bytes("a")));
      CHECK(!validator.complete());
    }
  }
}

TEST(utf8_is_not_complete_inside_a_character) {
  Utf8Validator validator;
  CHECK(validator.feed(bytes("\xF0\x9F")));
  CHECK(!validator.complete());
  CHECK(validator.feed(bytes("\x98")));
  CHECK(!validator.complete());
  CHECK(validator.feed(bytes("\x80")));
  CHECK(validator.complete());
  validator.reset();
  CHECK(validator.feed(bytes("\xE2")));
  validator.reset();
  CHECK(validator.feed(bytes("a")) && validator.complete());
}

TEST(utf8_sequence_size_is_that_of_the_first_character) {
  CHECK_EQ(utf8_sequence_size("a\xFF"), 1u);
  CHECK_EQ(utf8_sequence_size("\xC3\xA9x"), 2u);
  CHECK_EQ(utf8_sequence_size("\xE2\x82\xAC"), 3u);
  CHECK_EQ(utf8_sequence_size("\xF0\x9F\x98\x80\x80"), 4u);
  CHECK_EQ(utf8_sequence_size("\xF0\x9F\x98"), 0u);
  CHECK_EQ(utf8_sequence_size("\x80"), 0u);
  CHECK_EQ(utf8_sequence_size(""), 0u);
}
