#include "test/soak/ws_frames.hpp"

#include <cstdint>

namespace fluentgate::soak {

bool FrameReader::next(Message& message) {
  if (at_ > 0 && (at_ == buffer_.size() || at_ > 65536)) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(buffer_[at_ + i]); };
  const std::size_t size_here = buffer_.size() - at_;
  if (broken_ || size_here < 2) return false;
  if ((byte(0) & 0xf0) != 0x80 || (byte(1) & 0x80) != 0) {
    broken_ = true;
    return false;
  }
  std::uint64_t size = byte(1) & 0x7f;
  std::size_t header = 2;
  if (size >= 126) {
    const std::size_t size_bytes = size == 126 ? 2 : 8;
    if (size_here < 2 + size_bytes) return false;
    size = 0;
    for (std::size_t i = 0; i < size_bytes; ++i) size = size << 8 | byte(2 + i);
    header += size_bytes;
  }
  if (size > (64u << 20)) {
    broken_ = true;
    return false;
  }
  if (size_here < header + size) return false;
  message.opcode = byte(0) & 0x0f;
  message.payload = std::string_view(buffer_).substr(at_ + header, static_cast<std::size_t>(size));
  at_ += header + static_cast<std::size_t>(size);
  return true;
}

std::string client_frame(int opcode, std::string_view payload) {
  constexpr char mask[] = {0x12, 0x34, 0x56, 0x78};
  std::string out{static_cast<char>(0x80 | opcode)};
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | static_cast<int>(payload.size()));
  } else {
    const int size_bytes = payload.size() < 65536 ? 2 : 8;
    out += static_cast<char>(0x80 | (size_bytes == 2 ? 126 : 127));
    for (int i = size_bytes - 1; i >= 0; --i) out += static_cast<char>(payload.size() >> (8 * i) & 0xff);
  }
  out.append(mask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ mask[i & 3]);
  return out;
}

}  // namespace fluentgate::soak
