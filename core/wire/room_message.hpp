// What goes through Redis about a room: FluentMeet's pushes on ws:room:{room} (CONTRACT 5), and between our instances seats and notes on fg:room:{room}.
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/domain/cluster.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::wire {

// On ws:room:{room}.
struct RoomPush {
  std::optional<std::string> target;  // unicast
  std::string sender;                 // of a broadcast: who is left out; empty: nobody
  std::string data;                   // the JSON value byte for byte
  std::string instance;               // ours, that sent it; empty: the backend, or FluentMeet's own service
};
// {"type":"broadcast","sender_id":...,"data":...} or {"type":"unicast","target_user_id":...,"data":...}; of a member that is there twice the last counts, ids
// may be numbers. Errors: "invalid_json", "not_an_object", "missing_type", "unknown_type", "missing_target", "missing_data".
Result<RoomPush> parse_room_push(std::string_view text);
// `data` is JSON. An empty sender is null.
std::string room_push_text(const RoomPush& push);

// A seat as JSON without its end: what follows is `,"audio_since_us":N|null,"signaling_since_us":N|null}`, which a script adds by Redis's clock.
// `told_us` tells one life of the instance's lease from another: a seat told again is another value.
std::string seat_head(const PeerSeat& seat, std::int64_t told_us);
// Languages that can't be read are left out. Errors: "invalid_json", "not_an_object", "bad_seat".
Result<PeerSeat> parse_seat(std::string_view text);

// On fg:room:{room}. SeatMessage is written by the script: {"kind":"seat","seat":<value>}.
struct SeatMessage {
  PeerSeat seat;
  std::string value;  // as it is kept
};
struct SeatGoneMessage { std::string instance; UserId user; };
struct NoteMessage { std::string instance, json; };
// Where in the stream of messages a snapshot was taken.
struct MarkMessage { std::string instance; std::int64_t number = 0; };
using RoomMessage = std::variant<SeatMessage, SeatGoneMessage, NoteMessage, MarkMessage>;

std::string seat_gone_text(std::string_view instance, std::string_view user);
std::string note_text(std::string_view instance, std::string_view json);
std::string mark_text(std::string_view instance, std::int64_t number);
// Errors: those of parse_seat, "unknown_kind", "missing_member".
Result<RoomMessage> parse_room_message(std::string_view text);

}  // namespace fluentgate::wire
