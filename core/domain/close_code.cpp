// The table itself. The reasons of refusals are those of the HTTP answers, so that both ways of auth.reject tell the same words.
#include "core/domain/close_code.hpp"

#include <array>

namespace fluentgate {
namespace {

constexpr std::array<CloseCodeRow, 19> table{{
    {CloseCode::normal, "Normal Closure", 0, true, "normal end", "no"},
    {CloseCode::going_away, "Going Away", 0, true, "this instance drains; a `going_away` event with `retry_after_ms` came first",
     "yes, after `retry_after_ms`"},
    {CloseCode::protocol_error, "Protocol Error", 0, true, "a frame that RFC 6455 forbids", "no"},
    {CloseCode::unsupported_data, "Unsupported Data", 0, true, "a kind of message that this endpoint does not take", "no"},
    {CloseCode::invalid_utf8, "Invalid UTF-8", 0, true, "a text message or close reason that is not UTF-8", "no"},
    {CloseCode::policy_violation, "Policy Violation", 0, true, "a captions client that floods", "no"},
    {CloseCode::too_big, "Message Too Big", 0, true, "a message larger than the endpoint's limit", "no"},
    {CloseCode::internal_error, "Internal Error", 0, true, "internal error", "yes, with backoff"},
    {CloseCode::try_again_later, "Try Again Later", 0, true, "overloaded", "yes, with backoff"},
    {CloseCode::unauthorized, "Unauthorized", 401, true,
     "token expired or revoked while connected; before the upgrade: no token, or one that is not valid", "with a new token"},
    {CloseCode::forbidden, "Forbidden", 403, true,
     "lost the right to the room; before the upgrade: origin not allowed, or no right to this room", "no"},
    {CloseCode::too_slow, "Too Slow", 0, true, "the client reads too slowly for what is sent to it", "yes"},
    {CloseCode::replaced, "Replaced", 0, true, "the same user opened this endpoint of this room again: the newer one wins", "no"},
    {CloseCode::not_ready, "Service Unavailable", 503, true,
     "not ready, draining, or membership can't be asked; as a close code with `auth.reject = close` only", "yes, with backoff"},
    {CloseCode::rate_limited, "Too Many Requests", 429, true,
     "rate limit (audio); before the upgrade: the room's or the user's limit, or the instance's (its HTTP status is 503)", "yes, with backoff"},
    {CloseCode::bad_request, "Bad Request", 400, true,
     "bad room id, query value or subprotocol; as a close code with `auth.reject = close` only", "no"},
    {CloseCode::not_found, "Not Found", 404, true, "unknown path; as a close code with `auth.reject = close` only", "no"},
    {CloseCode::method_not_allowed, "Method Not Allowed", 405, false, "a method other than GET; an HTTP answer only", "no"},
    {CloseCode::upgrade_required, "Upgrade Required", 426, false, "a GET that asks for no upgrade; an HTTP answer only", "no"},
}};

constexpr const CloseCodeRow& internal_error_row = table[7];
static_assert(internal_error_row.code == CloseCode::internal_error);

}  // namespace

std::span<const CloseCodeRow> close_code_table() noexcept { return table; }

const CloseCodeRow& close_code_row(CloseCode code) noexcept {
  for (const CloseCodeRow& row : table) {
    if (row.code == code) return row;
  }
  return internal_error_row;  // a number that is none of ours is a mistake of ours
}

}  // namespace fluentgate
