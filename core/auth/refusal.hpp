// A refusal before the upgrade, as the HTTP answer of CONTRACT 1's table or, with auth.reject = close, as a close code. Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/settings.hpp"
#include "core/domain/close_code.hpp"

namespace fluentgate::auth {

inline constexpr int draining_retry_after_s = 5;   // another instance, or this one restarted
inline constexpr int not_ready_retry_after_s = 2;

struct Refusal {
  CloseCode code = CloseCode::bad_request;
  std::string detail;                      // for people; holds no token
  std::optional<int> retry_after_s;        // only where waiting helps
  bool instance_limit = false;             // of rate_limited: the instance's own limit, 503 in place of 429
  bool head = false;                       // the method was HEAD: an answer without a body
  bool can_close = false;                  // a GET that asks for WebSocket, so that auth.reject = close can complete it

  int status() const noexcept;
  // The row's own headers and Content-Type; Content-Length is the transport's.
  std::vector<std::pair<std::string_view, std::string>> headers() const;
  // {"code","reason","detail"}; for HEAD too, so that Content-Length can be told: the transport sends it only where `head` is false.
  std::string body() const;
  // Whether the upgrade is completed and closed at once with `code`. 405 and 426 stay HTTP, and so does what asked for no upgrade.
  bool as_close(config::RejectMode mode) const noexcept;
};

}  // namespace fluentgate::auth
