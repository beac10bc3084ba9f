// The plugin in a host that is not ours: other protocols and mounts, per-vhost options, a plain and a TLS vhost at once, with fluentgate as the
// vhost's default protocol and without; several service threads, and several contexts (CONTRACT 7).
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <vector>

#include "test/support/check.hpp"
#include "test/support/foreign_host.hpp"
#include "test/support/host_process.hpp"

namespace fluentgate::test {
namespace {

const std::string build = FLUENTGATE_BUILD_DIR;

ForeignHostOptions usual(const TemporaryFolder& folder) {
  ForeignHostOptions options;
  options.plugin_folder = build;
  options.options = {{"config", folder.file("fluentgate.toml", "[auth]\nsecret = \"" + std::string(test_secret) + "\"\n")},
                     {"log.file", folder.path() + "/fluentgate.log"}};
  return options;
}

std::string target(const std::string& user = "u1") { return "/ws/signaling/r1?token=" + make_token({.user = user}); }
Headers offering(const std::string& names) { return {{"Sec-WebSocket-Protocol", names}}; }

// The upgrade's status; 0 where the connection ended without an answer.
int status_of_upgrade(const ForeignHost& host) {
  try {
    return WsClient("127.0.0.1", host.port()).upgrade(target()).status;
  } catch (const Failure&) {
    return 0;
  }
}

TEST(the_hosts_own_protocols_and_pages_stay_its_own) {
  const TemporaryFolder folder;
  ForeignHost host(usual(folder));
  CHECK_EQ(WsClient("127.0.0.1", host.port()).request("GET", "/page/x").body, std::string("the host's page"));
  WsClient chat("127.0.0.1", host.port());
  CHECK_EQ(chat.upgrade("/anything", offering("chat")).header("sec-websocket-protocol"), std::string("chat"));
  CHECK_EQ(chat.message().payload, std::string("the host's chat"));
}

TEST(as_the_default_protocol_everything_of_section_1_holds) {
  const TemporaryFolder folder;
  ForeignHost host(usual(folder));
  const auto client = [&host] { return WsClient("127.0.0.1", host.port()); };
  CHECK_EQ(client().upgrade(target()).status, 101);
  CHECK_EQ(client().upgrade(target(), offering("fluentgate.signaling.v1")).header("sec-websocket-protocol"), std::string("fluentgate.signaling.v1"));
  CHECK_EQ(client().upgrade("/ws/signaling/r1").status, 401);
  CHECK_EQ(client().upgrade("/ws/nothing/r1").status, 404);
  CHECK_EQ(client().upgrade(target(), offering("unknown")).status, 400);
  CHECK_EQ(client().upgrade(target(), offering("chat, fluentgate.signaling.v1")).status, 400);  // the host's own chat would get it
  CHECK_EQ(client().request("GET", "/ws/healthz").status, 200);
  CHECK_EQ(client().request("GET", "/ws/signaling/r1").status, 426);
  CHECK(client().request("GET", "/page/healthz").body == "the host's page");
}

TEST(plain_and_tls_vhosts_share_the_rooms) {
  const TemporaryFolder folder;
  const TestCertificate certificate;
  ForeignHostOptions options = usual(folder);
  options.tls_certificate = certificate.certificate_file();
  options.tls_key = certificate.key_file();
  ForeignHost host(options);
  WsClient plain("127.0.0.1", host.port());
  CHECK_EQ(plain.upgrade(target("plain")).status, 101);
  plain.text_that([](const std::string& text) { return text.find("existing_users") != std::string::npos; });
  WsClient secure("127.0.0.1", host.tls_port(), true);
  CHECK_EQ(secure.upgrade(target("secure")).status, 101);
  const std::string present = secure.text_that([](const std::string& text) { return text.find("existing_users") != std::string::npos; });
  CHECK(present.find("\"plain\"") != std::string::npos);
  const std::string joined = plain.text_that([](const std::string& text) { return text.find("user_joined") != std::string::npos; });
  CHECK(joined.find("\"secure\"") != std::string::npos);
}

TEST(without_default_answers_come_for_those_who_offer_our_names) {
  const TemporaryFolder folder;
  ForeignHostOptions options = usual(folder);
  options.fluentgate_is_default = false;
  ForeignHost host(options);
  const auto client = [&host] { return WsClient("127.0.0.1", host.port()); };
  CHECK_EQ(client().upgrade(target(), offering("fluentgate.signaling.v1")).status, 101);
  CHECK_EQ(client().upgrade("/ws/signaling/r1", offering("fluentgate.signaling.v1")).status, 401);
  CHECK_EQ(client().upgrade("/ws/nothing/r1", offering("fluentgate.signaling.v1")).status, 404);
  // lws has chosen the first name; the one that fits the path is echoed all the same.
  const HttpReply reply = client().upgrade(target(), offering("fluentgate.audio.v1, fluentgate.signaling.v1"));
  CHECK_EQ(reply.header("sec-websocket-protocol"), std::string("fluentgate.signaling.v1"));
  CHECK_EQ(client().request("GET", "/ws/healthz").status, 200);  // by the mount
}

TEST(what_holds_without_default_is_said_once_for_all_vhosts) {
  const TemporaryFolder folder;
  const TestCertificate certificate;
  ForeignHostOptions options = usual(folder);
  options.fluentgate_is_default = false;
  options.tls_certificate = certificate.certificate_file();
  options.tls_key = certificate.key_file();
  ForeignHost host(options);
  WsClient secure("127.0.0.1", host.tls_port(), true);
  CHECK_EQ(secure.upgrade(target(), offering("fluentgate.signaling.v1")).status, 101);  // by now both vhosts are up
  std::ifstream log(folder.path() + "/fluentgate.log");
  const std::string text((std::istreambuf_iterator<char>(log)), {});
  const std::string said = "not the vhost's default protocol";
  const std::size_t first = text.find(said);
  CHECK(first != std::string::npos);
  CHECK(text.find(said, first + 1) == std::string::npos);
}

TEST(a_wrong_configuration_refuses_the_vhost_and_not_the_host) {
  const TemporaryFolder folder;
  ForeignHostOptions options = usual(folder);
  options.options.emplace_back("limits.sessions", "many");
  ForeignHost host(options);
  CHECK(host.log().find("limits.sessions") != std::string::npos);
  CHECK(host.log().find("many") != std::string::npos);
  CHECK(status_of_upgrade(host) != 101);
}

TEST(a_poll_loop_is_served_with_a_warning_of_its_cost) {
  const TemporaryFolder folder;
  ForeignHostOptions options = usual(folder);
  options.libuv = false;
  ForeignHost host(options);
  WsClient client("127.0.0.1", host.port());
  CHECK_EQ(client.upgrade(target()).status, 101);
  client.send_binary("x");
  CHECK_EQ(client.close_code(), 1003);
  std::ifstream log(folder.path() + "/fluentgate.log");
  const std::string text((std::istreambuf_iterator<char>(log)), {});
  CHECK(text.find("poll()") != std::string::npos);
  CHECK(text.find("in proportion to all sockets") != std::string::npos);
}

void check_refused_for_its_threads(const ForeignHost& host) {
  CHECK(host.log().find("vhost plain: the host has several service threads") != std::string::npos);
  CHECK(host.log().find("count_threads = 1") != std::string::npos);
  for (int i = 0; i < 16; ++i) {  // lws deals connections out to its threads
    CHECK(status_of_upgrade(host) != 101);
    CHECK_EQ(WsClient("127.0.0.1", host.port()).request("GET", "/page/x").body, std::string("the host's page"));
  }
}

TEST(several_service_threads_are_refused_with_a_clear_message) {
  const TemporaryFolder folder;
  ForeignHostOptions options = usual(folder);
  options.claimed_service_threads = 4;  // whatever this lws was built for
  const ForeignHost host(options);
  check_refused_for_its_threads(host);
}

TEST(service_threads_that_run_are_refused_and_what_lws_makes_one_is_served) {
  const TemporaryFolder folder;
  ForeignHostOptions options = usual(folder);
  options.service_threads = 4;
  options.libuv = false;
  const ForeignHost host(options);
  if (host.service_threads() > 1) check_refused_for_its_threads(host);
  else CHECK_EQ(status_of_upgrade(host), 101);  // this lws was built for one
}

// Two hosts in one process, each with a context and a thread of its own, started at once.
struct TwoHosts {
  TwoHosts(const ForeignHostOptions& first_options, const ForeignHostOptions& second_options) {
    auto other = std::async(std::launch::async, [&second_options] { return std::make_unique<ForeignHost>(second_options); });
    first = std::make_unique<ForeignHost>(first_options);
    second = other.get();
  }
  // At once as well.
  void end() {
    auto other = std::async(std::launch::async, [this] { second.reset(); });
    first.reset();
    other.get();
  }
  std::unique_ptr<ForeignHost> first, second;
};

std::string users_of(WsClient& client) {
  return client.text_that([](const std::string& text) { return text.find("existing_users") != std::string::npos; });
}

TEST(two_contexts_with_configurations_of_their_own_have_a_gateway_each) {
  const TemporaryFolder first_folder, second_folder;
  TwoHosts hosts(usual(first_folder), usual(second_folder));
  std::vector<std::future<void>> parallel;
  for (const ForeignHost* host : {hosts.first.get(), hosts.second.get()}) {
    parallel.push_back(std::async(std::launch::async, [host] {
      WsClient one("127.0.0.1", host->port()), two("127.0.0.1", host->port());
      CHECK_EQ(one.upgrade(target("one")).status, 101);
      CHECK(users_of(one).find("\"users\":[]") != std::string::npos);  // nobody of the other context's room
      CHECK_EQ(two.upgrade(target("two")).status, 101);
      CHECK(users_of(two).find("\"one\"") != std::string::npos);
    }));
  }
  for (auto& done : parallel) done.get();
  hosts.end();
}

TEST(a_configuration_that_another_context_serves_is_refused_until_that_has_ended) {
  const TemporaryFolder folder;
  const ForeignHostOptions options = usual(folder);
  bool said = false;  // once is enough: lws lets two contexts write into one buffer for a line
  for (int round = 0; round < 3; ++round) {
    TwoHosts hosts(options, options);
    const bool first_serves = status_of_upgrade(*hosts.first) == 101;
    CHECK((status_of_upgrade(*hosts.second) == 101) != first_serves);
    said = said || hosts.first->log().find("already served on another lws context") != std::string::npos;
    (first_serves ? hosts.first : hosts.second).reset();
    const ForeignHost third(options);
    CHECK_EQ(status_of_upgrade(third), 101);
    hosts.end();
  }
  CHECK(said);
}

TEST(a_configuration_whose_start_failed_is_free_again) {
  const TemporaryFolder folder;
  const ForeignHostOptions options = usual(folder);
  const std::string good = "[auth]\nsecret = \"" + std::string(test_secret) + "\"\n";
  folder.file("fluentgate.toml", "[limits]\nsessions = \"many\"\n");
  const ForeignHost failed(options);
  CHECK(status_of_upgrade(failed) != 101);
  folder.file("fluentgate.toml", good);
  const ForeignHost served(options);
  CHECK_EQ(status_of_upgrade(served), 101);
}

}  // namespace
}  // namespace fluentgate::test
