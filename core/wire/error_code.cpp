// The rows of the error table, in the order of the enumeration.
#include "core/wire/error_code.hpp"

#include <array>

namespace fluentgate::wire {
namespace {

constexpr std::string_view both = "audio, signaling";

constexpr std::array<ErrorCodeRow, 17> rows{{
    {ErrorCode::invalid_json, "invalid_json", both,
     "The text is not JSON (RFC 8259), is nested deeper than 64 (the outer object being 1), has `type` or `target_user_id` twice, or a member of "
     "the wrong kind."},
    {ErrorCode::not_an_object, "not_an_object", both,
     "The text is JSON, but not an object; on audio sockets with `audio.accept_base64` off also any text that does not begin with `{`."},
    {ErrorCode::missing_type, "missing_type", both, "The object has no `type`, or one that is not a string."},
    {ErrorCode::unknown_type, "unknown_type", "audio", "No control message has this `type`."},
    {ErrorCode::invalid_token, "invalid_token", both,
     "The token of a `refresh` is missing, bad, expired or another user's; the socket lives on until its old expiry."},
    {ErrorCode::bad_language, "bad_language", both, "A language is not a BCP 47 tag, a list is too long, or `set_language` names none; nothing was changed."},
    {ErrorCode::rate_limited, "rate_limited", both,
     "More messages than `limits.messages_per_s` allows; this one was dropped. Audio sockets are closed with 4029 instead."},
    {ErrorCode::odd_bytes, "odd_bytes", "audio", "PCM of 16 bits has an even number of bytes; the message was dropped."},
    {ErrorCode::empty_message, "empty_message", "audio", "A message without audio; it was dropped."},
    {ErrorCode::bad_base64, "bad_base64", "audio", "A text message that is neither control nor base64 (RFC 4648, 4); it was dropped."},
    {ErrorCode::unsupported_encoding, "unsupported_encoding", "audio",
     "`start` asks for an encoding other than `linear16` and `opus`. Audio is refused until a good `start`."},
    {ErrorCode::unsupported_sample_rate, "unsupported_sample_rate", "audio",
     "`start` asks for a sample rate that is not a whole number from 8000 to 48000. Audio is refused until a good `start`."},
    {ErrorCode::stereo, "stereo", "audio",
     "`start` asks for a number of channels other than 1 (Opus: 1 or 2). Audio is refused until a good `start`."},
    {ErrorCode::bad_opus, "bad_opus", "audio", "A message that is not an Opus packet; it was dropped."},
    {ErrorCode::audio_dropped, "audio_dropped", "audio",
     "`dropped_ms` of audio were dropped: they could not wait any longer for Kafka (the oldest first), or Kafka refused them; "
     "`detail` says which. Told at most once a second."},
    {ErrorCode::reserved_type, "reserved_type", "signaling", "A `type` that only the gateway sends; the message was not passed on."},
    {ErrorCode::unknown_peer, "unknown_peer", "signaling", "Nobody with this `target_user_id` is present in the room."},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].code) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const ErrorCodeRow> error_code_table() noexcept { return rows; }
std::string_view name_of(ErrorCode code) noexcept { return rows[static_cast<std::size_t>(code)].name; }

}  // namespace fluentgate::wire
