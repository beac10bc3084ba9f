// The table of well-formed byte sequences (Unicode 15, table 3-7) as a state of three bytes.
#include "core/wire/utf8.hpp"

#include <cstring>

namespace fluentgate::wire {
namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080u;

}  // namespace

bool Utf8Validator::step(std::uint8_t byte) noexcept {
  if (missing_ > 0) {
    if (byte < low_ || byte > high_) return false;
    --missing_;
    low_ = 0x80;
    high_ = 0xBF;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte < 0xC2 || byte > 0xF4) return false;
  missing_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  if (byte == 0xE0) low_ = 0xA0;   // overlong
  if (byte == 0xED) high_ = 0x9F;  // surrogates
  if (byte == 0xF0) low_ = 0x90;   // overlong
  if (byte == 0xF4) high_ = 0x8F;  // above U+10FFFF
  return true;
}

bool Utf8Validator::feed(std::span<const std::uint8_t> bytes) noexcept {
  if (failed_) return false;
  std::size_t i = 0;
  while (i < bytes.size()) {
    if (missing_ == 0 && bytes.size() - i >= 8) {  // ASCII, eight at a time
      std::uint64_t word;
      std::memcpy(&word, bytes.data() + i, 8);
      if ((word & high_bits) == 0) {
        i += 8;
        continue;
      }
    }
    if (!step(bytes[i++])) {
      failed_ = true;
      return false;
    }
  }
  return true;
}

bool valid_utf8(std::string_view text) noexcept {
  Utf8Validator validator;
  return validator.feed({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}) && validator.complete();
}

std::size_t utf8_sequence_size(std::string_view text) noexcept {
  Utf8Validator validator;
  for (std::size_t size = 1; size <= 4 && size <= text.size(); ++size) {
    const auto byte = static_cast<std::uint8_t>(text[size - 1]);
    if (!validator.feed({&byte, 1})) return 0;
    if (validator.complete()) return size;
  }
  return 0;
}

}  // namespace fluentgate::wire
