// RFC 6455 frames from server to client: never masked, never fragmented, so that one buffer serves every listener. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/domain/media.hpp"

namespace fluentgate::wire {

enum class Opcode : std::uint8_t { text = 0x1, binary = 0x2, close = 0x8, ping = 0x9, pong = 0xA };

using ByteSpan = std::span<const std::uint8_t>;
inline ByteSpan bytes_of(std::string_view text) noexcept { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

inline constexpr std::size_t control_payload_bytes_max = 125;  // RFC 6455, 5.5

// 2, 4 or 10 bytes.
std::size_t frame_header_size(std::size_t payload_bytes) noexcept;

// Each appends one whole frame. The payload may be given in pieces.
void append_frame_header(Bytes& out, Opcode opcode, std::size_t payload_bytes);
void append_frame(Bytes& out, Opcode opcode, ByteSpan payload);
void append_frame(Bytes& out, Opcode opcode, std::span<const ByteSpan> pieces);
void append_text_frame(Bytes& out, std::string_view json);
// The payload is cut at control_payload_bytes_max.
void append_ping_frame(Bytes& out, ByteSpan payload = {});
// The reason is cut at limits::close_reason_bytes_max, never inside a character.
void append_close_frame(Bytes& out, std::uint16_t code, std::string_view reason);

// One JSON object as a text frame, ready to be shared between sockets.
SharedBytes text_frame(std::string_view json);

// The JSON of a message of fluentgate.audio.v1. What is unknown is null.
struct AudioFrameHeader {
  std::string_view speaker_id;
  std::string_view language;
  std::optional<std::int64_t> sequence_number;
  std::optional<std::string> utterance_id;
  int sample_rate = 16000;  // Hz
  Encoding encoding = Encoding::linear16;
  std::optional<std::int64_t> duration_ms;
  std::optional<std::int64_t> latency_ms;
  std::optional<std::int64_t> skipped_ms;
};

std::string audio_frame_json(const AudioFrameHeader& header);
// A binary frame: the JSON's length as 4 bytes, big-endian, the JSON, the audio.
void append_framed_audio(Bytes& out, const AudioFrameHeader& header, ByteSpan audio);

}  // namespace fluentgate::wire
