// base64.hpp: RFC 4648's vectors, what is tolerated and what is not.
#include <random>
#include <string>

#include "core/wire/base64.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::wire;

namespace {

std::string encoded(std::string_view text) {
  std::string out;
  base64_append(out, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return out;
}

std::optional<std::string> decoded(std::string_view text) {
  const auto bytes = base64_decode(text);
  if (!bytes) return std::nullopt;
  return std::string(bytes->begin(), bytes->end());
}

}  // namespace

TEST(base64_encodes_and_decodes_the_vectors_of_rfc_4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    CHECK_EQ(encoded(plain), coded);
    CHECK_EQ(decoded(coded), std::optional<std::string>(plain));
  }
}

TEST(base64_appends_to_what_is_there) {
  std::string out = "x:";
  const std::uint8_t bytes[] = {0xFF, 0xEF};
  base64_append(out, bytes);
  CHECK_EQ(out, "x:/+8=");
}

TEST(base64_round_trips_every_length) {
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::string text = encoded(bytes);
    CHECK_EQ(text.size(), base64_size(size));
    CHECK_EQ(decoded(text), std::optional<std::string>(bytes));
    CHECK_EQ(decoded(text.substr(0, text.find('='))), std::optional<std::string>(bytes));
  }
}

TEST(base64_passes_over_blanks_and_line_ends_anywhere) {
  CHECK_EQ(decoded("Zm9v\r\nYmFy\n"), std::optional<std::string>("foobar"));
  CHECK_EQ(decoded(" Z m\t9 v Y m E = "), std::optional<std::string>("fooba"));
  CHECK_EQ(decoded("Zm9vYg =\n="), std::optional<std::string>("foob"));
  CHECK_EQ(decoded(" \n"), std::optional<std::string>(""));
}

TEST(base64_refuses_what_is_not_base64) {
  for (const char* text : {"Z", "Zm9vY", "Zm9v=", "Zm8==", "Zg=", "Zg===", "=", "Zg==Zg==", "Zm9*", "Zm9-", "Zm9_", "Zm\x80v", "{}", "Zm9v.", "Zg=a"}) {
    if (decoded(text)) FAIL(text);
  }
  CHECK(!decoded(std::string_view("Zm9v\0", 5)));
}

TEST(base64_finds_a_bad_character_at_every_place) {
  const std::string good = encoded(std::string(60, 'a'));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string broken = good;
    broken[i] = '%';
    CHECK(!decoded(broken));
  }
}
