// Who may read /readyz and /metrics: addresses in ops.allow, directly connected (CONTRACT 6). Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/result.hpp"

namespace fluentgate::gateway {

class OpsAccess {
 public:
  // "127.0.0.0/8", "::1", "10.1.2.3": addresses and CIDR blocks. Error "bad_configuration" names the one that is neither.
  static Result<OpsAccess> parse(const std::vector<std::string>& blocks);
  // A numeric address; an IPv4 one in IPv6's clothes (::ffff:a.b.c.d) counts as IPv4. What is no address is refused.
  bool allows(std::string_view address) const noexcept;

 private:
  struct Block {
    std::array<std::uint8_t, 16> address{};  // IPv4 as ::ffff:a.b.c.d
    int bits = 128;
  };
  std::vector<Block> blocks_;
};

}  // namespace fluentgate::gateway
