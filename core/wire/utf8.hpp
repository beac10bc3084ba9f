// UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. A WebSocket text message is checked fragment by fragment
// (RFC 6455, 8.1: bad UTF-8 closes 1007), since lws 4.1 lets it pass. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fluentgate::wire {

// Size of the well-formed sequence (1 to 4 bytes) that `text` begins with; 0 if there is none.
std::size_t utf8_sequence_size(std::string_view text) noexcept;
bool valid_utf8(std::string_view text) noexcept;

// Keeps its place inside a character over fragment boundaries. One per message; reset() begins the next.
class Utf8Validator {
 public:
  // False from the first byte on that cannot be part of UTF-8.
  bool feed(std::span<const std::uint8_t> bytes) noexcept;
  // True if all was good so far and no character is left unfinished: to be asked at the end of the message.
  bool complete() const noexcept { return !failed_ && missing_ == 0; }
  void reset() noexcept { *this = Utf8Validator{}; }

 private:
  bool step(std::uint8_t byte) noexcept;
  std::uint8_t missing_ = 0;   // continuation bytes that must follow
  std::uint8_t low_ = 0x80;    // range of the next of them
  std::uint8_t high_ = 0xBF;
  bool failed_ = false;
};

}  // namespace fluentgate::wire
