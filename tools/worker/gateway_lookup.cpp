// See gateway_lookup.hpp.
#include "tools/worker/gateway_lookup.hpp"

#include <netdb.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>

namespace fluentgate::worker {
namespace {

constexpr std::size_t response_bytes_max = 256 * 1024;

struct Socket {
  int descriptor = -1;
  explicit Socket(int d) : descriptor(d) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

Error no_answer(const GatewayAddress& gateway) { return {"no_answer", "no answer from " + gateway.host + ":" + gateway.port, true}; }

}  // namespace

Result<GatewayAddress> parse_gateway_url(std::string_view url) {
  const std::string whole(url);
  const Error bad{"bad_url", "--gateway " + whole + ": must be http://HOST:PORT"};
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return bad;
  url.remove_prefix(scheme.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  if (url.empty() || url.find_first_of("/?#@ ") != std::string_view::npos) return bad;
  const std::size_t bracket = url.rfind(']');
  const std::size_t colon = url.rfind(':');
  GatewayAddress address{std::string(url), "80"};
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    address = {std::string(url.substr(0, colon)), std::string(url.substr(colon + 1))};
    if (address.port.empty() || address.port.find_first_not_of("0123456789") != std::string::npos) return bad;
  }
  if (address.host.size() > 2 && address.host.front() == '[') address.host = address.host.substr(1, address.host.size() - 2);
  if (address.host.empty()) return bad;
  return address;
}

Result<std::string> bootstrap_of(std::string_view response) {
  const Error unclear{"no_answer", "the gateway's answer is not what /readyz says", true};
  const std::size_t body = response.find("\r\n\r\n");
  if (!response.starts_with("HTTP/1.") || body == std::string_view::npos || response.size() < 12) return unclear;
  const bool ready = response.substr(9, 3) == "200";
  // From brace to brace: the body may be in chunks.
  std::string_view json = response.substr(body + 4);
  const std::size_t first = json.find('{');
  const std::size_t last = json.rfind('}');
  if (first == std::string_view::npos || last == std::string_view::npos || last < first) return unclear;
  json = json.substr(first, last - first + 1);
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(json.data(), json.size()).get(document)) return unclear;
  std::string_view bootstrap;
  if (document["kafka"]["bootstrap"].get(bootstrap) || bootstrap.empty()) {
    if (ready) return Error{"no_bootstrap", "the gateway's Kafka is not its own: say where it is by --bootstrap"};
    return Error{"not_ready", "the gateway is not ready yet", true};
  }
  return std::string(bootstrap);
}

Result<std::string> ask_gateway(const GatewayAddress& gateway) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(gateway.host.c_str(), gateway.port.c_str(), &hints, &found) != 0) return no_answer(gateway);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const Socket socket(::socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol));
    if (socket.descriptor < 0) continue;
    const timeval patience{2, 0};
    ::setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket.descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);  // for connect too
    if (::connect(socket.descriptor, address->ai_addr, address->ai_addrlen) != 0) continue;
    const std::string request = "GET /readyz HTTP/1.1\r\nHost: " + gateway.host + ":" + gateway.port + "\r\nConnection: close\r\n\r\n";
    if (::send(socket.descriptor, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) continue;
    std::string response;
    char bytes[4096];
    // Until it parses: a server may keep the connection open whatever was asked.
    while (response.size() < response_bytes_max) {
      const ssize_t count = ::recv(socket.descriptor, bytes, sizeof bytes, 0);
      if (count <= 0) break;
      response.append(bytes, static_cast<std::size_t>(count));
      if (auto answer = bootstrap_of(response); answer || answer.error().code != "no_answer") return answer;
    }
  }
  return no_answer(gateway);
}

}  // namespace fluentgate::worker
