// One socket of a participant: what is written to it, in order, within its bounds. Thread: loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/endpoint.hpp"
#include "core/domain/outbox.hpp"
#include "core/domain/ports.hpp"
#include "core/domain/rate_limit.hpp"

namespace fluentgate {

enum class SkipReason : std::uint8_t { stale, slow };
constexpr std::string_view name_of(SkipReason r) noexcept { return r == SkipReason::stale ? "stale" : "slow"; }

// The process's bounds for every session, from options, and who counts the ends.
struct SessionBounds {
  std::size_t outbox_bytes = 0;
  std::int64_t slow_close_ms = 0;
  std::int64_t max_age_ms = 0;
  std::int64_t messages_per_s = 0;
  std::function<void(CloseCode)> closed;  // a session was closed from here; may be empty
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // A slice of a joined buffer: one audio frame as this session's wire format has it.
  struct FrameSlice {
    std::uint32_t begin = 0, end = 0;
    std::uint32_t speaker = 0;          // the room's number of the speaker
    std::int32_t audio_ms = 0;
    UnixMs made_ms = 0;
    const std::shared_ptr<DeliveryTrace>* trace = nullptr;
  };
  // What the session needs told when it skips audio by itself (a slow listener).
  using SkippedHandler = std::function<void(Session&, std::uint32_t speaker, std::int64_t audio_ms, SkipReason)>;

  Session(std::uint64_t id, Endpoint endpoint, bool framed, Transport& transport, const SessionBounds& bounds, const Clock& clock);

  std::uint64_t id() const noexcept { return id_; }
  Endpoint endpoint() const noexcept { return endpoint_; }
  bool framed() const noexcept { return framed_; }
  bool open() const noexcept { return transport_ != nullptr && !closing_; }

  // A framed text (or control) message. More text than the bound waiting closes 4008, for text is never skipped; one message alone never does.
  void send(const SharedBytes& message);
  // Audio frames, in order. They may be joined with what follows; a slow listener loses its oldest ones.
  void send_audio(const SharedBytes& joined, std::span<const FrameSlice> slices, const SkippedHandler& skipped);
  // Audio waits until all that `other` has been given by now is written (suppress_original before the first frame).
  void hold_audio_for(const std::shared_ptr<Session>& other);

  // Writes what waits while there is room.
  void pump(const SkippedHandler& skipped);
  void close(CloseCode code);
  void abort();
  // The transport is gone; nothing is written any more.
  void detach() noexcept;

  // Over the bound without a break since; nothing while within it.
  bool too_slow(SteadyMs now) const noexcept;
  bool flushed() const noexcept { return outbox_.empty(); }
  std::size_t waiting_bytes() const noexcept { return outbox_.bytes(); }

  bool within_rate(SteadyMs now) noexcept { return bucket_.take(now); }
  void activity(SteadyMs now) noexcept { last_received_ms_ = now; ping_sent_ms_ = -1; }
  // Sends a ping after 20 s of silence; false when the peer has not answered for 20 s more (CONTRACT 1).
  bool check_alive(SteadyMs now, const SharedBytes& ping);

  // The place in its room's list of listeners, kept by Room.
  std::size_t group_index = npos;
  std::size_t index_in_group = npos;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

 private:
  bool may_write() const noexcept;
  bool audio_held() noexcept;
  void written(Transport::Written result) noexcept;
  void note_backlog() noexcept;

  // given
  std::uint64_t id_;
  Endpoint endpoint_;
  bool framed_;
  Transport* transport_;
  const SessionBounds& bounds_;
  const Clock& clock_;
  // owned
  Outbox outbox_;
  TokenBucket bucket_;
  // state
  bool closing_ = false;
  bool waiting_for_room_ = false;
  std::uint64_t given_ = 0;    // messages handed to this session
  std::uint64_t written_ = 0;  // of them, handed to the transport
  std::weak_ptr<Session> held_by_;
  std::uint64_t held_until_ = 0;
  bool held_ = false;
  std::size_t waiting_text_bytes_ = 0;  // of outbox_
  SteadyMs slow_since_ms_ = -1;
  SteadyMs last_received_ms_;
  SteadyMs ping_sent_ms_ = -1;
};

}  // namespace fluentgate
