// Some workers publish a synthesis twice: in pieces on a Redis channel while it is made, and whole in Kafka (CONTRACT 5, redis.pipeline_channels). This
// decides which of the two is heard, so that nothing is heard twice and nothing is lost:
// - the pieces, where one came before the whole, which is then left out;
// - the whole, where it came first: pieces of it that follow are left out (FluentMeet's workers that don't stream publish the whole on both ways at once);
// - where Redis was lost after some of the pieces: those, then the rest of the whole, from where they ended. Pieces that come later are left out.
// A sentence is known by room, speaker, language and sequence number; without a number nothing can be said, and everything is heard. Workers count anew after
// a restart, so a sentence is remembered only for a while, and a second whole with the number of a whole is heard.
// Interim captions likewise: the channel's while Redis is there, else Kafka's.
// Threads: redis and kafka, one lock, held for one look-up.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/domain/clock.hpp"
#include "core/wire/kafka_event.hpp"

namespace fluentgate::kafka {

class ChannelOverlap {
 public:
  static constexpr std::size_t sentences_max = 16384;  // remembered; beyond: the one least recently heard of is forgotten
  static constexpr SteadyMs pieces_ms = 60000;         // since the last piece, in which a whole is taken for theirs
  static constexpr SteadyMs whole_ms = 5000;           // since the whole, in which pieces are taken for its

  // Thread: redis. Whether the piece, of this duration, is heard.
  bool piece(const wire::SynthesizedEvent& event, std::int64_t duration_us, SteadyMs now);
  // Thread: redis. Between these, pieces may be missed. Before the first reached() everything is as if there were no channels.
  void reached();
  void lost();

  // Thread: kafka. Whether the whole would be left out if it came now: then its audio needn't be decoded.
  bool would_leave_out(const wire::SynthesizedEvent& event, SteadyMs now) const;
  struct Whole {
    bool heard = true;
    std::int64_t from_us = 0;  // its beginning has been heard in pieces
  };
  Whole whole(const wire::SynthesizedEvent& event, SteadyMs now);
  // Thread: any. Whether interim captions come over the channel.
  bool interims_come() const noexcept { return reached_.load(std::memory_order_relaxed); }

 private:
  enum class State : std::uint8_t {
    pieces,       // some came
    both,         // and the whole, which was left out
    interrupted,  // some came, and more may have been missed
    whole,        // the whole was heard
  };
  struct Sentence {
    std::string key;
    State state = State::pieces;
    std::int64_t heard_us = 0;  // in pieces
    SteadyMs seen_ms = 0;
  };
  using Place = std::list<Sentence>::iterator;
  static std::string key_of(const wire::SynthesizedEvent& event);
  static bool is_over(const Sentence& sentence, SteadyMs now) noexcept;
  Place touch(const wire::SynthesizedEvent& event, State fresh, SteadyMs now, bool& is_fresh);

  std::atomic<bool> reached_{false};
  mutable std::mutex mutex_;
  std::list<Sentence> sentences_;  // most recently heard of first
  std::unordered_map<std::string, Place> index_;
};

}  // namespace fluentgate::kafka
