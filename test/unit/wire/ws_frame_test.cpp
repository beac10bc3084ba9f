// ws_frame.hpp: RFC 6455 headers at each length's edge, control frames within their bounds.
#include <array>
#include <string>

#include "core/wire/ws_frame.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::wire;

namespace {

Bytes header(std::size_t size) {
  Bytes out;
  append_frame_header(out, Opcode::binary, size);
  CHECK_EQ(out.size(), frame_header_size(size));
  return out;
}

}  // namespace

TEST(frame_headers_at_the_edges_of_each_length) {
  CHECK((header(0) == Bytes{0x82, 0}));
  CHECK((header(125) == Bytes{0x82, 125}));
  CHECK((header(126) == Bytes{0x82, 126, 0, 126}));
  CHECK((header(65535) == Bytes{0x82, 126, 0xFF, 0xFF}));
  CHECK((header(65536) == Bytes{0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
  CHECK((header(0x1'2345'6789) == Bytes{0x82, 127, 0, 0, 0, 1, 0x23, 0x45, 0x67, 0x89}));
}

TEST(frames_are_final_and_unmasked) {
  Bytes out;
  append_text_frame(out, "{}");
  append_frame(out, Opcode::binary, Bytes{1, 2, 3});
  append_frame(out, Opcode::pong, ByteSpan{});
  CHECK((out == Bytes{0x81, 2, '{', '}', 0x82, 3, 1, 2, 3, 0x8A, 0}));
}

TEST(a_payload_in_pieces_is_one_frame) {
  Bytes out{9};
  const Bytes a{1, 2};
  const Bytes b;
  const Bytes c{3};
  append_frame(out, Opcode::binary, std::array{ByteSpan(a), ByteSpan(b), ByteSpan(c)});
  CHECK((out == Bytes{9, 0x82, 3, 1, 2, 3}));
}

TEST(text_frame_is_shared_whole) {
  const SharedBytes frame = text_frame(std::string(200, 'x'));
  CHECK_EQ(frame->size(), 204u);
  CHECK_EQ(int{(*frame)[0]}, 0x81);
  CHECK_EQ(int{(*frame)[1]}, 126);
}

TEST(pings_hold_at_most_125_bytes) {
  Bytes out;
  append_ping_frame(out);
  CHECK((out == Bytes{0x89, 0}));
  out.clear();
  append_ping_frame(out, Bytes(126, 7));
  CHECK_EQ(out.size(), 127u);
  CHECK_EQ(int{out[1]}, 125);
}

TEST(close_frames_hold_code_and_reason) {
  Bytes out;
  append_close_frame(out, 4001, "gone");
  CHECK((out == Bytes{0x88, 6, 0x0F, 0xA1, 'g', 'o', 'n', 'e'}));
  out.clear();
  append_close_frame(out, 1000, "");
  CHECK((out == Bytes{0x88, 2, 0x03, 0xE8}));
}

TEST(close_reasons_are_cut_between_characters) {
  Bytes out;
  append_close_frame(out, 1000, std::string(122, 'a') + "\xC3\xA9");
  CHECK_EQ(int{out[1]}, 124);
  out.clear();
  append_close_frame(out, 1000, std::string(121, 'a') + "\xC3\xA9z");
  CHECK_EQ(int{out[1]}, 125);
  CHECK_EQ(int{out.back()}, 0xA9);
  out.clear();
  append_close_frame(out, 1000, "ok\xFFno");
  CHECK_EQ(int{out[1]}, 4);
}
