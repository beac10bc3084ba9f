// NumberKeeper towards the uploads: numbers, releases, time. What the others tell is taken in number_news.cpp.
#include "core/domain/number_keeper.hpp"

#include <algorithm>

namespace fluentgate {

std::string_view NumberKeeper::name_of(Way way) noexcept {
  switch (way) {
    case Way::fresh: return "fresh";
    case Way::resumed: return "resumed";
    case Way::handed_over: return "handed_over";
    case Way::forced: return "forced";
    case Way::log: return "log";
  }
  return "";
}

std::string NumberKeeper::key(const RoomId& room, const UserId& user) {
  std::string out;
  out.reserve(room.value.size() + 1 + user.value.size());
  out += room.value;  // has no NUL (valid_room_id)
  out += '\0';
  out += user.value;
  return out;
}

NumberKeeper::Speaker* NumberKeeper::find(const RoomId& room, const UserId& user) {
  const auto found = speakers_.find(key(room, user));
  return found == speakers_.end() ? nullptr : &found->second;
}

void NumberKeeper::join(NumberAuthority& authority, LogTail& tail, std::string instance) {
  authority_ = &authority;
  tail_ = &tail;
  instance_ = std::move(instance);
  started_ms_ = clock_.unix_ms();
  away_since_ms_ = clock_.steady_ms();
}

void NumberKeeper::recovery_done() { book_.recovery_done(); }

std::optional<std::int64_t> NumberKeeper::next(const RoomId& room, const UserId& user) {
  if (authority_ == nullptr) return book_.next(room, user);
  Speaker& speaker = speakers_[key(room, user)];
  if (speaker.state == State::owned) {
    if (speaker.releasing && speaker.allowance == 0) return std::nullopt;
    if (!away_since_ms_) {
      if (!doubtful(speaker)) return speaker.next;
      check(speaker);
      return std::nullopt;
    }
    const SteadyMs now = clock_.steady_ms();
    if (!away_for_long(now) || speaker.inflight > 0 || now - speaker.used_ms <= away_idle_ms) return speaker.next;
    speaker.provisional = true;
    speaker.granted = false;
    speaker.wanted_ms = now;
    read_log(speaker, true);
    return std::nullopt;
  }
  if (speaker.state != State::none) return std::nullopt;
  const SteadyMs now = clock_.steady_ms();
  if (now < speaker.not_before_ms) return std::nullopt;
  speaker.who = {room, user};
  speaker.wanted_ms = now;
  speaker.way = Way::resumed;
  speaker.granted = speaker.log_read = false;
  if (away_for_long(now)) read_log(speaker, true);
  else claim(speaker);
  return std::nullopt;
}

// Silent since before all were back on Redis: meanwhile it may have been elsewhere, numbered by an instance that could not tell us. One question, not one
// a frame.
bool NumberKeeper::doubtful(const Speaker& speaker) const {
  if (speaker.used_ms >= back_until_ms_ || speaker.inflight > 0 || speaker.confirmed_ms > speaker.used_ms) return false;
  return clock_.steady_ms() - speaker.used_ms > away_idle_ms;
}

void NumberKeeper::check(Speaker& speaker) {
  speaker.state = State::checking;
  speaker.asked_ms = clock_.steady_ms();
  NumberRecord record = speaker.record;
  if (speaker.inflight == 0) record.next = speaker.next;
  authority_->save_all({{speaker.who.room, speaker.who.user, std::move(record), speaker.provisional}});
}

void NumberKeeper::used(const RoomId& room, const UserId& user) {
  const SteadyMs now = clock_.steady_ms();
  if (authority_ == nullptr) return book_.used(room, user, now);
  Speaker* const speaker = find(room, user);
  if (speaker == nullptr) return;
  ++speaker->next;
  ++speaker->inflight;
  speaker->used_ms = now;
  if (speaker->releasing && speaker->allowance > 0) --speaker->allowance;
}

void NumberKeeper::settled(const RoomId& room, const UserId& user, std::int64_t number, std::int32_t partition, std::int64_t offset,
                           std::int64_t ack_us) {
  if (authority_ == nullptr) return;
  Speaker* const speaker = find(room, user);
  if (speaker == nullptr || speaker->inflight == 0) return;
  --speaker->inflight;
  if (speaker->state != State::owned && speaker->state != State::checking) return;
  speaker->dirty = true;
  if (partition < 0 || offset < 0 || number < speaker->record.next) return;
  speaker->record.next = number + 1;
  speaker->record.partition = partition;
  speaker->record.offset = offset;
  speaker->record.at_ms = clock_.unix_ms() - ack_us / 1000;
}

std::int64_t NumberKeeper::floor_of(const Speaker& speaker) const {
  return std::max(speaker.next, book_.known(speaker.who.room, speaker.who.user).value_or(0));
}

void NumberKeeper::claim(Speaker& speaker, std::optional<std::int64_t> first) {
  speaker.state = State::claiming;
  speaker.ticket = ++tickets_;
  speaker.asked_ms = clock_.steady_ms();
  authority_->claim(speaker.who, speaker.ticket, first, clock_.unix_ms());
}

void NumberKeeper::read_log(Speaker& speaker, bool lookback) {
  speaker.state = State::reading;
  speaker.ticket = ++tickets_;
  if (lookback) speaker.way = Way::log;
  tail_->ask({speaker.ticket, speaker.who.room, speaker.who.user, speaker.record, lookback});
}

// The listener is told last: it may release the speaker at once.
void NumberKeeper::own(Speaker& speaker) {
  const SteadyMs now = clock_.steady_ms();
  const NumberAuthority::Speaker who = speaker.who;
  const Way way = speaker.way;
  const SteadyMs wanted_ms = speaker.wanted_ms;
  speaker.next = std::max(speaker.record.next, floor_of(speaker));
  speaker.dirty = speaker.record.tail || speaker.next != speaker.record.next;
  speaker.record.next = speaker.next;
  speaker.record.tail = false;
  if (speaker.record.at_ms == 0) speaker.record.at_ms = clock_.unix_ms();
  speaker.suspect = 0;
  speaker.saved_ms = now;
  speaker.log_read = false;
  speaker.state = State::owned;
  speaker.used_ms = now;
  if (!speaker.wanted_by.empty()) begin_release(speaker, now);
  listener_.number_owned(way, now - wanted_ms);
  listener_.number_known(who.room, who.user);
}

void NumberKeeper::begin_release(Speaker& speaker, SteadyMs now) {
  if (speaker.releasing) return;
  speaker.releasing = true;
  speaker.used_ms = now;
  speaker.allowance = listener_.chunks_waiting(speaker.who.room, speaker.who.user);
  ++releasing_;
}

void NumberKeeper::end_release(Speaker& speaker) {
  if (speaker.releasing) --releasing_;
  speaker.releasing = false;
  speaker.allowance = 0;
}

void NumberKeeper::try_release(const RoomId& room, const UserId& user, bool nothing_waits) {
  Speaker* const speaker = find(room, user);
  if (speaker == nullptr || !speaker->releasing || speaker->state != State::owned || speaker->inflight > 0) return;
  if (!nothing_waits && speaker->allowance > 0) return;
  if (!authority_->connected()) return;  // who asked will ask again
  release(*speaker);
}

void NumberKeeper::release(Speaker& speaker) {
  end_release(speaker);
  NumberRecord record = speaker.record;
  record.next = speaker.next;
  authority_->release(speaker.who, record, speaker.wanted_by);
  if (speaker.next > 0) book_.recovered(speaker.who.room, speaker.who.user, speaker.next - 1, clock_.steady_ms());
  speaker.not_before_ms = speaker.wanted_by.empty() ? 0 : clock_.steady_ms() + courtesy_ms;
  speaker.wanted_by.clear();
  speaker.state = State::none;
  speaker.provisional = speaker.dirty = false;
}

void NumberKeeper::answer_wanting(Speaker& speaker) {
  for (const std::string& instance : speaker.wanted_by) authority_->note(NumberNote::Kind::released, speaker.who, instance);
  speaker.wanted_by.clear();
  end_release(speaker);
}

void NumberKeeper::connected(bool is_connected) {
  if (authority_ == nullptr) return;
  const SteadyMs now = clock_.steady_ms();
  silent_.clear();
  if (!is_connected) {
    if (!away_since_ms_) away_since_ms_ = now;
    return;
  }
  away_since_ms_.reset();
  if (was_connected_) {
    back_until_ms_ = now + rewrite_ms;
    connected_ms_ = now;
  }
  was_connected_ = true;
  save(true, now);
  for (auto& [name, speaker] : speakers_) {
    if (speaker.state == State::claiming || speaker.state == State::waiting || speaker.state == State::forcing) claim(speaker);
  }
}

void NumberKeeper::awake(SteadyMs now) {
  if (authority_ == nullptr) return;
  const UnixMs unix_ms = clock_.unix_ms();
  const bool paused = awake_ms_ > 0 && (now - awake_ms_ > pause_ms || unix_ms - awake_unix_ms_ > pause_ms);
  awake_ms_ = now;
  awake_unix_ms_ = unix_ms;
  if (!paused) return;
  for (auto& [name, speaker] : speakers_) {
    if (speaker.state != State::owned) continue;
    speaker.state = State::checking;
    speaker.suspect = speaker.inflight;
    speaker.asked_ms = now;
  }
  save(true, now);
}

void NumberKeeper::save(bool all, SteadyMs now) {
  save_due_ms_ = now + checkpoint_ms;
  if (!authority_->connected()) return;
  std::vector<NumberAuthority::Saved> records;
  bool any = false;
  for (auto& [name, speaker] : speakers_) {
    if (speaker.state != State::owned && speaker.state != State::checking) continue;
    any = true;
    if (!all && !speaker.dirty && !speaker.provisional) continue;
    NumberRecord record = speaker.record;
    if (speaker.inflight == 0) record.next = speaker.next;
    speaker.dirty = false;
    records.push_back({speaker.who.room, speaker.who.user, std::move(record), speaker.provisional});
  }
  if (any) authority_->save_all(std::move(records));
}

void NumberKeeper::tick() {
  const SteadyMs now = clock_.steady_ms();
  if (now >= forget_due_ms_) {
    forget_due_ms_ = now + idle_ms;
    book_.forget_before(now);
    std::erase_if(silent_, [now](const auto& entry) { return now - entry.second.last_ms > idle_ms; });
  }
  if (authority_ == nullptr) return;
  if (now >= save_due_ms_) save(false, now);
  for (auto it = speakers_.begin(); it != speakers_.end();) {
    if (!tend(it->second, now)) {
      ++it;
      continue;
    }
    const Speaker& speaker = it->second;
    if (speaker.next > 0) book_.recovered(speaker.who.room, speaker.who.user, speaker.next - 1, now);
    it = speakers_.erase(it);
  }
}

// True: nothing of it needs to be remembered.
bool NumberKeeper::tend(Speaker& speaker, SteadyMs now) {
  switch (speaker.state) {
    case State::none:
      return speaker.inflight == 0 && now >= speaker.not_before_ms;
    case State::owned:
      if (speaker.inflight == 0 && !speaker.releasing && now - speaker.used_ms >= idle_ms && authority_->connected() && !speaker.provisional) {
        release(speaker);
        return true;
      }
      return false;
    case State::reading:
      return false;
    case State::claiming:
    case State::waiting:
    case State::forcing:
    case State::checking:
      break;
  }
  if (now - speaker.asked_ms < ask_again_ms) return false;
  if (away_for_long(now)) {
    speaker.granted = false;
    read_log(speaker, true);
    return false;
  }
  if (!authority_->connected()) return false;
  if (speaker.state == State::checking) {
    check(speaker);
    return false;
  }
  if (speaker.inflight == 0 && speaker.wanted_by.empty() && listener_.chunks_waiting(speaker.who.room, speaker.who.user) == 0) return true;
  claim(speaker);
  return false;
}

void NumberKeeper::release_all() {
  if (authority_ == nullptr) return;
  for (auto& [name, speaker] : speakers_) {
    if (speaker.state == State::owned && speaker.inflight == 0) release(speaker);
  }
}

}  // namespace fluentgate
