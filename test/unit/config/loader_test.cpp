#include "core/config/loader.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/config/option_pages.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::config;

namespace {

constexpr std::string_view key = "0123456789abcdef0123456789abcdef";

// A folder that is gone when the test ends.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "fluentgate-config-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) FAIL("mkdtemp");
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name, std::string_view text) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Settings finished(const Loader& loader) {
  auto settings = loader.finish();
  if (!settings) FAIL(settings.error().text);
  return *settings;
}

std::string error_of(const Loader& loader) {
  const auto settings = loader.finish();
  if (settings) FAIL("no error");
  CHECK_EQ(settings.error().code, "bad_configuration");
  return settings.error().text;
}

Loader with_key() {
  Loader loader;
  loader.add_option("auth.secret", key);
  return loader;
}

// The error of one option beside a key.
std::string error_of_option(std::string_view name, std::string_view text) {
  Loader loader = with_key();
  loader.add_option(name, text);
  return error_of(loader);
}

// The error of a file, without its folder.
std::string error_of_file(std::string_view text) {
  const Folder folder;
  Loader loader = with_key();
  loader.add_file(folder.file("f.toml", text));
  std::string error = error_of(loader);
  for (std::size_t at = 0; (at = error.find(folder.path() + "/")) != std::string::npos;) error.erase(at, folder.path().size() + 1);
  return error;
}

}  // namespace

TEST(loader_takes_a_key_and_gives_the_defaults) {
  Settings expected;
  expected.auth.secret = key;
  CHECK(finished(with_key()) == expected);
}

TEST(loader_refuses_to_start_without_any_key) {
  CHECK_EQ(error_of(Loader{}), "auth.secret, auth.secret_file, auth.public_key_files: none is set: allowed is at least one of them; without any key nothing starts");
}

TEST(loader_reads_sections_dotted_and_quoted_keys_alike) {
  const Folder folder;
  Loader loader = with_key();
  loader.add_file(folder.file("a.toml", "prefix = '/a'\naudio.chunk_ms = 20\n[listen]\nport = 5\n[kafka]\nbootstrap.servers = 'b:1'\n\"buffer_ms\" = 1000\n"
                                        "topic.audio_raw = 'raw'\n[auth.claims]\nuser = 'email'\n[suppress]\ngain = 1\n"));
  const Settings settings = finished(loader);
  CHECK_EQ(settings.prefix, "/a");
  CHECK_EQ(settings.audio.chunk_ms, 20);
  CHECK_EQ(settings.listen.port, 5);
  CHECK_EQ(settings.kafka.bootstrap_servers, "b:1");
  CHECK(!settings.kafka.embedded());
  CHECK_EQ(settings.kafka.buffer_ms, 1000);
  CHECK_EQ(settings.kafka.topic_audio_raw, "raw");
  CHECK_EQ(settings.auth.claims.user, "email");
  CHECK_EQ(*settings.suppress.gain, 1.0);
}

TEST(loader_lets_the_later_one_win) {
  const Folder folder;
  Loader loader = with_key();
  loader.add_file(folder.file("a.toml", "listen.port = 1\ndrain_ms = 1\nkafka.linger.ms = 1\n"));
  loader.add_file(folder.file("b.toml", "listen.port = 2\nkafka.linger.ms = 2\n"));
  CHECK_EQ(finished(loader).listen.port, 2);
  loader.add_option("listen.port", "3");
  loader.add_option("kafka.linger.ms", "3");
  const Settings settings = finished(loader);
  CHECK_EQ(settings.listen.port, 3);
  CHECK_EQ(settings.drain_ms, 1);
  CHECK_EQ(settings.kafka.properties.at("linger.ms"), "3");
}

TEST(loader_reads_lists_as_arrays_and_separated_by_commas) {
  using List = std::vector<std::string>;
  for (const std::string_view text : {"[\"https://a.org\", \"https://b.org\"]", "https://a.org,https://b.org", " https://a.org , https://b.org, ", "['https://a.org',\n'https://b.org']"}) {
    Loader loader = with_key();
    loader.add_option("auth.allowed_origins", text);
    CHECK((finished(loader).auth.allowed_origins == List{"https://a.org", "https://b.org"}));
  }
  Loader loader = with_key();
  loader.add_option("ops.allow", "");
  CHECK(finished(loader).ops.allow.empty());
  CHECK(error_of_option("auth.allowed_origins", "[\"https://a.org\"").starts_with("auth.allowed_origins = \"[\\\"https://a.org\\\"\": allowed is a list of "));
  CHECK(error_of_option("auth.allowed_origins", "[1]").starts_with("auth.allowed_origins = \"[1]\": "));
  CHECK(error_of_option("auth.allowed_origins", "[]\nprefix = 'x'").starts_with("auth.allowed_origins = "));
}

TEST(loader_takes_a_string_as_it_is) {
  Loader loader = with_key();
  loader.add_option("auth.issuer", "\"quoted\" = [x] # y ");
  loader.add_option("auth.secret", "a, \"b\"\n");
  CHECK_EQ(finished(loader).auth.issuer, "\"quoted\" = [x] # y ");
  CHECK_EQ(finished(loader).auth.secret, "a, \"b\"\n");
}

TEST(loader_tells_a_wrong_type) {
  CHECK_EQ(error_of_option("listen.port", "many"), "listen.port = \"many\": allowed is an integer from 0 to 65535");
  CHECK_EQ(error_of_option("listen.port", "1k"), "listen.port = \"1k\": allowed is an integer from 0 to 65535");
  CHECK_EQ(error_of_option("listen.port", ""), "listen.port = \"\": allowed is an integer from 0 to 65535");
  CHECK_EQ(error_of_option("drain_ms", "99999999999999999999"), "drain_ms = \"99999999999999999999\": allowed is an integer from 0 to 600000");
  CHECK_EQ(error_of_option("ready_gate", "yes"), "ready_gate = \"yes\": allowed is true or false");
  CHECK_EQ(error_of_option("suppress.gain", "half"), "suppress.gain = \"half\": allowed is a number from 0.0 to 1.0");
  CHECK_EQ(error_of_file("\nlisten.port = \"7681\""), "f.toml:2: listen.port = \"7681\": allowed is an integer from 0 to 65535");
  CHECK_EQ(error_of_file("listen.port = 7681.0"), "f.toml:1: listen.port = 7681.0: allowed is an integer from 0 to 65535");
  CHECK_EQ(error_of_file("[log]\nlevel = true"), "f.toml:2: log.level = true: allowed is one of error, warn, info, debug");
  CHECK_EQ(error_of_file("prefix = 1979-05-27"), "f.toml:1: prefix = (of another type): allowed is a path such as /ws, without a slash at its end");
  CHECK_EQ(error_of_file("auth.algorithms = [1]").substr(0, 43), "f.toml:1: auth.algorithms = (of another typ");
}

TEST(loader_tells_what_is_out_of_range) {
  CHECK_EQ(error_of_option("listen.port", "65536"), "listen.port = 65536: allowed is an integer from 0 to 65535");
  CHECK_EQ(error_of_option("listen.port", "-1"), "listen.port = -1: allowed is an integer from 0 to 65535");
  CHECK_EQ(error_of_option("listen.processes", "0"), "listen.processes = 0: allowed is an integer from 1 to 64");
  CHECK_EQ(error_of_option("suppress.gain", "1.5"), "suppress.gain = 1.5: allowed is a number from 0.0 to 1.0");
  CHECK_EQ(error_of_option("suppress.gain", "nan"), "suppress.gain = nan: allowed is a number from 0.0 to 1.0");
  CHECK_EQ(error_of_file("audio.output_sample_rate = 96000"), "f.toml:1: audio.output_sample_rate = 96000: allowed is an integer from 8000 to 48000");
}

TEST(loader_tells_a_bad_choice_and_a_bad_form) {
  CHECK_EQ(error_of_option("log.level", "loud"), "log.level = \"loud\": allowed is one of error, warn, info, debug");
  CHECK_EQ(error_of_option("auth.membership", "ldap"), "auth.membership = \"ldap\": allowed is one of token, redis, both");
  CHECK(error_of_option("auth.algorithms", "HS256,none").starts_with("auth.algorithms = [\"HS256\", \"none\"]: allowed is a list of HS256, "));
  CHECK(error_of_option("auth.algorithms", "").starts_with("auth.algorithms = []: "));
  CHECK_EQ(error_of_option("prefix", "ws/"), "prefix = \"ws/\": allowed is a path such as /ws, without a slash at its end");
  CHECK(error_of_option("auth.allowed_origins", "https://a.org/").starts_with("auth.allowed_origins = [\"https://a.org/\"]: "));
  CHECK(error_of_option("kafka.topic.audio_raw", "").starts_with("kafka.topic.audio_raw = \"\": "));
  CHECK(error_of_option("ops.allow", "localhost").starts_with("ops.allow = [\"localhost\"]: "));
}

TEST(loader_tells_an_unknown_option_with_the_nearest_name_and_without_its_value) {
  CHECK_EQ(error_of_option("listen.prot", "7"), "listen.prot: unknown option: the nearest is listen.port");
  CHECK_EQ(error_of_option("auth.secrett", "hush"), "auth.secrett: unknown option: the nearest is auth.secret");
  CHECK_EQ(error_of_option("kafka.bufer_ms", "7"), "kafka.bufer_ms: unknown option: the nearest is kafka.buffer_ms");
  CHECK_EQ(error_of_option("qqqqqqqqqq", "7"), "qqqqqqqqqq: unknown option: allowed are those of --print-options");
  CHECK_EQ(error_of_file("[audio]\nchunkms = 7"), "f.toml:2: audio.chunkms: unknown option: the nearest is audio.chunk_ms");
  CHECK_EQ(error_of_file("listen.port.x = 1"), "f.toml:1: listen.port.x: unknown option: the nearest is listen.port");
  for (const std::string_view later : {"redis.host", "auth.jwks_file", "kafka.", "kafka.producer.", "kafka.a_b", "a\nb"}) {
    const std::string error = error_of_option(later, "x");
    CHECK(error.find("unknown option") != std::string::npos);
    CHECK(error.find('\n') == std::string::npos);
  }
}

TEST(loader_passes_properties_of_librdkafka_on_by_side) {
  const Folder folder;
  Loader loader = with_key();
  loader.add_file(folder.file("a.toml", "[kafka]\nlinger.ms = 5\n\"socket.nagle.disable\" = true\nbootstrap.servers = 'b:1'\n[kafka.producer]\nacks = 'all'\n"
                                        "[kafka.consumer]\nfetch.min.bytes = 1\n"));
  loader.add_option("kafka.sasl.password", " as, it is ");
  const Settings settings = finished(loader);
  using Map = std::map<std::string, std::string>;
  CHECK((settings.kafka.properties == Map{{"linger.ms", "5"}, {"socket.nagle.disable", "true"}, {"sasl.password", " as, it is "}}));
  CHECK((settings.kafka.producer_properties == Map{{"acks", "all"}}));
  CHECK((settings.kafka.consumer_properties == Map{{"fetch.min.bytes", "1"}}));
  CHECK_EQ(settings.kafka.bootstrap_servers, "b:1");
  CHECK_EQ(error_of_file("kafka.debug = ['broker']"), "f.toml:1: kafka.debug = [\"broker\"]: allowed is text, a number, true or false; librdkafka says which");
  CHECK(error_of_option("kafka.client.id", std::string_view("a\0b", 3)).starts_with("kafka.client.id = \"a\\u0000b\": allowed is text without a NUL"));
}

TEST(loader_never_prints_a_secret) {
  CHECK(error_of_file("auth.secret = 1234567").starts_with("f.toml:1: auth.secret = (not shown): allowed is text"));
  CHECK(error_of_file("kafka.sasl.password = ['hush']").starts_with("f.toml:1: kafka.sasl.password = (not shown): "));
  CHECK(error_of_option("kafka.ssl.key.password", std::string_view("hush\0", 5)).find("hush") == std::string::npos);
  // toml++ quotes what it can't read.
  for (const std::string_view text : {"[auth]\nsecret = trustno1\n", "[auth]\nsecret = hunter2", "auth.secret = \"\"\"\nx\n\"\"\" hunter2", "auth.secret = 12hunter2",
                                      "auth.secret = 123456789012345678901234567890", "auth.secret = 'x'\n[x]\nb = fals'e hunter2", "auth.secret 'hunter2'"}) {
    const std::string error = error_of_file(text);
    CHECK(error.find("not valid TOML") != std::string::npos);
    for (const std::string_view part : {"trustn", "hunter", "12345", "fals"}) if (error.find(part) != std::string::npos) FAIL(error);
  }
}

TEST(loader_tells_broken_toml_with_file_and_line) {
  const std::string error = error_of_file("prefix = '/a'\nlisten.port = = 3\n");
  CHECK(error.starts_with("f.toml:2: not valid TOML: "));
  CHECK(error.find('\n') == std::string::npos);
  CHECK(error_of_file("a = 1\na = 2\n").starts_with("f.toml:2: not valid TOML: "));
  CHECK(error_of_file("prefix = fals\n").find("saw 'fals") != std::string::npos);  // no secret near: what was wrong is shown
  CHECK(error_of_file("\xff\xfe").starts_with("f.toml:"));
  CHECK(error_of_file(std::string(100000, '[')).starts_with("f.toml:"));
}

TEST(loader_says_nothing_of_missing_options_where_a_file_could_not_be_read) {
  Loader broken;  // the file may well have a key
  broken.add_file("/nowhere/fluentgate.toml");
  CHECK_EQ(broken.finish().error().text, std::string("/nowhere/fluentgate.toml: No such file or directory"));
}

TEST(loader_tells_an_option_given_twice_in_one_file) {
  CHECK_EQ(error_of_file("\"listen.port\" = 1\n[listen]\nport = 2\n"), "f.toml:3: listen.port: given twice in this file: allowed is once");
}

TEST(loader_tells_a_file_that_cant_be_read) {
  const Folder folder;
  Loader missing = with_key();
  missing.add_file(folder.path() + "/none.toml");
  CHECK_EQ(error_of(missing), folder.path() + "/none.toml: No such file or directory");
  Loader directory = with_key();
  directory.add_file(folder.path());
  CHECK_EQ(error_of(directory), folder.path() + ": is a folder");
  Loader large = with_key();
  large.add_file(folder.file("l.toml", std::string(config_file_bytes_max + 1, '\n')));
  CHECK_EQ(error_of(large), folder.path() + "/l.toml: is longer than 1048576 bytes");
}

TEST(loader_tells_every_error_at_once_one_a_line_in_the_order_of_the_file) {
  const Folder folder;
  Loader loader;
  loader.add_file(folder.file("a.toml", "prefix = 1\nlog.level = 'x'\n[audio]\nflush_ms = 0\n"));
  loader.add_option("drain_ms", "x");
  loader.add_option("auth.cookie", "fg");
  const std::string at = folder.path() + "/a.toml:";
  CHECK_EQ(error_of(loader), at + "1: prefix = 1: allowed is a path such as /ws, without a slash at its end\n" + at +
                                 "2: log.level = \"x\": allowed is one of error, warn, info, debug\n" + at +
                                 "4: audio.flush_ms = 0: allowed is an integer from 10 to 60000\n"
                                 "drain_ms = \"x\": allowed is an integer from 0 to 600000\n"
                                 "auth.secret, auth.secret_file, auth.public_key_files: none is set: allowed is at least one of them; without any key nothing starts\n"
                                 "auth.cookie = \"fg\": allowed only with auth.allowed_origins, else any web page could use it");
}

TEST(loader_checks_the_rules_between_options) {
  CHECK(error_of_option("auth.cookie", "fg").starts_with("auth.cookie = \"fg\": allowed only with auth.allowed_origins"));
  CHECK_EQ(error_of_option("listen.tls_cert", "/c"), "listen.tls_cert = \"/c\": allowed only together with listen.tls_key");
  CHECK_EQ(error_of_option("listen.tls_key", "/k"), "listen.tls_key = \"/k\": allowed only together with listen.tls_cert");
  CHECK(error_of_option("auth.require_room", "false").starts_with("auth.require_room = false: allowed is true"));
  CHECK(error_of_option("auth.algorithms", "RS256,EdDSA").starts_with("auth.algorithms = [\"RS256\", \"EdDSA\"]: no key is set"));
  CHECK_EQ(error_of_option("audio.chunk_ms", "10001"), "audio.chunk_ms = 10001: allowed is at most audio.max_chunk_ms, 10000");
  CHECK(error_of_option("kafka.topic.text_original", "audio.raw").starts_with("kafka.topic.text_original = \"audio.raw\": allowed is another topic"));
  Loader legacy = with_key();
  legacy.add_option("captions.legacy_members", "true");
  CHECK(finished(legacy).captions.legacy_members);
  legacy.add_option("kafka.format.audio_raw", "binary");
  CHECK(error_of(legacy).starts_with("kafka.format.audio_raw = \"binary\": allowed is \"json\" with captions.legacy_members on"));
  Loader public_only;
  public_only.add_option("auth.public_key_files", "/k.pem");
  CHECK(error_of(public_only).starts_with("auth.algorithms = [\"HS256\"]: no key is set"));
  public_only.add_option("auth.algorithms", "ES256");
  CHECK(finished(public_only).auth.secret.empty());
}

TEST(loader_keeps_quiet_on_rules_that_a_told_error_explains) {
  CHECK_EQ(error_of_option("auth.algorithms", "none").find("no key is set"), std::string::npos);
  Loader loader;
  loader.add_option("auth.public_key_files", "[1]");
  CHECK(error_of(loader).find("without any key") == std::string::npos);
}

TEST(loader_takes_relative_paths_of_a_file_from_its_folder) {
  const Folder folder;
  Loader loader;
  loader.add_file(folder.file("a.toml", "auth.secret_file = 's'\nauth.public_key_files = ['k.pem', 'kid=k2.pem', './a=b', '/abs', 'kid=/abs']\nlog.file = '../l'\n"));
  const Settings settings = finished(loader);
  CHECK_EQ(settings.auth.secret_file, folder.path() + "/s");
  CHECK_EQ(settings.log.file, std::filesystem::path(folder.path()).parent_path().string() + "/l");
  CHECK((settings.auth.public_key_files ==
         std::vector<std::string>{folder.path() + "/k.pem", "kid=" + folder.path() + "/k2.pem", folder.path() + "/a=b", "/abs", "kid=/abs"}));
  loader.add_option("auth.secret_file", "here");
  CHECK_EQ(finished(loader).auth.secret_file, "here");
}

TEST(loader_takes_back_what_print_options_printed) {
  const Folder folder;
  Loader loader = with_key();
  loader.add_file(folder.file("printed.toml", print_options()));
  Settings expected;
  expected.auth.secret = key;
  CHECK(finished(loader) == expected);
  CHECK(loader.was_given("log.latency_sample"));
  CHECK(!loader.was_given("log.file"));
}

TEST(samples_load_each) {
  std::size_t samples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FLUENTGATE_SOURCE_DIR "/conf")) {
    if (entry.path().extension() != ".toml") continue;
    ++samples;
    Loader loader;
    loader.add_file(entry.path().string());
    const Settings settings = finished(loader);
    CHECK_EQ(settings.auth.secret_file, FLUENTGATE_SOURCE_DIR "/conf/fluentgate.secret");
    if (entry.path().filename() == "deepgram.toml") CHECK_EQ(settings.audio.chunk_ms, 250);
  }
  CHECK(samples >= 2);
}

TEST(sample_for_fluentmeet_is_what_its_world_needs) {
  Loader loader;
  loader.add_file(FLUENTGATE_SOURCE_DIR "/conf/fluentmeet.toml");
  const Settings settings = finished(loader);
  CHECK_EQ(settings.prefix, "/api/v1/ws");
  CHECK(settings.auth.membership == Membership::redis);
  CHECK(!settings.auth.require_room && !settings.auth.require_exp);
  CHECK_EQ(settings.auth.claims.user, "sub");
  CHECK(settings.redis.publish_participants && settings.redis.pipeline_channels);
  CHECK_EQ(settings.audio.output_sample_rate, 24000);
  CHECK_EQ(settings.audio.chunk_ms, 100);
  CHECK_EQ(settings.audio.max_message_bytes, std::size_t{16} << 20);
  CHECK(settings.audio.accept_base64);
  CHECK(settings.captions.legacy_members);
  CHECK(settings.kafka.format_audio_raw == AudioRawFormat::json);
  CHECK(settings.kafka.buffer_ms >= 60000);
}

TEST(samples_examples_are_valid_too) {
  // Each line of fluentgate.toml that is commented out as an example, in force.
  std::ifstream in(FLUENTGATE_SOURCE_DIR "/conf/fluentgate.toml");
  std::string text;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#bootstrap.servers")) continue;  // stands once in force
    if (line.size() > 1 && line[0] == '#' && line[1] != ' ') line.erase(0, 1);
    text += line + "\n";
  }
  const Folder folder;
  Loader loader;
  loader.add_file(folder.file("all.toml", text));
  const Settings settings = finished(loader);
  CHECK_EQ(settings.kafka.properties.size(), std::size_t{5});
  CHECK(settings.auth.reject == RejectMode::close);
}

TEST(loader_refuses_what_needs_redis_without_it) {
  CHECK_EQ(error_of_option("auth.membership", "redis"), "auth.membership = \"redis\": allowed only with redis.url");
  CHECK_EQ(error_of_option("redis.publish_participants", "true"), "redis.publish_participants = true: allowed only with redis.url");
  CHECK_EQ(error_of_option("redis.pipeline_channels", "true"), "redis.pipeline_channels = true: allowed only with redis.url");
  CHECK_EQ(error_of_option("listen.processes", "2"), "listen.processes = 2: allowed is 1 without redis.url, which joins the processes");
}
