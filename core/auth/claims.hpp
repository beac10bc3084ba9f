// What a token says of its bearer (CONTRACT 1, identity and languages), typed. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/auth/handles.hpp"
#include "core/config/settings.hpp"
#include "core/domain/clock.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/language.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::auth {

struct Claims {
  UserId user;
  std::optional<RoomId> room;            // room_id: one room, no wildcard
  std::vector<RoomId> rooms;             // rooms, without `*`
  bool any_room = false;                 // `*` among them
  bool names_rooms = false;              // at least one of the two claims is there; without any, membership alone may decide (auth.require_room off)
  std::optional<std::string> name;
  std::optional<std::string> role;
  std::optional<std::string> speaking_language;  // a well-formed tag, its spelling kept
  LanguageList listening;                // empty: unknown
  LanguageList understands;
  std::optional<std::int64_t> exp_s;     // unix seconds, a fraction cut off
  std::optional<std::int64_t> nbf_s;     // a fraction rounded up
  std::optional<std::int64_t> iat_s;

  // By the claims alone. A token that names no room opens none.
  bool may_enter(const RoomId& wanted) const noexcept;
  // The first moment at which the token is no longer good; nothing if it never ends.
  std::optional<UnixMs> ends_ms(std::int64_t leeway_s) const noexcept;
};

// Reads the payload of a token whose signature is valid, and checks its times, issuer, audience and type. `now` is unix time.
// Errors: code "expired", "not_yet_valid", "wrong_issuer", "wrong_audience", "wrong_type", "missing_claim", "bad_claim"; the text is the detail of a 401.
// A language that can't be read is left out, it is no error.
Result<Claims> read_claims(const json_t* payload, const config::Auth& auth, UnixMs now);

// What room:{room_id}:participants keeps of a member (CONTRACT 1, auth.membership) wins over the claims: language (the listening list),
// speaking_language, display_name, role. What isn't there or can't be read leaves the claim.
void apply_member_state(std::string_view json, Claims& claims);

}  // namespace fluentgate::auth
