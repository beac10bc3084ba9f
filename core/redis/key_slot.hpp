// Where a key lives in a Redis Cluster, and what a node says that has it not. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fluentgate::redis {

inline constexpr std::uint16_t key_slots = 16384;

// CRC16 (XMODEM) of the key, or of what is in its first {} if that is not empty (Redis Cluster specification, "Key distribution model").
std::uint16_t key_slot(std::string_view key) noexcept;

struct Redirection {
  bool ask = false;  // for this command only
  std::uint16_t slot = 0;
  std::string host;  // empty: that of the node that said it
  int port = 0;
};
// "MOVED 3999 10.0.0.1:6381", "ASK 3999 10.0.0.1:6381"; an IPv6 address stands before the last colon.
std::optional<Redirection> parse_redirection(std::string_view error);

}  // namespace fluentgate::redis
