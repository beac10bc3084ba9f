// Every option's value, typed. Filled and checked by option_table; read by everybody, never changed while running (but for keys and the log level on reload).
// Names are the options' dotted paths (CONTRACT 7). Thread: any, read only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fluentgate::config {

struct Listen {
  std::string address = "127.0.0.1";
  int port = 7681;                    // 0: any free one
  std::string tls_cert, tls_key;      // PEM files; both or none
  int processes = 1;
  friend bool operator==(const Listen&, const Listen&) = default;
};

struct Claims {
  std::string user = "sub", room = "room_id", rooms = "rooms", name = "name", role = "role";
  std::string speaking_language = "speaking_language", listening_language = "listening_language", understands = "understands";
  friend bool operator==(const Claims&, const Claims&) = default;
};

enum class RejectMode : std::uint8_t { http, close };
enum class Membership : std::uint8_t { token, redis, both };

struct Auth {
  std::vector<std::string> algorithms{"HS256"};
  std::string secret;                          // never shown
  std::string secret_file;
  std::vector<std::string> public_key_files;   // PATH or KID=PATH
  std::string issuer, audience;                // empty: not checked
  std::int64_t leeway_s = 5;
  bool require_exp = true;
  bool require_room = true;
  std::string cookie;                          // empty: no cookie is looked at
  std::vector<std::string> allowed_origins;    // empty: any
  RejectMode reject = RejectMode::http;
  Membership membership = Membership::token;
  bool allow_language_override = true;
  Claims claims;
  friend bool operator==(const Auth&, const Auth&) = default;
};

enum class PipelineEncoding : std::uint8_t { linear16, opus };

struct Audio {
  std::size_t max_message_bytes = 1u << 20;
  bool accept_base64 = true;
  PipelineEncoding pipeline_encoding = PipelineEncoding::linear16;
  std::int64_t chunk_ms = 0, flush_ms = 500, max_chunk_ms = 10000;
  std::int64_t sequence_lookback_ms = 600000;
  std::int64_t language_timeout_ms = 10000;
  int output_sample_rate = 16000;
  bool hear_self = false;
  std::int64_t max_age_ms = 3000;
  friend bool operator==(const Audio&, const Audio&) = default;
};

struct Captions {
  std::size_t history = 50;
  std::int64_t history_ms = 300000;
  bool legacy_members = false;
  friend bool operator==(const Captions&, const Captions&) = default;
};

struct Signaling {
  std::size_t max_message_bytes = 64u << 10;
  friend bool operator==(const Signaling&, const Signaling&) = default;
};

enum class SuppressMode : std::uint8_t { mute, duck };

struct Suppress {
  SuppressMode mode = SuppressMode::mute;
  std::optional<double> gain;                  // unset: 0.0 for mute, 0.15 for duck
  std::int64_t fade_ms = 200, stall_ms = 5000;
  double voice_dbfs = -45.0;
  friend bool operator==(const Suppress&, const Suppress&) = default;
};

enum class AudioRawFormat : std::uint8_t { json, binary };

struct Kafka {
  std::string bootstrap_servers = "embedded";
  std::string topic_audio_raw = "audio.raw", topic_audio_synthesized = "audio.synthesized";
  std::string topic_text_original = "text.original", topic_text_translated = "text.translated";
  AudioRawFormat format_audio_raw = AudioRawFormat::json;
  bool dlq = false;
  std::int64_t buffer_ms = 30000;
  std::size_t buffer_bytes = 256u << 20;
  std::int64_t inflight_ms = 1000;
  bool partition_aware = false;                // fetch only the partitions that the keys of hosted rooms live in
  std::vector<std::string> key_partitioners{"murmur2", "crc32"};  // what partitions keys on the side of whoever writes: all of these are looked at
  std::map<std::string, std::string> properties, producer_properties, consumer_properties;  // any librdkafka property
  // Property names are librdkafka's, without the prefix "kafka."; those of one side win over those of both.
  bool embedded() const { return bootstrap_servers == "embedded"; }
  friend bool operator==(const Kafka&, const Kafka&) = default;
};

struct Redis {
  std::string url;                             // empty: a single instance, without Redis; may hold a password, never shown
  bool publish_participants = false;
  bool pipeline_channels = false;
  friend bool operator==(const Redis&, const Redis&) = default;
};

struct Limits {
  std::size_t sessions = 20000, rooms = 5000, room_participants = 1000, sessions_per_user = 16;
  std::size_t outbox_bytes = 1u << 20;
  std::int64_t slow_close_ms = 10000;
  std::int64_t messages_per_s = 200;
  friend bool operator==(const Limits&, const Limits&) = default;
};

struct Ops {
  std::vector<std::string> allow{"127.0.0.0/8", "::1/128"};
  friend bool operator==(const Ops&, const Ops&) = default;
};

enum class LogFormat : std::uint8_t { text, json };

struct Log {
  std::string level = "info";                  // error, warn, info, debug
  LogFormat format = LogFormat::text;
  std::string file;                            // empty: stderr
  std::int64_t latency_sample = 1;             // 0: none, N: every Nth frame
  friend bool operator==(const Log&, const Log&) = default;
};

struct Settings {
  Listen listen;
  std::string prefix = "/ws";
  Auth auth;
  Audio audio;
  Captions captions;
  Signaling signaling;
  Suppress suppress;
  Kafka kafka;
  Redis redis;
  Limits limits;
  Ops ops;
  bool ready_gate = false;
  std::int64_t drain_ms = 10000;
  Log log;
  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace fluentgate::config
