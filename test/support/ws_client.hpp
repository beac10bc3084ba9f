// A small blocking HTTP and WebSocket client for tests: says exactly the bytes that a test wants, right or wrong ones, and shows exactly what
// came. Every read has a deadline; a test that waits for what never comes fails, it doesn't hang. Thread: one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fluentgate::test {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpReply {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string header(const std::string& name) const;  // empty where absent
};

struct Frame {
  enum Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
  std::uint8_t opcode = 0;
  bool final = true;
  std::string payload;
  int close_code() const;          // 1005 where the close frame has none
  std::string close_reason() const;
};

// Bytes to and from a TCP socket, with TLS or without. Throws Failure for whatever goes wrong.
class Connection {
 public:
  Connection(const std::string& address, int port, bool tls = false);
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  void send(std::string_view bytes);
  // At most size bytes; empty at the end of the stream. Fails at the deadline.
  std::string receive(std::size_t size = 16384);
  // Nothing where the deadline passes first.
  std::optional<std::string> receive_within(std::chrono::milliseconds time, std::size_t size = 16384);
  void shut_down_write();
  std::string alpn() const;  // what TLS agreed on
  std::chrono::milliseconds deadline{10000};  // of each read

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

class WsClient {
 public:
  WsClient(const std::string& address, int port, bool tls = false) : connection_(address, port, tls) {}

  // A request as it is given here; the reply read whole (a body by Content-Length, or to the end of the connection where it has none).
  HttpReply request(const std::string& method, const std::string& target, const Headers& headers = {}, const std::string& body = {});
  // The handshake of RFC 6455, with these headers beside its own. 101 in the reply, with Sec-WebSocket-Accept checked, or what was answered.
  HttpReply upgrade(const std::string& target, const Headers& headers = {});

  void send_text(std::string_view text) { send_frame(Frame::text, text); }
  void send_binary(std::string_view bytes) { send_frame(Frame::binary, bytes); }
  void send_frame(std::uint8_t opcode, std::string_view payload, bool final = true, bool masked = true);
  void send_raw(std::string_view bytes) { connection_.send(bytes); }
  void send_close(int code = 1000, std::string_view reason = {});

  // The next frame of any kind. Fails at the deadline or when the connection ends.
  Frame frame();
  // The next message's frame that is neither ping nor pong; pings are answered. Fragments are joined.
  Frame message();
  // Text messages until one fits.
  std::string text_that(const std::function<bool(const std::string&)>& fits);
  // Skips messages up to the close frame, answers it, and gives its code; 1006 where the connection ends without one.
  int close_code();
  // As close_code(), with the reason.
  std::pair<int, std::string> closed();
  // True where the connection ends within the deadline.
  bool ended();

  Connection& connection() noexcept { return connection_; }

 private:
  std::string line();
  void fill(std::size_t size);
  HttpReply read_reply(bool head);

  Connection connection_;
  std::string buffer_;
};

// Random for Sec-WebSocket-Key, and what the server must make of it.
std::string websocket_key();
std::string websocket_accept(const std::string& key);

}  // namespace fluentgate::test
