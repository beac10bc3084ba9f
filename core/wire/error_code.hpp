// The one table of the `code` of {"type":"error"} events (CONTRACT 1, 2 and 3). docs/error-codes.md is generated from it. None of them
// closes the socket. Thread: any.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace fluentgate::wire {

enum class ErrorCode : std::uint8_t {
  invalid_json,
  not_an_object,
  missing_type,
  unknown_type,
  invalid_token,
  bad_language,
  rate_limited,
  odd_bytes,
  empty_message,
  bad_base64,
  unsupported_encoding,
  unsupported_sample_rate,
  stereo,
  bad_opus,
  audio_dropped,
  reserved_type,
  unknown_peer,
};

struct ErrorCodeRow {
  ErrorCode code;
  std::string_view name;       // as sent
  std::string_view endpoints;  // where it occurs: "audio, signaling", "audio", "signaling"
  std::string_view meaning;    // for the reference page
};

std::span<const ErrorCodeRow> error_code_table() noexcept;
std::string_view name_of(ErrorCode code) noexcept;

}  // namespace fluentgate::wire
