#include "plugin/host/shared_port.hpp"

#include <libwebsockets.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace fluentgate::host {
namespace {

constexpr int backlog = 1024;
constexpr int accepts_per_turn = 64;
constexpr int tcp_keepalive_s = 60;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

void set_port(Address& address, int port) {
  const auto number = htons(static_cast<std::uint16_t>(port));
  if (address.storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port = number;
  } else {
    reinterpret_cast<sockaddr_in&>(address.storage).sin_port = number;
  }
}

int port_of(const Address& address) {
  return ntohs(address.storage.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_port
                                                     : reinterpret_cast<const sockaddr_in&>(address.storage).sin_port);
}

// The first IPv4 address of an interface, as lws takes it.
bool of_interface(const std::string& name, Address& out) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return false;
  bool found = false;
  for (const ifaddrs* one = list; one != nullptr && !found; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || name != one->ifa_name) continue;
    std::memcpy(&out.storage, one->ifa_addr, sizeof(sockaddr_in));
    out.size = sizeof(sockaddr_in);
    found = true;
  }
  freeifaddrs(list);
  return found;
}

Result<Address> address_of(const config::Listen& listen, int port) {
  Address address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (inet_pton(AF_INET, listen.address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    address.size = sizeof v4;
  } else if (inet_pton(AF_INET6, listen.address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    address.size = sizeof v6;
  } else if (!of_interface(listen.address, address)) {
    return Error{"listen", "listen.address = \"" + listen.address + "\": no interface of that name has an IPv4 address"};
  }
  set_port(address, port);
  return address;
}

Error failed(const char* what, int port) { return Error{"listen", std::string(what) + " port " + std::to_string(port) + ": " + std::strerror(errno)}; }

Result<int> bound(Address& address, bool shared, bool non_blocking) {
  const int on = 1;
  const int descriptor = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | (non_blocking ? SOCK_NONBLOCK : 0), 0);
  bool good = descriptor >= 0 && setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
  if (good && shared) good = setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
  if (good) good = bind(descriptor, address.get(), address.size) == 0 && getsockname(descriptor, address.get(), &address.size) == 0;
  if (good) return descriptor;
  const Error error = failed("cannot listen on", port_of(address));
  if (descriptor >= 0) ::close(descriptor);
  return error;
}

}  // namespace

Result<ReservedPort> ReservedPort::take(const config::Listen& listen) {
  auto address = address_of(listen, listen.port);
  if (!address) return address.error();
  if (listen.port != 0) {
    const auto alone = bound(*address, false, false);
    if (!alone) return alone.error();
    ::close(*alone);
  }
  const auto kept = bound(*address, true, false);
  if (!kept) return kept.error();
  ReservedPort port;
  port.descriptor_ = *kept;
  port.number_ = port_of(*address);
  return port;
}

ReservedPort::ReservedPort(ReservedPort&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), number_(other.number_) {}

ReservedPort::~ReservedPort() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<int> listen_shared(const config::Listen& listen, int port) {
  auto address = address_of(listen, port);
  if (!address) return address.error();
  const auto descriptor = bound(*address, true, true);
  if (!descriptor) return descriptor.error();
  if (::listen(*descriptor, backlog) == 0) return *descriptor;
  const Error error = failed("cannot listen on", port);
  ::close(*descriptor);
  return error;
}

bool accept_into(int listener, lws_vhost* vhost) noexcept {
  const int on = 1, idle_s = tcp_keepalive_s, interval_s = tcp_keepalive_s / 6, probes = 3;
  for (int i = 0; i < accepts_per_turn; ++i) {
    const int accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) {
      // What concerns one peer, or passes: the next one is asked for when the socket is readable again.
      return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED || errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM ||
             errno == EPROTO || errno == EPERM;
    }
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(accepted, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(accepted, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(accepted, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(accepted, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    lws_adopt_socket_vhost(vhost, accepted);  // closes it where it can't
  }
  return true;
}

}  // namespace fluentgate::host
