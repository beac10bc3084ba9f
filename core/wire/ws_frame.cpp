// Headers by hand, payloads copied once into the caller's buffer.
#include "core/wire/ws_frame.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/domain/limits.hpp"
#include "core/wire/json_write.hpp"
#include "core/wire/utf8.hpp"

namespace fluentgate::wire {
namespace {

constexpr std::uint8_t fin = 0x80;

void append(Bytes& out, ByteSpan bytes) {
  if (bytes.empty()) return;
  const std::size_t begin = out.size();
  out.resize(begin + bytes.size());
  std::memcpy(out.data() + begin, bytes.data(), bytes.size());
}

void append_big_endian(Bytes& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace

std::size_t frame_header_size(std::size_t payload_bytes) noexcept {
  if (payload_bytes <= 125) return 2;
  return payload_bytes <= 0xFFFF ? 4 : 10;
}

void append_frame_header(Bytes& out, Opcode opcode, std::size_t payload_bytes) {
  out.push_back(static_cast<std::uint8_t>(fin | static_cast<std::uint8_t>(opcode)));
  switch (frame_header_size(payload_bytes)) {
    case 2: out.push_back(static_cast<std::uint8_t>(payload_bytes)); break;
    case 4:
      out.push_back(126);
      append_big_endian(out, payload_bytes, 2);
      break;
    default:
      out.push_back(127);
      append_big_endian(out, payload_bytes, 8);
      break;
  }
}

void append_frame(Bytes& out, Opcode opcode, ByteSpan payload) { append_frame(out, opcode, std::span<const ByteSpan>(&payload, 1)); }

void append_frame(Bytes& out, Opcode opcode, std::span<const ByteSpan> pieces) {
  std::size_t size = 0;
  for (const ByteSpan piece : pieces) size += piece.size();
  append_frame_header(out, opcode, size);
  for (const ByteSpan piece : pieces) append(out, piece);
}

void append_text_frame(Bytes& out, std::string_view json) { append_frame(out, Opcode::text, bytes_of(json)); }

void append_ping_frame(Bytes& out, ByteSpan payload) {
  append_frame(out, Opcode::ping, payload.first(std::min(payload.size(), control_payload_bytes_max)));
}

void append_close_frame(Bytes& out, std::uint16_t code, std::string_view reason) {
  std::size_t size = 0;
  while (size < reason.size()) {
    const std::size_t next = utf8_sequence_size(reason.substr(size, 4));
    if (next == 0 || size + next > limits::close_reason_bytes_max) break;
    size += next;
  }
  const std::array<std::uint8_t, 2> number{static_cast<std::uint8_t>(code >> 8), static_cast<std::uint8_t>(code)};
  const std::array<ByteSpan, 2> pieces{ByteSpan(number), bytes_of(reason.substr(0, size))};
  append_frame(out, Opcode::close, pieces);
}

SharedBytes text_frame(std::string_view json) {
  auto frame = std::make_shared<Bytes>();
  frame->reserve(frame_header_size(json.size()) + json.size());
  append_text_frame(*frame, json);
  return frame;
}

std::string audio_frame_json(const AudioFrameHeader& header) {
  return ObjectWriter(256)
      .text("speaker_id", header.speaker_id)
      .text("language", header.language)
      .integer("sequence_number", header.sequence_number)
      .text("utterance_id", header.utterance_id)
      .integer("sample_rate", header.sample_rate)
      .text("encoding", name_of(header.encoding))
      .integer("duration_ms", header.duration_ms)
      .integer("latency_ms", header.latency_ms)
      .integer("skipped_ms", header.skipped_ms)
      .finish();
}

void append_framed_audio(Bytes& out, const AudioFrameHeader& header, ByteSpan audio) {
  const std::string json = audio_frame_json(header);
  Bytes length;
  append_big_endian(length, json.size(), 4);
  const std::array<ByteSpan, 3> pieces{ByteSpan(length), bytes_of(json), audio};
  append_frame(out, Opcode::binary, pieces);
}

}  // namespace fluentgate::wire
