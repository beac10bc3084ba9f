// Which of the offered WebSocket subprotocols is echoed (CONTRACT 1; RFC 6455, 4.2.2). Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/domain/endpoint.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::auth {

struct Subprotocol {
  std::string name;     // to be echoed; empty: nothing was offered
  bool framed = false;  // audio with a header per message (CONTRACT 2)
};

// `offer` is the value of Sec-WebSocket-Protocol as it came. Of several that fit, the client's first. Errors "bad_request": names are offered and none
// fits the endpoint, or the offer is longer than limits::subprotocol_offer_bytes_max.
Result<Subprotocol> choose_subprotocol(Endpoint endpoint, const std::optional<std::string_view>& offer);

}  // namespace fluentgate::auth
