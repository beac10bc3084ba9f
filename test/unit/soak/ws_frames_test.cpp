// Frames as they come in pieces.
#include "test/soak/ws_frames.hpp"
#include "test/support/check.hpp"

namespace fluentgate::soak {
namespace {

std::string server_frame(int opcode, std::size_t size) {
  std::string out{static_cast<char>(0x80 | opcode)};
  if (size < 126) {
    out += static_cast<char>(size);
  } else {
    out += static_cast<char>(126);
    out += static_cast<char>(size >> 8);
    out += static_cast<char>(size & 0xff);
  }
  return out + std::string(size, 'x');
}

TEST(frames_come_whole_from_any_pieces) {
  const std::string bytes = server_frame(1, 5) + server_frame(2, 0) + server_frame(2, 700) + server_frame(8, 2);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{200}, bytes.size()}) {
    FrameReader reader;
    FrameReader::Message message;
    std::string seen;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      reader.add(std::string_view(bytes).substr(at, piece));
      while (reader.next(message)) seen += std::to_string(message.opcode) + ":" + std::to_string(message.payload.size()) + " ";
    }
    CHECK_EQ(seen, std::string("1:5 2:0 2:700 8:2 "));
    CHECK(!reader.broken());
  }
}

TEST(masked_and_fragmented_frames_are_broken) {
  for (const std::string& bytes : {client_frame(1, "masked"), std::string("\x01\x01x")}) {
    FrameReader reader;
    FrameReader::Message message;
    reader.add(bytes);
    CHECK(!reader.next(message));
    CHECK(reader.broken());
  }
}

TEST(what_a_client_sends_is_masked) {
  const std::string frame = client_frame(2, std::string(300, 'a'));
  CHECK_EQ(frame.size(), 2u + 2u + 4u + 300u);
  CHECK_EQ(static_cast<unsigned char>(frame[0]), 0x82);
  CHECK_EQ(static_cast<unsigned char>(frame[1]), 0x80 | 126);
  for (std::size_t i = 0; i < 300; ++i) CHECK_EQ(static_cast<char>(frame[8 + i] ^ frame[4 + i % 4]), 'a');
}

}  // namespace
}  // namespace fluentgate::soak
