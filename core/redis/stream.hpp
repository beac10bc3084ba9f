// Bytes to and from Redis: one non-blocking TCP connection, with TLS by OpenSSL for rediss:// (so whatever hiredis was built with). Thread: redis.
#pragma once

#include <openssl/ssl.h>
#include <netdb.h>

#include <cstddef>
#include <memory>
#include <string>

#include "core/config/redis_url.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::redis {

struct FreeAddresses { void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); } };
struct FreeTlsContext { void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); } };
struct FreeTls { void operator()(SSL* tls) const noexcept { SSL_free(tls); } };
using TlsContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

// TLS 1.2 or later; the server's certificate must be good for the URL's host and signed by what the system trusts (SSL_CERT_FILE and SSL_CERT_DIR count).
// Error "tls".
Result<TlsContext> make_tls_context();

class Stream {
 public:
  // `tls` null: plain. Outlives the stream.
  explicit Stream(SSL_CTX* tls) : tls_context_(tls) {}
  ~Stream() { close(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Begins to connect, to the host's addresses one after another. Blocks while a name is looked up. Errors: "resolve", "connect".
  Status open(const std::string& host, int port);
  // When poll() says that something can be done, until established(). Errors: "connect", "tls".
  Status advance();
  bool established() const noexcept { return state_ == State::established; }
  int descriptor() const noexcept { return fd_; }
  short events(bool to_write) const noexcept;
  // 0: nothing now. Errors: "closed", "io", "tls".
  Result<std::size_t> read(char* bytes, std::size_t size);
  Result<std::size_t> write(const char* bytes, std::size_t size);
  void close() noexcept;

 private:
  enum class State : unsigned char { closed, connecting, shaking_hands, established };

  Status connect_next();
  Status begin_tls();
  Status shake_hands();
  Result<std::size_t> tls_outcome(int result, const char* doing);

  SSL_CTX* tls_context_;
  std::string host_;
  std::unique_ptr<addrinfo, FreeAddresses> addresses_;
  addrinfo* next_ = nullptr;  // of addresses_, to be tried
  std::string last_error_;
  int fd_ = -1;
  std::unique_ptr<SSL, FreeTls> tls_;
  State state_ = State::closed;
  bool tls_wants_write_ = false;
};

}  // namespace fluentgate::redis
