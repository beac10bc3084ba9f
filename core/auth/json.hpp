// JSON objects from tokens: jansson, but with bounds checked before it recurses. Thread: any.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/auth/handles.hpp"

namespace fluentgate::auth {

// Brackets nested deeper than this are refused; the outer object is 1.
bool deeper_than(std::string_view json, std::size_t depth_max) noexcept;
// Null unless the text is one valid JSON object in UTF-8, at most limits::json_depth_max deep, with no member twice in any object and no NUL in
// a string. Every number is a real, so that a long integer in a foreign claim does not spoil the token.
JsonHandle parse_object(std::string_view text);
// The member's text; data() is null where it is absent or not a string.
std::string_view string_member(const json_t* object, const char* name) noexcept;

}  // namespace fluentgate::auth
