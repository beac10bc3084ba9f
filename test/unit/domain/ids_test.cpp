// What a room may be called (CONTRACT 1).
#include "core/domain/ids.hpp"

#include <string>

#include "core/domain/limits.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;

TEST(room_id_takes_each_allowed_byte_and_no_other) {
  const std::string allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:-";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const std::string name = std::string("a") + c + "b";
    if (valid_room_id(name) != (allowed.find(c) != std::string::npos)) FAIL("byte " + std::to_string(byte));
  }
}

TEST(room_id_length_is_1_to_128) {
  CHECK(!valid_room_id(""));
  CHECK(valid_room_id("r"));
  CHECK(valid_room_id(std::string(limits::room_id_bytes_max, 'r')));
  CHECK(!valid_room_id(std::string(limits::room_id_bytes_max + 1, 'r')));
  CHECK_EQ(limits::room_id_bytes_max, 128u);
}

TEST(room_id_is_no_path_step) {
  CHECK(!valid_room_id("."));
  CHECK(!valid_room_id(".."));
  CHECK(valid_room_id("..."));
  CHECK(valid_room_id(".a"));
}
