// The rows of the option table, one an option, in the order of the reference page.
#include "core/config/option_rows.hpp"

#include <algorithm>
#include <concepts>
#include <initializer_list>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/config/option_forms.hpp"
#include "core/config/redis_url.hpp"

namespace fluentgate::config {

namespace {

// `Field` is a lambda that names one member of Settings.
template <class Field>
Value get_field(const Option& option, const Settings& settings) {
  const auto& field = Field{}(settings);
  using T = std::remove_cvref_t<decltype(field)>;
  if constexpr (std::is_enum_v<T>) return std::string(option.choices.at(static_cast<std::size_t>(field)));
  else if constexpr (std::same_as<T, std::optional<double>>) return field ? Value(*field) : Value();
  else if constexpr (std::integral<T> && !std::same_as<T, bool>) return static_cast<std::int64_t>(field);
  else return field;
}

template <class Field>
void set_field(const Option& option, Settings& settings, const Value& value) {
  auto& field = Field{}(settings);
  using T = std::remove_cvref_t<decltype(field)>;
  if constexpr (std::is_enum_v<T>) {
    const auto at = std::find(option.choices.begin(), option.choices.end(), std::get<std::string>(value));
    field = static_cast<T>(at - option.choices.begin());
  } else if constexpr (std::same_as<T, std::optional<double>>) {
    field = std::get<double>(value);
  } else if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    field = static_cast<T>(std::get<std::int64_t>(value));
  } else {
    field = std::get<T>(value);
  }
}

template <class Field>
Option row(Field, std::string_view name, OptionType type, std::string_view text) {
  Option option;
  option.name = name;
  option.type = type;
  option.text = text;
  option.get = get_field<Field>;
  option.set = set_field<Field>;
  return option;
}

template <class Field>
Option flag(Field field, std::string_view name, std::string_view text) {
  return row(field, name, OptionType::boolean, text);
}

template <class Field>
Option integer(Field field, std::string_view name, std::int64_t min, std::int64_t max, std::string_view text) {
  Option option = row(field, name, OptionType::integer, text);
  option.min = min;
  option.max = max;
  return option;
}

template <class Field>
Option number(Field field, std::string_view name, double min, double max, std::string_view text) {
  Option option = row(field, name, OptionType::number, text);
  option.number_min = min;
  option.number_max = max;
  return option;
}

template <class Field>
Option choice(Field field, std::string_view name, std::initializer_list<std::string_view> choices, std::string_view text) {
  Option option = row(field, name, OptionType::string, text);
  option.choices = choices;
  return option;
}

template <class Field>
Option string(Field field, std::string_view name, std::string_view form, bool (*fits)(std::string_view), std::string_view text) {
  Option option = row(field, name, OptionType::string, text);
  option.form = form;
  option.fits = fits;
  option.may_be_empty = is_empty(default_value(option));
  return option;
}

template <class Field>
Option list(Field field, std::string_view name, std::string_view form, bool (*fits)(std::string_view), std::string_view text) {
  Option option = row(field, name, OptionType::list, text);
  option.form = form;
  option.fits = fits;
  option.may_be_empty = is_empty(default_value(option));
  return option;
}

template <class Field>
Option file(Field field, std::string_view name, std::string_view text) {
  Option option = string(field, name, "the path of a file", is_text, text);
  option.path = true;
  return option;
}

Option secret(Option option) { option.secret = true; return option; }
Option host_only(Option option) { option.host_only = true; return option; }
Option reloadable(Option option) { option.reloadable = true; return option; }
Option may_be_empty(Option option) { option.may_be_empty = true; return option; }
Option of_paths(Option option) { option.path = true; return option; }
Option one_of(Option option, std::initializer_list<std::string_view> choices) { option.choices = choices; return option; }

#define AT(member) [](auto& settings) -> auto& { return settings.member; }

constexpr std::int64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;
constexpr std::int64_t minute_ms = 60'000, hour_ms = 60 * minute_ms, day_ms = 24 * hour_ms;

using Rows = std::vector<Option>;

void add_general(Rows& rows) {
  rows.push_back(string(AT(prefix), "prefix", "a path such as /ws, without a slash at its end", is_prefix, "path under which everything is served"));
  rows.push_back(flag(AT(ready_gate), "ready_gate", "refuse connections with 503 until Kafka is ready"));
  rows.push_back(integer(AT(drain_ms), "drain_ms", 0, 10 * minute_ms, "ms that clients are given to leave at SIGTERM"));
}

void add_listen(Rows& rows) {
  rows.push_back(host_only(string(AT(listen.address), "listen.address", "an address or the name of an interface", is_text, "where fluentgate-host listens")));
  rows.push_back(host_only(integer(AT(listen.port), "listen.port", 0, 65535, "0 takes any free port, told in the ready line")));
  rows.push_back(host_only(file(AT(listen.tls_cert), "listen.tls_cert", "PEM file with the certificate and its chain; with listen.tls_key it makes https and wss")));
  rows.push_back(host_only(file(AT(listen.tls_key), "listen.tls_key", "PEM file with the certificate's private key")));
  rows.push_back(host_only(integer(AT(listen.processes), "listen.processes", 1, 64,
      "processes that share the port; more than one needs redis.url and a Kafka that isn't embedded")));
}

void add_auth(Rows& rows) {
  rows.push_back(one_of(list(AT(auth.algorithms), "auth.algorithms", "", nullptr, "accepted signature algorithms; never taken from the token"),
      {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}));
  rows.push_back(reloadable(secret(string(AT(auth.secret), "auth.secret", "text at least as long as the hash: 32 bytes for HS256", nullptr,
      "HMAC secret; auth.secret_file keeps it out of the command line"))));
  rows.push_back(reloadable(file(AT(auth.secret_file), "auth.secret_file", "file with the HMAC secret")));
  rows.push_back(reloadable(of_paths(list(AT(auth.public_key_files), "auth.public_key_files", "PATH or KID=PATH (with a / before the first = it is a path)", is_text,
      "PEM files with public keys; a token with that kid uses that key only"))));
  rows.push_back(string(AT(auth.issuer), "auth.issuer", "text", is_text, "the iss a token must have; none: not checked"));
  rows.push_back(string(AT(auth.audience), "auth.audience", "text", is_text, "the aud a token must have; none: not checked"));
  rows.push_back(integer(AT(auth.leeway_s), "auth.leeway_s", 0, 3600, "clock difference forgiven for exp and nbf, in seconds"));
  rows.push_back(flag(AT(auth.require_exp), "auth.require_exp", "refuse a token without exp"));
  rows.push_back(flag(AT(auth.require_room), "auth.require_room", "refuse a token without room claims"));
  rows.push_back(string(AT(auth.cookie), "auth.cookie", "the name of a cookie (RFC 6265)", is_cookie_name,
      "cookie in which a token is looked for last; needs auth.allowed_origins"));
  rows.push_back(list(AT(auth.allowed_origins), "auth.allowed_origins", "scheme://host[:port] without a path, or null", is_origin,
      "origins that may connect, compared exactly; none: any"));
  rows.push_back(choice(AT(auth.reject), "auth.reject", {"http", "close"},
      "how a connection is refused: by HTTP status, or by upgrading and closing with a code that a browser's script can read"));
  rows.push_back(choice(AT(auth.membership), "auth.membership", {"token", "redis", "both"},
      "who decides on the right to a room: the token's claims, the hash room:{room_id}:participants in Redis, or both"));
  rows.push_back(flag(AT(auth.allow_language_override), "auth.allow_language_override", "let ?lang=, ?speak= and ?understands= win over the claims"));
  constexpr std::string_view claim = "the name of a claim";
  rows.push_back(string(AT(auth.claims.user), "auth.claims.user", claim, is_text, "claim with the user's id"));
  rows.push_back(string(AT(auth.claims.room), "auth.claims.room", claim, is_text, "claim with one room's id"));
  rows.push_back(string(AT(auth.claims.rooms), "auth.claims.rooms", claim, is_text, "claim with a list of room ids; * is any"));
  rows.push_back(string(AT(auth.claims.name), "auth.claims.name", claim, is_text, "claim with the name to show"));
  rows.push_back(string(AT(auth.claims.role), "auth.claims.role", claim, is_text, "claim with the role"));
  rows.push_back(string(AT(auth.claims.speaking_language), "auth.claims.speaking_language", claim, is_text, "claim with the language spoken"));
  rows.push_back(string(AT(auth.claims.listening_language), "auth.claims.listening_language", claim, is_text,
      "claim with the languages to hear, best first: a list, or text with commas"));
  rows.push_back(string(AT(auth.claims.understands), "auth.claims.understands", claim, is_text, "claim with the languages that are heard in the original"));
}

void add_audio(Rows& rows) {
  rows.push_back(integer(AT(audio.max_message_bytes), "audio.max_message_bytes", kib, 64 * mib, "longest message from a client; beyond: close 1009"));
  rows.push_back(flag(AT(audio.accept_base64), "audio.accept_base64", "take base64 of PCM as text messages"));
  rows.push_back(choice(AT(audio.pipeline_encoding), "audio.pipeline_encoding", {"linear16", "opus"},
      "linear16: Opus from clients is decoded before it is published; opus: it is passed on"));
  rows.push_back(integer(AT(audio.chunk_ms), "audio.chunk_ms", 0, 20000,
      "length of published chunks in ms; 0: each message as it came; 250 suits Deepgram; at most audio.max_chunk_ms"));
  rows.push_back(integer(AT(audio.flush_ms), "audio.flush_ms", 10, minute_ms, "ms without audio after which the rest of a chunk is published"));
  rows.push_back(integer(AT(audio.max_chunk_ms), "audio.max_chunk_ms", 20, 20000,
      "a longer message is published in pieces of at most so many ms, below the broker's limit of a message"));
  rows.push_back(integer(AT(audio.sequence_lookback_ms), "audio.sequence_lookback_ms", 0, 7 * day_ms,
      "ms of audio.raw that are read back for the last number of a speaker that this instance doesn't know"));
  rows.push_back(integer(AT(audio.language_timeout_ms), "audio.language_timeout_ms", 100, hour_ms,
      "ms without a frame after which a language is no longer produced for a speaker"));
  rows.push_back(integer(AT(audio.output_sample_rate), "audio.output_sample_rate", 8000, 48000, "sample rate of what listeners hear, in Hz"));
  rows.push_back(flag(AT(audio.hear_self), "audio.hear_self", "let speakers hear the synthesis of their own speech"));
  rows.push_back(integer(AT(audio.max_age_ms), "audio.max_age_ms", 10, hour_ms, "a synthesized frame that is older, in ms, is skipped and told"));
}

void add_captions_and_signaling(Rows& rows) {
  rows.push_back(integer(AT(captions.history), "captions.history", 0, 10000, "final captions per room and language sent to a late joiner"));
  rows.push_back(integer(AT(captions.history_ms), "captions.history_ms", 0, day_ms, "age in ms beyond which a caption is no longer replayed"));
  rows.push_back(flag(AT(captions.legacy_members), "captions.legacy_members",
      "add translated_text and target_language to translated captions; needs kafka.format.audio_raw json"));
  rows.push_back(integer(AT(signaling.max_message_bytes), "signaling.max_message_bytes", 256, 16 * mib,
      "longest signaling message from a client; beyond: close 1009"));
  rows.push_back(choice(AT(suppress.mode), "suppress.mode", {"mute", "duck"}, "what listeners do with the original while they hear its translation"));
  rows.push_back(number(AT(suppress.gain), "suppress.gain", 0.0, 1.0, "gain of the suppressed original; none: 0.0 for mute, 0.15 for duck"));
  rows.push_back(integer(AT(suppress.fade_ms), "suppress.fade_ms", 0, 10000, "length of the fade in ms"));
  rows.push_back(integer(AT(suppress.stall_ms), "suppress.stall_ms", 100, 10 * minute_ms,
      "ms of speech without synthesis after which the original is given back"));
  rows.push_back(number(AT(suppress.voice_dbfs), "suppress.voice_dbfs", -96.0, 0.0, "level from which sound counts as voice, in dB of full scale"));
}

void add_kafka(Rows& rows) {
  constexpr std::string_view topic = "the name of a topic: 1 to 249 of A-Z a-z 0-9 . _ -";
  rows.push_back(string(AT(kafka.bootstrap_servers), "kafka.bootstrap.servers", "embedded, or HOST:PORT,...", is_text,
      "brokers; embedded is an in-process cluster for trials, lost with the process"));
  rows.push_back(string(AT(kafka.topic_audio_raw), "kafka.topic.audio_raw", topic, is_topic, "topic of speech, written"));
  rows.push_back(string(AT(kafka.topic_audio_synthesized), "kafka.topic.audio_synthesized", topic, is_topic, "topic of synthesized speech, read"));
  rows.push_back(string(AT(kafka.topic_text_original), "kafka.topic.text_original", topic, is_topic, "topic of transcripts, read"));
  rows.push_back(string(AT(kafka.topic_text_translated), "kafka.topic.text_translated", topic, is_topic, "topic of translations, read"));
  rows.push_back(choice(AT(kafka.format_audio_raw), "kafka.format.audio_raw", {"json", "binary"},
      "format of what is written: JSON with base64, or audio bytes with headers"));
  rows.push_back(flag(AT(kafka.dlq), "kafka.dlq", "copy messages that can't be read to dlq.<topic>"));
  rows.push_back(integer(AT(kafka.buffer_ms), "kafka.buffer_ms", 100, hour_ms, "ms of audio per speaker that wait while Kafka is away"));
  rows.push_back(integer(AT(kafka.buffer_bytes), "kafka.buffer_bytes", mib, 64 * gib, "bytes of audio of all speakers that wait while Kafka is away"));
  rows.push_back(integer(AT(kafka.inflight_ms), "kafka.inflight_ms", 10, minute_ms,
      "ms of audio per speaker handed to the Kafka library ahead of acknowledgement"));
  rows.push_back(flag(AT(kafka.partition_aware), "kafka.partition_aware",
      "fetch only the partitions that the keys of this instance's rooms live in, as kafka.key_partitioners says; off: all"));
  rows.push_back(one_of(list(AT(kafka.key_partitioners), "kafka.key_partitioners", "", nullptr,
      "how workers choose a record's partition by its key, all that occur: murmur2 (Kafka's own, Java, aiokafka), crc32 (librdkafka's default), fnv1a"),
      {"murmur2", "crc32", "fnv1a"}));
}

void add_redis(Rows& rows) {
  rows.push_back(secret(string(AT(redis.url), "redis.url", "redis://[USER[:PASSWORD]@]HOST[:PORT][/DB], rediss:// with TLS", is_redis_url,
      "Redis that joins several instances; none: this one is alone")));
  rows.push_back(flag(AT(redis.publish_participants), "redis.publish_participants",
      "keep participants' languages in room:{room_id}:participants, where workers look which are wanted"));
  rows.push_back(flag(AT(redis.pipeline_channels), "redis.pipeline_channels",
      "take pieces of synthesis and interim captions from pipeline:audio:{room_id} and pipeline:captions:{room_id}"));
}

void add_limits_ops_and_log(Rows& rows) {
  rows.push_back(integer(AT(limits.sessions), "limits.sessions", 1, 1'000'000, "sockets of this instance; beyond: 503"));
  rows.push_back(integer(AT(limits.rooms), "limits.rooms", 1, 1'000'000, "rooms of this instance; beyond: 503"));
  rows.push_back(integer(AT(limits.room_participants), "limits.room_participants", 1, 100'000, "participants of a room; beyond: 429"));
  rows.push_back(integer(AT(limits.sessions_per_user), "limits.sessions_per_user", 1, 10'000, "sockets of a user; beyond: 429"));
  rows.push_back(integer(AT(limits.outbox_bytes), "limits.outbox_bytes", 4 * kib, gib, "bytes that may wait for a slow client"));
  rows.push_back(integer(AT(limits.slow_close_ms), "limits.slow_close_ms", 100, 10 * minute_ms,
      "ms over limits.outbox_bytes after which a listener is closed with 4008"));
  rows.push_back(integer(AT(limits.messages_per_s), "limits.messages_per_s", 1, 100'000, "messages per second and socket; bursts of two seconds' worth pass"));
  rows.push_back(may_be_empty(list(AT(ops.allow), "ops.allow", "addresses, or networks such as 10.0.0.0/8", is_network,
      "who may ask /readyz and /metrics")));
  rows.push_back(reloadable(choice(AT(log.level), "log.level", {"error", "warn", "info", "debug"}, "least severe level that is logged")));
  rows.push_back(choice(AT(log.format), "log.format", {"text", "json"}, "form of a log line"));
  rows.push_back(file(AT(log.file), "log.file", "file that the log is appended to; none: stderr"));
  rows.push_back(integer(AT(log.latency_sample), "log.latency_sample", 0, 1'000'000, "log the latency of every Nth frame; 1: of every one, 0: of none"));
}

#undef AT

}  // namespace

std::vector<Option> option_rows() {
  Rows rows;
  add_general(rows);
  add_listen(rows);
  add_auth(rows);
  add_audio(rows);
  add_captions_and_signaling(rows);
  add_kafka(rows);
  add_redis(rows);
  add_limits_ops_and_log(rows);
  return rows;
}

}  // namespace fluentgate::config
