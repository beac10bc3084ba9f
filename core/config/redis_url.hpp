// redis.url in its parts: redis://[USER[:PASSWORD]@]HOST[:PORT][/DB], rediss:// with TLS (the form that redis-cli -u takes). Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "core/domain/result.hpp"

namespace fluentgate::config {

struct RedisUrl {
  bool tls = false;
  std::string user, password;  // percent-decoded; empty: none. "redis://:secret@host" and "redis://secret@host" have a password alone
  std::string host;            // an IPv6 address without its brackets
  int port = 6379;
  int database = 0;
};

// Errors: "bad_url"; the text says what is wrong and never quotes the password.
Result<RedisUrl> parse_redis_url(std::string_view text);
inline bool is_redis_url(std::string_view text) { return static_cast<bool>(parse_redis_url(text)); }

}  // namespace fluentgate::config
