#include "core/domain/session.hpp"

#include <algorithm>

#include "core/domain/limits.hpp"

namespace fluentgate {

Session::Session(std::uint64_t id, Endpoint endpoint, bool framed, Transport& transport, const SessionBounds& bounds, const Clock& clock)
    : id_(id), endpoint_(endpoint), framed_(framed), transport_(&transport), bounds_(bounds), clock_(clock),
      bucket_(bounds.messages_per_s), last_received_ms_(clock.steady_ms()) {}

bool Session::may_write() const noexcept { return transport_ != nullptr && transport_->writable(); }

// True while the first frame has to wait for an event on the participant's other socket.
bool Session::audio_held() noexcept {
  if (!held_) return false;
  const auto other = held_by_.lock();
  const bool out = !other || !other->open() || other->written_ > held_until_ || (other->written_ == held_until_ && other->may_write());
  if (out) held_ = false;
  return held_;
}

void Session::hold_audio_for(const std::shared_ptr<Session>& other) {
  if (!other || other.get() == this) return;
  held_ = true;
  held_by_ = other;
  held_until_ = other->given_;
}

void Session::written(Transport::Written result) noexcept {
  if (result == Transport::Written::dead) {
    closing_ = true;
  } else if (result == Transport::Written::backlogged) {
    note_backlog();
  }
}

void Session::note_backlog() noexcept {
  if (transport_ != nullptr && !waiting_for_room_) {
    waiting_for_room_ = true;
    transport_->want_writable();
  }
}

void Session::send(const SharedBytes& message) {
  if (!open()) return;
  ++given_;
  if (outbox_.empty() && may_write()) {
    ++written_;
    written(transport_->write(message->data(), message->size()));
    return;
  }
  // Text is never skipped, and pushes no audio out: the next frame of audio does, and tells of it.
  const bool alone = waiting_text_bytes_ == 0;
  waiting_text_bytes_ += message->size();
  outbox_.push({message, 0, static_cast<std::uint32_t>(message->size())}, static_cast<std::size_t>(-1), {});
  if (!alone && waiting_text_bytes_ > bounds_.outbox_bytes) return close(CloseCode::too_slow);
  note_backlog();
}

void Session::send_audio(const SharedBytes& joined, std::span<const FrameSlice> slices, const SkippedHandler& skipped) {
  if (!open() || slices.empty()) return;
  given_ += slices.size();
  std::size_t next = 0;
  if (outbox_.empty() && !audio_held()) {
    while (next < slices.size() && open() && may_write()) {
      std::size_t last = next;  // slices that lie side by side go in one write
      while (last + 1 < slices.size() && slices[last + 1].begin == slices[last].end) ++last;
      written_ += last + 1 - next;
      written(transport_->write(joined->data() + slices[next].begin, slices[last].end - slices[next].begin));
      const SteadyUs now = clock_.steady_us();
      for (; next <= last; ++next) {
        if (open() && slices[next].trace != nullptr && *slices[next].trace) (*slices[next].trace)->written(now);
      }
    }
  }
  for (; next < slices.size() && open(); ++next) {
    const FrameSlice& slice = slices[next];
    OutboxItem item{joined, slice.begin, slice.end, slice.audio_ms, slice.speaker, slice.made_ms, slice.trace ? *slice.trace : nullptr};
    bool skipped_any = false;
    const bool within = outbox_.push(std::move(item), bounds_.outbox_bytes, [&](const OutboxItem& gone) {
      skipped_any = true;
      ++written_;  // it will not wait any more
      skipped(*this, gone.speaker, gone.audio_ms, SkipReason::slow);
    });
    if ((skipped_any || (!within && outbox_.size() > 1)) && slow_since_ms_ < 0) slow_since_ms_ = clock_.steady_ms();
    note_backlog();
  }
}

void Session::pump(const SkippedHandler& skipped) {
  waiting_for_room_ = false;
  const UnixMs now_unix = clock_.unix_ms();
  const auto stale = [&](const OutboxItem& item) {
    return bounds_.max_age_ms > 0 && item.audio_ms >= 0 && item.made_ms > 0 && now_unix - item.made_ms > bounds_.max_age_ms;
  };
  while (open() && !outbox_.empty() && may_write()) {
    const OutboxItem& first = outbox_.front();
    const bool audio = first.audio_ms >= 0;
    if (audio && audio_held()) break;
    // What became too old while it waited is skipped, told and never played late.
    if (stale(first)) {
      const OutboxItem gone = first;
      outbox_.pop(1);
      ++written_;
      skipped(*this, gone.speaker, gone.audio_ms, SkipReason::stale);
      continue;
    }
    auto run = outbox_.front_run();
    if (!audio) run = run.first(1);
    run = run.first(static_cast<std::size_t>(std::find_if(run.begin(), run.end(), stale) - run.begin()));
    if (!audio) waiting_text_bytes_ -= first.size();
    const SharedBytes keep = first.buffer;
    const std::size_t count = run.size();
    written_ += count;
    written(transport_->write(keep->data() + run.front().begin, run.back().end - run.front().begin));
    const SteadyUs now = clock_.steady_us();
    for (const OutboxItem& item : run) {
      if (item.trace && open()) item.trace->written(now);
    }
    outbox_.pop(count);
    if (outbox_.bytes() <= bounds_.outbox_bytes) slow_since_ms_ = -1;
  }
  if (outbox_.empty()) slow_since_ms_ = -1;
  if (open() && !outbox_.empty() && !may_write()) note_backlog();
}

void Session::close(CloseCode code) {
  if (transport_ != nullptr && !closing_) {
    closing_ = true;
    transport_->close(code);
    if (bounds_.closed) bounds_.closed(code);
  }
}

void Session::abort() {
  if (transport_ != nullptr) {
    closing_ = true;
    transport_->abort();
  }
}

void Session::detach() noexcept {
  transport_ = nullptr;
  closing_ = true;
  outbox_ = Outbox{};
  waiting_text_bytes_ = 0;
}

bool Session::too_slow(SteadyMs now) const noexcept { return slow_since_ms_ >= 0 && now - slow_since_ms_ >= bounds_.slow_close_ms; }

bool Session::check_alive(SteadyMs now, const SharedBytes& ping) {
  if (ping_sent_ms_ >= 0) return now - ping_sent_ms_ < limits::pong_within_ms;
  if (now - last_received_ms_ >= limits::ping_after_ms) {
    ping_sent_ms_ = now;
    send(ping);
  }
  return true;
}

}  // namespace fluentgate
