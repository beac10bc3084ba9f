// One room on this instance: participants, listeners grouped by what they want to hear, and what is known of each speaker.
// Thread: loop.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/domain/hearing.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/participant.hpp"
#include "core/domain/peers.hpp"
#include "core/domain/suppression.hpp"

namespace fluentgate {

// A user whose speech this room heard of, here or elsewhere.
struct Speaker {
  UserId user;
  std::uint32_t number = 0;                 // dense, for the tables of listeners
  std::optional<LanguageTag> spoken;        // told by the participant, else by captions and frames
  bool spoken_told = false;                 // by the participant: events don't override it
  ProducedLanguages produced;               // synthesis
  ProducedLanguages captioned;              // captions, originals too
  VoiceRun voice;
  std::optional<SteadyMs> audio_gone_ms;    // its audio socket closed then, and it has none
  struct Heard { std::int64_t sequence_number; std::int64_t end_to_end_ms; };
  std::deque<Heard> recent;                 // for mouth_to_ear
  std::string wanted;                       // fg-wanted, as of wanted_version
  std::uint64_t wanted_version = 0;
  std::uint64_t used = 0;                   // when Room::speaker() was last asked for it
};

// Audio sockets of participants with equal preferences: a frame is heard by all of a group or by none, own speech left out.
struct ListenerGroup {
  Hearing hearing;
  struct Member { Session* session; Participant* participant; };
  std::vector<Member> members;
};

class Room {
 public:
  Room(RoomId id, std::int64_t language_timeout_ms) : id_(std::move(id)), language_timeout_ms_(language_timeout_ms) {}

  const RoomId& id() const noexcept { return id_; }
  using Participants = std::map<UserId, std::shared_ptr<Participant>>;
  Participants& participants() noexcept { return participants_; }
  const Participants& participants() const noexcept { return participants_; }
  std::shared_ptr<Participant> find(const UserId& user) const;
  bool empty() const noexcept { return participants_.empty(); }
  // Participants of the same room on other instances. Whoever changes them says demand_changed() where an audio socket or its languages changed.
  Peers& peers() noexcept { return peers_; }
  const Peers& peers() const noexcept { return peers_; }

  // Puts the participant's audio socket into the group that fits its hearing, or takes it out. Bumps demand_version().
  void add_listener(Participant& participant);
  void remove_listener(Participant& participant);
  const std::vector<ListenerGroup>& groups() const noexcept { return groups_; }
  std::uint64_t demand_version() const noexcept { return demand_version_; }
  void demand_changed() noexcept { ++demand_version_; }
  // The union of the listening tags of all groups.
  LanguageList listened() const;

  // Demand for one speaker's speech (CONTRACT 3, listeners): first tags of the other participants with an audio socket, here or on another instance,
  // who don't understand it, sorted, spelled as first seen. `user` need not be present.
  struct Demand { LanguageTag language; std::int64_t count; };
  std::vector<Demand> demand_for(const UserId& user, const std::optional<LanguageTag>& spoken) const;
  // The same as the header fg-wanted has it, cached.
  const std::string& wanted_from(Speaker& speaker);

  // Made where it is unknown. At limits::room_speakers_max it gets the place and the number of the one that was asked for least recently and is
  // no participant; what listeners kept about that one is forgotten.
  Speaker& speaker(const UserId& user);
  Speaker* find_speaker(std::string_view user) noexcept;
  Speaker& speaker_by_number(std::uint32_t number) noexcept { return *by_number_[number]; }
  std::size_t speaker_count() const noexcept { return by_number_.size(); }
  const std::vector<Speaker*>& speakers() const noexcept { return by_number_; }

 private:
  std::unique_ptr<Speaker> take_oldest_speaker();

  // given
  RoomId id_;
  std::int64_t language_timeout_ms_;
  // owned
  Participants participants_;
  Peers peers_;
  std::vector<ListenerGroup> groups_;
  std::unordered_map<UserId, std::unique_ptr<Speaker>, IdHash, IdEqual> speakers_;
  std::vector<Speaker*> by_number_;
  // state
  std::uint64_t demand_version_ = 1;
  std::uint64_t speaker_uses_ = 0;
  std::map<std::string, LanguageTag> first_spelled_;  // first tags of listeners by key, as first seen
};

// room → user → sessions: every room that has participants here.
class ConnectionManager {
 public:
  explicit ConnectionManager(std::int64_t language_timeout_ms) : language_timeout_ms_(language_timeout_ms) {}
  std::shared_ptr<Room> open(const RoomId& room);
  Room* find(std::string_view room) noexcept;
  const Room* find(std::string_view room) const noexcept;
  // Forgets the room if nobody is left in it; true if so.
  bool close_if_empty(const RoomId& room);
  using Rooms = std::unordered_map<RoomId, std::shared_ptr<Room>, IdHash, IdEqual>;
  Rooms& rooms() noexcept { return rooms_; }
  const Rooms& rooms() const noexcept { return rooms_; }

 private:
  std::int64_t language_timeout_ms_;
  Rooms rooms_;
};

}  // namespace fluentgate
