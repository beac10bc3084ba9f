#include "core/auth/claims.hpp"

#include "core/auth/json.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::auth;

namespace {

constexpr UnixMs now = 1'000'000'000;  // 1,000,000 s

Result<Claims> read(const std::string& payload, const config::Auth& auth = {}) {
  const JsonHandle json = parse_object(payload);
  if (json == nullptr) return Error{"malformed", "malformed token"};
  return read_claims(json.get(), auth, now);
}

config::Auth without_exp() {
  config::Auth auth;
  auth.require_exp = false;
  return auth;
}

// A payload with a user, no exp, and these members beside it.
Result<Claims> with(const std::string& members, config::Auth auth = without_exp()) { return read(R"({"sub":"u",)" + members + "}", auth); }

void refused(const Result<Claims>& claims, std::string_view text) {
  if (claims.ok()) FAIL("accepted; expected: " + std::string(text));
  CHECK_EQ(claims.error().text, text);
}

}  // namespace

TEST(user_is_a_non_empty_string) {
  CHECK_EQ(with(R"("x":1)")->user, UserId("u"));
  refused(read(R"({"x":1})", without_exp()), "missing claim sub");
  refused(read(R"({"sub":""})", without_exp()), "claim sub is not a non-empty string");
  refused(read(R"({"sub":7})", without_exp()), "claim sub is not a non-empty string");
  refused(read(R"({"sub":null})", without_exp()), "claim sub is not a non-empty string");
  refused(read(R"({"sub":"a\u0000b"})", without_exp()), "malformed token");
}

TEST(user_is_bounded) {
  CHECK(read("{\"sub\":\"" + std::string(512, 'u') + "\"}", without_exp()).ok());
  refused(read("{\"sub\":\"" + std::string(513, 'u') + "\"}", without_exp()), "claim sub is longer than 512 bytes");
}

TEST(exp_is_good_until_exp_and_leeway) {
  CHECK(with(R"("exp":999996)").ok());  // ends at 1,000,001 s
  refused(with(R"("exp":999995)"), "token expired");  // ends at 1,000,000 s, which is now
  config::Auth auth = without_exp();
  auth.leeway_s = 0;
  CHECK(with(R"("exp":1000001)", auth).ok());
  refused(with(R"("exp":1000000)", auth), "token expired");
  refused(with(R"("exp":1000000.9)", auth), "token expired");
  CHECK_EQ(*with(R"("exp":999996)")->ends_ms(5), now + 1000);
}

TEST(exp_ends_to_the_millisecond) {
  const JsonHandle json = parse_object(R"({"sub":"u","exp":1000000})");
  CHECK(read_claims(json.get(), {}, 1'000'004'999).ok());
  CHECK(!read_claims(json.get(), {}, 1'000'005'000).ok());
}

TEST(nbf_has_the_leeway_too) {
  CHECK(with(R"("nbf":1000005)").ok());
  refused(with(R"("nbf":1000006)"), "token not yet valid");
  refused(with(R"("nbf":1000005.1)"), "token not yet valid");
}

TEST(exp_is_required_unless_told_otherwise) {
  refused(read(R"({"sub":"u"})"), "missing claim exp");
  const auto claims = read(R"({"sub":"u"})", without_exp());
  CHECK(claims.ok());
  CHECK(!claims->exp_s);
  CHECK(!claims->ends_ms(5));
}

TEST(times_are_numbers_in_range) {
  for (const std::string name : {"exp", "nbf", "iat"}) {
    for (const char* value : {"\"2000000\"", "null", "true", "[]", "{}"}) refused(with("\"" + name + "\":" + value), "claim " + name + " is not a number");
    for (const char* value : {"-1", "1e300", "1700000000000", "99999999999999999999999"}) {
      refused(with("\"" + name + "\":" + value), "claim " + name + " is not a time in seconds since 1970");
    }
    refused(with("\"" + name + "\":1e999"), "malformed token");
    refused(with("\"" + name + "\":NaN"), "malformed token");
  }
  CHECK_EQ(*with(R"("iat":5.5,"exp":2e6)")->iat_s, 5);
}

TEST(a_long_integer_in_a_foreign_claim_does_no_harm) { CHECK(with(R"("account":123456789012345678901234567890)").ok()); }

TEST(issuer_is_checked_where_configured) {
  CHECK(with(R"("iss":"anybody")").ok());
  config::Auth auth = without_exp();
  auth.issuer = "https://me";
  CHECK(with(R"("iss":"https://me")", auth).ok());
  for (const char* members : {R"("iss":"https://me/")", R"("iss":["https://me"])", R"("x":1)", R"("iss":null)"}) refused(with(members, auth), "wrong issuer");
}

TEST(audience_is_a_string_or_an_array) {
  CHECK(with(R"("aud":"anybody")").ok());
  config::Auth auth = without_exp();
  auth.audience = "gateway";
  CHECK(with(R"("aud":"gateway")", auth).ok());
  CHECK(with(R"("aud":["other","gateway"])", auth).ok());
  for (const char* members : {R"("aud":"gateways")", R"("aud":["other",7])", R"("aud":[])", R"("x":1)"}) refused(with(members, auth), "wrong audience");
}

TEST(type_if_present_is_access_or_guest) {
  CHECK(with(R"("type":"access")").ok());
  CHECK(with(R"("type":"guest")").ok());
  for (const char* members : {R"("type":"refresh")", R"("type":"")", R"("type":null)", R"("type":7)", R"("type":"Access")"}) refused(with(members), "wrong token type");
}

TEST(room_id_opens_one_room_and_is_no_wildcard) {
  const auto claims = with(R"("room_id":"a")");
  CHECK(claims->may_enter(RoomId("a")));
  CHECK(!claims->may_enter(RoomId("A")));
  CHECK(!claims->may_enter(RoomId("b")));
  CHECK(!with(R"("room_id":"*")")->may_enter(RoomId("a")));
  CHECK(!with(R"("room_id":7)")->may_enter(RoomId("7")));
}

TEST(rooms_is_a_list_with_a_wildcard) {
  const auto claims = with(R"("rooms":["a","b",7])");
  CHECK(claims->may_enter(RoomId("a")) && claims->may_enter(RoomId("b")) && !claims->may_enter(RoomId("c")));
  CHECK(with(R"("rooms":["*"])")->may_enter(RoomId("anything")));
  CHECK(!with(R"("rooms":"*")")->may_enter(RoomId("anything")));
  CHECK(!with(R"("rooms":["a*"])")->may_enter(RoomId("ab")));
}

TEST(either_room_claim_suffices) {
  const auto claims = with(R"("room_id":"a","rooms":["b"])");
  CHECK(claims->may_enter(RoomId("a")) && claims->may_enter(RoomId("b")));
}

TEST(a_token_without_a_room_claim_opens_none_and_says_so) {
  CHECK(!with(R"("x":1)")->may_enter(RoomId("a")));
  CHECK(!with(R"("x":1)")->names_rooms);
  CHECK(!with(R"("room_id":null)")->names_rooms);
  CHECK(with(R"("rooms":[])")->names_rooms);
}

TEST(languages_are_a_string_with_commas_or_an_array) {
  const auto claims = with(R"("speaking_language":"EN-us","listening_language":"es, FR","understands":["de","it"])");
  CHECK_EQ(*claims->speaking_language, "EN-us");
  CHECK_EQ(join(claims->listening), "es,FR");
  CHECK_EQ(join(claims->understands), "de,it");
  CHECK_EQ(join(with(R"("listening_language":["es","fr"])")->listening), "es,fr");
  CHECK_EQ(join(with(R"("understands":"de")")->understands), "de");
}

TEST(a_bad_language_is_unknown_and_no_error) {
  const auto claims = with(R"("speaking_language":"not a tag!","listening_language":["es",7],"understands":{"a":1},"name":7,"role":null)");
  CHECK(claims.ok());
  CHECK(!claims->speaking_language && claims->listening.empty() && claims->understands.empty() && !claims->name && !claims->role);
  CHECK(with(R"("listening_language":"a,b,c,d,e,f,g,h,i")")->listening.empty());
}

TEST(claim_names_are_options) {
  config::Auth auth = without_exp();
  auth.claims = {"email", "meeting", "meetings", "display", "rank", "speaks", "hears", "knows"};
  const auto claims = read(R"({"email":"u@x","meeting":"a","meetings":["b"],"display":"N","rank":"host","speaks":"en","hears":"es","knows":"de"})", auth);
  CHECK_EQ(claims->user, UserId("u@x"));
  CHECK(claims->may_enter(RoomId("a")) && claims->may_enter(RoomId("b")));
  CHECK_EQ(*claims->name, "N");
  CHECK_EQ(*claims->role, "host");
  CHECK_EQ(*claims->speaking_language, "en");
  CHECK_EQ(join(claims->listening), "es");
  CHECK_EQ(join(claims->understands), "de");
  refused(with(R"("x":1)", auth), "missing claim email");
}
