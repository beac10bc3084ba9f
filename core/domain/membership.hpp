// Who belongs to a room by what the meeting backend keeps (CONTRACT 1, auth.membership): implemented by core/redis, faked in tests.
#pragma once

#include <cstdint>
#include <string>

#include "core/domain/ids.hpp"

namespace fluentgate {

struct MemberAnswer {
  enum class Standing : std::uint8_t { member, stranger, unknown };  // unknown: it can't be asked
  Standing standing = Standing::unknown;
  std::string state;  // of a member: the JSON of room:{room_id}:participants, as it is kept there
};

class MemberLookup {
 public:
  virtual ~MemberLookup() = default;
  // Thread: loop. Waits for the answer, but only briefly; `unknown` at once while Redis is away.
  virtual MemberAnswer look_up(const RoomId& room, const UserId& user) = 0;
  // The user has sockets here: from now on its removal is told (core/redis/inbound.hpp, MemberGone).
  virtual void watch(const RoomId& room, const UserId& user) = 0;
  virtual void unwatch(const RoomId& room, const UserId& user) = 0;
};

}  // namespace fluentgate
