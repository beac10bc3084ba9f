// Every JSON message that the gateway sends, one function each; the members and their order are the contract's (CONTRACT 1, 2, 3). Thread: any.
// Numbers ending in _ms are integers; what is unknown is null.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/domain/clock.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/language.hpp"
#include "core/domain/media.hpp"
#include "core/domain/suppression.hpp"
#include "core/wire/client_message.hpp"
#include "core/wire/error_code.hpp"

namespace fluentgate::wire {

// Audio and signaling sockets.
std::string error_event(ErrorCode code, std::string_view detail);
std::string error_event(const Refusal& refusal);
enum class DropCause : std::uint8_t { waited, refused, both };                // for too long, by Kafka
std::string audio_dropped_event(std::int64_t dropped_ms, DropCause cause);  // the error `audio_dropped`
std::string pong_event(const Ping& ping);
std::string language_event(std::span<const LanguageTag> listening, const std::optional<LanguageTag>& speaking, std::span<const LanguageTag> understands);
std::string refreshed_event(std::optional<std::int64_t> exp);
std::string token_expiring_event(std::int64_t exp);
enum class PipelineState : std::uint8_t { ok, degraded, down };
std::string_view name_of(PipelineState state) noexcept;
std::string pipeline_heartbeat_event(UnixMs ts, PipelineState state);
std::string going_away_event(std::int64_t retry_after_ms);

// Audio sockets.
std::string started_event(const Start& start);
std::string skipped_event(std::string_view speaker_id, std::int64_t skipped_ms, std::string_view reason);  // "stale", "slow"
using ListenerCounts = std::map<std::string, std::int64_t, std::less<>>;  // by the tag as spelled
std::string languages_object(const ListenerCounts& languages);            // {"es":3,"fr":1}
std::string listeners_event(std::string_view languages_object);
inline std::string listeners_event(const ListenerCounts& languages) { return listeners_event(languages_object(languages)); }

// Signaling sockets. Of a listening list the first tag is told.
struct Peer {
  std::string_view user_id;
  std::optional<std::string> display_name;
  std::optional<std::string> role;
  std::optional<std::string> speaking_language;
  std::optional<std::string> listening_language;
};
std::string existing_users_event(std::span<const Peer> users);
std::string user_joined_event(const Peer& user);
std::string user_left_event(std::string_view user_id);
struct SuppressOriginal {
  std::string_view speaker_id;
  std::string_view language;
  std::string_view mode = "mute";  // or "duck"
  double gain = 0.0;
  std::int64_t fade_ms = 200;
  std::optional<std::string> utterance_id;
  UnixMs timestamp_ms = 0;
};
std::string suppress_original_event(const SuppressOriginal& event);
std::string restore_original_event(std::string_view speaker_id, RestoreReason reason, std::int64_t fade_ms);

// Captions sockets; the discriminator is `event`.
// The worker's utterance_id, else "{user}:{sequence_number}", else nothing.
std::optional<std::string> utterance_id_of(const Caption& caption);
std::string caption_event(const Caption& caption, const std::optional<std::string>& speaker_name, std::optional<std::int64_t> revision,
                          bool replay, bool legacy_members);
std::string history_end_event(std::size_t count, std::string_view epoch, std::string_view offset, std::optional<bool> recovered);
std::string captions_going_away_event(std::int64_t retry_after_ms);
std::string captions_token_expiring_event(std::int64_t exp);

}  // namespace fluentgate::wire
