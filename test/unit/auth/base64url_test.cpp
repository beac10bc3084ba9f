#include "core/auth/base64url.hpp"

#include "test/support/check.hpp"

using namespace fluentgate::auth;

TEST(base64url_round_trips_every_length) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    const auto decoded = base64url_decode(base64url_encode(bytes));
    CHECK(decoded && *decoded == bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
}

TEST(base64url_encodes_as_rfc7515_appendix_c) {
  CHECK_EQ(base64url_encode(std::string("\x03\xec\xff\xe0\xc1", 5)), "A-z_4ME");
  CHECK_EQ(*base64url_decode("A-z_4ME"), std::string("\x03\xec\xff\xe0\xc1", 5));
}

TEST(base64url_refuses_what_is_not_strict) {
  for (const char* text : {"A", "AAAAA", "QQ==", "Q Q", "QQ\n", "Q+==", "a/b_", "QR", "QQF", "\xff\xff", "."}) {
    if (base64url_decode(text)) FAIL(std::string("accepted: ") + text);
  }
  CHECK(!base64url_decode(std::string_view("QQ\0Q", 4)));
}
