// Where a request carries its token: `?token=`, the Authorization header, a cookie, in this order (CONTRACT 1). Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/auth/query.hpp"

namespace fluentgate::auth {

enum class TokenPlace { none, query, header, cookie };

struct FoundToken {
  TokenPlace place = TokenPlace::none;
  std::string token;
};

// The token of `Authorization: Bearer TOKEN` (RFC 6750, 2.1), the scheme in any case; empty for any other scheme.
std::string_view bearer_token(std::string_view authorization) noexcept;
// The first non-empty cookie of this name in a Cookie header (RFC 6265, 4.2.1), without the quotes around it.
std::string_view cookie_value(std::string_view header, std::string_view name) noexcept;

// The first place with a non-empty token. `cookie_name` empty: cookies are not looked at. A `token` that can't be percent-decoded is found as it is
// not: the caller refuses it first.
FoundToken find_token(const Query& query, const std::optional<std::string_view>& authorization, const std::optional<std::string_view>& cookie,
                      std::string_view cookie_name);

}  // namespace fluentgate::auth
