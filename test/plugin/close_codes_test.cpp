// Close codes after the upgrade, as a client receives them: the right code, after everything that was sent before it.
#include <signal.h>

#include "test/support/check.hpp"
#include "test/support/host_process.hpp"

namespace fluentgate::test {
namespace {

const std::string build = FLUENTGATE_BUILD_DIR;

std::string target(const std::string& endpoint, const TokenClaims& claims = {}) { return "/ws/" + endpoint + "/r1?token=" + make_token(claims); }

TEST(normal_close_is_answered_with_its_code) {
  HostProcess host(build);
  WsClient client = host.open(target("audio"));
  client.send_close(1000, "bye");
  CHECK_EQ(client.close_code(), 1000);
  CHECK(client.ended());
}

TEST(fragments_make_one_message_with_pings_between) {
  HostProcess host(build);
  WsClient client = host.open(target("signaling"));
  client.send_frame(Frame::text, "{\"type\":\"pi", false);
  client.send_frame(Frame::ping, "between");
  client.send_frame(Frame::continuation, "", false);
  client.send_frame(Frame::continuation, "ng\",\"n\":\"\xc3", false);
  client.send_frame(Frame::continuation, "\xa9\"}", true);
  const std::string pong = client.text_that([](const std::string& text) { return text.find("\"pong\"") != std::string::npos; });
  CHECK(pong.find("\xc3\xa9") != std::string::npos);
}

TEST(bad_utf8_is_1007_also_over_fragments) {
  HostProcess host(build);
  for (const std::string bad : {"\xff", "\xc3(", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80", "\xc3"}) {
    WsClient client = host.open(target("signaling"));
    client.send_text("{" + bad);
    CHECK_EQ(client.close_code(), 1007);
  }
  WsClient split = host.open(target("signaling"));
  split.send_frame(Frame::text, "{\"\xe2\x82", false);
  split.send_frame(Frame::continuation, "\"}", true);
  CHECK_EQ(split.close_code(), 1007);
}

TEST(a_message_over_the_limit_is_1009_on_every_endpoint) {
  HostProcess host(build, {"audio.max_message_bytes=20000", "signaling.max_message_bytes=10000"});
  WsClient audio = host.open(target("audio"));
  audio.send_binary(std::string(20002, '\0'));
  CHECK_EQ(audio.close_code(), 1009);
  WsClient signaling = host.open(target("signaling"));
  signaling.send_frame(Frame::text, std::string(6000, 'x'), false);
  signaling.send_frame(Frame::continuation, std::string(6000, 'x'), true);
  CHECK_EQ(signaling.close_code(), 1009);
  WsClient captions = host.open(target("captions"));
  captions.send_binary(std::string(2000000, '\0'));
  CHECK_EQ(captions.close_code(), 1009);
}

TEST(a_broken_close_frame_is_answered_with_what_is_wrong) {
  HostProcess host(build);
  for (const std::string endpoint : {"audio", "captions", "signaling"}) {
    WsClient half_a_number = host.open(target(endpoint));
    half_a_number.send_frame(Frame::close, "\x03");
    CHECK_EQ(half_a_number.close_code(), 1002);
    WsClient reason = host.open(target(endpoint));
    reason.send_close(1000, "\xc3(");
    CHECK_EQ(reason.close_code(), 1007);
    WsClient unfinished = host.open(target(endpoint));
    unfinished.send_close(1000, "\xe2\x82");
    CHECK_EQ(unfinished.close_code(), 1007);
    CHECK(unfinished.ended());
  }
}

TEST(protocol_errors_are_1002) {
  HostProcess host(build);
  WsClient reserved = host.open(target("audio"));
  reserved.send_raw(std::string("\xf2\x80\x01\x02\x03\x04", 6));  // reserved bits
  CHECK_EQ(reserved.close_code(), 1002);
  WsClient continued = host.open(target("audio"));
  continued.send_frame(Frame::continuation, "x", true);
  CHECK_EQ(continued.close_code(), 1002);
  WsClient opcode = host.open(target("audio"));
  opcode.send_frame(0x3, "x");
  CHECK_EQ(opcode.close_code(), 1002);
}

TEST(binary_on_signaling_is_1003) {
  HostProcess host(build);
  WsClient client = host.open(target("signaling"));
  client.send_binary("x");
  CHECK_EQ(client.close_code(), 1003);
}

TEST(a_flood_on_captions_is_1008) {
  HostProcess host(build);
  WsClient client = host.open(target("captions"));
  for (int i = 0; i < 21; ++i) client.send_text("x");
  CHECK_EQ(client.close_code(), 1008);
}

TEST(the_newer_socket_of_a_user_closes_the_older_with_4009) {
  HostProcess host(build);
  for (const std::string endpoint : {"audio", "signaling"}) {
    WsClient older = host.open(target(endpoint));
    WsClient newer = host.open(target(endpoint));
    CHECK_EQ(older.close_code(), 4009);
    newer.send_text("{\"type\":\"ping\"}");
    newer.text_that([](const std::string& text) { return text.find("\"pong\"") != std::string::npos; });
  }
  WsClient first = host.open(target("captions"));
  WsClient second = host.open(target("captions"));
  first.send_frame(Frame::ping, "still");
  while (first.frame().opcode != Frame::pong) {
  }
}

TEST(a_token_that_expires_closes_4001_after_its_warning) {
  HostProcess host(build, {"auth.leeway_s=0"});
  WsClient client = host.open(target("signaling", {.expires_s = 2}));
  client.text_that([](const std::string& text) { return text.find("token_expiring") != std::string::npos; });
  CHECK_EQ(client.close_code(), 4001);
}

TEST(audio_over_its_rate_is_4029) {
  HostProcess host(build, {"limits.messages_per_s=2"});
  WsClient client = host.open(target("audio"));
  for (int i = 0; i < 20; ++i) client.send_binary(std::string(640, '\0'));
  CHECK_EQ(client.close_code(), 4029);
}

TEST(a_drain_tells_going_away_and_closes_1001) {
  HostProcess host(build, {"drain_ms=300"});
  WsClient client = host.open(target("signaling"));
  WsClient captions = host.open(target("captions"));
  host.process().signal(SIGTERM);
  for (WsClient* socket : {&client, &captions}) {
    socket->text_that([](const std::string& text) { return text.find("going_away") != std::string::npos && text.find("retry_after_ms") != std::string::npos; });
    CHECK_EQ(socket->close_code(), 1001);
  }
  CHECK_EQ(host.process().wait(), 0);
}

// The process is gone a second after drain_ms, not after the five that a close frame is given otherwise.
constexpr std::chrono::seconds shortly_after(4);

TEST(a_drain_does_not_wait_for_clients_that_never_answer_its_close_frame) {
  HostProcess host(build, {"drain_ms=100"});
  WsClient silent = host.open(target("signaling"));
  WsClient second = host.open(target("captions", {.user = "u2"}));
  host.process().signal(SIGTERM);
  CHECK_EQ(host.process().wait(shortly_after), 0);
  CHECK(host.process().err().find("draining: 2 sockets") != std::string::npos);
}

TEST(a_drain_does_not_wait_for_sockets_that_were_closed_before_it) {
  HostProcess host(build, {"drain_ms=100"});
  WsClient closed = host.open(target("signaling"));
  closed.send_binary("x");
  while (closed.frame().opcode != Frame::close) {
  }
  host.process().signal(SIGTERM);
  CHECK_EQ(host.process().wait(shortly_after), 0);
}

TEST(a_drain_does_not_wait_for_connections_that_stay_open_after_the_close) {
  HostProcess host(build, {"drain_ms=100"});
  WsClient leaving = host.open(target("signaling"));
  leaving.send_close(1000);
  CHECK_EQ(leaving.close_code(), 1000);
  host.process().signal(SIGTERM);
  CHECK_EQ(host.process().wait(shortly_after), 0);
}

TEST(the_close_frame_carries_the_rows_reason) {
  HostProcess host(build);
  WsClient client = host.open(target("signaling"));
  client.send_binary("x");
  const auto [code, reason] = client.closed();
  CHECK_EQ(code, 1003);
  CHECK(!reason.empty());
}

}  // namespace
}  // namespace fluentgate::test
