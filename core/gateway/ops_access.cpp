#include "core/gateway/ops_access.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <optional>

namespace fluentgate::gateway {

namespace {

constexpr int v4_bits_before = 96;

// The address in 16 bytes, and whether it was written as IPv4.
std::optional<std::pair<std::array<std::uint8_t, 16>, bool>> parse_address(std::string_view text) {
  const std::string copy(text);
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) return {{bytes, false}};
  in_addr v4{};
  if (inet_pton(AF_INET, copy.c_str(), &v4) != 1) return std::nullopt;
  bytes[10] = bytes[11] = 0xff;
  std::memcpy(bytes.data() + 12, &v4, 4);
  return {{bytes, true}};
}

}  // namespace

Result<OpsAccess> OpsAccess::parse(const std::vector<std::string>& blocks) {
  OpsAccess access;
  for (const std::string& text : blocks) {
    const Error error{"bad_configuration", "ops.allow: \"" + text + "\" is neither an IP address nor a block such as 10.0.0.0/8"};
    const std::size_t slash = text.find('/');
    const auto address = parse_address(std::string_view(text).substr(0, slash));
    if (!address) return error;
    Block block{address->first, 128};
    if (slash != std::string::npos) {
      int bits = -1;
      const char* end = text.data() + text.size();
      const auto read = std::from_chars(text.data() + slash + 1, end, bits);
      if (read.ec != std::errc{} || read.ptr != end || bits < 0 || bits > (address->second ? 32 : 128)) return error;
      block.bits = address->second ? v4_bits_before + bits : bits;
    }
    access.blocks_.push_back(block);
  }
  return access;
}

bool OpsAccess::allows(std::string_view text) const noexcept {
  const auto address = parse_address(text);
  if (!address) return false;
  for (const Block& block : blocks_) {
    const auto whole = static_cast<std::size_t>(block.bits / 8);
    if (std::memcmp(block.address.data(), address->first.data(), whole) != 0) continue;
    const int rest = block.bits % 8;
    if (rest == 0 || ((block.address[whole] ^ address->first[whole]) >> (8 - rest)) == 0) return true;
  }
  return false;
}

}  // namespace fluentgate::gateway
