// Rules between options, one a row.
#include "core/config/option_rules.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "core/config/option_value.hpp"

namespace fluentgate::config {

namespace {

bool is_hmac(const std::string& algorithm) { return algorithm.starts_with("HS"); }

std::string no_key(const Settings& s) {
  if (s.auth.secret.empty() && s.auth.secret_file.empty() && s.auth.public_key_files.empty()) {
    return "auth.secret, auth.secret_file, auth.public_key_files: none is set: allowed is at least one of them; without any key nothing starts";
  }
  return {};
}

std::string no_algorithm_for_any_key(const Settings& s) {
  const bool has_secret = !s.auth.secret.empty() || !s.auth.secret_file.empty(), has_public = !s.auth.public_key_files.empty();
  if (!has_secret && !has_public) return {};  // no_key tells
  const auto& algorithms = s.auth.algorithms;
  if (has_secret && std::any_of(algorithms.begin(), algorithms.end(), is_hmac)) return {};
  if (has_public && !std::all_of(algorithms.begin(), algorithms.end(), is_hmac)) return {};
  return "auth.algorithms = " + show(Value(algorithms)) + ": no key is set that any of them could use: allowed is at least one of " +
         (has_secret ? "HS256, HS384, HS512 with a secret" : "RS*, PS*, ES* or EdDSA with public keys");
}

std::string cookie_without_origins(const Settings& s) {
  if (s.auth.cookie.empty() || !s.auth.allowed_origins.empty()) return {};
  return "auth.cookie = " + show_short(Value(s.auth.cookie)) + ": allowed only with auth.allowed_origins, else any web page could use it";
}

std::string room_not_required(const Settings& s) {
  if (s.auth.require_room || s.auth.membership != Membership::token) return {};
  return "auth.require_room = false: allowed is true with auth.membership = \"token\", else a token would be good for any room";
}

std::string needs_redis(const Settings& s) {
  if (!s.redis.url.empty()) return {};
  if (s.auth.membership != Membership::token) {
    return std::string("auth.membership = ") + (s.auth.membership == Membership::redis ? "\"redis\"" : "\"both\"") + ": allowed only with redis.url";
  }
  if (s.redis.publish_participants) return "redis.publish_participants = true: allowed only with redis.url";
  if (s.redis.pipeline_channels) return "redis.pipeline_channels = true: allowed only with redis.url";
  return {};
}

std::string processes_alone(const Settings& s) {
  if (s.listen.processes == 1) return {};
  const std::string option = "listen.processes = " + std::to_string(s.listen.processes) + ": allowed is 1 ";
  if (s.redis.url.empty()) return option + "without redis.url, which joins the processes";
  if (s.kafka.embedded()) return option + "with kafka.bootstrap.servers = \"embedded\": every process would have a cluster of its own";
  return {};
}

std::string no_partitioner(const Settings& s) {
  if (!s.kafka.partition_aware || !s.kafka.key_partitioners.empty()) return {};
  return "kafka.key_partitioners = []: allowed is at least one of murmur2, crc32, fnv1a with kafka.partition_aware on";
}

std::string half_of_tls(const Settings& s) {
  if (s.listen.tls_cert.empty() == s.listen.tls_key.empty()) return {};
  return s.listen.tls_key.empty() ? "listen.tls_cert = " + show_short(Value(s.listen.tls_cert)) + ": allowed only together with listen.tls_key"
                                  : "listen.tls_key = " + show_short(Value(s.listen.tls_key)) + ": allowed only together with listen.tls_cert";
}

std::string chunk_over_bound(const Settings& s) {
  if (s.audio.chunk_ms <= s.audio.max_chunk_ms) return {};
  return "audio.chunk_ms = " + std::to_string(s.audio.chunk_ms) + ": allowed is at most audio.max_chunk_ms, " + std::to_string(s.audio.max_chunk_ms);
}

std::string legacy_with_binary(const Settings& s) {
  if (!s.captions.legacy_members || s.kafka.format_audio_raw != AudioRawFormat::binary) return {};
  return "kafka.format.audio_raw = \"binary\": allowed is \"json\" with captions.legacy_members on (one record that isn't JSON ends FluentMeet's speech worker)";
}

std::string same_topic_twice(const Settings& s) {
  const std::array<std::pair<std::string_view, const std::string*>, 4> topics{{{"kafka.topic.audio_raw", &s.kafka.topic_audio_raw},
                                                                             {"kafka.topic.audio_synthesized", &s.kafka.topic_audio_synthesized},
                                                                             {"kafka.topic.text_original", &s.kafka.topic_text_original},
                                                                             {"kafka.topic.text_translated", &s.kafka.topic_text_translated}}};
  for (std::size_t later = 1; later < topics.size(); ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      if (*topics[later].second != *topics[earlier].second) continue;
      return std::string(topics[later].first) + " = " + show(Value(*topics[later].second)) + ": allowed is another topic than that of " +
             std::string(topics[earlier].first);
    }
  }
  return {};
}

struct Rule {
  std::string (*check)(const Settings&);  // empty: kept
  std::vector<std::string_view> reads;
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all{
      {half_of_tls, {"listen.tls_cert", "listen.tls_key"}},
      {no_key, {"auth.secret", "auth.secret_file", "auth.public_key_files"}},
      {no_algorithm_for_any_key, {"auth.secret", "auth.secret_file", "auth.public_key_files", "auth.algorithms"}},
      {room_not_required, {"auth.require_room", "auth.membership"}},
      {cookie_without_origins, {"auth.cookie", "auth.allowed_origins"}},
      {needs_redis, {"redis.url", "auth.membership", "redis.publish_participants", "redis.pipeline_channels"}},
      {processes_alone, {"listen.processes", "redis.url", "kafka.bootstrap.servers"}},
      {no_partitioner, {"kafka.partition_aware", "kafka.key_partitioners"}},
      {chunk_over_bound, {"audio.chunk_ms", "audio.max_chunk_ms"}},
      {legacy_with_binary, {"captions.legacy_members", "kafka.format.audio_raw"}},
      {same_topic_twice,
       {"kafka.topic.audio_raw", "kafka.topic.audio_synthesized", "kafka.topic.text_original", "kafka.topic.text_translated"}},
  };
  return all;
}

}  // namespace

std::vector<std::string> broken_rules(const Settings& settings, const std::function<bool(std::string_view)>& is_wrong) {
  std::vector<std::string> lines;
  for (const Rule& rule : rules()) {
    if (std::any_of(rule.reads.begin(), rule.reads.end(), is_wrong)) continue;
    std::string line = rule.check(settings);
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace fluentgate::config
