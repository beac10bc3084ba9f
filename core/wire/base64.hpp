// Base64 (RFC 4648, 4: standard alphabet, padding). Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/domain/media.hpp"

namespace fluentgate::wire {

constexpr std::size_t base64_size(std::size_t bytes) noexcept { return (bytes + 2) / 3 * 4; }
// Appends base64_size(data.size()) characters.
void base64_append(std::string& out, std::span<const std::uint8_t> data);
// Blanks and line ends are passed over, missing padding is accepted (Python's and browsers' output alike); anything else that is not base64 gives nothing.
std::optional<Bytes> base64_decode(std::string_view text);

}  // namespace fluentgate::wire
