#include "plugin/lws/ws_session.hpp"

#include <span>

#include "core/wire/ws_frame.hpp"

namespace fluentgate::lws_plugin {
namespace {

// How long the peer may take, after the close frame, to read what was written before it and to answer; then the socket ends.
constexpr int close_ack_s = 5;

}  // namespace

WsSession::~WsSession() { on_closed(); }

void WsSession::open(gateway::Gateway& gateway, auth::Admitted admitted) {
  socket_ = gateway.open(std::move(admitted), *this);
  if (!socket_) close(CloseCode::internal_error);
}

int WsSession::on_receive(const void* data, std::size_t size) noexcept {
  if (code_ || ended_ || !socket_) return 0;
  socket_->on_activity();
  const std::span<const std::uint8_t> part(static_cast<const std::uint8_t*>(data), data == nullptr ? 0 : size);
  const bool first = lws_is_first_fragment(wsi_) != 0;
  const bool last = lws_is_final_fragment(wsi_) != 0;
  if (first) {
    message_.clear();
    text_ = lws_frame_is_binary(wsi_) == 0;
    utf8_.reset();
  }
  if (message_.size() + part.size() > socket_->message_bytes_max()) {
    close(CloseCode::too_big);
    return 0;
  }
  if (text_ && (!utf8_.feed(part) || (last && !utf8_.complete()))) {
    close(CloseCode::invalid_utf8);
    return 0;
  }
  if (first && last) {
    whole_message(part);
    return 0;
  }
  message_.insert(message_.end(), part.begin(), part.end());
  if (last) {
    const std::vector<std::uint8_t> message = std::move(message_);
    message_ = {};
    whole_message(message);
  }
  return 0;
}

void WsSession::whole_message(std::span<const std::uint8_t> message) noexcept {
  const auto socket = socket_;
  socket->on_message(text_ ? gateway::Socket::Kind::text : gateway::Socket::Kind::binary, message);
}

int WsSession::on_pong() noexcept {
  if (socket_ && !code_) socket_->on_activity();
  return 0;
}

int WsSession::on_writable() noexcept {
  if (code_ || ended_ || !wants_writable_ || !socket_) return 0;
  wants_writable_ = false;
  const auto socket = socket_;
  socket->on_writable();
  return 0;
}

int WsSession::on_peer_close(const void* data, std::size_t size) noexcept {
  // lws looks at the number alone and echoes the rest, whatever it is.
  constexpr std::size_t number_bytes = 2;
  const std::span<const std::uint8_t> payload(static_cast<const std::uint8_t*>(data), data == nullptr ? 0 : size);
  if (payload.size() == 1) close(CloseCode::protocol_error);
  if (payload.size() > number_bytes) {
    utf8_.reset();
    if (!utf8_.feed(payload.subspan(number_bytes)) || !utf8_.complete()) close(CloseCode::invalid_utf8);
  }
  ended_ = true;
  return code_ ? -1 : 0;  // both have sent one: the end
}

void WsSession::on_ending() noexcept { ended_ = true; }

void WsSession::on_closed() noexcept {
  ended_ = true;
  wsi_ = nullptr;
  if (const auto socket = std::move(socket_)) socket->on_closed();
}

bool WsSession::writable() const noexcept { return !code_ && !ended_ && lws_partial_buffered(wsi_) == 0; }

Transport::Written WsSession::write(const std::uint8_t* data, std::size_t size) noexcept {
  if (code_ || ended_) return Written::dead;
  // LWS_WRITE_HTTP: sent as it is. lws reads the bytes only; its signature is older than const.
  if (lws_write(wsi_, const_cast<unsigned char*>(data), size, LWS_WRITE_HTTP) < 0) {
    abort();
    return Written::dead;
  }
  return lws_partial_buffered(wsi_) != 0 ? Written::backlogged : Written::sent;
}

void WsSession::want_writable() noexcept {
  if (code_ || ended_) return;
  wants_writable_ = true;
  lws_callback_on_writable(wsi_);
}

void WsSession::close(CloseCode code) noexcept {
  if (code_ || ended_) return;
  code_ = code;
  std::vector<std::uint8_t>().swap(message_);
  Bytes frame;
  wire::append_close_frame(frame, static_cast<std::uint16_t>(code), close_code_row(code).reason);
  if (lws_write(wsi_, frame.data(), frame.size(), LWS_WRITE_HTTP) < 0) return abort();
  lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_REASON_BASE, close_ack_s);
}

// Also where lws has begun to end it: it may be waiting for the peer.
void WsSession::abort() noexcept {
  if (wsi_ == nullptr) return;
  ended_ = true;
  std::vector<std::uint8_t>().swap(message_);
  lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

}  // namespace fluentgate::lws_plugin
