#include "core/redis/key_slot.hpp"

#include <charconv>

namespace fluentgate::redis {
namespace {

std::uint16_t crc16(std::string_view bytes) noexcept {
  std::uint32_t crc = 0;
  for (const char byte : bytes) {
    crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(byte)) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000u) != 0 ? (crc << 1) ^ 0x1021u : crc << 1;
    crc &= 0xFFFFu;
  }
  return static_cast<std::uint16_t>(crc);
}

std::optional<int> number(std::string_view text, int max) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > max) return std::nullopt;
  return value;
}

}  // namespace

std::uint16_t key_slot(std::string_view key) noexcept {
  if (const std::size_t open = key.find('{'); open != std::string_view::npos) {
    const std::size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close != open + 1) key = key.substr(open + 1, close - open - 1);
  }
  return crc16(key) % key_slots;
}

std::optional<Redirection> parse_redirection(std::string_view error) {
  Redirection to;
  if (error.starts_with("ASK ")) {
    to.ask = true;
    error.remove_prefix(4);
  } else if (error.starts_with("MOVED ")) {
    error.remove_prefix(6);
  } else {
    return std::nullopt;
  }
  const std::size_t blank = error.find(' '), colon = error.rfind(':');
  if (blank == std::string_view::npos || colon == std::string_view::npos || colon < blank) return std::nullopt;
  const auto slot = number(error.substr(0, blank), key_slots - 1);
  const auto port = number(error.substr(colon + 1), 65535);
  if (!slot || !port || *port == 0) return std::nullopt;
  to.slot = static_cast<std::uint16_t>(*slot);
  to.host = std::string(error.substr(blank + 1, colon - blank - 1));
  to.port = *port;
  return to;
}

}  // namespace fluentgate::redis
