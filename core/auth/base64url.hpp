// Base64url without padding (RFC 4648, 5; RFC 7515, 2), strict: one text for each sequence of bytes. Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fluentgate::auth {

std::string base64url_encode(std::string_view bytes);
// Nothing for any character outside the alphabet (blanks and '=' too), an impossible length, or bits left over that are not zero:
// a lax decoder would give one signature several spellings.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace fluentgate::auth
