// connect(), then the TLS handshake, then bytes; nothing blocks but the look-up of a name.
#include "core/redis/stream.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace fluentgate::redis {
namespace {

Error system_error(const char* code, const char* doing, int number) { return Error{code, std::string(doing) + ": " + std::strerror(number), true}; }

std::string tls_reason() {
  const unsigned long number = ERR_get_error();
  ERR_clear_error();
  if (number == 0) return "the connection ended";
  const char* reason = ERR_reason_error_string(number);
  return reason == nullptr ? "error " + std::to_string(number) : reason;
}

}  // namespace

Result<TlsContext> make_tls_context() {
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 || SSL_CTX_set_default_verify_paths(context.get()) != 1) {
    return Error{"tls", "TLS can't be set up: " + tls_reason()};
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  // What is written may move between two tries of one write.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

Status Stream::open(const std::string& host, int port) {
  close();
  host_ = host;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) return Error{"resolve", std::string("no address: ") + gai_strerror(failed), true};
  addresses_.reset(found);
  next_ = found;
  last_error_.clear();
  return connect_next();
}

Status Stream::connect_next() {
  while (next_ != nullptr) {
    const addrinfo& address = *next_;
    next_ = next_->ai_next;
    if (fd_ >= 0) ::close(fd_);
    fd_ = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) {
      last_error_ = std::strerror(errno);
      continue;
    }
    const int one = 1;
    (void)::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (::connect(fd_, address.ai_addr, address.ai_addrlen) == 0 || errno == EINPROGRESS) {
      state_ = State::connecting;
      return ok();
    }
    last_error_ = std::strerror(errno);
  }
  close();
  return Error{"connect", last_error_.empty() ? "no address" : last_error_, true};
}

Status Stream::advance() {
  if (state_ == State::connecting) {
    int failed = 0;
    socklen_t size = sizeof failed;
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &failed, &size) != 0) failed = errno;
    if (failed != 0) {
      last_error_ = std::strerror(failed);
      return connect_next();
    }
    if (tls_context_ == nullptr) {
      state_ = State::established;
      return ok();
    }
    if (Status begun = begin_tls(); !begun) return begun;
  }
  return state_ == State::shaking_hands ? shake_hands() : ok();
}

Status Stream::begin_tls() {
  tls_.reset(SSL_new(tls_context_));
  if (!tls_ || SSL_set_fd(tls_.get(), fd_) != 1) return Error{"tls", "TLS: " + tls_reason(), true};
  in6_addr ignored;
  const bool is_address = ::inet_pton(AF_INET, host_.c_str(), &ignored) == 1 || ::inet_pton(AF_INET6, host_.c_str(), &ignored) == 1;
  // A name is also told to the server (SNI; RFC 6066, 3: no addresses there).
  const bool named = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), host_.c_str()) == 1
                                : SSL_set1_host(tls_.get(), host_.c_str()) == 1 && SSL_set_tlsext_host_name(tls_.get(), host_.c_str()) == 1;
  if (!named) return Error{"tls", "TLS: " + tls_reason(), true};
  state_ = State::shaking_hands;
  return ok();
}

Status Stream::shake_hands() {
  ERR_clear_error();
  const int result = SSL_connect(tls_.get());
  if (result == 1) {
    state_ = State::established;
    tls_wants_write_ = false;
    return ok();
  }
  const long verified = SSL_get_verify_result(tls_.get());
  const Result<std::size_t> outcome = tls_outcome(result, "TLS handshake");
  if (outcome) return ok();
  if (verified != X509_V_OK) return Error{"tls", std::string("its certificate is not trusted: ") + X509_verify_cert_error_string(verified), true};
  return outcome.error();
}

// Of a call that gave nothing: 0 where it is to be tried again.
Result<std::size_t> Stream::tls_outcome(int result, const char* doing) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ: tls_wants_write_ = false; return std::size_t{0};
    case SSL_ERROR_WANT_WRITE: tls_wants_write_ = true; return std::size_t{0};
    case SSL_ERROR_ZERO_RETURN: return Error{"closed", "it closed the connection", true};
    default: return Error{"tls", std::string(doing) + ": " + tls_reason(), true};
  }
}

short Stream::events(bool to_write) const noexcept {
  if (state_ == State::connecting) return POLLOUT;
  if (state_ == State::shaking_hands) return tls_wants_write_ ? POLLOUT : POLLIN;
  return static_cast<short>(to_write || tls_wants_write_ ? POLLIN | POLLOUT : POLLIN);
}

Result<std::size_t> Stream::read(char* bytes, std::size_t size) {
  const int asked = static_cast<int>(std::min<std::size_t>(size, INT_MAX));
  if (tls_) {
    ERR_clear_error();
    const int got = SSL_read(tls_.get(), bytes, asked);
    if (got > 0) return static_cast<std::size_t>(got);
    return tls_outcome(got, "TLS");
  }
  for (;;) {
    const ssize_t got = ::recv(fd_, bytes, static_cast<std::size_t>(asked), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) return Error{"closed", "it closed the connection", true};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return std::size_t{0};
    if (errno != EINTR) return system_error("io", "reading", errno);
  }
}

Result<std::size_t> Stream::write(const char* bytes, std::size_t size) {
  if (tls_) {
    ERR_clear_error();
    const int put = SSL_write(tls_.get(), bytes, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
    if (put > 0) {
      tls_wants_write_ = false;
      return static_cast<std::size_t>(put);
    }
    return tls_outcome(put, "TLS");
  }
  for (;;) {
    const ssize_t put = ::send(fd_, bytes, size, MSG_NOSIGNAL);
    if (put >= 0) return static_cast<std::size_t>(put);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return std::size_t{0};
    if (errno != EINTR) return system_error("io", "writing", errno);
  }
}

void Stream::close() noexcept {
  tls_.reset();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  addresses_.reset();
  next_ = nullptr;
  state_ = State::closed;
  tls_wants_write_ = false;
}

}  // namespace fluentgate::redis
