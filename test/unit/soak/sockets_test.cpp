// Ends of sockets, answers to handshakes, heartbeats: what is planted is found.
#include "test/soak/check_sockets.hpp"
#include "test/unit/soak/run.hpp"

namespace fluentgate::soak {
namespace {

std::size_t found(int code, bool ours, Life life, bool replaced) {
  Run run;
  SocketChecker(run.journal).closed("a socket", code, ours, life, replaced);
  return run.of(SocketChecker::stay);
}

TEST(expected_ends_are_well) {
  CHECK_EQ(found(1000, true, Life::serving, false), 0u);
  CHECK_EQ(found(1006, false, Life::killed, false), 0u);
  CHECK_EQ(found(1001, false, Life::draining, false), 0u);
  CHECK_EQ(found(4009, false, Life::serving, true), 0u);
}

TEST(unexpected_ends_are_found) {
  CHECK_EQ(found(1006, false, Life::serving, false), 1u);  // as on a broker's restart
  CHECK_EQ(found(1000, false, Life::serving, false), 1u);
  CHECK_EQ(found(1001, false, Life::serving, false), 1u);
  CHECK_EQ(found(1011, false, Life::serving, false), 1u);
  CHECK_EQ(found(4008, false, Life::serving, false), 1u);
  CHECK_EQ(found(4009, false, Life::serving, false), 1u);
  CHECK_EQ(found(1006, false, Life::draining, false), 1u);
  CHECK_EQ(found(4003, true, Life::serving, false), 1u);
}

TEST(refusals_that_may_not_be_are_found) {
  Run run;
  SocketChecker checker(run.journal);
  checker.refused("a socket", 503, "", Life::serving);
  checker.refused("a socket", 503, "", Life::draining);
  CHECK_WELL(run);
  checker.refused("a socket", 401, "", Life::serving);
  checker.refused("a socket", 429, "", Life::serving);
  CHECK_EQ(run.of(SocketChecker::refusals), 2u);
}

struct Beats : Run {
  HeartbeatChecker checker{journal};
  Beats() {
    for (const int socket : {1, 2}) {
      checker.opened(socket);
      checker.state(socket, "ok");
    }
    now += 1000;
  }
  void later(Ms ms) {
    now += ms;
    checker.tick();
  }
};

TEST(heartbeats_that_tell_are_well) {
  Beats run;
  run.checker.expect({"down"}, 5000);
  run.later(3000);
  run.checker.state(1, "down");
  run.checker.state(2, "down");
  run.later(2000);
  CHECK_WELL(run);
  CHECK_EQ(run.checker.worst_ms(), 3000);
}

TEST(a_socket_that_is_not_told_is_found) {
  Beats run;
  run.checker.expect({"down"}, 5000);
  run.checker.state(1, "down");
  run.later(4999);
  CHECK_WELL(run);
  run.later(1);
  CHECK_EQ(run.of(HeartbeatChecker::told), 1u);
}

TEST(a_state_taken_back_too_early_is_found) {
  Beats run;
  run.checker.expect({"down"}, 5000);
  for (const int socket : {1, 2}) run.checker.state(socket, "down");
  run.checker.state(2, "ok");
  run.later(5000);
  CHECK_EQ(run.of(HeartbeatChecker::told), 1u);
}

TEST(sockets_that_came_later_or_have_gone_are_not_asked) {
  Beats run;
  run.checker.expect({"down"}, 5000);
  run.checker.state(1, "down");
  run.checker.closed(2);
  run.later(1);
  run.checker.opened(3);
  run.later(5000);
  CHECK_WELL(run);
}

TEST(an_outage_that_was_over_before_is_not_asked_for) {
  Beats run;
  run.checker.expect({"down"}, 5000);
  run.checker.expect_nothing();
  run.later(6000);
  CHECK_WELL(run);
}

}  // namespace
}  // namespace fluentgate::soak
