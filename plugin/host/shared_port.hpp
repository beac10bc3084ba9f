// Listening sockets of a port that several processes share (listen.processes). lws 4.1 sets SO_REUSEPORT only for threads of one process, so these
// sockets are ours and lws is given what they accept. Thread: main.
#pragma once

#include "core/config/settings.hpp"
#include "core/domain/result.hpp"

struct lws_vhost;

namespace fluentgate::host {

// The supervisor's: keeps the port for the processes without listening on it. Port 0: any free one; another: only if nobody has it, since
// SO_REUSEPORT would let two hosts of the same user share it by mistake.
class ReservedPort {
 public:
  // Error "listen", with the reason.
  static Result<ReservedPort> take(const config::Listen& listen);
  ReservedPort(ReservedPort&& other) noexcept;
  ReservedPort& operator=(ReservedPort&&) = delete;
  ~ReservedPort();
  int number() const noexcept { return number_; }

 private:
  ReservedPort() = default;
  int descriptor_ = -1;
  int number_ = 0;
};

// A process's: a non-blocking socket that listens on the port beside those of the others. Error "listen".
Result<int> listen_shared(const config::Listen& listen, int port);
// Accepts what waits, at most some dozens at a time, and gives it to lws. False: the socket is broken.
bool accept_into(int listener, lws_vhost* vhost) noexcept;

}  // namespace fluentgate::host
