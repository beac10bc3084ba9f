#include "core/config/option_table.hpp"

#include <map>
#include <set>
#include <string>

#include "core/config/loader.hpp"
#include "core/config/option_pages.hpp"
#include "core/config/option_value.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::config;

namespace {

// Every option, set to another value than its default.
const std::map<std::string, std::string>& other_values() {
  static const std::map<std::string, std::string> values{
      {"listen.address", "0.0.0.0"}, {"listen.port", "1"}, {"listen.tls_cert", "/c.pem"}, {"listen.tls_key", "/k.pem"}, {"listen.processes", "2"}, {"prefix", "/api/v1/ws"},
      {"auth.algorithms", "[\"HS512\", \"EdDSA\"]"}, {"auth.secret", "another secret"}, {"auth.secret_file", "/s"}, {"auth.public_key_files", "/a.pem, k=/b.pem"},
      {"auth.issuer", "iss"}, {"auth.audience", "aud"}, {"auth.leeway_s", "6"}, {"auth.require_exp", "false"}, {"auth.require_room", "false"}, {"auth.membership", "redis"}, {"auth.cookie", "fg"},
      {"auth.allowed_origins", "https://a.org,https://b.org"}, {"auth.reject", "close"}, {"auth.allow_language_override", "false"},
      {"auth.claims.user", "u"}, {"auth.claims.room", "r"}, {"auth.claims.rooms", "rs"}, {"auth.claims.name", "n"}, {"auth.claims.role", "ro"},
      {"auth.claims.speaking_language", "sl"}, {"auth.claims.listening_language", "ll"}, {"auth.claims.understands", "us"},
      {"audio.max_message_bytes", "2097152"}, {"audio.accept_base64", "false"}, {"audio.pipeline_encoding", "opus"}, {"audio.chunk_ms", "250"},
      {"audio.flush_ms", "501"}, {"audio.max_chunk_ms", "10001"}, {"audio.sequence_lookback_ms", "1"}, {"audio.language_timeout_ms", "10001"},
      {"audio.output_sample_rate", "24000"}, {"audio.hear_self", "true"}, {"audio.max_age_ms", "3001"}, {"captions.history", "51"},
      {"captions.history_ms", "300001"}, {"captions.legacy_members", "true"}, {"signaling.max_message_bytes", "65537"}, {"suppress.mode", "duck"},
      {"suppress.gain", "0.25"}, {"suppress.fade_ms", "201"}, {"suppress.stall_ms", "5001"}, {"suppress.voice_dbfs", "-50.5"},
      {"kafka.bootstrap.servers", "a:9092"}, {"kafka.topic.audio_raw", "t1"}, {"kafka.topic.audio_synthesized", "t2"}, {"kafka.topic.text_original", "t3"},
      {"kafka.topic.text_translated", "t4"}, {"kafka.format.audio_raw", "binary"}, {"kafka.dlq", "true"}, {"kafka.buffer_ms", "30001"},
      {"kafka.buffer_bytes", "268435457"}, {"kafka.inflight_ms", "1001"}, {"kafka.partition_aware", "true"},
      {"kafka.key_partitioners", "murmur2"}, {"redis.url", "rediss://:pw@r:1/2"}, {"redis.publish_participants", "true"}, {"redis.pipeline_channels", "true"}, {"limits.sessions", "20001"}, {"limits.rooms", "5001"},
      {"limits.room_participants", "1001"}, {"limits.sessions_per_user", "17"}, {"limits.outbox_bytes", "1048577"}, {"limits.slow_close_ms", "10001"},
      {"limits.messages_per_s", "201"}, {"ops.allow", "10.0.0.0/8"}, {"ready_gate", "true"}, {"drain_ms", "10001"}, {"log.level", "debug"},
      {"log.format", "json"}, {"log.file", "/l"}, {"log.latency_sample", "2"},
  };
  return values;
}

// Refused together with another one of the table, so set apart from them.
bool is_alone(std::string_view name) { return name == "captions.legacy_members"; }

Settings finished(const Loader& loader) {
  auto settings = loader.finish();
  if (!settings) FAIL(settings.error().text);
  return *settings;
}

// How many options a struct of Settings holds. A member that is added breaks the binding, and so the build, until it has a row.
std::size_t fields_of(const Settings& all) {
  [[maybe_unused]] const auto& [listen, prefix, auth, audio, captions, signaling, suppress, kafka, redis, limits, ops, ready_gate, drain_ms, log] = all;
  [[maybe_unused]] const auto& [l1, l2, l3, l4, l5] = listen;
  [[maybe_unused]] const auto& [c1, c2, c3, c4, c5, c6, c7, c8] = auth.claims;
  [[maybe_unused]] const auto& [a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, claims] = auth;
  [[maybe_unused]] const auto& [u1, u2, u3, u4, u5, u6, u7, u8, u9, u10, u11] = audio;
  [[maybe_unused]] const auto& [p1, p2, p3] = captions;
  [[maybe_unused]] const auto& [g1] = signaling;
  [[maybe_unused]] const auto& [s1, s2, s3, s4, s5] = suppress;
  [[maybe_unused]] const auto& [k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11, k12, both, producer, consumer] = kafka;
  [[maybe_unused]] const auto& [r1, r2, r3] = redis;
  [[maybe_unused]] const auto& [m1, m2, m3, m4, m5, m6, m7] = limits;
  [[maybe_unused]] const auto& [o1] = ops;
  [[maybe_unused]] const auto& [d1, d2, d3, d4] = log;
  return 3 + 5 + 8 + 14 + 11 + 3 + 1 + 5 + 12 + 3 + 7 + 1 + 4;  // prefix, ready_gate and drain_ms being the 3
}

}  // namespace

TEST(table_has_a_row_for_every_setting_and_no_name_twice) {
  CHECK_EQ(option_table().size(), fields_of(Settings{}));
  std::set<std::string_view> names;
  for (const Option& option : option_table()) CHECK(names.insert(option.name).second);
}

TEST(table_defaults_are_accepted_by_their_own_rows) {
  for (const Option& option : option_table()) {
    const Value value = default_value(option);
    if (std::holds_alternative<std::monostate>(value)) continue;
    if (!accepts(option, value)) FAIL(std::string(option.name) + " = " + show(value) + ", allowed is " + allowed(option));
  }
}

TEST(table_rows_say_what_they_are_in_one_line) {
  for (const Option& option : option_table()) {
    CHECK(!option.text.empty());
    CHECK(option.text.find('\n') == std::string_view::npos);
    if (allowed(option).empty() || allowed(option) == "a list of ") FAIL(std::string(option.name));
    CHECK(find_option(option.name) == &option);
  }
}

TEST(table_defaults_are_the_contracts) {
  const std::map<std::string, std::string> contract{
      {"listen.address", "\"127.0.0.1\""}, {"listen.port", "7681"}, {"listen.processes", "1"}, {"prefix", "\"/ws\""}, {"auth.algorithms", "[\"HS256\"]"},
      {"auth.leeway_s", "5"}, {"auth.require_exp", "true"}, {"auth.require_room", "true"}, {"auth.reject", "\"http\""}, {"auth.membership", "\"token\""},
      {"auth.allow_language_override", "true"}, {"auth.claims.user", "\"sub\""}, {"auth.claims.room", "\"room_id\""}, {"auth.claims.rooms", "\"rooms\""},
      {"audio.max_message_bytes", "1048576"}, {"audio.accept_base64", "true"}, {"audio.pipeline_encoding", "\"linear16\""}, {"audio.chunk_ms", "0"},
      {"audio.flush_ms", "500"}, {"audio.max_chunk_ms", "10000"}, {"audio.sequence_lookback_ms", "600000"}, {"audio.language_timeout_ms", "10000"},
      {"audio.output_sample_rate", "16000"}, {"audio.hear_self", "false"}, {"audio.max_age_ms", "3000"}, {"captions.history", "50"},
      {"captions.history_ms", "300000"}, {"captions.legacy_members", "false"}, {"signaling.max_message_bytes", "65536"}, {"suppress.mode", "\"mute\""},
      {"suppress.fade_ms", "200"}, {"suppress.stall_ms", "5000"}, {"suppress.voice_dbfs", "-45.0"}, {"kafka.bootstrap.servers", "\"embedded\""},
      {"kafka.topic.audio_raw", "\"audio.raw\""}, {"kafka.topic.audio_synthesized", "\"audio.synthesized\""}, {"kafka.topic.text_original", "\"text.original\""},
      {"kafka.topic.text_translated", "\"text.translated\""}, {"kafka.format.audio_raw", "\"json\""}, {"kafka.dlq", "false"}, {"kafka.buffer_ms", "30000"},
      {"kafka.buffer_bytes", "268435456"}, {"kafka.inflight_ms", "1000"}, {"limits.slow_close_ms", "10000"}, {"limits.messages_per_s", "200"},
      {"ready_gate", "false"}, {"drain_ms", "10000"}, {"log.level", "\"info\""}, {"log.format", "\"text\""}, {"log.latency_sample", "1"}};
  for (const auto& [name, value] : contract) {
    const Option* option = find_option(name);
    if (option == nullptr) FAIL(name + " has no row");
    if (show(default_value(*option)) != value) FAIL(name + " = " + show(default_value(*option)));
  }
  for (const std::string_view name : {"listen.tls_cert", "listen.tls_key", "auth.secret", "auth.secret_file", "auth.public_key_files", "auth.issuer",
                                      "auth.audience", "auth.cookie", "auth.allowed_origins", "suppress.gain", "log.file"}) {
    CHECK(is_empty(default_value(*find_option(name))));
  }
}

TEST(table_each_option_changes_its_own_member_and_no_other) {
  for (const Option& option : option_table()) {
    const auto found = other_values().find(std::string(option.name));
    if (found == other_values().end()) FAIL("no other value for " + std::string(option.name));
    const Value value = value_of_text(option.type, found->second);
    if (!accepts(option, value)) FAIL(std::string(option.name) + " refuses " + found->second);
    Settings settings;
    option.set(option, settings, value);
    for (const Option& other : option_table()) {
      const bool changed = other.get(other, settings) != default_value(other);
      if (changed != (&other == &option)) FAIL(std::string(option.name) + " and " + std::string(other.name));
    }
    CHECK(option.get(option, settings) == value);
  }
}

TEST(table_every_option_reaches_the_settings_through_the_loader) {
  Loader loader;
  for (const auto& [name, text] : other_values()) {
    if (!is_alone(name)) loader.add_option(name, text);
  }
  const Settings settings = finished(loader);
  for (const Option& option : option_table()) {
    if (is_alone(option.name)) continue;
    CHECK(loader.was_given(option.name));
    CHECK(option.get(option, settings) == value_of_text(option.type, other_values().at(std::string(option.name))));
  }
  CHECK(settings.audio.pipeline_encoding == PipelineEncoding::opus);
  CHECK(settings.auth.reject == RejectMode::close);
  CHECK(settings.suppress.mode == SuppressMode::duck);
  CHECK(settings.kafka.format_audio_raw == AudioRawFormat::binary);
  CHECK(settings.log.format == LogFormat::json);
  CHECK_EQ(*settings.suppress.gain, 0.25);
  CHECK_EQ(settings.kafka.buffer_bytes, std::size_t{268435457});
}

TEST(table_marks_secrets_host_options_and_what_is_reloaded) {
  for (const Option& option : option_table()) {
    CHECK_EQ(option.secret, option.name == "auth.secret" || option.name == "redis.url");
    CHECK_EQ(option.host_only, option.name.starts_with("listen."));
    CHECK_EQ(option.reloadable, option.name == "auth.secret" || option.name == "auth.secret_file" || option.name == "auth.public_key_files" ||
                                    option.name == "log.level");
  }
  CHECK(is_secret_name("kafka.sasl.password"));
  CHECK(is_secret_name("kafka.producer.SSL.Key.PEM"));
  CHECK(is_secret_name("kafka.sasl.oauthbearer.client.secret"));
  CHECK(!is_secret_name("auth.secret_file"));
  CHECK(!is_secret_name("kafka.linger.ms"));
}

TEST(table_finds_the_nearest_name) {
  CHECK_EQ(nearest_name("listen.prot"), "listen.port");
  CHECK_EQ(nearest_name("port"), "listen.port");
  CHECK_EQ(nearest_name("audio.chunkms"), "audio.chunk_ms");
  CHECK_EQ(nearest_name("kafka.bufer_ms"), "kafka.buffer_ms");
  CHECK_EQ(nearest_name("zzzzzzzzzzzz"), "");
  CHECK_EQ(nearest_name(""), "");
  CHECK_EQ(nearest_name(std::string(100000, 'a')), "");
}

TEST(pages_print_one_line_an_option) {
  const std::string printed = print_options();
  for (const Option& option : option_table()) {
    const std::string value = is_empty(default_value(option)) ? "# " + std::string(option.name) + " =  # " + std::string(option.text)
                                                              : std::string(option.name) + " = " + show(default_value(option)) + "  # " + std::string(option.text);
    if (("\n" + printed).find("\n" + value + "\n") == std::string::npos) FAIL(value);
  }
}

TEST(pages_name_every_option_in_the_reference) {
  const std::string page = options_markdown();
  for (const Option& option : option_table()) CHECK(page.find("| `" + std::string(option.name) + "` |") != std::string::npos);
  CHECK(page.find("`kafka.producer.<property>`") != std::string::npos);
}
