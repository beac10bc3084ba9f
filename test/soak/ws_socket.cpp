#include "test/soak/ws_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "test/support/ws_client.hpp"

namespace fluentgate::soak {
namespace {

enum Opcode { text_frame = 1, binary_frame = 2, close_frame = 8, ping_frame = 9, pong_frame = 10 };

std::string close_payload(int code) { return {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)}; }

}  // namespace

std::shared_ptr<WsSocket> WsSocket::open(Reactor& reactor, int port, const std::string& target, const Headers& headers, Events events) {
  std::string request = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
                        "Sec-WebSocket-Key: " + test::websocket_key() + "\r\n";
  for (const auto& [name, value] : headers) request += name + ": " + value + "\r\n";
  const std::shared_ptr<WsSocket> socket(new WsSocket(reactor, std::move(events)));
  socket->connect(port, request + "\r\n");
  return socket;
}

std::shared_ptr<WsSocket> WsSocket::get(Reactor& reactor, int port, const std::string& target, Events events) {
  const std::shared_ptr<WsSocket> socket(new WsSocket(reactor, std::move(events)));
  socket->connect(port, "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return socket;
}

WsSocket::~WsSocket() {
  if (deadline_ != 0) reactor_.cancel(deadline_);
  if (fd_ >= 0) {
    reactor_.forget(fd_);
    ::close(fd_);
  }
}

void WsSocket::connect(int port, std::string request) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  out_ = std::move(request);
  // The caller has the socket before the first event comes, also where the connection fails at once.
  const std::weak_ptr<WsSocket> weak = weak_from_this();
  const bool failed = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS;
  deadline_ = reactor_.after(failed ? 0 : open_wait_ms, [weak] {
    if (const auto self = weak.lock()) self->end(1006, false);
  });
  if (failed) return;
  reactor_.watch(fd_, POLLIN | POLLOUT, [weak](short events) {
    if (const auto self = weak.lock()) self->ready(events);
  });
}

void WsSocket::ready(short events) {
  if ((events & POLLOUT) != 0) {
    if (state_ == State::connecting) state_ = State::answering;
    flush();
  }
  if (state_ != State::ended && (events & (POLLIN | POLLHUP | POLLERR)) != 0) read_all();
}

void WsSocket::send(int opcode, std::string_view payload) {
  if (state_ != State::open) return;
  out_ += client_frame(opcode, payload);
  flush();
}

void WsSocket::flush() {
  while (!out_.empty()) {
    const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0) break;  // the reading side tells when it is over
    out_.erase(0, static_cast<std::size_t>(sent));
  }
  reactor_.change(fd_, static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT));
}

void WsSocket::close() {
  if (state_ == State::ended || state_ == State::closing) return;
  if (state_ != State::open) return end(1000, true);
  send(close_frame, close_payload(1000));
  state_ = State::closing;
  const std::weak_ptr<WsSocket> weak = weak_from_this();
  deadline_ = reactor_.after(close_wait_ms, [weak] {
    if (const auto self = weak.lock()) self->end(1006, false);
  });
}

void WsSocket::drain() {
  if (!reading_ && (state_ == State::open || state_ == State::closing)) read_all();
}

void WsSocket::read_all() {
  const auto self = shared_from_this();
  reading_ = true;
  bool over = false;
  char bytes[65536];
  while (state_ != State::ended && !over) {
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    over = got <= 0;
    const std::string_view more(bytes, over ? 0 : static_cast<std::size_t>(got));
    if (state_ == State::open || state_ == State::closing) {
      in_.add(more);
      read_frames();
    } else {
      answer_ += more;
      read_answer();
    }
  }
  reading_ = false;
  if (over && state_ != State::ended) end(1006, false);
}

void WsSocket::read_answer() {
  const std::size_t head = answer_.find("\r\n\r\n");
  if (head == std::string::npos) return;
  const int status = answer_.size() > 12 ? std::atoi(answer_.c_str() + 9) : 0;
  if (status != 101) {
    refusal_ = status;
    return end(1000, true);
  }
  reactor_.cancel(std::exchange(deadline_, 0));
  state_ = State::open;
  in_.add(std::string_view(answer_).substr(head + 4));
  answer_.clear();
  const auto events = events_;
  if (events->opened) events->opened();
  read_frames();
}

void WsSocket::read_frames() {
  const auto events = events_;  // end() lets go of them while one of them runs
  FrameReader::Message message;
  while (state_ != State::ended && in_.next(message)) {
    switch (message.opcode) {
      case text_frame:
        if (events->text) events->text(message.payload);
        break;
      case binary_frame:
        if (events->binary) events->binary(message.payload);
        break;
      case ping_frame: send(pong_frame, message.payload); break;
      case close_frame: {
        const bool ours = state_ == State::closing;
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(message.payload[i]); };
        const int code = message.payload.size() < 2 ? 1005 : byte(0) << 8 | byte(1);
        if (!ours) send(close_frame, message.payload.substr(0, 2));
        return end(code, ours);
      }
      default: break;
    }
  }
  if (in_.broken() && state_ != State::ended) end(protocol_broken, false);
}

void WsSocket::end(int code, bool ours) {
  if (state_ == State::ended) return;
  const auto self = weak_from_this().lock();  // an event may let go of the last other pointer
  const State was = std::exchange(state_, State::ended);
  if (deadline_ != 0) reactor_.cancel(std::exchange(deadline_, 0));
  reactor_.forget(fd_);
  ::close(std::exchange(fd_, -1));
  const auto events = std::exchange(events_, nullptr);
  if (was == State::open || was == State::closing) {
    if (events->closed) events->closed(code, ours);
  } else if (events->refused) {
    const std::size_t head = answer_.find("\r\n\r\n");
    events->refused(refusal_, refusal_ == 0 ? "" : answer_.substr(head + 4));
  }
}

}  // namespace fluentgate::soak
