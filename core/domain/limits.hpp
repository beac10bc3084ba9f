// Named bounds that are not options: what is refused or dropped beyond them is said where each is used.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fluentgate::limits {

inline constexpr std::size_t room_id_bytes_max = 128;
inline constexpr std::size_t language_tag_bytes_max = 35;      // RFC 5646, 4.4.1
inline constexpr std::size_t language_list_max = 8;
inline constexpr std::size_t json_depth_max = 64;              // the outer object being 1
inline constexpr std::size_t user_id_bytes_max = 512;
inline constexpr std::size_t token_bytes_max = 8192;
inline constexpr std::size_t subprotocol_offer_bytes_max = 126;  // lws reads no more
inline constexpr std::size_t close_reason_bytes_max = 123;       // RFC 6455, 5.5.1
inline constexpr std::size_t mailbox_messages_max = 65536;       // waiting for the loop; beyond: audio frames are dropped and counted
inline constexpr std::size_t history_rooms_max = 20000;          // rooms with captions kept; beyond: the least recently written goes
inline constexpr std::size_t history_bytes_max = 256u << 20;
inline constexpr std::size_t produced_languages_max = 64;        // per (room, speaker)
inline constexpr std::size_t room_speakers_max = 4096;           // remembered per room; beyond: who has not spoken for longest and is not here gives its place
inline constexpr std::size_t room_peers_max = 65536;             // seats of a room on other instances; beyond: not seen here
inline constexpr std::size_t room_guests_max = 4096;             // users of FluentMeet's own service in a room; beyond: they can't be called from here
inline constexpr std::size_t room_spellings_max = 1024;          // tags per room whose first spelling is kept; beyond: learnt anew
inline constexpr std::size_t latency_records_max = 512;          // chunks remembered per (room, speaker) for correlation
inline constexpr std::size_t latency_speakers_max = 50000;
inline constexpr std::size_t sequence_speakers_max = 200000;     // whose next number is remembered; beyond: those silent for the lookback go
inline constexpr std::int64_t sequence_number_max = (std::int64_t{1} << 53) - 1;  // exact in every JSON reader; a forged record can't push a speaker past it
inline constexpr std::size_t metric_languages_max = 32;          // distinct languages as label values; others become "-"
inline constexpr std::size_t latency_captions_max = 64;          // originals, and as many translated, remembered per (room, speaker)
inline constexpr std::size_t log_window_records_max = 32768;     // (offset, timestamp) remembered per partition, for resume: 512 KiB at most
inline constexpr std::size_t log_partitions_max = 1024;          // places in a client's cursor; beyond: the cursor is refused
inline constexpr std::size_t log_line_bytes_max = 16u << 10;     // of one line's text; beyond: cut, and said
inline constexpr std::size_t log_pending_bytes_max = 1u << 20;   // lines waiting while the log can't be written; beyond: lost, counted, and said
inline constexpr std::size_t log_rate_keys_max = 256;            // things whose repetition is watched; beyond: new ones share one allowance
inline constexpr std::int64_t voice_pause_ms = 2000;             // silence that starts a speaker's run of voice anew (suppression)
inline constexpr std::int64_t speaker_gone_ms = 3000;            // audio socket gone: restore_original speaker_left
inline constexpr std::int64_t ping_after_ms = 20000;
inline constexpr std::int64_t pong_within_ms = 20000;
inline constexpr std::int64_t handshake_ms = 10000;
inline constexpr std::int64_t heartbeat_ms = 15000;
inline constexpr std::int64_t room_view_ms = 1000;               // existing_users waits so long for what other instances have
inline constexpr std::int64_t pipeline_down_ms = 2000;
inline constexpr std::int64_t skipped_event_ms = 1000;
inline constexpr std::size_t channel_message_bytes_max = 16u << 20;  // of pipeline:audio and pipeline:captions; beyond: malformed
inline constexpr std::size_t redis_outbox_bytes_max = 16u << 20; // commands waiting for one connection; beyond: they fail at once
inline constexpr std::size_t redis_answers_max = 65536;          // commands unanswered or waiting for the redis thread; beyond: they fail
inline constexpr std::size_t redis_push_bytes_max = 4u << 20;    // of one message on a room's channel; beyond: malformed
inline constexpr std::size_t redis_dirty_seats_max = 200000;     // to be brought up to date when Redis is back; beyond: they expire there
inline constexpr std::size_t redis_seats_under_way_max = 4096;   // told at a time; the others after their answers
inline constexpr std::size_t redis_loads_max = 256;              // rooms' snapshots taken at a time; the others after them
inline constexpr int redis_redirects_max = 5;                    // of one command, from node to node of a Redis Cluster; beyond: it fails
inline constexpr std::size_t captions_client_messages_max = 20;  // per 10 s, beyond: 1008

}  // namespace fluentgate::limits
