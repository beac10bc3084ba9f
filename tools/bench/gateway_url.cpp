// See gateway_url.hpp.
#include "tools/bench/gateway_url.hpp"

#include <netdb.h>
#include <unistd.h>

#include <cstring>

#include "tools/bench/load.hpp"

namespace fluentgate::bench {
namespace {

constexpr timeval io_timeout{2, 0};
constexpr timespec ask_again{0, 200'000'000};

// The answer's status; 0: no answer.
int status_of(const GatewayUrl& gateway, const std::string& path) {
  const int fd = ::socket(gateway.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &io_timeout, sizeof io_timeout);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &io_timeout, sizeof io_timeout);
  int status = 0;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&gateway.address), gateway.address_size) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + gateway.host + "\r\nConnection: close\r\n\r\n";
    char answer[64] = {};
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()) &&
        ::recv(fd, answer, sizeof answer - 1, 0) > 12 && std::memcmp(answer, "HTTP/1.", 7) == 0) {
      status = std::atoi(answer + 9);
    }
  }
  ::close(fd);
  return status;
}

}  // namespace

Result<GatewayUrl> parse_gateway_url(const std::string& url) {
  const std::string scheme = "ws://";
  if (!url.starts_with(scheme)) return Error{"bad_url", "--url " + url + ": it begins with ws:// (the load of TLS is not measured)"};
  const std::size_t slash = url.find('/', scheme.size());
  GatewayUrl out;
  out.host = url.substr(scheme.size(), slash == std::string::npos ? slash : slash - scheme.size());
  if (slash != std::string::npos && slash + 1 < url.size()) out.prefix = url.substr(slash);
  const std::size_t colon = out.host.rfind(':');
  if (colon == std::string::npos || colon == 0) return Error{"bad_url", "--url " + url + ": a host and a port, ws://HOST:PORT/ws"};
  std::string name = out.host.substr(0, colon);
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(name.c_str(), out.host.c_str() + colon + 1, &hints, &found); error != 0) {
    return Error{"bad_url", "--url " + url + ": " + ::gai_strerror(error)};
  }
  std::memcpy(&out.address, found->ai_addr, found->ai_addrlen);
  out.address_size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return out;
}

Status wait_ready(const GatewayUrl& gateway, int timeout_s) {
  const std::int64_t end_ns = monotonic_ns() + std::int64_t{timeout_s} * 1'000'000'000;
  for (;;) {
    const int status = status_of(gateway, gateway.prefix + "/readyz");
    if (status == 200 || status == 403) return ok();
    if (monotonic_ns() > end_ns) {
      return Error{"not_ready", "the gateway at " + gateway.host + (status == 0 ? " does not answer" : " is not ready: /readyz answers " + std::to_string(status))};
    }
    ::nanosleep(&ask_again, nullptr);
  }
}

}  // namespace fluentgate::bench
