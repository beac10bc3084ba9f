#include "core/gateway/sockets.hpp"

#include <exception>
#include <string_view>
#include <utility>

#include "core/domain/limits.hpp"
#include "core/gateway/audio_input.hpp"
#include "core/wire/base64.hpp"
#include "core/wire/client_message.hpp"
#include "core/wire/server_event.hpp"

namespace fluentgate::gateway {

namespace {

std::string_view text_of(std::span<const std::uint8_t> message) { return {reinterpret_cast<const char*>(message.data()), message.size()}; }

class SocketBase : public Socket {
 public:
  SocketBase(Hub& hub, Seat seat) : hub_(hub), seat_(std::move(seat)) {}

  void on_message(Kind kind, std::span<const std::uint8_t> message) noexcept final {
    if (!live()) return;
    try {
      handle(kind, message);
    } catch (const std::exception& error) {  // out of memory, most likely: this socket ends, the host and the others go on
      hub_.core.logger.write(LogLevel::error, "gateway", error.what());
      seat_.session->close(CloseCode::internal_error);
    }
  }
  void on_writable() noexcept final {
    if (!live()) return;
    try {
      pump();
    } catch (const std::exception& error) {
      hub_.core.logger.write(LogLevel::error, "gateway", error.what());
      seat_.session->close(CloseCode::internal_error);
    }
  }
  void on_activity() noexcept final {
    if (live()) seat_.session->activity(hub_.core.clock.steady_ms());
  }
  void on_closed() noexcept final {
    if (!seat_.session) return;
    guarded([this] { closing(); });
    guarded([this] { hub_.leave(seat_); });
  }

 private:
  template <class Step>
  void guarded(Step step) noexcept {
    try {
      step();
    } catch (const std::exception& error) {
      hub_.core.logger.write(LogLevel::error, "gateway", error.what());
    }
  }

 protected:
  virtual void handle(Kind kind, std::span<const std::uint8_t> message) = 0;
  virtual void pump() {
    seat_.session->pump([](Session&, std::uint32_t, std::int64_t, SkipReason) {});
    // The participant's audio may have waited for an event on this socket.
    if (seat_.session->endpoint() == Endpoint::signaling) hub_.playback.pump(*seat_.participant);
  }
  virtual void closing() {}
  bool live() const noexcept { return seat_.session && seat_.session->open(); }
  void tell_refusal(const wire::Refusal& refusal) {
    hub_.core.metrics.client_error(wire::name_of(refusal.code));
    tell(seat_.session, wire::error_event(refusal));
  }

  // The messages that both control endpoints have; false: another.
  bool handle_control(const wire::ClientMessage& message) {
    if (const auto* refusal = std::get_if<wire::Refusal>(&message)) {
      tell_refusal(*refusal);
    } else if (const auto* language = std::get_if<wire::SetLanguage>(&message)) {
      hub_.set_language(seat_, *language);
    } else if (const auto* refresh = std::get_if<wire::Refresh>(&message)) {
      hub_.refresh(seat_, *refresh);
    } else if (const auto* ping = std::get_if<wire::Ping>(&message)) {
      tell(seat_.session, wire::pong_event(*ping));
    } else {
      return false;
    }
    return true;
  }

  Hub& hub_;
  Seat seat_;
};

class AudioSocket final : public SocketBase, public AudioTimers {
 public:
  using SocketBase::SocketBase;
  std::size_t message_bytes_max() const noexcept override { return hub_.core.settings.audio.max_message_bytes; }

  void tick() override {
    if (input_ && live()) take(input_->tick());
  }
  // Also of a socket that is being closed: what it sent before counts.
  void flush() override {
    if (input_) take(input_->flush());
  }

 private:
  void handle(Kind kind, std::span<const std::uint8_t> message) override {
    if (!seat_.session->within_rate(hub_.core.clock.steady_ms())) return seat_.session->close(CloseCode::rate_limited);
    if (kind == Kind::binary) return take(input().audio(message));
    const std::string_view text = text_of(message);
    if (wire::is_control(text)) return control(text);
    if (!hub_.core.settings.audio.accept_base64) {
      return tell_refusal({wire::ErrorCode::not_an_object, "a text message is a JSON object here: audio.accept_base64 is off", false});
    }
    const auto pcm = wire::base64_decode(text);
    if (!pcm) return tell_refusal({wire::ErrorCode::bad_base64, "a text message is a JSON object or base64 of s16le PCM", false});
    take(input().audio(*pcm));
  }

  void control(std::string_view text) {
    const wire::ClientMessage message = wire::parse_audio_control(text);
    if (const auto* refusal = std::get_if<wire::Refusal>(&message); refusal != nullptr && refusal->start) input().refuse_audio(*refusal);
    if (handle_control(message)) return;
    if (const auto* start = std::get_if<wire::Start>(&message)) return begin(*start);
    if (std::holds_alternative<wire::Mute>(message)) return take(input().mute());
    if (std::holds_alternative<wire::Unmute>(message)) return input().unmute();
    if (std::holds_alternative<wire::Flush>(message)) return take(input().flush());
    if (const auto* played = std::get_if<wire::Played>(&message)) return hub_.played(seat_, *played);
  }

  void begin(const wire::Start& start) {
    AudioInput::Outcome outcome = input().start(start);
    const bool refused = outcome.refusal.has_value();
    take(std::move(outcome));
    if (refused) return;
    if (start.speaking_language) hub_.set_speaking(seat_, *start.speaking_language);
    wire::Start in_force = start;  // a start that names no language leaves the one there was
    if (!in_force.speaking_language) in_force.speaking_language = seat_.participant->speaking;
    tell(seat_.session, wire::started_event(in_force));
  }

  void take(AudioInput::Outcome outcome) {
    if (outcome.voiced) hub_.voiced(seat_);
    for (auto& piece : outcome.pieces) {
      hub_.publish(seat_, piece.encoding, piece.sample_rate, std::move(piece.audio), piece.ingest_ms, piece.duration_us);
    }
    if (outcome.refusal) tell_refusal(*outcome.refusal);
  }

  void pump() override { hub_.playback.pump(*seat_.participant); }
  void closing() override { flush(); }

  // Made with the first audio, so that a socket that only listens stays small.
  AudioInput& input() {
    if (!input_) input_ = std::make_unique<AudioInput>(hub_.core.settings, hub_.core.clock);
    return *input_;
  }

  std::unique_ptr<AudioInput> input_;
};

class SignalingSocket final : public SocketBase {
 public:
  using SocketBase::SocketBase;
  std::size_t message_bytes_max() const noexcept override { return hub_.core.settings.signaling.max_message_bytes; }

 private:
  void handle(Kind kind, std::span<const std::uint8_t> message) override {
    if (kind == Kind::binary) return seat_.session->close(CloseCode::unsupported_data);
    if (!seat_.session->within_rate(hub_.core.clock.steady_ms())) {
      return tell_refusal({wire::ErrorCode::rate_limited,
                           "more than " + std::to_string(hub_.core.settings.limits.messages_per_s) + " messages per second", false});
    }
    const std::string_view text = text_of(message);
    const wire::ClientMessage parsed = wire::parse_signaling(text);
    if (handle_control(parsed)) return;
    if (const auto* relay = std::get_if<wire::Relay>(&parsed)) {
      const bool guest = relay->target_user_id && hub_.cluster && hub_.cluster->is_guest(seat_.room->id(), *relay->target_user_id);
      hub_.presence.relay(*seat_.room, *seat_.participant, text, *relay, guest);
    }
  }
};

class CaptionsSocket final : public SocketBase {
 public:
  using SocketBase::SocketBase;
  std::size_t message_bytes_max() const noexcept override { return hub_.core.settings.signaling.max_message_bytes; }

 private:
  // Nothing is expected here: it is dropped, and a flood of it ends the socket.
  void handle(Kind, std::span<const std::uint8_t>) override {
    constexpr SteadyMs window_ms = 10000;
    const SteadyMs now = hub_.core.clock.steady_ms();
    if (now - window_start_ms_ >= window_ms) {
      window_start_ms_ = now;
      count_ = 0;
    }
    if (++count_ > limits::captions_client_messages_max) seat_.session->close(CloseCode::policy_violation);
  }

  SteadyMs window_start_ms_ = -1000000;
  std::size_t count_ = 0;
};

}  // namespace

std::shared_ptr<Socket> make_socket(Hub& hub, Seat seat) {
  switch (seat.session->endpoint()) {
    case Endpoint::audio: {
      const auto session = seat.session;
      const auto socket = std::make_shared<AudioSocket>(hub, std::move(seat));
      hub.audio_socket(*session, socket);
      return socket;
    }
    case Endpoint::signaling: return std::make_shared<SignalingSocket>(hub, std::move(seat));
    case Endpoint::captions: break;
  }
  return std::make_shared<CaptionsSocket>(hub, std::move(seat));
}

}  // namespace fluentgate::gateway
