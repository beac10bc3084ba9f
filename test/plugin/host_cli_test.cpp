// fluentgate-host as a program: options, exit codes, the one line on stdout, signals; and what the plugin's file exports (CONTRACT 7).
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "test/support/check.hpp"
#include "test/support/host_process.hpp"

namespace fluentgate::test {
namespace {

const std::string build = FLUENTGATE_BUILD_DIR;
const std::string program = build + "/fluentgate-host";
const std::string secret_option = "auth.secret=" + std::string(test_secret);

struct Ended {
  int code;
  std::string out, err;
};

Ended run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program);
  Process process(arguments);
  const int code = process.wait();
  return {code, process.out(), process.err()};
}

std::size_t lines(const std::string& text) { return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')); }

TEST(wrong_usage_is_exit_2) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{"--nonsense"}, {"--set"}, {"--set", "no-equals"}, {"stray"}}) {
    const Ended ended = run(arguments);
    CHECK_EQ(ended.code, 2);
    CHECK(ended.out.empty());
    CHECK(!ended.err.empty());
  }
}

TEST(wrong_configuration_is_exit_2_with_a_line_an_error) {
  const Ended ended = run({"--set", secret_option, "--set", "listen.port=99999", "--set", "log.level=loud", "--set", "no.such=1"});
  CHECK_EQ(ended.code, 2);
  CHECK(ended.out.empty());
  CHECK_EQ(lines(ended.err), std::size_t{3});
  for (const std::string part : {"listen.port", "99999", "log.level", "loud", "no.such"}) CHECK(ended.err.find(part) != std::string::npos);
}

TEST(a_secret_is_never_printed) {
  const Ended ended = run({"--check", "--set", "auth.secret=tiny-secret"});
  CHECK_EQ(ended.code, 2);
  CHECK(ended.err.find("auth.secret") != std::string::npos);
  CHECK(ended.err.find("tiny-secret") == std::string::npos);
}

TEST(without_any_key_nothing_starts) { CHECK_EQ(run({"--set", "listen.port=0"}).code, 2); }

TEST(check_knows_librdkafkas_properties_too) {
  const Ended ended = run({"--check", "--set", secret_option, "--set", "kafka.acks=banana"});
  CHECK_EQ(ended.code, 2);
  CHECK(ended.err.find("kafka.acks") != std::string::npos && ended.err.find("banana") != std::string::npos);
}

TEST(an_unknown_kafka_property_is_exit_2) {
  const Ended ended = run({"--set", secret_option, "--set", "listen.port=0", "--set", "kafka.no.such.property=1"});
  CHECK_EQ(ended.code, 2);
  CHECK(ended.err.find("no.such.property") != std::string::npos);
}

TEST(check_says_what_is_wrong_and_nothing_when_all_is_right) {
  const Ended good = run({"--check", "--set", secret_option});
  CHECK_EQ(good.code, 0);
  CHECK(good.out.empty());
  const Ended bad = run({"--check", "--set", secret_option, "--set", "listen.tls_cert=/nowhere/c.pem", "--set", "listen.tls_key=/nowhere/k.pem"});
  CHECK_EQ(bad.code, 2);
  CHECK(bad.err.find("/nowhere/c.pem") != std::string::npos);
}

TEST(check_finds_what_could_not_be_listened_on_or_logged_to) {
  const Ended address = run({"--check", "--set", secret_option, "--set", "listen.address=no-such-interface"});
  CHECK_EQ(address.code, 2);
  CHECK(address.err.starts_with("listen.address = \"no-such-interface\": allowed is "));
  for (const std::string good : {"127.0.0.1", "0.0.0.0", "::1", "lo"}) {
    CHECK_EQ(run({"--check", "--set", secret_option, "--set", "listen.address=" + good}).code, 0);
  }
  const TemporaryFolder folder;
  for (const std::string& bad : {folder.path() + "/missing/x.log", folder.path()}) {
    const Ended log = run({"--check", "--set", secret_option, "--set", "log.file=" + bad});
    CHECK_EQ(log.code, 2);
    CHECK(log.err.starts_with("log.file = \"" + bad + "\": must be "));
  }
  const std::string file = folder.path() + "/x.log";
  CHECK_EQ(run({"--check", "--set", secret_option, "--set", "log.file=" + file}).code, 0);
  CHECK(!std::filesystem::exists(file));
}

TEST(printed_options_load_again) {
  const Ended printed = run({"--print-options"});
  CHECK_EQ(printed.code, 0);
  const TemporaryFolder folder;
  const std::string file = folder.file("fluentgate.toml", printed.out);
  CHECK_EQ(run({"--check", "--config", file, "--set", secret_option}).code, 0);
}

TEST(version_is_printed) {
  const Ended ended = run({"--version"});
  CHECK_EQ(ended.code, 0);
  CHECK(ended.out.starts_with("fluentgate-host "));
}

TEST(one_line_on_stdout_when_it_serves_and_exit_0_after_a_drain) {
  HostProcess host(build);
  CHECK_EQ(host.url(), "http://127.0.0.1:" + std::to_string(host.port()));
  CHECK_EQ(host.connect().request("GET", "/healthz").status, 200);
  host.wait_ready();
  CHECK_EQ(host.stop(), 0);
  CHECK_EQ(lines(host.process().out()), std::size_t{1});
}

TEST(an_option_by_set_wins_over_the_file) {
  const TemporaryFolder folder;
  const std::string file = folder.file("fluentgate.toml", "prefix = \"/from-file\"\n[limits]\nsessions = 5\n");
  HostProcess host(build, {"prefix=/from-set"}, {"--config", file});
  CHECK_EQ(host.connect().request("GET", "/from-set/healthz").status, 200);
  CHECK_EQ(host.connect().request("GET", "/from-file/healthz").status, 404);
}

TEST(a_port_in_use_is_exit_1) {
  HostProcess first(build);
  CHECK_EQ(run({"--set", secret_option, "--set", "listen.port=" + std::to_string(first.port())}).code, 1);
}

TEST(a_missing_plugin_is_exit_1) {
  const TemporaryFolder empty;
  const Ended ended = run({"--set", secret_option, "--set", "listen.port=0", "--plugin-dir", empty.path()});
  CHECK_EQ(ended.code, 1);
  CHECK(ended.err.find("libprotocol_fluentgate.so") != std::string::npos);
}

TEST(while_it_drains_handshakes_get_503) {
  HostProcess host(build, {"drain_ms=3000"});
  WsClient staying = host.open("/ws/signaling/r1?token=" + make_token());
  host.process().signal(SIGINT);
  staying.text_that([](const std::string& text) { return text.find("going_away") != std::string::npos; });
  const HttpReply reply = host.connect().upgrade("/ws/signaling/r1?token=" + make_token({.user = "u2"}));
  CHECK_EQ(reply.status, 503);
  CHECK(!reply.header("retry-after").empty());
  CHECK_EQ(host.connect().request("GET", "/readyz").status, 503);
  staying.send_close(1000);  // all have left: the drain is over before its time
  CHECK_EQ(staying.close_code(), 1000);
  CHECK_EQ(host.process().wait(), 0);
}

TEST(a_second_signal_ends_at_once) {
  HostProcess host(build, {"drain_ms=60000"});
  WsClient staying = host.open("/ws/signaling/r1?token=" + make_token());
  host.process().signal(SIGTERM);
  staying.text_that([](const std::string& text) { return text.find("going_away") != std::string::npos; });
  host.process().signal(SIGTERM);
  CHECK_EQ(host.process().wait(std::chrono::seconds(3)), 1);
}

TEST(sighup_reloads_keys_and_a_failure_keeps_the_old) {
  const TemporaryFolder folder;
  const std::string old_secret(40, 'o'), new_secret(40, 'n');
  const std::string file = folder.file("secret", old_secret);
  HostProcess host(build, {"auth.secret_file=" + file});
  const auto status = [&host](const std::string& secret) { return host.connect().upgrade("/ws/audio/r1?token=" + make_token({}, secret)).status; };
  const auto reload = [&host](const std::string& words) {
    host.process().signal(SIGHUP);
    CHECK(host.process().wait_until([&words](const std::string&, const std::string& err) { return err.find(words) != std::string::npos; }));
  };
  CHECK_EQ(status(old_secret), 101);
  CHECK_EQ(status(new_secret), 401);
  folder.file("secret", new_secret);
  reload("reloaded");
  CHECK_EQ(status(new_secret), 101);
  CHECK_EQ(status(old_secret), 401);
  folder.file("secret", "short");
  reload("not reloaded");
  CHECK_EQ(status(new_secret), 101);
}

TEST(the_plugin_exports_one_symbol) {
  Process nm({"/usr/bin/nm", "-D", "--defined-only", build + "/libprotocol_fluentgate.so"});
  CHECK_EQ(nm.wait(), 0);
  CHECK_EQ(lines(nm.out()), std::size_t{1});
  CHECK(nm.out().ends_with(" fluentgate\n"));
}

}  // namespace
}  // namespace fluentgate::test
