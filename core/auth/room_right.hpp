// Whether the bearer of a token may be in a room (CONTRACT 1, auth.membership): before the upgrade, and again when a token is refreshed. Thread: loop.
#pragma once

#include <optional>

#include "core/auth/claims.hpp"
#include "core/auth/refusal.hpp"
#include "core/config/settings.hpp"
#include "core/domain/membership.hpp"

namespace fluentgate::auth {

// By the claims, by membership, or by both; a member's state goes into the claims. Refusals: forbidden, or not_ready where membership can't be asked
// (`members` null counts as that).
std::optional<Refusal> check_room_right(const config::Auth& auth, MemberLookup* members, const RoomId& room, Claims& claims);

}  // namespace fluentgate::auth
