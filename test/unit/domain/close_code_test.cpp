// Every row of the close code table against CONTRACT 1, written out here once more on purpose.
#include "core/domain/close_code.hpp"

#include <set>
#include <string>
#include <vector>

#include "core/domain/limits.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

struct Expected {
  int code;
  int http_status;
  bool as_close;
  std::string reconnect;
};

const std::vector<Expected> contract = {
    {1000, 0, true, "no"},
    {1001, 0, true, "yes, after `retry_after_ms`"},
    {1002, 0, true, "no"},
    {1003, 0, true, "no"},
    {1007, 0, true, "no"},
    {1008, 0, true, "no"},
    {1009, 0, true, "no"},
    {1011, 0, true, "yes, with backoff"},
    {1013, 0, true, "yes, with backoff"},
    {4001, 401, true, "with a new token"},
    {4003, 403, true, "no"},
    {4008, 0, true, "yes"},
    {4009, 0, true, "no"},
    {4013, 503, true, "yes, with backoff"},
    {4029, 429, true, "yes, with backoff"},
    {4400, 400, true, "no"},
    {4404, 404, true, "no"},
    {4405, 405, false, "no"},
    {4426, 426, false, "no"},
};

std::string_view reason(CloseCode code) { return close_code_row(code).reason; }

}  // namespace

TEST(close_code_table_has_the_rows_of_the_contract) {
  CHECK_EQ(close_code_table().size(), contract.size());
  for (const Expected& expected : contract) {
    const CloseCodeRow& row = close_code_row(static_cast<CloseCode>(expected.code));
    const std::string name = std::to_string(expected.code);
    if (static_cast<int>(row.code) != expected.code) FAIL(name + " has no row");
    if (row.http_status != expected.http_status) FAIL(name + " has HTTP status " + std::to_string(row.http_status));
    if (row.as_close != expected.as_close) FAIL(name + " as_close");
    if (row.reconnect != expected.reconnect) FAIL(name + " reconnect: " + std::string(row.reconnect));
  }
}

TEST(close_code_refusals_say_the_words_of_their_http_status) {
  CHECK_EQ(reason(CloseCode::bad_request), "Bad Request");
  CHECK_EQ(reason(CloseCode::unauthorized), "Unauthorized");
  CHECK_EQ(reason(CloseCode::forbidden), "Forbidden");
  CHECK_EQ(reason(CloseCode::not_found), "Not Found");
  CHECK_EQ(reason(CloseCode::method_not_allowed), "Method Not Allowed");
  CHECK_EQ(reason(CloseCode::upgrade_required), "Upgrade Required");
  CHECK_EQ(reason(CloseCode::rate_limited), "Too Many Requests");
  CHECK_EQ(reason(CloseCode::not_ready), "Service Unavailable");
}

TEST(close_code_rows_are_distinct_and_fit_a_close_frame) {
  std::set<int> codes;
  for (const CloseCodeRow& row : close_code_table()) {
    CHECK(codes.insert(static_cast<int>(row.code)).second);
    CHECK(!row.reason.empty());
    CHECK(row.reason.size() <= limits::close_reason_bytes_max);
    CHECK(!row.meaning.empty());
    CHECK(!row.reconnect.empty());
    CHECK(row.as_close || row.http_status != 0);
  }
}

TEST(close_code_without_a_row_counts_as_internal_error) {
  CHECK_EQ(static_cast<int>(close_code_row(static_cast<CloseCode>(4999)).code), 1011);
}
