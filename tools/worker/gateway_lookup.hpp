// Where the gateway's Kafka is: the member kafka.bootstrap of its /readyz (CONTRACT 6; a 503 has it too). Plain HTTP, loopback or a trusted network.
// Thread: any; blocks for at most 2 s.
#pragma once

#include <string>
#include <string_view>

#include "core/domain/result.hpp"

namespace fluentgate::worker {

struct GatewayAddress {
  std::string host;
  std::string port;
};

// "http://HOST:PORT", with or without a '/' at the end; the port may be left out (80). Error: bad_url.
Result<GatewayAddress> parse_gateway_url(std::string_view url);

// Errors: no_answer and not_ready (retriable: ask again), no_bootstrap (it is ready, and its Kafka is not its own: use --bootstrap).
Result<std::string> ask_gateway(const GatewayAddress& gateway);

// The answer's part of it, for tests. `response` is a whole HTTP response.
Result<std::string> bootstrap_of(std::string_view response);

}  // namespace fluentgate::worker
