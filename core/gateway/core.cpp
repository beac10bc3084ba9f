#include "core/gateway/core.hpp"

#include "core/wire/ws_frame.hpp"

namespace fluentgate::gateway {

SharedBytes text_message(std::string_view json) {
  return wire::text_frame(json);
}

void tell(const std::shared_ptr<Session>& session, std::string_view json) {
  if (session && session->open()) session->send(text_message(json));
}

}  // namespace fluentgate::gateway
