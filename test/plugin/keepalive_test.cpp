// Who is silent is asked by a ping after 20 s; who answers stays, who doesn't is gone 20 s later (CONTRACT 1). In real time: the clock is the host's.
#include <chrono>

#include "test/support/check.hpp"
#include "test/support/host_process.hpp"

namespace fluentgate::test {
namespace {

using Clock = std::chrono::steady_clock;

WsClient silent_listener(const HostProcess& host, const std::string& user) {
  TokenClaims claims;
  claims.user = user;
  WsClient client = host.open("/ws/captions/r1?token=" + make_token(claims));  // nothing but pings comes of its own here
  client.connection().deadline = std::chrono::seconds(45);
  CHECK_EQ(client.frame().opcode, Frame::text);  // history_end
  return client;
}

TEST(who_answers_pings_stays_and_who_does_not_is_ended) {
  HostProcess host(FLUENTGATE_BUILD_DIR);
  host.wait_ready();
  WsClient dead = silent_listener(host, "dead");
  WsClient alive = silent_listener(host, "alive");
  const auto begin = Clock::now();
  for (int round = 0; round < 2; ++round) {
    const Frame ping = alive.frame();
    CHECK_EQ(ping.opcode, Frame::ping);
    alive.send_frame(Frame::pong, ping.payload);
  }
  CHECK(Clock::now() - begin >= std::chrono::seconds(38));
  CHECK_EQ(dead.frame().opcode, Frame::ping);
  CHECK(dead.ended());
  CHECK(Clock::now() - begin < std::chrono::seconds(43));
  alive.send_frame(Frame::ping, "still here");
  CHECK_EQ(alive.frame().opcode, Frame::pong);
}

}  // namespace
}  // namespace fluentgate::test
