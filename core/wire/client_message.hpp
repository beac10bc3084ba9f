// Every message that a client sends as text on an audio or signaling socket, as one typed variant (CONTRACT 1, 2, 3). Parsing is strict
// and says what is wrong; what it means is the services' business. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/domain/language.hpp"
#include "core/domain/media.hpp"
#include "core/wire/error_code.hpp"

namespace fluentgate::wire {

// Answered with {"type":"error","code","detail"}.
struct Refusal {
  ErrorCode code = ErrorCode::invalid_json;
  std::string detail;
  bool start = false;  // it was a `start`: audio is refused until a good one
};

// At least one of them is given. listening is never empty; an empty `understands` clears it. A null member counts as not given.
struct SetLanguage {
  std::optional<LanguageList> listening;
  std::optional<LanguageTag> speaking;
  std::optional<LanguageList> understands;
};
struct Refresh { std::string token; };  // 1 to limits::token_bytes_max bytes
struct Ping { std::string members; };   // every member but `type`, byte for byte, each led by a comma: what pong() echoes
// Without the members: linear16, 16000 Hz (Opus: 48000), one channel.
struct Start {
  Encoding encoding = Encoding::linear16;
  int sample_rate = 16000;  // Hz, 8000 to 48000; of Opus it says nothing about the packets
  int channels = 1;         // Opus may have 2
  std::optional<LanguageTag> speaking_language;
};
struct Mute {};
struct Unmute {};
struct Flush {};
struct Played {
  UserId speaker;
  std::optional<std::int64_t> sequence_number;
  std::int64_t buffered_ms = 0;  // 0 to played_buffered_ms_max
};
// Goes to peers as relay_text() makes it.
struct Relay {
  std::string type;
  std::optional<std::string> target_user_id;  // nothing: everybody else in the room
};

inline constexpr std::int64_t played_buffered_ms_max = 600000;

using ClientMessage = std::variant<Refusal, SetLanguage, Refresh, Ping, Start, Mute, Unmute, Flush, Played, Relay>;

// Whether a text message on an audio socket is control: its first non-blank byte is '{'. Any other is base64 or, where that is off, not_an_object.
bool is_control(std::string_view text) noexcept;
// A control message of an audio socket: never a Relay.
ClientMessage parse_audio_control(std::string_view text);
// A message of a signaling socket: Refusal, SetLanguage, Refresh, Ping or Relay.
ClientMessage parse_signaling(std::string_view text);
// Types that only the gateway sends on signaling sockets.
bool reserved_type(std::string_view type) noexcept;

// `object` is a text for which parse_signaling() gave a Relay: the same members byte for byte in the same order, without those of the
// outer object whose key is from_user_id (however spelled), and one "from_user_id" at the end.
std::string relay_text(std::string_view object, std::string_view from_user_id);

}  // namespace fluentgate::wire
