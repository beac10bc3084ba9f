// The one table of WebSocket close codes and of the refusals before the upgrade (CONTRACT 1). docs/close-codes.md is generated from it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace fluentgate {

enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  invalid_utf8 = 1007,
  policy_violation = 1008,
  too_big = 1009,
  internal_error = 1011,
  try_again_later = 1013,
  bad_request = 4400,
  unauthorized = 4001,
  forbidden = 4003,
  not_found = 4404,
  method_not_allowed = 4405,
  too_slow = 4008,
  replaced = 4009,
  not_ready = 4013,
  upgrade_required = 4426,
  rate_limited = 4029,
};

struct CloseCodeRow {
  CloseCode code;
  std::string_view reason;     // the words sent in the close frame and as "reason" of a refusal; at most 123 bytes (RFC 6455, 5.5.1)
  int http_status;             // of a refusal before the upgrade; 0: never one
  bool as_close;               // whether it is ever a WebSocket close code
  std::string_view meaning;    // for the reference page
  std::string_view reconnect;  // for the reference page
};

std::span<const CloseCodeRow> close_code_table() noexcept;
const CloseCodeRow& close_code_row(CloseCode code) noexcept;

}  // namespace fluentgate
