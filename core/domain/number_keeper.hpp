// Who numbers a speaker, and with what: where this process is alone, SequenceBook; with Redis, one instance owns a speaker's numbering at a time, and
// numbers alone, without asking anybody, until another instance wants the speaker (CONTRACT 2, docs/decisions/0006). Thread: loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/numbering.hpp"
#include "core/domain/sequence.hpp"

namespace fluentgate {

class NumberKeeper {
 public:
  // How a speaker's numbering came here: nobody had it; released before; given up by its owner on demand; taken from an owner that is gone; read back
  // from the log, Redis knowing nothing or being away.
  enum class Way : std::uint8_t { fresh, resumed, handed_over, forced, log };
  static std::string_view name_of(Way way) noexcept;
  class Listener {
   public:
    virtual ~Listener() = default;
    // The speaker has numbers now: what waits can be handed over.
    virtual void number_known(const RoomId& room, const UserId& user) = 0;
    // Another instance wants the speaker: hand over what waits, then call try_release().
    virtual void number_wanted(const RoomId& room, const UserId& user) = 0;
    virtual std::size_t chunks_waiting(const RoomId& room, const UserId& user) const = 0;
    virtual void number_owned(Way way, std::int64_t waited_ms) = 0;
    // Two instances numbered this speaker: `text` says what is known of it.
    virtual void number_conflict(const RoomId& room, const UserId& user, const std::string& text) = 0;
  };

  NumberKeeper(std::int64_t lookback_ms, const Clock& clock, Listener& listener)
      : lookback_ms_(lookback_ms), clock_(clock), listener_(listener), book_(lookback_ms) {}
  // Before anything else, where there is Redis. Both outlive this. `instance`: our name.
  void join(NumberAuthority& authority, LogTail& tail, std::string instance);

  // What the log held when this process started.
  void recovered(const RoomId& room, const UserId& user, std::int64_t number, SteadyMs now) { book_.recovered(room, user, number, now); }
  void recovery_done();
  bool recovery_is_done() const noexcept { return book_.ready(); }

  // The number of the speaker's next chunk; nothing: not known yet, or not ours: then it is asked for, and number_known() follows.
  std::optional<std::int64_t> next(const RoomId& room, const UserId& user);
  // The number returned by next() is handed to the producer.
  void used(const RoomId& room, const UserId& user);
  // The report of a chunk that was used(): acknowledged at that place, or (partition -1) refused for good.
  void settled(const RoomId& room, const UserId& user, std::int64_t number, std::int32_t partition, std::int64_t offset, std::int64_t ack_us);
  // Gives the speaker up if another instance waits for it, nothing is on its way, and `nothing_waits` or what waited when it asked is handed over.
  void try_release(const RoomId& room, const UserId& user, bool nothing_waits);
  // Acknowledgements are waited for by another instance.
  bool releasing() const noexcept { return releasing_ > 0; }

  void take(const NumberNews& news);
  void take(const TailRead& read);
  // Call this before anything is handed over: where this process stood still for long, others may have taken its speakers.
  void awake(SteadyMs now);
  // Several times a second.
  void tick();
  // At the end, when everything is settled: the next instance goes on without reading the log.
  void release_all();

 private:
  enum class State : std::uint8_t {
    none,      // not ours, nothing under way
    claiming,  // asked Redis
    waiting,   // another owns it and was asked
    forcing,   // the claim by force is under way
    reading,   // the log is being read
    checking,  // ours, as far as we know: Redis is asked before anything more is handed over
    owned,
  };
  struct Speaker {
    NumberAuthority::Speaker who;
    State state = State::none;
    std::uint64_t ticket = 0;       // of the question under way
    SteadyMs asked_ms = 0, wanted_ms = 0, used_ms = 0, heard_ms = 0, not_before_ms = 0, saved_ms = 0, confirmed_ms = 0;
    NumberRecord record;            // owned: the checkpoint; waiting: whose
    std::int64_t next = 0;
    std::size_t inflight = 0;
    std::size_t suspect = 0;        // of these, on their way while this process stood still
    bool dirty = false;             // the checkpoint is newer than what Redis has
    bool provisional = false;       // numbered without Redis
    bool granted = false;           // reading: Redis has it as ours already
    bool log_read = false;          // the lookback was read for this claim
    Way way = Way::resumed;
    bool releasing = false;
    std::size_t allowance = 0;      // chunks that are handed over before the release
    std::vector<std::string> wanted_by;
  };
  // An instance that could not be reached.
  struct Silent { SteadyMs since_ms = 0, last_ms = 0; };

  static std::string key(const RoomId& room, const UserId& user);
  Speaker* find(const RoomId& room, const UserId& user);
  // `first`: what to begin with where Redis knows nothing.
  void claim(Speaker& speaker, std::optional<std::int64_t> first = std::nullopt);
  void read_log(Speaker& speaker, bool lookback);
  void own(Speaker& speaker);
  void lost(Speaker& speaker, const NumberRecord& record);
  bool doubtful(const Speaker& speaker) const;
  void check(Speaker& speaker);
  void begin_release(Speaker& speaker, SteadyMs now);
  void end_release(Speaker& speaker);
  void answer_wanting(Speaker& speaker);
  std::int64_t floor_of(const Speaker& speaker) const;
  void release(Speaker& speaker);
  void connected(bool is_connected);
  void take_claimed(const NumberClaimed& claimed);
  void take_absent(Speaker& speaker, UnixMs born_ms);
  void take_asked(const OwnerAsked& asked);
  void take_saved(const NumberSaved& saved);
  void take_note(const NumberNote& note);
  void take_wanted(const NumberNote& note);
  bool away_for_long(SteadyMs now) const noexcept { return away_since_ms_ && now - *away_since_ms_ >= away_ms; }
  bool unreachable(const std::string& owner, bool reachable, SteadyMs now);
  bool tend(Speaker& speaker, SteadyMs now);
  void save(bool all, SteadyMs now);

 public:
  // A Redis that is away for less is waited for.
  static constexpr std::int64_t away_ms = 1000;
  // An owner whose inbox nobody reads for that long is gone: a living one is back on Redis sooner, and what a killed one had given to its kernel is in the
  // log by then.
  static constexpr std::int64_t gone_ms = 1000;
  // An owner that is silent without a lease: it is asked for at least that long.
  static constexpr std::int64_t silent_ms = 2000;
  static constexpr std::int64_t ask_again_ms = 200;
  // After Redis came back: the others are connected again, at the latest.
  static constexpr std::int64_t settled_ms = 2500;
  // After a release on demand, who asked comes first.
  static constexpr std::int64_t courtesy_ms = 100;
  // Standing still for longer: what was ours is asked for before the next hand-over. Well under the lease.
  static constexpr std::int64_t pause_ms = 2000;
  // A speaker who is silent for that long is released: should this process be killed later, its checkpoint is exact.
  static constexpr std::int64_t idle_ms = 10000;
  // While Redis is away, one who was silent for that long may have been elsewhere: the log tells.
  static constexpr std::int64_t away_idle_ms = 500;
  static constexpr std::int64_t checkpoint_ms = 1000;
  // Numbers given that long after Redis last said that the speaker is ours may have been another's.
  static constexpr std::int64_t unsure_ms = checkpoint_ms + 500;
  // Owners tell Redis again what it lost, within that.
  static constexpr std::int64_t rewrite_ms = 5000;
  // How far apart clocks may be.
  static constexpr std::int64_t clock_slack_ms = 60000;

 private:
  std::int64_t lookback_ms_;
  const Clock& clock_;
  Listener& listener_;
  NumberAuthority* authority_ = nullptr;
  LogTail* tail_ = nullptr;
  std::string instance_;
  SequenceBook book_;             // where this is alone: everything; else what was ours
  std::unordered_map<std::string, Speaker> speakers_;  // owned, or asked for
  std::unordered_map<std::string, Silent> silent_;     // by instance; those asked for lately
  std::uint64_t tickets_ = 0;
  std::size_t releasing_ = 0;
  std::optional<SteadyMs> away_since_ms_;
  UnixMs started_ms_ = 0;         // the log was read back later than that
  UnixMs born_ms_ = 0;
  SteadyMs awake_ms_ = 0, save_due_ms_ = 0, forget_due_ms_ = 0;
  SteadyMs connected_ms_ = -settled_ms;
  SteadyMs back_until_ms_ = 0;    // Redis has come back: until then what it says is checked against the log
  bool was_connected_ = false;
  UnixMs awake_unix_ms_ = 0;
};

}  // namespace fluentgate
