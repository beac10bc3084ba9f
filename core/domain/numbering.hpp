// Sequence numbers where several instances serve the same speakers (CONTRACT 2): what NumberKeeper needs of Redis (NumberAuthority) and of Kafka's log
// (LogTail), and what they tell it. Plain values; the answers come through the mailbox. docs/decisions/0006 has the scheme.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/ids.hpp"

namespace fluentgate {

// What is known of a speaker's numbers outside of their owner: the hash fg:seq:{room}, field user.
struct NumberRecord {
  std::string owner;            // an instance; empty: released, nothing is on its way to the log
  std::int64_t fence = 0;       // rises with each change of owner
  std::int64_t next = 0;        // the number after the last that was acknowledged
  std::int32_t partition = -1;  // where that record is; -1: there is none
  std::int64_t offset = -1;
  UnixMs at_ms = 0;             // when it was handed over, or the speaker first claimed: nothing behind it in the log is older. Owner's clock
  bool tail = false;            // taken from an owner that is gone: the log behind it has to be read before `next` is true
  friend bool operator==(const NumberRecord&, const NumberRecord&) = default;
};

// --- what Redis tells ---
struct NumberClaimed {
  // held: by another (or by this instance, for a claim by force that came too late). absent: Redis knows nothing of the speaker.
  enum class Outcome : std::uint8_t { granted, held, absent, away };
  RoomId room;
  UserId user;
  std::uint64_t ticket = 0;
  Outcome outcome = Outcome::away;
  NumberRecord record;          // granted: ours now; held: whose
  UnixMs born_ms = 0;           // absent: since when this Redis holds data
};
struct OwnerAsked {
  std::uint64_t ticket = 0;
  RoomId room;
  UserId user;
  std::string owner;
  bool away = false;
  bool reached = false;         // its inbox has a subscriber
  bool leased = false;          // its lease fg:instance:{owner} is there
};
struct NumberSaved {
  enum class Outcome : std::uint8_t { kept, refused, away };
  RoomId room;
  UserId user;
  std::int64_t fence = 0;       // of the record that was to be saved
  Outcome outcome = Outcome::away;
  NumberRecord record;          // kept: as it is there now; refused: whose it is
};
// A message of another instance. wanted: release this speaker. busy: it will, but its chunks are still on their way. released: claim again.
struct NumberNote {
  enum class Kind : std::uint8_t { wanted, busy, released };
  Kind kind = Kind::wanted;
  RoomId room;
  UserId user;
  std::string from;
};
// After every save_all(): since when this Redis holds data; another value than before: it came back without what it knew.
struct NumbersBorn { UnixMs born_ms = 0; };
// On every change.
struct AuthorityState { bool connected = false; };
using NumberNews = std::variant<NumberClaimed, OwnerAsked, NumberSaved, NumberNote, NumbersBorn, AuthorityState>;

// Thread: loop; nothing blocks. While Redis is away questions are answered `away`.
class NumberAuthority {
 public:
  struct Speaker {
    RoomId room;
    UserId user;
  };
  struct Saved {
    RoomId room;
    UserId user;
    NumberRecord record;        // owner is not looked at
    bool adopt = false;         // numbered without Redis: takes what is released and not ahead
  };
  virtual ~NumberAuthority() = default;
  virtual bool connected() const noexcept = 0;
  // → NumberClaimed. What is released, or is this instance's already, is granted. `first`: what to begin with where nothing is known; nothing: absent.
  virtual void claim(const Speaker& speaker, std::uint64_t ticket, std::optional<std::int64_t> first, UnixMs now) = 0;
  // → NumberClaimed: from an owner that is gone, unless owner or fence changed. The granted record has `tail`.
  virtual void claim_by_force(const Speaker& speaker, std::uint64_t ticket, const NumberRecord& held) = 0;
  // Asks the owner for the speaker → OwnerAsked, and later NumberNotes.
  virtual void ask_owner(const Speaker& speaker, std::uint64_t ticket, const std::string& owner) = 0;
  // Checkpoints → NumberSaved each, then NumbersBorn.
  virtual void save_all(std::vector<Saved> records) = 0;
  // Gives the speaker up, its checkpoint being exact unless record.tail; then tells `waiting`. fence 0: whatever is this instance's.
  virtual void release(const Speaker& speaker, const NumberRecord& record, const std::vector<std::string>& waiting) = 0;
  virtual void note(NumberNote::Kind kind, const Speaker& speaker, const std::string& instance) = 0;
};

// --- what the log tells ---
struct TailRead {
  std::uint64_t ticket = 0;
  RoomId room;
  UserId user;
  std::optional<std::int64_t> highest;  // nothing: no record of the speaker there
  std::int32_t partition = -1;          // of the highest
  std::int64_t offset = -1;
  std::uint64_t out_of_order = 0;       // records whose number did not rise: two instances numbered this speaker at once
};

// Thread: loop; nothing blocks. Questions that wait are answered together by one pass over the log; while Kafka is away they wait.
class LogTail {
 public:
  struct Question {
    std::uint64_t ticket = 0;
    RoomId room;
    UserId user;
    NumberRecord after;       // the records behind this one's offset; without one, those since at_ms
    bool lookback = false;    // `after` is unknown: everything of the last audio.sequence_lookback_ms
  };
  virtual ~LogTail() = default;
  virtual void ask(Question question) = 0;
};

}  // namespace fluentgate
