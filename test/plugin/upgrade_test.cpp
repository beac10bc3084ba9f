// Every row of CONTRACT 1's table, and what comes before the upgrade beside it, on a real host and real sockets.
#include <functional>

#include "test/support/check.hpp"
#include "test/support/host_process.hpp"

namespace fluentgate::test {
namespace {

const std::string build = FLUENTGATE_BUILD_DIR;

void check_refused(const HttpReply& reply, int status, int code) {
  CHECK_EQ(reply.status, status);
  CHECK_EQ(reply.header("content-type"), std::string("application/json"));
  if (!reply.body.starts_with("{\"code\":" + std::to_string(code) + ",\"reason\":")) FAIL("body: " + reply.body);
  CHECK(reply.body.find("\"detail\":") != std::string::npos);
}

HttpReply refused(const HostProcess& host, const std::string& target, int status, int code, const Headers& headers = {}) {
  WsClient client = host.connect();
  HttpReply reply = client.upgrade(target, headers);
  check_refused(reply, status, code);
  CHECK(client.connection().receive().empty());  // the connection ends: nothing was upgraded
  return reply;
}

std::string with_token(const std::string& target, const TokenClaims& claims = {}) { return target + "?token=" + make_token(claims); }

Headers bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }
Headers offering(const std::string& names) { return {{"Sec-WebSocket-Protocol", names}}; }

int close_code_of(const HostProcess& host, const std::string& target, const Headers& headers = {}) {
  return host.open(target, headers).close_code();
}

TEST(valid_tokens_are_upgraded_on_every_endpoint) {
  HostProcess host(build);
  for (const std::string endpoint : {"audio", "captions", "signaling"}) {
    WsClient client = host.connect();
    const HttpReply reply = client.upgrade(with_token("/ws/" + endpoint + "/r1"));
    CHECK_EQ(reply.status, 101);
    CHECK_EQ(reply.header("sec-websocket-protocol"), std::string());
  }
}

TEST(token_is_found_in_its_three_places_and_the_first_decides) {
  HostProcess host(build, {"auth.cookie=session", "auth.allowed_origins=https://good.example"});
  const std::string good = make_token();
  const Headers origin{{"Origin", "https://good.example"}};
  CHECK_EQ(host.connect().upgrade("/ws/audio/r1", bearer(good)).status, 101);
  CHECK_EQ(host.connect().upgrade("/ws/audio/r1", {{"Cookie", "a=b; session=" + good + "; c=d"}, origin[0]}).status, 101);
  refused(host, "/ws/audio/r1?token=bad", 401, 4001, bearer(good));
  CHECK_EQ(host.connect().upgrade("/ws/audio/r1?token=", bearer(good)).status, 101);
  refused(host, "/ws/audio/r1", 403, 4003, {{"Cookie", "session=" + good}});  // a cookie needs an origin
  refused(host, "/ws/audio/r1?token=" + good, 403, 4003, {{"Origin", "https://evil.example"}});
  CHECK(host.process().err().find(good) == std::string::npos);
}

TEST(unknown_paths_are_404) {
  HostProcess host(build);
  refused(host, "/ws/video/r1", 404, 4404);
  refused(host, "/ws/audio", 404, 4404);
  refused(host, "/ws/audio/r1/x", 404, 4404);
  refused(host, "/", 404, 4404);
  WsClient plain = host.connect();
  check_refused(plain.request("GET", "/ws/video/r1"), 404, 4404);
  check_refused(plain.request("GET", "/elsewhere"), 404, 4404);
}

TEST(other_methods_are_405_with_and_without_an_upgrade) {
  HostProcess host(build);
  for (const std::string method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    WsClient plain = host.connect();
    const HttpReply reply = plain.request(method, "/ws/audio/r1", {}, method == "POST" ? "hello" : "");
    check_refused(reply, 405, 4405);
    CHECK_EQ(reply.header("allow"), std::string("GET"));
    WsClient upgrading = host.connect();
    check_refused(upgrading.request(method, "/ws/audio/r1", {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Version", "13"},
                                                            {"Sec-WebSocket-Key", websocket_key()}}), 405, 4405);
  }
}

TEST(head_is_answered_without_a_body) {
  HostProcess host(build);
  WsClient client = host.connect();
  const HttpReply reply = client.request("HEAD", "/ws/audio/r1");
  CHECK_EQ(reply.status, 405);
  CHECK_EQ(reply.header("allow"), std::string("GET"));
  CHECK(std::stoi(reply.header("content-length")) > 0);
  // What comes next on the connection is the next answer, not a body.
  check_refused(client.request("GET", "/ws/audio/r1"), 426, 4426);
}

TEST(a_refused_body_is_read_and_the_connection_kept) {
  HostProcess host(build);
  WsClient client = host.connect();
  check_refused(client.request("POST", "/ws/audio/r1", {}, std::string(300000, 'x')), 405, 4405);
  CHECK_EQ(client.request("GET", "/healthz").status, 200);
}

TEST(get_without_an_upgrade_is_426) {
  HostProcess host(build);
  WsClient client = host.connect();
  const HttpReply reply = client.request("GET", "/ws/audio/r1");
  check_refused(reply, 426, 4426);
  CHECK_EQ(reply.header("upgrade"), std::string("websocket"));
  // A handshake that lacks a part of RFC 6455's is none.
  const Headers no_key{{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Version", "13"}};
  check_refused(host.connect().request("GET", "/ws/audio/r1", no_key), 426, 4426);
  const Headers old{{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Version", "8"}, {"Sec-WebSocket-Key", websocket_key()}};
  check_refused(host.connect().request("GET", "/ws/audio/r1", old), 426, 4426);
}

TEST(bad_room_ids_are_400) {
  HostProcess host(build);
  const std::string token = make_token({.more = "\"rooms\":[\"*\"]"});
  for (const std::string room : {"", "a%20b", "a%2541", "a&b", "a;b", "a+b", "%C3%A9", "a%25"}) refused(host, "/ws/audio/" + room + "?token=" + token, 400, 4400);
  refused(host, "/ws/audio/" + std::string(129, 'a') + "?token=" + token, 400, 4400);
  CHECK_EQ(host.connect().upgrade("/ws/audio/" + std::string(128, 'a') + "?token=" + token).status, 101);
  CHECK_EQ(host.connect().upgrade("/ws/audio/%72%31?token=" + token).status, 101);
  CHECK_EQ(host.connect().upgrade("/ws/audio/a.b_c~d:e-f?token=" + token).status, 101);
}

TEST(token_twice_is_400_before_the_token_is_looked_at) {
  HostProcess host(build);
  refused(host, "/ws/audio/r1?token=bad&token=" + make_token(), 400, 4400);
}

TEST(bad_query_values_are_400) {
  HostProcess host(build);
  const std::string base = with_token("/ws/captions/r1");
  for (const std::string query : {"lang=not_a_tag!", "history=-1", "history=1000001", "history=x", "since=5", "type=other", "understands=a_b",
                                  "lang=en,fr,de,es,it,pt,nl,pl,ca"}) {
    refused(host, base + "&" + query, 400, 4400);
  }
  CHECK_EQ(host.connect().upgrade(base + "&lang=zh-Hant%2Cen&type=translated&history=0&unknown=%26%3D").status, 101);
}

TEST(the_subprotocol_that_fits_the_path_is_echoed) {
  HostProcess host(build);
  const auto echoed = [&host](const std::string& endpoint, const std::string& offer) {
    const HttpReply reply = host.connect().upgrade(with_token("/ws/" + endpoint + "/r1"), offering(offer));
    return reply.status == 101 ? reply.header("sec-websocket-protocol") : std::to_string(reply.status);
  };
  CHECK_EQ(echoed("audio", "fluentgate.audio.v1"), std::string("fluentgate.audio.v1"));
  CHECK_EQ(echoed("audio", "fluentgate.audio.pcm"), std::string("fluentgate.audio.pcm"));
  CHECK_EQ(echoed("captions", "fluentgate.captions.v1"), std::string("fluentgate.captions.v1"));
  CHECK_EQ(echoed("signaling", "fluentgate.signaling.v1"), std::string("fluentgate.signaling.v1"));
  CHECK_EQ(echoed("audio", "chat, fluentgate.audio.v1"), std::string("fluentgate.audio.v1"));
  CHECK_EQ(echoed("audio", "fluentgate.captions.v1, fluentgate.audio.v1"), std::string("fluentgate.audio.v1"));
  CHECK_EQ(echoed("audio", "fluentgate.audio.pcm, fluentgate.audio.v1"), std::string("fluentgate.audio.pcm"));
  CHECK_EQ(echoed("captions", "fluentgate.audio.pcm,fluentgate.captions.v1"), std::string("fluentgate.captions.v1"));
  CHECK_EQ(echoed("audio", "fluentgate, fluentgate.audio.v1"), std::string("fluentgate.audio.v1"));  // lws binds to the plugin's own name
}

TEST(a_contradicting_or_too_long_offer_is_400) {
  HostProcess host(build);
  const std::string target = with_token("/ws/audio/r1");
  refused(host, target, 400, 4400, offering("fluentgate.captions.v1"));
  refused(host, target, 400, 4400, offering("chat"));
  refused(host, target, 400, 4400, offering("fluentgate.audio.v1, " + std::string(110, 'x')));
}

TEST(bad_tokens_are_401) {
  HostProcess host(build);
  const auto check = [&host](const std::string& target) {
    const HttpReply reply = refused(host, target, 401, 4001);
    CHECK_EQ(reply.header("www-authenticate"), std::string("Bearer error=\"invalid_token\""));
  };
  check("/ws/audio/r1");
  check("/ws/audio/r1?token=x.y.z");
  check("/ws/audio/r1?token=" + make_token({}, "another-secret-that-is-long-enough-for-the-hash"));
  check(with_token("/ws/audio/r1", {.expires_s = -60}));
  check(with_token("/ws/audio/r1", {.more = "\"type\":\"refresh\""}));
}

TEST(no_right_to_the_room_is_403) {
  HostProcess host(build);
  refused(host, with_token("/ws/audio/r2"), 403, 4003);
}

TEST(limits_are_429_and_503_with_retry_after) {
  HostProcess host(build, {"limits.room_participants=1"});
  WsClient first = host.open(with_token("/ws/signaling/r1", {.user = "u1"}));
  const HttpReply full = refused(host, with_token("/ws/signaling/r1", {.user = "u2"}), 429, 4029);
  CHECK(!full.header("retry-after").empty());
  HostProcess small(build, {"limits.sessions=1"});
  WsClient only = small.open(with_token("/ws/signaling/r1", {.user = "u1"}));
  const HttpReply over = refused(small, with_token("/ws/signaling/r1", {.user = "u2"}), 503, 4029);
  CHECK(!over.header("retry-after").empty());
}

TEST(not_ready_is_503_where_the_gate_is_on) {
  HostProcess host(build, {"ready_gate=true", "kafka.bootstrap.servers=127.0.0.1:9"});
  const HttpReply reply = refused(host, with_token("/ws/audio/r1"), 503, 4013);
  CHECK(!reply.header("retry-after").empty());
}

TEST(keep_alive_serves_an_upgrade_after_pages) {
  HostProcess host(build);
  WsClient client = host.connect();
  CHECK_EQ(client.request("GET", "/healthz").status, 200);
  CHECK_EQ(client.request("GET", "/ws/healthz").status, 200);
  CHECK_EQ(client.upgrade(with_token("/ws/audio/r1"), offering("fluentgate.captions.v1, fluentgate.audio.v1")).status, 101);
}

TEST(metrics_and_readyz_refuse_forwarded_requests) {
  HostProcess host(build);
  CHECK_EQ(host.connect().request("GET", "/metrics").status, 200);
  for (const std::string name : {"Forwarded", "X-Forwarded-For", "X-Real-IP"}) {
    CHECK_EQ(host.connect().request("GET", "/metrics", {{name, "10.0.0.1"}}).status, 403);
    CHECK_EQ(host.connect().request("GET", "/ws/readyz", {{name, "10.0.0.1"}}).status, 403);
  }
  CHECK_EQ(host.connect().request("GET", "/healthz", {{"Forwarded", "for=10.0.0.1"}}).status, 200);
}

TEST(h2c_is_not_followed) {
  HostProcess host(build);
  CHECK_EQ(host.connect().request("GET", "/healthz", {{"Upgrade", "h2c"}, {"Connection", "Upgrade, HTTP2-Settings"}, {"HTTP2-Settings", "AAMAAABkAAQAAP__"}}).status, 200);
}

TEST(tls_offers_http_1_1_alone_and_upgrades) {
  const TestCertificate certificate;
  HostProcess host(build, {"listen.tls_cert=" + certificate.certificate_file(), "listen.tls_key=" + certificate.key_file()});
  CHECK(host.tls());
  WsClient client = host.connect();
  CHECK_EQ(client.connection().alpn(), std::string("http/1.1"));
  CHECK_EQ(client.upgrade(with_token("/ws/audio/r1")).status, 101);
  refused(host, "/ws/audio/r1", 401, 4001);
}

// --- auth.reject = close

TEST(reject_close_upgrades_and_closes_with_the_rows_code) {
  HostProcess host(build, {"auth.reject=close", "limits.room_participants=1", "auth.allowed_origins=https://good.example"});
  CHECK_EQ(close_code_of(host, "/ws/video/r1"), 4404);
  CHECK_EQ(close_code_of(host, with_token("/ws/audio/a%20b")), 4400);
  CHECK_EQ(close_code_of(host, "/ws/audio/r1"), 4001);
  CHECK_EQ(close_code_of(host, with_token("/ws/audio/r2")), 4003);
  CHECK_EQ(close_code_of(host, with_token("/ws/audio/r1"), {{"Origin", "https://evil.example"}}), 4003);
  WsClient first = host.open(with_token("/ws/signaling/r1", {.user = "u1"}));
  CHECK_EQ(close_code_of(host, with_token("/ws/signaling/r1", {.user = "u2"})), 4029);
}

TEST(reject_close_echoes_an_offered_name_and_keeps_the_code) {
  HostProcess host(build, {"auth.reject=close"});
  for (const std::string offer : {"fluentgate.captions.v1", "chat", "chat, other", "chat, fluentgate.captions.v1"}) {
    WsClient client = host.connect();
    const HttpReply reply = client.upgrade(with_token("/ws/audio/r1"), offering(offer));
    CHECK_EQ(reply.status, 101);
    const std::string echoed = reply.header("sec-websocket-protocol");
    CHECK(!echoed.empty() && offer.find(echoed) != std::string::npos);
    CHECK_EQ(client.close_code(), 4400);
  }
}

TEST(reject_close_leaves_405_and_426_to_http) {
  HostProcess host(build, {"auth.reject=close"});
  check_refused(host.connect().request("GET", "/ws/audio/r1"), 426, 4426);
  check_refused(host.connect().request("POST", "/ws/audio/r1", {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Version", "13"},
                                                                {"Sec-WebSocket-Key", websocket_key()}}), 405, 4405);
  check_refused(host.connect().request("GET", "/ws/video/r1"), 404, 4404);
}

TEST(reject_close_registers_and_reads_nothing) {
  HostProcess host(build, {"auth.reject=close"});
  WsClient watcher = host.open(with_token("/ws/signaling/r1", {.user = "watcher"}));
  watcher.text_that([](const std::string& text) { return text.find("existing_users") != std::string::npos; });
  WsClient client = host.open(with_token("/ws/signaling/r1", {.user = "late", .expires_s = -60}));
  client.send_text("{\"type\":\"offer\"}");
  CHECK_EQ(client.close_code(), 4001);
  // A second, admitted one is the first that the watcher hears of.
  WsClient admitted = host.open(with_token("/ws/signaling/r1", {.user = "next"}));
  const std::string joined = watcher.text_that([](const std::string& text) { return text.find("user_joined") != std::string::npos; });
  CHECK(joined.find("\"next\"") != std::string::npos);
}

}  // namespace
}  // namespace fluentgate::test
