// A WebSocket client that never blocks, for hundreds in one thread: RFC 6455 over loopback TCP, well behaved. Frames of the server are not masked and, as
// the gateway writes them, never fragmented; what breaks that is told as a close with `protocol_broken`. Thread: the reactor's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "test/soak/reactor.hpp"
#include "test/soak/ws_frames.hpp"

namespace fluentgate::soak {

inline constexpr int protocol_broken = -1;  // as a close code: what came is no such frame

class WsSocket : public std::enable_shared_from_this<WsSocket> {
 public:
  struct Events {
    std::function<void()> opened = {};
    std::function<void(int status, const std::string& body)> refused = {};  // an HTTP answer other than 101; 0: no connection
    std::function<void(std::string_view)> text = {};
    std::function<void(std::string_view)> binary = {};
    // Once, the last of all. `ours`: we began to close, and the server answered.
    std::function<void(int code, bool ours)> closed = {};
  };
  using Headers = std::vector<std::pair<std::string, std::string>>;

  static std::shared_ptr<WsSocket> open(Reactor& reactor, int port, const std::string& target, const Headers& headers, Events events);
  // A plain GET: `refused` has its answer.
  static std::shared_ptr<WsSocket> get(Reactor& reactor, int port, const std::string& target, Events events);
  ~WsSocket();
  WsSocket(const WsSocket&) = delete;
  WsSocket& operator=(const WsSocket&) = delete;

  bool is_open() const noexcept { return state_ == State::open; }
  void send_text(std::string_view text) { send(1, text); }
  void send_binary(std::string_view bytes) { send(2, bytes); }
  // Close frame; `closed` follows when the server has answered, or at close_wait_ms as 1006.
  void close();
  // Reads what is there already, before the reactor's turn comes to it.
  void drain();

 private:
  enum class State : std::uint8_t { connecting, answering, open, closing, ended };
  WsSocket(Reactor& reactor, Events events) : reactor_(reactor), events_(std::make_shared<const Events>(std::move(events))) {}
  void connect(int port, std::string request);
  void ready(short events);
  void send(int opcode, std::string_view payload);
  void flush();
  void read_all();
  void read_answer();
  void read_frames();
  void end(int code, bool ours);

  static constexpr Ms open_wait_ms = 10000, close_wait_ms = 10000;

  Reactor& reactor_;
  std::shared_ptr<const Events> events_;  // gone once ended
  int fd_ = -1;
  State state_ = State::connecting;
  bool reading_ = false;
  int refusal_ = 0;  // the HTTP status, where it isn't 101
  std::string out_, answer_;
  FrameReader in_;
  Reactor::TimerId deadline_ = 0;
};

}  // namespace fluentgate::soak
