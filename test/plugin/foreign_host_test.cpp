// The plugin in a host that is not ours: other protocols and mounts, per-vhost options, a plain and a TLS vhost at once, with fluentgate as the
// vhost's default protocol and without (CONTRACT 7).
#include <fstream>
#include <iterator>

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
  WsClient client("127.0.0.1", host.port());
  bool refused = false;
  try {
    refused = client.upgrade(target()).status != 101;
  } catch (const Failure&) {
    refused = true;  // no answer at all
  }
  CHECK(refused);
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

TEST(several_service_threads_are_refused_or_come_down_to_one) {
  const TemporaryFolder folder;
  ForeignHostOptions options = usual(folder);
  options.service_threads = 4;
  options.libuv = false;
  ForeignHost host(options);
  if (host.service_threads() > 1) {
    CHECK(host.log().find("several service threads") != std::string::npos);
  } else {
    WsClient client("127.0.0.1", host.port());  // this lws was built for one
    CHECK_EQ(client.upgrade(target()).status, 101);
  }
}

}  // namespace
}  // namespace fluentgate::test
