#include "core/redis/key_slot.hpp"

#include "test/support/check.hpp"

namespace fluentgate::test {

using namespace redis;

// The first value is the specification's check of its CRC16, the others are CLUSTER KEYSLOT's answers.
TEST(slots_are_those_of_redis) {
  CHECK_EQ(key_slot("123456789"), 0x31C3 % key_slots);
  CHECK_EQ(key_slot("foo"), 12182);
  CHECK_EQ(key_slot("{foo}.bar"), 12182);
  CHECK_EQ(key_slot("x{foo}y{z}"), 12182);
  CHECK_EQ(key_slot(""), 0);
  CHECK_EQ(key_slot("{}foo"), 9500);
}

TEST(redirections_are_read) {
  const auto moved = parse_redirection("MOVED 3999 10.0.0.1:6381");
  CHECK(moved && !moved->ask);
  CHECK_EQ(moved->slot, 3999);
  CHECK_EQ(moved->host, "10.0.0.1");
  CHECK_EQ(moved->port, 6381);
  const auto ask = parse_redirection("ASK 0 fe80::1:7000");
  CHECK(ask && ask->ask);
  CHECK_EQ(ask->host, "fe80::1");
  CHECK_EQ(parse_redirection("MOVED 1 :7000")->host, "");
  for (const char* bad : {"", "MOVED", "MOVED ", "MOVED 1", "MOVED 16384 a:1", "MOVED -1 a:1", "MOVED 1 a:", "MOVED 1 a:0", "MOVED 1 a:70000", "ERR 1 a:1"}) {
    CHECK(!parse_redirection(bad));
  }
}

}  // namespace fluentgate::test
