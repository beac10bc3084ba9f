// See web_socket.hpp.
#include "tools/bench/web_socket.hpp"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace fluentgate::bench {
namespace {

// RFC 6455, 1.3: the example's key and its answer. A key of its own per socket would show nothing more here.
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::uint8_t opcode_text = 1, opcode_binary = 2, opcode_close = 8, opcode_ping = 9, opcode_pong = 10;
constexpr std::size_t answer_bytes_max = 16384;
constexpr std::uint64_t message_bytes_max = 64u << 20;
constexpr std::uint8_t mask[4] = {0x5a, 0x17, 0xc3, 0x88};

}  // namespace

WebSocket::~WebSocket() { close(); }

WebSocket::WebSocket(WebSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), epoll_(other.epoll_), index_(other.index_), state_(std::exchange(other.state_, State::closed)),
      watching_writes_(other.watching_writes_), rest_(std::move(other.rest_)), out_(std::move(other.out_)) {}

Status WebSocket::open(const GatewayUrl& gateway, const std::string& target, int epoll, std::uint32_t index) {
  fd_ = ::socket(gateway.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return Error{"socket", std::string("socket: ") + std::strerror(errno)};
  epoll_ = epoll;
  index_ = index;
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&gateway.address), gateway.address_size) != 0 && errno != EINPROGRESS) {
    return lost(std::string("connect: ") + std::strerror(errno) + (errno == EADDRNOTAVAIL ? " (more sockets than this machine has ports)" : ""));
  }
  const std::string request = "GET " + target + " HTTP/1.1\r\nHost: " + gateway.host +
                              "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + std::string(key) + "\r\n\r\n";
  out_.assign(request.begin(), request.end());
  state_ = State::connecting;
  watching_writes_ = true;
  epoll_event event{EPOLLIN | EPOLLOUT, {.u32 = index}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event) != 0) return lost(std::string("epoll: ") + std::strerror(errno));
  return ok();
}

void WebSocket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  state_ = State::closed;
}

Status WebSocket::lost(std::string why) {
  close();
  return Error{"closed", std::move(why)};
}

void WebSocket::watch(bool for_writing) {
  if (for_writing == watching_writes_) return;
  watching_writes_ = for_writing;
  epoll_event event{for_writing ? EPOLLIN | EPOLLOUT : EPOLLIN, {.u32 = index_}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event);
}

Status WebSocket::flush() {
  while (!out_.empty()) {
    const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN)) break;
    if (sent < 0) return lost(std::string("send: ") + std::strerror(errno));
    out_.erase(out_.begin(), out_.begin() + sent);
  }
  watch(!out_.empty());
  return ok();
}

Status WebSocket::on_ready(std::uint32_t events, std::span<std::uint8_t> buffer, Receiver& receiver) {
  if ((events & EPOLLOUT) != 0) {
    if (Status sent = flush(); !sent) return sent;
  }
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return ok();
  const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);  // level-triggered: what is left comes in the next turn
  if (got < 0) return errno == EAGAIN || errno == EINTR ? ok() : lost(std::string("recv: ") + std::strerror(errno));
  if (got == 0) return lost("the connection ended without a close frame");
  return on_bytes({buffer.data(), static_cast<std::size_t>(got)}, receiver);
}

Status WebSocket::on_bytes(std::span<const std::uint8_t> bytes, Receiver& receiver) {
  const bool from_rest = !rest_.empty() || state_ == State::connecting;
  if (from_rest) {
    rest_.insert(rest_.end(), bytes.begin(), bytes.end());
    if (state_ == State::connecting) {
      if (Status opened = finish_handshake(); !opened || state_ == State::connecting) return opened;
    }
    bytes = rest_;
  }
  const Result<std::size_t> taken = take_frames(bytes, receiver);
  if (!taken) return taken.error();
  if (from_rest) {
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(*taken));
  } else if (*taken < bytes.size()) {
    rest_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(*taken), bytes.end());
  }
  return ok();
}

Status WebSocket::finish_handshake() {
  const std::string_view text(reinterpret_cast<const char*>(rest_.data()), rest_.size());
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return rest_.size() > answer_bytes_max ? lost("an endless answer to the upgrade") : ok();
  const std::string_view head = text.substr(0, end);
  if (!head.starts_with("HTTP/1.1 101")) {
    return lost("refused: " + std::string(head.substr(0, head.find('\r'))) + " " + std::string(text.substr(end + 4, 200)));
  }
  if (head.find(accept) == std::string_view::npos) return lost("a wrong Sec-WebSocket-Accept");
  rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(end + 4));
  state_ = State::open;
  return ok();
}

// Returns how many bytes whole frames took. The gateway doesn't fragment: a continuation is an error here.
Result<std::size_t> WebSocket::take_frames(std::span<const std::uint8_t> bytes, Receiver& receiver) {
  std::size_t at = 0;
  while (bytes.size() - at >= 2) {
    const std::uint8_t* frame = bytes.data() + at;
    std::uint64_t size = frame[1] & 0x7f;
    std::size_t head = 2;
    if (size >= 126) {
      const std::size_t more = size == 126 ? 2 : 8;
      if (bytes.size() - at < head + more) break;
      size = 0;
      for (std::size_t i = 0; i < more; ++i) size = size << 8 | frame[head + i];
      head += more;
    }
    if ((frame[0] & 0xf0) != 0x80 || (frame[1] & 0x80) != 0 || size > message_bytes_max) return lost("a frame that a server must not send").error();
    if (bytes.size() - at - head < size) break;
    const std::span<const std::uint8_t> payload(frame + head, static_cast<std::size_t>(size));
    at += head + payload.size();
    switch (frame[0] & 0x0f) {
      case opcode_binary: receiver.on_binary(payload); break;
      case opcode_text: receiver.on_text({reinterpret_cast<const char*>(payload.data()), payload.size()}); break;
      case opcode_ping:
        if (Status answered = send_frame(opcode_pong, payload); !answered) return answered.error();
        break;
      case opcode_pong: break;
      case opcode_close:
        return lost("closed by the gateway with " + (payload.size() >= 2 ? std::to_string(payload[0] << 8 | payload[1]) : std::string("no code"))).error();
      default: return lost("a frame of an unknown kind").error();
    }
  }
  return at;
}

Status WebSocket::send_binary(std::span<const std::uint8_t> payload) {
  if (state_ != State::open) return Error{"closed", "not open"};
  if (out_.size() > backlog_bytes_max) return Error{"backlog", "the gateway takes no more from this socket", true};
  return send_frame(opcode_binary, payload);
}

Status WebSocket::send_frame(std::uint8_t opcode, std::span<const std::uint8_t> payload) {
  const bool waited = !out_.empty();
  out_.push_back(0x80 | opcode);
  const std::size_t size = payload.size();
  if (size < 126) {
    out_.push_back(static_cast<std::uint8_t>(0x80 | size));
  } else {
    const int more = size < 65536 ? 2 : 8;
    out_.push_back(static_cast<std::uint8_t>(0x80 | (more == 2 ? 126 : 127)));
    for (int i = more - 1; i >= 0; --i) out_.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(size) >> (8 * i)));
  }
  out_.insert(out_.end(), mask, mask + 4);
  const std::size_t begin = out_.size();
  out_.insert(out_.end(), payload.begin(), payload.end());
  for (std::size_t i = 0; i < size; ++i) out_[begin + i] ^= mask[i & 3];
  return waited ? ok() : flush();
}

}  // namespace fluentgate::bench
