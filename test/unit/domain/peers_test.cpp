#include "core/domain/peers.hpp"

#include "core/domain/limits.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;

namespace {
PeerSeat seat(const char* user, const char* instance, std::optional<std::int64_t> audio_us, std::optional<std::int64_t> signaling_us = {}) {
  PeerSeat seat;
  seat.user = UserId(user);
  seat.instance = instance;
  seat.audio_since_us = audio_us;
  seat.signaling_since_us = signaling_us;
  return seat;
}
}  // namespace

TEST(peers_know_the_newest_socket_of_each_kind) {
  Peers peers;
  CHECK(peers.put(seat("u", "a", 5, 9)));
  CHECK(!peers.put(seat("u", "a", 5, 9)));
  CHECK(peers.put(seat("u", "b", 7)));
  CHECK_EQ(peers.audio(UserId("u"))->instance, "b");
  CHECK_EQ(peers.signaling(UserId("u"))->instance, "a");
  CHECK(peers.put(seat("u", "a", 7, 9)));  // the same moment: the greater name
  CHECK_EQ(peers.audio(UserId("u"))->instance, "b");
  CHECK(peers.erase(UserId("u"), "b"));
  CHECK_EQ(peers.audio(UserId("u"))->instance, "a");
  CHECK(!peers.erase(UserId("u"), "b"));
  CHECK(peers.erase(UserId("u"), "a"));
  CHECK(peers.empty() && peers.size() == 0);
  CHECK(peers.audio(UserId("u")) == nullptr);
}

TEST(peers_languages_are_those_said_last) {
  Peers peers;
  PeerSeat said = seat("u", "a", 1), token_only = seat("u", "b", 9);
  said.languages_set_us = 3;
  peers.put(token_only);
  peers.put(said);
  CHECK_EQ(peers.languages(UserId("u"))->instance, "a");
  said.languages_set_us = 0;
  peers.put(said);
  CHECK_EQ(peers.languages(UserId("u"))->instance, "b");
}

TEST(peers_of_an_instance_or_of_a_view_go_together) {
  Peers peers;
  peers.put(seat("u", "a", 1));
  peers.put(seat("u", "b", 1));
  peers.put(seat("v", "a", {}, 1));
  CHECK(peers.listening());
  CHECK_EQ(peers.instances().size(), 2u);
  const auto lost = peers.erase_instance("a");
  CHECK_EQ(lost.size(), 2u);
  CHECK(peers.has(UserId("u")) && !peers.has(UserId("v")));
  peers.put(seat("w", "c", {}, 1));
  CHECK_EQ(peers.keep_only({seat("w", "c", {}, 1)}).size(), 1u);
  CHECK(!peers.has(UserId("u")) && peers.has(UserId("w")));
  CHECK(!peers.listening());
}

TEST(peers_are_bounded) {
  Peers peers;
  for (std::size_t i = 0; i < limits::room_peers_max; ++i) CHECK(peers.put(seat(std::to_string(i).c_str(), "a", 1)));
  CHECK(!peers.put(seat("one more", "a", 1)));
  CHECK(peers.put(seat("7", "a", 2)));  // known ones change
  CHECK_EQ(peers.size(), limits::room_peers_max);
}
