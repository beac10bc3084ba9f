// One user in one room: who it is, what it hears and speaks, and its sockets. Thread: loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/domain/hearing.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/session.hpp"
#include "core/domain/suppression.hpp"

namespace fluentgate {

// What a participant heard less of than was produced, until it is told once per gap.
struct SkippedGap {
  std::uint32_t speaker = 0;
  SkipReason reason = SkipReason::stale;
  std::int64_t skipped_ms = 0;  // not yet told
  std::int64_t header_ms = 0;   // not yet told in a framed header
  SteadyMs since_ms = 0;        // of what is not yet told
};

struct Participant {
  UserId user;
  std::string display_name;
  std::string role;
  std::optional<std::string> speaking_spelled;  // as in the token
  std::optional<LanguageTag> speaking;
  Hearing hearing;
  std::optional<std::int64_t> exp_s;            // of the newest token
  bool expiry_warned = false;
  Hearing claimed;                              // as its last token said
  std::optional<std::string> claimed_speaking;
  bool languages_settled = false;               // an audio or signaling socket has set them

  // Where Redis joins instances; times in unix microseconds.
  struct Said { bool listening = false, speaking = false, understands = false; } said;  // by the participant itself, not only by its token
  std::int64_t languages_set_us = 0;            // when it last said them; 0: never
  bool languages_merged = false;                // with what other instances had of it when it came
  std::int64_t audio_since_us = 0, signaling_since_us = 0;  // when the sockets were opened; 0: Redis has not told yet
  SteadyMs voice_told_ms = -1000000;            // when the others last heard that it speaks

  std::shared_ptr<Session> audio;
  std::shared_ptr<Session> signaling;
  std::vector<std::shared_ptr<Session>> captions;

  std::vector<Suppression> suppression;         // by the room's speaker number, grown when needed
  std::vector<SkippedGap> gaps;
  std::string listeners_told = "{}";            // the last `listeners` object sent

  bool present() const noexcept { return signaling != nullptr; }
  bool has_sockets() const noexcept { return audio || signaling || !captions.empty(); }
  // Where events go that belong to one of its two control sockets.
  const std::shared_ptr<Session>& event_socket() const noexcept { return signaling ? signaling : audio; }
  void event_socket_changed() noexcept {
    for (Suppression& one : suppression) one.socket_changed();
  }
  Suppression& suppression_of(std::uint32_t speaker) {
    if (suppression.size() <= speaker) suppression.resize(speaker + 1);
    return suppression[speaker];
  }
};

}  // namespace fluentgate
