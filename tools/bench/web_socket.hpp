// A WebSocket client connection (RFC 6455) that does no more than a load generator needs: opens, sends masked messages, takes whole or joined frames apart
// in place. Never blocks. Thread: the loop's. The address must not change while it is in the loop's table.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/result.hpp"
#include "tools/bench/gateway_url.hpp"

namespace fluentgate::bench {

class WebSocket {
 public:
  enum class State : std::uint8_t { closed, connecting, open };
  // What comes of one read: views into the buffer, valid during the call.
  class Receiver {
   public:
    virtual ~Receiver() = default;
    virtual void on_binary(std::span<const std::uint8_t> message) = 0;
    virtual void on_text(std::string_view message) = 0;
  };

  WebSocket() = default;
  ~WebSocket();
  WebSocket(WebSocket&& other) noexcept;
  WebSocket& operator=(WebSocket&&) = delete;

  // Begins: `target` is the path with its query. Registers in epoll under `index`. Error "socket": the system's words.
  Status open(const GatewayUrl& gateway, const std::string& target, int epoll, std::uint32_t index);
  // Something happened. Error "closed": refused (the status), closed (the code) or lost; the socket is closed then.
  Status on_ready(std::uint32_t events, std::span<std::uint8_t> buffer, Receiver& receiver);
  // Nothing is lost: what the kernel doesn't take waits here. Error "backlog" if more than backlog_bytes_max wait already.
  Status send_binary(std::span<const std::uint8_t> payload);
  void close();

  State state() const noexcept { return state_; }
  static constexpr std::size_t backlog_bytes_max = 1u << 20;

 private:
  Status on_bytes(std::span<const std::uint8_t> bytes, Receiver& receiver);
  Result<std::size_t> take_frames(std::span<const std::uint8_t> bytes, Receiver& receiver);
  Status finish_handshake();
  Status flush();
  Status send_frame(std::uint8_t opcode, std::span<const std::uint8_t> payload);
  void watch(bool for_writing);
  Status lost(std::string why);

  int fd_ = -1, epoll_ = -1;
  std::uint32_t index_ = 0;
  State state_ = State::closed;
  bool watching_writes_ = false;
  std::vector<std::uint8_t> rest_;  // the beginning of a frame, or of the handshake's answer
  std::vector<std::uint8_t> out_;   // what waits for the kernel
};

}  // namespace fluentgate::bench
