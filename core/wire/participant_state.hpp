// A field of room:{room_id}:participants as the meeting backend and the workers have it (CONTRACT 1 and 5). Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/domain/result.hpp"

namespace fluentgate::wire {

// What we say of a participant; an empty one is left as it is.
struct ParticipantState {
  std::string language;           // what it listens to, spelled as in the token
  std::string speaking_language;  // the same
  std::string display_name, role;
  friend bool operator==(const ParticipantState&, const ParticipantState&) = default;
};

// The value with our members in it: what else `existing` has stays byte for byte. `existing` empty: a new one. A `mark` is written as fg_instance; an empty one
// leaves what is there. Error: `existing` is no JSON object ("invalid_json", "not_an_object"): it is somebody else's, and to be left alone.
Result<std::string> with_participant_state(std::string_view existing, const ParticipantState& state, std::string_view mark);
// Its fg_instance: the one of our instances that made it; nothing: the backend did.
std::optional<std::string> participant_mark(std::string_view value);

}  // namespace fluentgate::wire
