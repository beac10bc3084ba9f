#include "core/auth/json.hpp"

#include "core/domain/limits.hpp"

namespace fluentgate::auth {

bool deeper_than(std::string_view json, std::size_t depth_max) noexcept {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > depth_max) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

JsonHandle parse_object(std::string_view text) {
  if (deeper_than(text, limits::json_depth_max)) return nullptr;
  json_error_t error;
  JsonHandle value(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error));
  if (value != nullptr && !json_is_object(value.get())) return nullptr;
  return value;
}

std::string_view string_member(const json_t* object, const char* name) noexcept {
  const json_t* value = json_object_get(object, name);
  if (!json_is_string(value)) return {};
  return {json_string_value(value), json_string_length(value)};
}

}  // namespace fluentgate::auth
