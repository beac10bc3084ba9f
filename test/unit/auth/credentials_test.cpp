#include "core/auth/credentials.hpp"

#include "test/support/check.hpp"

using namespace fluentgate::auth;

TEST(bearer_scheme_is_read_in_any_case) {
  CHECK_EQ(bearer_token("Bearer abc"), "abc");
  CHECK_EQ(bearer_token("bEARER   abc  "), "abc");
  CHECK_EQ(bearer_token("Bearer"), "");
  CHECK_EQ(bearer_token("Basic abc"), "");
  CHECK_EQ(bearer_token("Bearerabc"), "");
}

TEST(cookies_are_split_as_rfc6265_says) {
  CHECK_EQ(cookie_value("a=1; sid=abc; b=2", "sid"), "abc");
  CHECK_EQ(cookie_value("sid=\"abc\"", "sid"), "abc");
  CHECK_EQ(cookie_value("xsid=1;sid=a=b", "sid"), "a=b");
  CHECK_EQ(cookie_value("SID=abc", "sid"), "");
  CHECK_EQ(cookie_value("sid=; sid=second", "sid"), "second");
  CHECK_EQ(cookie_value("sid", "sid"), "");
  CHECK_EQ(cookie_value("", "sid"), "");
}

TEST(the_first_place_with_a_token_decides) {
  CHECK_EQ(find_token(Query("token=q"), "Bearer h", "sid=c", "sid").token, "q");
  CHECK_EQ(find_token(Query("token="), "Bearer h", "sid=c", "sid").token, "h");
  CHECK_EQ(find_token(Query(""), "Basic h", "sid=c", "sid").token, "c");
  CHECK(find_token(Query(""), std::nullopt, "sid=c", "sid").place == TokenPlace::cookie);
}

TEST(without_a_configured_name_no_cookie_counts) {
  CHECK(find_token(Query(""), std::nullopt, "=c; sid=c", "").place == TokenPlace::none);
}
