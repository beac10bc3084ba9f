// The gateway's address, and whether it is ready (CONTRACT 6: /readyz under the prefix). Thread: any; wait_ready blocks.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "core/domain/result.hpp"

namespace fluentgate::bench {

struct GatewayUrl {
  std::string host;        // as it was given, with the port: the Host header
  std::string prefix;      // "/ws"
  sockaddr_storage address{};
  socklen_t address_size = 0;
};

// Error "bad_url": not ws://HOST:PORT/PREFIX, or a host that is not known.
Result<GatewayUrl> parse_gateway_url(const std::string& url);

// Waits at most timeout_s for 200. Error "not_ready": what was answered last. 403 counts as ready: it only means that we may not ask.
Status wait_ready(const GatewayUrl& gateway, int timeout_s);

}  // namespace fluentgate::bench
