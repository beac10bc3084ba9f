// A socket's transport in memory: keeps every write, takes the RFC 6455 frames in it apart, and can be slow or dead on demand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/domain/ports.hpp"
#include "test/support/check.hpp"

namespace fluentgate::test {

struct Received {
  int opcode = 0;  // 1 text, 2 binary, 9 ping
  std::string payload;
};

class FakeTransport final : public Transport {
 public:
  enum class Mode { ready, backlogs, full, dead };  // backlogs: takes one write, then is full

  bool writable() const noexcept override { return mode != Mode::full && !closed && !aborted; }
  Written write(const std::uint8_t* data, std::size_t size) noexcept override {
    if (mode == Mode::dead || closed || aborted) return Written::dead;
    writes.emplace_back(reinterpret_cast<const char*>(data), size);
    if (mode != Mode::backlogs) return Written::sent;
    mode = Mode::full;
    return Written::backlogged;
  }
  void want_writable() noexcept override { ++wanted; }
  void close(CloseCode code) noexcept override {
    if (!closed) closed = code;
  }
  void abort() noexcept override { aborted = true; }

  // The messages written since the last call; fails where a write is not made of whole, unmasked, final frames.
  std::vector<Received> take() {
    std::vector<Received> out;
    for (; decoded_ < writes.size(); ++decoded_) decode(writes[decoded_], out);
    return out;
  }
  std::vector<std::string> take_texts() { return payloads(1); }
  std::vector<std::string> take_audio() { return payloads(2); }

  Mode mode = Mode::ready;
  std::vector<std::string> writes;
  int wanted = 0;
  std::optional<CloseCode> closed;
  bool aborted = false;

 private:
  std::vector<std::string> payloads(int opcode) {
    std::vector<std::string> out;
    for (auto& message : take()) {
      if (message.opcode == opcode) out.push_back(std::move(message.payload));
    }
    return out;
  }
  static void decode(const std::string& bytes, std::vector<Received>& out) {
    const auto byte = [&](std::size_t at) {
      if (at >= bytes.size()) FAIL("a write ends inside a frame");
      return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at]));
    };
    std::size_t at = 0;
    while (at < bytes.size()) {
      if ((byte(at) & 0xf0) != 0x80) FAIL("a frame that is not final, or with reserved bits");
      const int opcode = static_cast<int>(byte(at) & 0x0f);
      std::uint64_t size = byte(at + 1);
      if (size > 127) FAIL("a masked frame");
      at += 2;
      const std::size_t length_bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
      if (length_bytes > 0) size = 0;
      for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8 | byte(at++);
      if (bytes.size() - at < size) FAIL("a write ends inside a frame");
      out.push_back({opcode, bytes.substr(at, size)});
      at += size;
    }
  }
  std::size_t decoded_ = 0;
};

}  // namespace fluentgate::test
