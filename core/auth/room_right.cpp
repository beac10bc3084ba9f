#include "core/auth/room_right.hpp"

#include <utility>

namespace fluentgate::auth {

namespace {

std::optional<Refusal> refused(CloseCode code, std::string detail) {
  Refusal refusal;
  refusal.code = code;
  refusal.detail = std::move(detail);
  if (code == CloseCode::not_ready) refusal.retry_after_s = not_ready_retry_after_s;
  return refusal;
}

// With membership `redis` the claims need not name this room, but a room they must name, unless auth.require_room is off.
bool claims_allow(const config::Auth& auth, const RoomId& room, const Claims& claims) {
  if (!claims.names_rooms && !auth.require_room && auth.membership != config::Membership::token) return true;
  return auth.membership == config::Membership::redis ? claims.names_rooms : claims.may_enter(room);
}

}  // namespace

std::optional<Refusal> check_room_right(const config::Auth& auth, MemberLookup* members, const RoomId& room, Claims& claims) {
  if (!claims_allow(auth, room, claims)) return refused(CloseCode::forbidden, "the token gives no right to this room");
  if (auth.membership == config::Membership::token) return std::nullopt;
  const MemberAnswer answer = members == nullptr ? MemberAnswer{} : members->look_up(room, claims.user);
  switch (answer.standing) {
    case MemberAnswer::Standing::unknown: return refused(CloseCode::not_ready, "membership can't be asked");
    case MemberAnswer::Standing::stranger: return refused(CloseCode::forbidden, "not a member of this room");
    case MemberAnswer::Standing::member: break;
  }
  apply_member_state(answer.state, claims);
  return std::nullopt;
}

}  // namespace fluentgate::auth
