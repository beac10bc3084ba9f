// What instances tell each other about participants of a room, beside the seats (CLUSTER: RoomBus::note). Clients never see it. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/domain/ids.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::wire {

// A newer token, good for all of the user's sockets in the room.
struct RefreshedNote {
  UserId user;
  std::optional<std::int64_t> exp_s;  // nothing: it never ends
};
// The user speaks now (not merely sends): told at most once a second, so that a listener elsewhere gets the original back where synthesis stalls.
struct VoicedNote { UserId user; };
// A token without right to the room was shown: all sockets of the user in it end with 4003.
struct ForbiddenNote { UserId user; };

using RoomNote = std::variant<RefreshedNote, VoicedNote, ForbiddenNote>;

std::string note_text(const RoomNote& note);
// Errors: "invalid_json", "not_an_object", "bad_note" (also a kind that a newer version may know: to be passed over).
Result<RoomNote> parse_note(std::string_view json);

}  // namespace fluentgate::wire
