// How a peer's message is passed on: everything as it was sent, but for who sent it.
#include "core/wire/client_message.hpp"
#include "core/wire/json_scan.hpp"
#include "core/wire/json_write.hpp"

namespace fluentgate::wire {

std::string relay_text(std::string_view object, std::string_view from_user_id) {
  std::string out;
  out.reserve(object.size() + from_user_id.size() + 24);
  out += '{';
  ObjectScanner scanner(object);
  while (const auto member = scanner.next()) {
    if (member->key == "from_user_id") continue;
    out += member->raw;
    out += ',';
  }
  out += "\"from_user_id\":";
  append_json_string(out, from_user_id);
  out += '}';
  return out;
}

}  // namespace fluentgate::wire
