// redis.url in its parts.
#include "core/config/redis_url.hpp"

#include <string>

#include "test/support/check.hpp"

using namespace fluentgate::config;

TEST(redis_url_has_defaults_for_all_but_the_host) {
  const auto url = parse_redis_url("redis://r.example");
  CHECK(url);
  CHECK_EQ(url->host, "r.example");
  CHECK_EQ(url->port, 6379);
  CHECK_EQ(url->database, 0);
  CHECK(!url->tls && url->user.empty() && url->password.empty());
}

TEST(redis_url_has_user_password_port_and_database) {
  const auto url = parse_redis_url("rediss://meeting:p%40ss:w@[::1]:6380/3");
  CHECK(url);
  CHECK(url->tls);
  CHECK_EQ(url->user, "meeting");
  CHECK_EQ(url->password, "p@ss:w");
  CHECK_EQ(url->host, "::1");
  CHECK_EQ(url->port, 6380);
  CHECK_EQ(url->database, 3);
}

TEST(redis_url_takes_a_password_alone) {
  CHECK_EQ(parse_redis_url("redis://:secret@r")->password, "secret");
  CHECK_EQ(parse_redis_url("redis://secret@r")->password, "secret");
  CHECK_EQ(parse_redis_url("redis://:secret@r")->user, "");
}

TEST(redis_url_tells_what_is_wrong_and_never_the_password) {
  for (const char* bad : {"", "r:6379", "http://r", "redis://", "redis://:secret@", "redis://:secret@r:0", "redis://:secret@r:65536", "redis://:secret@r:x",
                          "redis://:secret@r/x", "redis://:secret@[::1", "redis://:secret%zz@r", "redis://:sec ret@r", "redis://:secret@[::1]6379"}) {
    const auto url = parse_redis_url(bad);
    if (url) FAIL(std::string("taken: ") + bad);
    CHECK_EQ(url.error().code, "bad_url");
    CHECK(!url.error().text.empty());
    CHECK(url.error().text.find("secret") == std::string::npos);
  }
}
