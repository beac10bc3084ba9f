// One small state per sentence.
#include "core/kafka/channel_overlap.hpp"

namespace fluentgate::kafka {

std::string ChannelOverlap::key_of(const wire::SynthesizedEvent& event) {
  std::string key = event.room.value;
  key.append(1, '\0').append(event.speaker.value).append(1, '\0').append(event.language.key()).append(1, '\0');
  return key.append(std::to_string(*event.sequence_number));
}

bool ChannelOverlap::is_over(const Sentence& sentence, SteadyMs now) noexcept {
  return now - sentence.seen_ms > (sentence.state == State::whole ? whole_ms : pieces_ms);
}

// The sentence, as it is known or with `fresh` for its state, as the one heard of last.
ChannelOverlap::Place ChannelOverlap::touch(const wire::SynthesizedEvent& event, State fresh, SteadyMs now, bool& is_fresh) {
  std::string key = key_of(event);
  const auto known = index_.find(key);
  if (known != index_.end()) {
    const Place place = known->second;
    sentences_.splice(sentences_.begin(), sentences_, place);
    is_fresh = is_over(*place, now);
    if (is_fresh) {
      place->state = fresh;
      place->heard_us = 0;
    }
    return place;
  }
  if (sentences_.size() >= sentences_max) {
    index_.erase(sentences_.back().key);
    sentences_.pop_back();
  }
  sentences_.push_front({key, fresh, 0, now});
  index_.emplace(std::move(key), sentences_.begin());
  is_fresh = true;
  return sentences_.begin();
}

bool ChannelOverlap::piece(const wire::SynthesizedEvent& event, std::int64_t duration_us, SteadyMs now) {
  if (!event.sequence_number) return true;
  const std::lock_guard lock(mutex_);
  bool is_fresh = false;
  Sentence& sentence = *touch(event, State::pieces, now, is_fresh);
  if (sentence.state == State::whole) return false;  // seen_ms stays: it is the whole's
  if (sentence.state == State::both) {
    // A straggler, or the worker counts anew: then this is the first of another sentence.
    if (now - sentence.seen_ms > whole_ms) sentence = {std::move(sentence.key), State::pieces, 0, now};
  }
  sentence.seen_ms = now;
  if (sentence.state == State::interrupted) return false;
  sentence.heard_us += duration_us;
  return true;
}

void ChannelOverlap::reached() { reached_.store(true, std::memory_order_relaxed); }

void ChannelOverlap::lost() {
  reached_.store(false, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  for (Sentence& sentence : sentences_) {
    if (sentence.state == State::pieces) sentence.state = State::interrupted;
  }
}

bool ChannelOverlap::would_leave_out(const wire::SynthesizedEvent& event, SteadyMs now) const {
  if (!event.sequence_number) return false;
  const std::lock_guard lock(mutex_);
  const auto known = index_.find(key_of(event));
  if (known == index_.end() || is_over(*known->second, now)) return false;
  return known->second->state == State::pieces || known->second->state == State::both;
}

ChannelOverlap::Whole ChannelOverlap::whole(const wire::SynthesizedEvent& event, SteadyMs now) {
  if (!event.sequence_number) return {};
  const std::lock_guard lock(mutex_);
  bool is_fresh = false;
  Sentence& sentence = *touch(event, State::whole, now, is_fresh);
  sentence.seen_ms = now;
  switch (sentence.state) {
    case State::pieces:
    case State::both:
      sentence.state = State::both;
      return {false, 0};
    case State::interrupted:
      sentence.state = State::whole;
      return {true, sentence.heard_us};
    case State::whole:
      break;
  }
  return {};
}

}  // namespace fluentgate::kafka
