// One WebSocket: fragments in, preframed bytes out, the close frame last. Implements the core's Transport over one lws connection.
// Thread: loop. Lifetime: from LWS_CALLBACK_ESTABLISHED to LWS_CALLBACK_CLOSED; the connection's user pointer owns it.
//
// Writes go out at once, from any place on the loop: lws takes whole what the kernel doesn't, so nothing is written while something waits there.
// The close frame is written like any other, so it follows what was written before. lws's own way (lws_close_reason and -1) loses it where something
// is still buffered, and in Debian's 4.1.6 also after the writable callback, which that build follows with a second, hard close.
#pragma once

#include <libwebsockets.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/domain/ports.hpp"
#include "core/gateway/gateway.hpp"
#include "core/wire/utf8.hpp"

namespace fluentgate::lws_plugin {

class WsSession final : public Transport {
 public:
  explicit WsSession(lws* wsi) : wsi_(wsi) {}
  WsSession(const WsSession&) = delete;
  WsSession& operator=(const WsSession&) = delete;
  ~WsSession() override;

  // Registers with the core. Without it (a refusal after the upgrade), only close() is of use and nothing is read.
  void open(gateway::Gateway& gateway, auth::Admitted admitted);

  // lws's callbacks; what they return is for lws: 0, or -1 to end the connection.
  int on_receive(const void* data, std::size_t size) noexcept;
  int on_pong() noexcept;
  int on_writable() noexcept;
  int on_peer_close(const void* data, std::size_t size) noexcept;  // its first close frame, answered by lws unless broken, or its answer to ours
  void on_ending() noexcept;      // lws has begun to end the connection: nothing is written any more
  void on_closed() noexcept;

  bool writable() const noexcept override;
  Written write(const std::uint8_t* data, std::size_t size) noexcept override;
  void want_writable() noexcept override;
  void close(CloseCode code) noexcept override;
  void abort() noexcept override;

 private:
  void whole_message(std::span<const std::uint8_t> message) noexcept;

  lws* wsi_;
  std::shared_ptr<gateway::Socket> socket_;
  std::vector<std::uint8_t> message_;  // fragments so far; empty between messages
  std::optional<CloseCode> code_;      // set: a close frame was sent; nothing more is read or written
  wire::Utf8Validator utf8_;
  bool text_ = false;
  bool ended_ = false;                 // the connection is ending; nothing more is written
  bool wants_writable_ = false;        // the core asked; lws calls for reasons of its own too
};

}  // namespace fluentgate::lws_plugin
