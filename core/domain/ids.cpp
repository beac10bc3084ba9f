// The rule of what a room may be called.
#include "core/domain/ids.hpp"

#include <algorithm>

#include "core/domain/limits.hpp"

namespace fluentgate {

bool valid_room_id(std::string_view text) noexcept {
  if (text.empty() || text.size() > limits::room_id_bytes_max) return false;
  if (text == "." || text == "..") return false;
  // Written out: isalnum() asks the locale.
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '~' || c == ':' || c == '-';
  });
}

}  // namespace fluentgate
