// NumberKeeper: what Redis, the other instances and the log tell.
#include <algorithm>

#include "core/domain/number_keeper.hpp"

namespace fluentgate {

void NumberKeeper::take(const NumberNews& news) {
  if (authority_ == nullptr) return;
  if (const auto* claimed = std::get_if<NumberClaimed>(&news)) return take_claimed(*claimed);
  if (const auto* asked = std::get_if<OwnerAsked>(&news)) return take_asked(*asked);
  if (const auto* saved = std::get_if<NumberSaved>(&news)) return take_saved(*saved);
  if (const auto* note = std::get_if<NumberNote>(&news)) return take_note(*note);
  if (const auto* state = std::get_if<AuthorityState>(&news)) return connected(state->connected);
  if (const auto* born = std::get_if<NumbersBorn>(&news)) {
    const UnixMs before = born_ms_;
    born_ms_ = born->born_ms;
    if (before != 0 && before != born_ms_) save(true, clock_.steady_ms());
  }
}

void NumberKeeper::take_claimed(const NumberClaimed& claimed) {
  using Outcome = NumberClaimed::Outcome;
  Speaker* const speaker = find(claimed.room, claimed.user);
  if (speaker == nullptr || speaker->state == State::none) {
    // Nobody waits for it any more.
    if (claimed.outcome == Outcome::granted) authority_->release({claimed.room, claimed.user}, claimed.record, {});
    return;
  }
  if (speaker->ticket != claimed.ticket || (speaker->state != State::claiming && speaker->state != State::forcing)) return;
  switch (claimed.outcome) {
    case Outcome::granted:
      if (speaker->state == State::forcing || claimed.record.tail) speaker->way = Way::forced;
      speaker->record = claimed.record;
      speaker->granted = true;
      speaker->provisional = false;
      if (claimed.record.tail) return read_log(*speaker, false);
      if (clock_.steady_ms() < back_until_ms_ && !speaker->log_read) return read_log(*speaker, true);
      return own(*speaker);
    case Outcome::held:
      if (claimed.record.owner == instance_) return claim(*speaker);  // a claim by force that another of ours had overtaken
      if (speaker->record.owner != claimed.record.owner || speaker->record.fence != claimed.record.fence) speaker->heard_ms = clock_.steady_ms();
      speaker->record = claimed.record;
      speaker->state = State::waiting;
      answer_wanting(*speaker);
      authority_->ask_owner(speaker->who, speaker->ticket, speaker->record.owner);
      return;
    case Outcome::absent:
      return take_absent(*speaker, claimed.born_ms);
    case Outcome::away:
      return;  // tend() asks again
  }
}

// Redis knows nothing of the speaker. Where it has been there for the whole lookback, or this process has read the log when it had been there for a
// while, there is nothing to know.
void NumberKeeper::take_absent(Speaker& speaker, UnixMs born_ms) {
  if (!book_.ready()) return;  // tend() asks again
  const bool long_there = born_ms > 0 && clock_.unix_ms() - born_ms >= lookback_ms_ + clock_slack_ms;
  const bool read_since = born_ms > 0 && started_ms_ >= born_ms + clock_slack_ms;
  speaker.record = {};
  if (!long_there && !read_since && !speaker.log_read) return read_log(speaker, true);
  if (speaker.way == Way::resumed) speaker.way = Way::fresh;
  claim(speaker, floor_of(speaker));
}

// True once the instance has been out of reach for gone_ms.
bool NumberKeeper::unreachable(const std::string& owner, bool reachable, SteadyMs now) {
  if (reachable) {
    silent_.erase(owner);
    return false;
  }
  const auto [found, added] = silent_.try_emplace(owner, Silent{now, now});
  Silent& silent = found->second;
  if (now - silent.last_ms > gone_ms) silent.since_ms = now;  // nobody has looked meanwhile
  silent.last_ms = now;
  return now - silent.since_ms >= gone_ms;
}

void NumberKeeper::take_asked(const OwnerAsked& asked) {
  if (asked.away) return;
  const SteadyMs now = clock_.steady_ms();
  const bool gone = unreachable(asked.owner, asked.reached, now) && now - connected_ms_ >= settled_ms;
  Speaker* const speaker = find(asked.room, asked.user);
  if (speaker == nullptr || speaker->ticket != asked.ticket || speaker->state != State::waiting || speaker->record.owner != asked.owner) return;
  const bool stopped = asked.reached && !asked.leased && now - speaker->heard_ms >= silent_ms;
  if (!gone && !stopped) return;
  speaker->state = State::forcing;
  speaker->ticket = ++tickets_;
  speaker->asked_ms = now;
  authority_->claim_by_force(speaker->who, speaker->ticket, speaker->record);
}

void NumberKeeper::take_saved(const NumberSaved& saved) {
  using Outcome = NumberSaved::Outcome;
  Speaker* const speaker = find(saved.room, saved.user);
  if (speaker == nullptr || speaker->record.fence != saved.fence) return;
  if (speaker->state != State::owned && speaker->state != State::checking) return;
  if (saved.outcome == Outcome::away) {
    speaker->dirty = true;
    return;
  }
  if (saved.outcome == Outcome::refused) return lost(*speaker, saved.record);
  speaker->record.fence = saved.record.fence;
  speaker->provisional = false;
  speaker->saved_ms = clock_.steady_ms();
  if (speaker->state != State::checking) return;
  speaker->state = State::owned;
  speaker->suspect = 0;
  speaker->confirmed_ms = speaker->saved_ms;
  const NumberAuthority::Speaker who = speaker->who;
  listener_.number_known(who.room, who.user);
}

void NumberKeeper::lost(Speaker& speaker, const NumberRecord& record) {
  const bool handed_over_since = speaker.inflight > 0 || speaker.suspect > 0 || speaker.used_ms - speaker.saved_ms > unsure_ms;
  speaker.state = State::none;
  speaker.provisional = speaker.dirty = false;
  answer_wanting(speaker);
  if (!handed_over_since) return;
  const NumberAuthority::Speaker who = speaker.who;
  listener_.number_conflict(who.room, who.user, "numbers below " + std::to_string(speaker.next) + " were given here, but " +
                                                    (record.owner.empty() ? "another instance" : record.owner) + " had taken the speaker at " +
                                                    std::to_string(record.next) + ": some may repeat in the log");
}

void NumberKeeper::take_note(const NumberNote& note) {
  if (note.kind == NumberNote::Kind::wanted) return take_wanted(note);
  Speaker* const speaker = find(note.room, note.user);
  if (speaker == nullptr || speaker->state != State::waiting) return;
  if (note.kind == NumberNote::Kind::busy) {
    if (speaker->record.owner == note.from) speaker->heard_ms = clock_.steady_ms();
    return;
  }
  speaker->way = Way::handed_over;
  claim(*speaker);
}

void NumberKeeper::take_wanted(const NumberNote& note) {
  const NumberAuthority::Speaker who{note.room, note.user};
  Speaker* const speaker = find(note.room, note.user);
  if (speaker == nullptr || (speaker->state == State::none && speaker->inflight == 0)) {
    // Redis may have it as ours still: the release was lost on its way.
    const auto known = book_.known(note.room, note.user);
    NumberRecord record;
    record.next = known.value_or(0);
    record.tail = !known;
    return authority_->release(who, record, {note.from});
  }
  if (speaker->state == State::none || speaker->state == State::waiting) return authority_->note(NumberNote::Kind::released, who, note.from);
  if (std::find(speaker->wanted_by.begin(), speaker->wanted_by.end(), note.from) == speaker->wanted_by.end()) speaker->wanted_by.push_back(note.from);
  if (speaker->state == State::owned) {
    begin_release(*speaker, clock_.steady_ms());
    listener_.number_wanted(note.room, note.user);
  }
  const Speaker* const still = find(note.room, note.user);
  if (still != nullptr && !still->wanted_by.empty()) authority_->note(NumberNote::Kind::busy, who, note.from);
}

void NumberKeeper::take(const TailRead& read) {
  Speaker* const speaker = find(read.room, read.user);
  if (speaker == nullptr || speaker->ticket != read.ticket || speaker->state != State::reading) return;
  if (read.out_of_order > 0) {
    listener_.number_conflict(read.room, read.user, std::to_string(read.out_of_order) + " record(s) in the log do not rise by number");
  }
  if (read.highest && *read.highest >= speaker->record.next) {
    speaker->record.next = *read.highest + 1;
    speaker->record.partition = read.partition;
    speaker->record.offset = read.offset;
    if (speaker->granted) speaker->record.tail = true;  // what Redis has is older
  }
  speaker->log_read = true;
  if (speaker->granted) return own(*speaker);
  speaker->next = std::max(speaker->next, speaker->record.next);
  if (authority_->connected()) return claim(*speaker, floor_of(*speaker));
  speaker->provisional = true;
  own(*speaker);
}

}  // namespace fluentgate
