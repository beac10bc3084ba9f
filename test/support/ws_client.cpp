#include "test/support/ws_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "test/support/check.hpp"

namespace fluentgate::test {
namespace {

using Clock = std::chrono::steady_clock;

std::string base64(std::span<const unsigned char> bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

int connect_to(const std::string& address, int port) {
  const bool v6 = address.find(':') != std::string::npos;
  const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in v4_to{};
  sockaddr_in6 v6_to{};
  v4_to.sin_family = AF_INET;
  v4_to.sin_port = htons(static_cast<std::uint16_t>(port));
  v6_to.sin6_family = AF_INET6;
  v6_to.sin6_port = v4_to.sin_port;
  inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), v6 ? static_cast<void*>(&v6_to.sin6_addr) : static_cast<void*>(&v4_to.sin_addr));
  const auto* to = v6 ? reinterpret_cast<const sockaddr*>(&v6_to) : reinterpret_cast<const sockaddr*>(&v4_to);
  if (::connect(fd, to, v6 ? sizeof v6_to : sizeof v4_to) != 0) {
    const std::string why = std::strerror(errno);
    ::close(fd);
    FAIL("connect to " + address + ":" + std::to_string(port) + ": " + why);
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

struct Connection::Handles {
  int fd = -1;
  SSL_CTX* context = nullptr;
  SSL* tls = nullptr;
  ~Handles() {
    if (tls != nullptr) SSL_free(tls);
    if (context != nullptr) SSL_CTX_free(context);
    if (fd >= 0) ::close(fd);
  }
};

Connection::Connection(const std::string& address, int port, bool tls) : handles_(std::make_unique<Handles>()) {
  handles_->fd = connect_to(address, port);
  if (!tls) return;
  handles_->context = SSL_CTX_new(TLS_client_method());
  handles_->tls = SSL_new(handles_->context);
  constexpr unsigned char offered[] = "\x02h2\x08http/1.1";
  SSL_set_alpn_protos(handles_->tls, offered, sizeof offered - 1);
  SSL_set_fd(handles_->tls, handles_->fd);
  if (SSL_connect(handles_->tls) != 1) FAIL("TLS handshake failed: " + std::string(ERR_error_string(ERR_get_error(), nullptr)));
}

Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;

std::string Connection::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  if (handles_->tls != nullptr) SSL_get0_alpn_selected(handles_->tls, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

void Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long sent = handles_->tls != nullptr ? SSL_write(handles_->tls, bytes.data(), static_cast<int>(bytes.size()))
                                               : ::send(handles_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) FAIL("the connection ended while sending");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::optional<std::string> Connection::receive_within(std::chrono::milliseconds time, std::size_t size) {
  if (handles_->tls == nullptr || SSL_pending(handles_->tls) == 0) {
    const auto until = Clock::now() + time;
    int ready = 0;
    do {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
      pollfd waiting{handles_->fd, POLLIN, 0};
      ready = ::poll(&waiting, 1, static_cast<int>(std::max<long>(left, 0)));
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) return std::nullopt;
  }
  std::string bytes(size, '\0');
  const long got = handles_->tls != nullptr ? SSL_read(handles_->tls, bytes.data(), static_cast<int>(size))
                                            : ::recv(handles_->fd, bytes.data(), size, 0);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

std::string Connection::receive(std::size_t size) {
  auto bytes = receive_within(deadline, size);
  if (!bytes) FAIL("nothing came within " + std::to_string(deadline.count()) + " ms");
  return std::move(*bytes);
}

void Connection::shut_down_write() { ::shutdown(handles_->fd, SHUT_WR); }

std::string HttpReply::header(const std::string& name) const {
  const auto found = headers.find(lower(name));
  return found == headers.end() ? std::string() : found->second;
}

int Frame::close_code() const {
  if (payload.size() < 2) return 1005;
  return static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
}

std::string Frame::close_reason() const { return payload.size() < 2 ? std::string() : payload.substr(2); }

std::string websocket_key() {
  unsigned char bytes[16];
  RAND_bytes(bytes, sizeof bytes);
  return base64(bytes);
}

std::string websocket_accept(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char hash[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
  return base64(hash);
}

void WsClient::fill(std::size_t size) {
  while (buffer_.size() < size) {
    const std::string more = connection_.receive();
    if (more.empty()) FAIL("the connection ended");
    buffer_ += more;
  }
}

std::string WsClient::line() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) fill(buffer_.size() + 1);
  std::string text = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return text;
}

HttpReply WsClient::read_reply(bool head) {
  HttpReply reply;
  const std::string first = line();
  if (first.size() < 12 || !first.starts_with("HTTP/1.1 ")) FAIL("no HTTP answer: " + first);
  reply.status = std::stoi(first.substr(9, 3));
  for (std::string text = line(); !text.empty(); text = line()) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) FAIL("no header: " + text);
    std::size_t value = colon + 1;
    while (value < text.size() && text[value] == ' ') ++value;
    reply.headers[lower(text.substr(0, colon))] = text.substr(value);
  }
  if (head || reply.status == 101 || reply.status == 204) return reply;
  if (const std::string length = reply.header("content-length"); !length.empty()) {
    const auto size = static_cast<std::size_t>(std::stoul(length));
    fill(size);
    reply.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
  } else {
    reply.body = std::exchange(buffer_, {});
    for (std::string more = connection_.receive(); !more.empty(); more = connection_.receive()) reply.body += more;
  }
  return reply;
}

HttpReply WsClient::request(const std::string& method, const std::string& target, const Headers& headers, const std::string& body) {
  std::string text = method + " " + target + " HTTP/1.1\r\n";
  const auto given = [&headers](std::string_view name) {
    return std::any_of(headers.begin(), headers.end(), [name](const auto& header) { return lower(header.first) == name; });
  };
  if (!given("host")) text += "Host: localhost\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  if (!body.empty() && !given("content-length")) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  connection_.send(text + "\r\n" + body);
  return read_reply(method == "HEAD");
}

HttpReply WsClient::upgrade(const std::string& target, const Headers& headers) {
  const std::string key = websocket_key();
  Headers all{{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", key}};
  all.insert(all.end(), headers.begin(), headers.end());
  HttpReply reply = request("GET", target, all);
  if (reply.status == 101) CHECK_EQ(reply.header("sec-websocket-accept"), websocket_accept(key));
  return reply;
}

void WsClient::send_frame(std::uint8_t opcode, std::string_view payload, bool final, bool masked) {
  std::string bytes;
  bytes += static_cast<char>((final ? 0x80 : 0) | opcode);
  const int mask_bit = masked ? 0x80 : 0;
  if (payload.size() < 126) {
    bytes += static_cast<char>(mask_bit | static_cast<int>(payload.size()));
  } else {
    const int size_bytes = payload.size() < 65536 ? 2 : 8;
    bytes += static_cast<char>(mask_bit | (size_bytes == 2 ? 126 : 127));
    for (int i = size_bytes - 1; i >= 0; --i) bytes += static_cast<char>(payload.size() >> (8 * i) & 0xff);
  }
  if (masked) {
    constexpr char mask[] = {0x12, 0x34, 0x56, 0x78};
    bytes.append(mask, 4);
    const std::size_t start = bytes.size();
    bytes += payload;
    for (std::size_t i = 0; i < payload.size(); ++i) bytes[start + i] = static_cast<char>(bytes[start + i] ^ mask[i & 3]);
  } else {
    bytes += payload;
  }
  connection_.send(bytes);
}

void WsClient::send_close(int code, std::string_view reason) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  send_frame(Frame::close, payload + std::string(reason));
}

Frame WsClient::frame() {
  fill(2);
  const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(buffer_[at]); };
  Frame frame;
  frame.final = (byte(0) & 0x80) != 0;
  frame.opcode = byte(0) & 0x0f;
  if ((byte(0) & 0x70) != 0) FAIL("a frame with reserved bits");
  if ((byte(1) & 0x80) != 0) FAIL("a masked frame from the server");
  std::size_t size = byte(1) & 0x7f;
  std::size_t header = 2;
  if (size >= 126) {
    const std::size_t size_bytes = size == 126 ? 2 : 8;
    fill(header + size_bytes);
    size = 0;
    for (std::size_t i = 0; i < size_bytes; ++i) size = size << 8 | byte(header + i);
    header += size_bytes;
  }
  fill(header + size);
  frame.payload = buffer_.substr(header, size);
  buffer_.erase(0, header + size);
  return frame;
}

Frame WsClient::message() {
  std::optional<Frame> whole;
  while (true) {
    Frame part = frame();
    if (part.opcode == Frame::ping) send_frame(Frame::pong, part.payload);
    if (part.opcode == Frame::ping || part.opcode == Frame::pong) continue;
    if (part.opcode == Frame::close) return part;
    if (whole) {
      whole->payload += part.payload;
    } else {
      whole = part;
    }
    if (!part.final) continue;
    whole->final = true;
    return *whole;
  }
}

std::string WsClient::text_that(const std::function<bool(const std::string&)>& fits) {
  while (true) {
    const Frame next = message();
    if (next.opcode == Frame::close) FAIL("closed with " + std::to_string(next.close_code()) + " before the text came");
    if (next.opcode == Frame::text && fits(next.payload)) return next.payload;
  }
}

std::pair<int, std::string> WsClient::closed() {
  while (true) {
    Frame next;
    try {
      next = message();
    } catch (const Failure& failure) {
      if (std::string_view(failure.what()).ends_with("the connection ended")) return {1006, ""};
      throw;
    }
    if (next.opcode != Frame::close) continue;
    try {
      send_frame(Frame::close, next.payload.substr(0, 2));
    } catch (const Failure&) {
      // the server has closed already: the code came all the same
    }
    return {next.close_code(), next.close_reason()};
  }
}

int WsClient::close_code() { return closed().first; }

bool WsClient::ended() {
  while (true) {
    const auto more = connection_.receive_within(connection_.deadline);
    if (!more) return false;
    if (more->empty()) return true;
  }
}

}  // namespace fluentgate::test
