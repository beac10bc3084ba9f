#include "core/auth/admission.hpp"

#include <map>

#include "core/auth/token_signer.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::auth;

namespace {

constexpr UnixMs now = 1'000'000'000;
const std::string secret(64, 's');

std::string token(const std::string& members) { return *sign_token(Algorithm::hs256, {secret, ""}, R"({"sub":"u","exp":1000100,)" + members + "}"); }
const std::string good = token(R"("room_id":"a","speaking_language":"en-US","listening_language":"es,fr","understands":["de"])");
const std::string expired = *sign_token(Algorithm::hs256, {secret, ""}, R"({"sub":"u","exp":1,"room_id":"a"})");

struct FakeGate : Gate {
  bool is_draining = false, is_closed = false;
  std::optional<LimitReached> limit;
  mutable int limits_asked = 0;
  bool draining() const override { return is_draining; }
  bool ready_gate_closed() const override { return is_closed; }
  std::optional<LimitReached> over_limit(const RoomId&, const UserId&, Endpoint) const override {
    ++limits_asked;
    return limit;
  }
};

config::Settings settings() {
  config::Settings s;
  s.auth.secret = secret;
  return s;
}

config::Settings with_origins() {
  config::Settings s = settings();
  s.auth.allowed_origins = {"https://meet.example", "https://other.example:8443"};
  s.auth.cookie = "sid";
  return s;
}

// A good request that each test spoils in its own way.
struct Request {
  std::string path = "/ws/audio/a", query = "token=" + good, method = "GET";
  bool upgrade = true;
  std::optional<std::string> authorization, cookie, origin, offer;
};

std::variant<Admitted, Refusal> decide(const Request& r, const config::Settings& s = settings(), const Gate& gate = FakeGate()) {
  const auto verifier = TokenVerifier::create(s.auth);
  CHECK(verifier.ok());
  const Admission admission(s, *verifier);
  const auto view = [](const std::optional<std::string>& text) { return text ? std::optional<std::string_view>(*text) : std::nullopt; };
  return admission.decide({r.method, r.path, r.query, r.upgrade, view(r.authorization), view(r.cookie), view(r.origin), view(r.offer)}, gate, now);
}

Admitted admitted(const Request& r, const config::Settings& s = settings(), const Gate& gate = FakeGate()) {
  auto answer = decide(r, s, gate);
  if (const auto* refusal = std::get_if<Refusal>(&answer)) FAIL(r.path + "?" + r.query + ": " + refusal->body());
  return std::get<Admitted>(std::move(answer));
}

Refusal refused(const Request& r, CloseCode code, const config::Settings& s = settings(), const Gate& gate = FakeGate()) {
  auto answer = decide(r, s, gate);
  if (!std::holds_alternative<Refusal>(answer)) FAIL(r.path + "?" + r.query + " was admitted");
  CHECK_EQ(static_cast<int>(std::get<Refusal>(answer).code), static_cast<int>(code));
  return std::get<Refusal>(std::move(answer));
}

std::string header(const Refusal& refusal, std::string_view name) {
  for (const auto& [key, value] : refusal.headers()) if (key == name) return value;
  return "(none)";
}

Request query(const std::string& more, const std::string& path = "/ws/audio/a") {
  Request r;
  r.path = path;
  r.query += "&" + more;
  return r;
}

}  // namespace

// ---- what is admitted

TEST(each_endpoint_is_admitted) {
  for (const Endpoint endpoint : {Endpoint::audio, Endpoint::captions, Endpoint::signaling}) {
    Request r;
    r.path = "/ws/" + std::string(name_of(endpoint)) + "/a";
    const Admitted a = admitted(r);
    CHECK(a.endpoint == endpoint);
    CHECK_EQ(a.room, RoomId("a"));
    CHECK_EQ(a.claims.user, UserId("u"));
    CHECK_EQ(*a.speaking_language, "en-US");
    CHECK_EQ(join(a.hearing.listening), "es,fr");
    CHECK_EQ(join(a.hearing.understands), "de");
    CHECK(!a.vtt && !a.framed && a.subprotocol.empty() && !a.caption.lang_given);
  }
}

TEST(the_prefix_is_an_option) {
  for (const std::string prefix : {"/api/v1/ws", "/api/v1/ws/", "", "/"}) {
    config::Settings s = settings();
    s.prefix = prefix;
    Request r;
    r.path = (prefix.size() > 1 ? "/api/v1/ws" : "") + std::string("/audio/a");
    admitted(r, s);
    r.path = "/other/audio/a";
    refused(r, CloseCode::not_found, s);
  }
}

TEST(room_ids_are_percent_decoded) {
  Request r;
  r.query = "token=" + token(R"("room_id":"a:b~c")");
  r.path = "/ws/audio/a%3Ab%7ec";
  CHECK_EQ(admitted(r).room, RoomId("a:b~c"));
}

TEST(the_subprotocol_is_echoed) {
  Request r;
  r.offer = "chat, fluentgate.audio.v1";
  CHECK_EQ(admitted(r).subprotocol, "fluentgate.audio.v1");
  CHECK(admitted(r).framed);
}

TEST(a_token_is_found_in_each_of_its_places) {
  Request r;
  r.query = "";
  r.authorization = "bearer " + good;
  admitted(r);
  r.authorization.reset();
  r.cookie = "x=1; sid=" + good;
  r.origin = "https://meet.example";
  admitted(r, with_origins());
}

TEST(the_first_non_empty_token_decides) {
  Request r;
  r.query = "token=" + expired;
  r.authorization = "Bearer " + good;
  CHECK_EQ(refused(r, CloseCode::unauthorized).detail, "token expired");
  r.query = "token=";
  admitted(r);
  r.authorization = "Bearer " + expired;
  r.cookie = "sid=" + good;
  r.origin = "https://meet.example";
  refused(r, CloseCode::unauthorized, with_origins());
  r.authorization = "Basic dTpw";
  admitted(r, with_origins());
}

// ---- the table, row by row

TEST(unknown_paths_are_404) {
  for (const char* path : {"/ws", "/ws/", "/ws/audio", "/ws/video/a", "/ws/audio/a/b", "/ws/audio/a/", "/wsx/audio/a", "/audio/a", "", "/ws//audio/a", "/ws/Audio/a",
                           "/ws/%zz/a", "/ws/audio%2Fa"}) {
    Request r;
    r.path = path;
    const Refusal refusal = refused(r, CloseCode::not_found);
    CHECK_EQ(refusal.status(), 404);
    CHECK_EQ(refusal.body(), R"({"code":4404,"reason":"Not Found","detail":"unknown path"})");
    CHECK_EQ(header(refusal, "Content-Type"), "application/json");
  }
}

TEST(other_methods_are_405_with_or_without_an_upgrade) {
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "get"}) {
    for (const bool upgrade : {true, false}) {
      Request r;
      r.method = method;
      r.upgrade = upgrade;
      const Refusal refusal = refused(r, CloseCode::method_not_allowed);
      CHECK_EQ(refusal.status(), 405);
      CHECK_EQ(header(refusal, "Allow"), "GET");
      CHECK_EQ(refusal.head, std::string_view(method) == "HEAD");
      CHECK(!refusal.as_close(config::RejectMode::close));
      CHECK(refusal.body().starts_with(R"({"code":4405,"reason":)"));
    }
  }
}

TEST(a_get_without_an_upgrade_is_426) {
  Request r;
  r.upgrade = false;
  const Refusal refusal = refused(r, CloseCode::upgrade_required);
  CHECK_EQ(refusal.status(), 426);
  CHECK_EQ(header(refusal, "Upgrade"), "websocket");
  CHECK(!refusal.as_close(config::RejectMode::close));
  CHECK(refusal.body().starts_with(R"({"code":4426,"reason":)"));
}

TEST(bad_room_ids_are_400) {
  for (const std::string room : {"", ".", "..", "%2e%2E", "a%2Fb", "a%00", "a%", "a%zz", "a b", "a%20b", "a@b", "%C3%A9", "a+b", "*"}) {
    Request r;
    r.path = "/ws/audio/" + room;
    const Refusal refusal = refused(r, CloseCode::bad_request);
    CHECK_EQ(refusal.status(), 400);
    CHECK(refusal.body().starts_with(R"({"code":4400,"reason":"Bad Request","detail":")"));
  }
  Request r;
  r.query = "token=" + token(R"("rooms":["*"])");
  r.path = "/ws/audio/" + std::string(128, 'r');
  admitted(r);
  r.path += "r";
  refused(r, CloseCode::bad_request);
}

TEST(token_twice_is_400_before_it_is_looked_at) {
  refused(query("token=" + good), CloseCode::bad_request);
  Request r;
  r.query = "token=x&%74oken=y";
  refused(r, CloseCode::bad_request);
  r.query = "token=&token=" + good;
  refused(r, CloseCode::bad_request);
  r.query = "token=%zz";
  refused(r, CloseCode::bad_request);
}

TEST(subprotocols_that_do_not_fit_are_400) {
  Request r;
  for (const std::string& offer : {std::string("fluentgate.captions.v1"), std::string("chat"), "fluentgate.audio.v1," + std::string(107, 'x')}) {
    r.offer = offer;
    refused(r, CloseCode::bad_request);
  }
}

TEST(bad_query_values_are_400) {
  for (const char* bad : {"lang=e%20s", "lang=es,,fr", "lang=a,b,c,d,e,f,g,h,i", "lang=%zz", "lang=es&lang=fr", "speak=1", "understands=-", "history=-1",
                          "history=1000001", "history=1.5", "history=x", "history=99999999999999999999999", "history=%2B1", "type=both", "type=Original", "since=x",
                          "since=x&epoch=", "since=x&since=x&epoch=y", "since=%00&epoch=y"}) {
    for (const char* path : {"/ws/captions/a", "/ws/audio/a", "/ws/signaling/a"}) refused(query(bad, path), CloseCode::bad_request);
  }
}

TEST(a_bad_value_is_told_without_what_could_spoil_a_log) {
  const Refusal refusal = refused(query("lang=%0A%22%FF"), CloseCode::bad_request);
  for (const char c : refusal.detail) CHECK(c >= 0x20 && c <= 0x7e);
  CHECK(refusal.body().find("\n") == std::string::npos);
}

TEST(draining_and_the_ready_gate_are_503_with_retry_after) {
  FakeGate gate;
  gate.is_draining = true;
  Refusal refusal = refused({}, CloseCode::not_ready, settings(), gate);
  CHECK_EQ(refusal.status(), 503);
  CHECK_EQ(header(refusal, "Retry-After"), "5");
  CHECK(refusal.body().starts_with(R"({"code":4013,)"));
  gate.is_draining = false;
  gate.is_closed = true;
  refusal = refused({}, CloseCode::not_ready, settings(), gate);
  CHECK_EQ(header(refusal, "Retry-After"), "2");
}

TEST(bad_tokens_are_401) {
  const std::map<std::string, std::string> cases{
      {"", "no token"},
      {"token=abc", "malformed token"},
      {"token=" + *sign_token(Algorithm::hs256, {std::string(64, 'x'), ""}, R"({"sub":"u","exp":1000100})"), "bad signature"},
      {"token=" + *sign_token(Algorithm::hs512, {secret, ""}, R"({"sub":"u","exp":1000100})"), "algorithm not allowed"},
      {"token=" + expired, "token expired"},
      {"token=" + token(R"("nbf":1000099)"), "token not yet valid"},
      {"token=" + token(R"("type":"refresh")"), "wrong token type"},
  };
  for (const auto& [text, detail] : cases) {
    Request r;
    r.query = text;
    const Refusal refusal = refused(r, CloseCode::unauthorized);
    CHECK_EQ(refusal.status(), 401);
    CHECK_EQ(header(refusal, "WWW-Authenticate"), "Bearer error=\"invalid_token\"");
    CHECK_EQ(refusal.body(), R"({"code":4001,"reason":"Unauthorized","detail":")" + detail + "\"}");
  }
  config::Settings s = settings();
  s.auth.issuer = "i";
  CHECK_EQ(refused({}, CloseCode::unauthorized, s).detail, "wrong issuer");
  s.auth.issuer.clear();
  s.auth.audience = "a";
  CHECK_EQ(refused({}, CloseCode::unauthorized, s).detail, "wrong audience");
}

TEST(origins_are_compared_exactly) {
  Request r;
  r.origin = "https://anywhere.example";
  admitted(r);
  for (const char* origin : {"https://meet.example", "https://other.example:8443"}) {
    r.origin = origin;
    admitted(r, with_origins());
  }
  for (const char* origin : {"https://meet.example/", "http://meet.example", "https://MEET.example", "https://meet.example.evil", "https://meet.example:443", "null", ""}) {
    r.origin = origin;
    const Refusal refusal = refused(r, CloseCode::forbidden, with_origins());
    CHECK_EQ(refusal.status(), 403);
    CHECK(refusal.body().starts_with(R"({"code":4003,"reason":"Forbidden","detail":")"));
  }
  r.origin.reset();
  admitted(r, with_origins());
}

TEST(a_token_from_the_cookie_needs_an_origin) {
  Request r;
  r.query = "";
  r.cookie = "sid=" + good;
  refused(r, CloseCode::forbidden, with_origins());
  r.origin = "https://evil.example";
  refused(r, CloseCode::forbidden, with_origins());
  r.origin = "https://meet.example";
  admitted(r, with_origins());
}

TEST(a_cookie_is_not_looked_at_without_allowed_origins) {
  config::Settings s = settings();
  s.auth.cookie = "sid";
  Request r;
  r.query = "";
  r.cookie = "sid=" + good;
  r.origin = "https://evil.example";
  refused(r, CloseCode::unauthorized, s);
}

TEST(a_token_without_right_to_the_room_is_403) {
  Request r;
  r.path = "/ws/audio/b";
  const Refusal refusal = refused(r, CloseCode::forbidden);
  CHECK_EQ(refusal.status(), 403);
  CHECK_EQ(refusal.detail, "the token gives no right to this room");
}

TEST(limits_are_429_and_the_instances_own_503) {
  FakeGate gate;
  gate.limit = LimitReached{"the room is full", false, 7};
  Refusal refusal = refused({}, CloseCode::rate_limited, settings(), gate);
  CHECK_EQ(refusal.status(), 429);
  CHECK_EQ(header(refusal, "Retry-After"), "7");
  CHECK(refusal.body().starts_with(R"({"code":4029,)"));
  gate.limit = LimitReached{"the instance is full", true, 9};
  refusal = refused({}, CloseCode::rate_limited, settings(), gate);
  CHECK_EQ(refusal.status(), 503);
  CHECK_EQ(header(refusal, "Retry-After"), "9");
  CHECK(refusal.body().starts_with(R"({"code":4029,)"));
}

// ---- the order of the checks: every request below is wrong from its stage on; mending one stage shows the next

TEST(the_checks_come_in_the_contracts_order) {
  config::Settings s = with_origins();
  FakeGate gate;
  gate.is_draining = true;
  gate.limit = LimitReached{"full", false, 1};
  Request r;
  r.path = "/ws/nothing/..";
  r.method = "POST";
  r.upgrade = false;
  r.query = "token=x&token=y&lang=%20,";
  r.offer = "chat";
  r.origin = "https://evil.example";

  const auto next = [&](CloseCode code, std::string_view detail) {
    const Refusal refusal = refused(r, code, s, gate);
    if (refusal.detail.find(detail) == std::string::npos) FAIL("expected \"" + std::string(detail) + "\", got: " + refusal.detail);
  };
  next(CloseCode::not_found, "path");
  r.path = "/ws/audio/..";
  next(CloseCode::method_not_allowed, "GET");
  r.method = "GET";
  next(CloseCode::upgrade_required, "WebSocket");
  r.upgrade = true;
  next(CloseCode::bad_request, "room id");
  r.path = "/ws/audio/other";
  next(CloseCode::bad_request, "token");
  r.query = "token=x&lang=%20,";
  next(CloseCode::bad_request, "subprotocol");
  r.offer.reset();
  next(CloseCode::not_ready, "draining");
  gate.is_draining = false;
  gate.is_closed = true;
  next(CloseCode::not_ready, "not ready");
  gate.is_closed = false;
  next(CloseCode::forbidden, "origin");
  r.origin.reset();
  next(CloseCode::unauthorized, "malformed");
  r.query = "token=" + good + "&lang=%20,";
  next(CloseCode::bad_request, "lang");
  r.query = "token=" + good;
  next(CloseCode::forbidden, "right");
  CHECK_EQ(gate.limits_asked, 0);
  r.path = "/ws/audio/a";
  next(CloseCode::rate_limited, "full");
  gate.limit.reset();
  admitted(r, s, gate);
}

// ---- languages and the captions query

TEST(query_languages_override_the_claims) {
  const Admitted a = admitted(query("lang=ca,it&speak=PT-br&understands=en"));
  CHECK_EQ(join(a.hearing.listening), "ca,it");
  CHECK_EQ(join(a.hearing.understands), "en");
  CHECK_EQ(*a.speaking_language, "PT-br");
}

TEST(where_overriding_is_off_the_claims_stay) {
  config::Settings s = settings();
  s.auth.allow_language_override = false;
  const Admitted a = admitted(query("lang=ca&speak=pt&understands=en"), s);
  CHECK_EQ(join(a.hearing.listening), "es,fr");
  CHECK_EQ(join(a.hearing.understands), "de");
  CHECK_EQ(*a.speaking_language, "en-US");
  refused(query("lang=,"), CloseCode::bad_request, s);
}

TEST(captions_lang_narrows_the_captions_and_not_the_hearing) {
  config::Settings s = settings();
  s.auth.allow_language_override = false;
  const Admitted a = admitted(query("lang=ca,it", "/ws/captions/a"), s);
  CHECK(a.caption.lang_given);
  CHECK_EQ(join(a.caption.lang), "ca,it");
  CHECK_EQ(join(a.hearing.listening), "es,fr");
  CHECK(!admitted(query("x=1", "/ws/captions/a")).caption.lang_given);
}

TEST(captions_query_is_read) {
  const Admitted a = admitted(query("history=0&type=translated&since=o-1&epoch=e_2", "/ws/captions/a"));
  CHECK_EQ(*a.caption.history, 0u);
  CHECK(*a.caption.type == CaptionType::translated);
  CHECK_EQ(*a.caption.since, "o-1");
  CHECK_EQ(*a.caption.epoch, "e_2");
  CHECK_EQ(*admitted(query("history=1000000", "/ws/captions/a")).caption.history, 1000000u);
  CHECK(*admitted(query("type=original", "/ws/captions/a")).caption.type == CaptionType::original);
}

TEST(empty_values_are_as_if_not_given) {
  const Admitted a = admitted(query("lang=&speak=&understands&history=&type=&since=&epoch=", "/ws/captions/a"));
  CHECK(!a.caption.lang_given && !a.caption.history && !a.caption.type && !a.caption.since && !a.caption.epoch);
  CHECK_EQ(join(admitted(query("lang=&understands=")).hearing.listening), "es,fr");
  CHECK(!admitted(query("epoch=e", "/ws/captions/a")).caption.epoch);
}

TEST(unknown_parameters_are_ignored) { admitted(query("foo=%zz&%zz=1&foo=2&=&&")); }

TEST(captions_parameters_have_no_effect_elsewhere) { CHECK(!admitted(query("history=5&lang=ca")).caption.history); }

// ---- WebVTT

TEST(vtt_without_an_upgrade_needs_the_same_token) {
  FakeGate gate;
  gate.limit = LimitReached{"full", false, 1};
  Request r;
  r.path = "/ws/captions/a.vtt";
  r.upgrade = false;
  const Admitted a = admitted(r, settings(), gate);
  CHECK(a.vtt);
  CHECK_EQ(a.room, RoomId("a"));
  CHECK_EQ(gate.limits_asked, 0);
  r.path = "/ws/captions/b.vtt";
  refused(r, CloseCode::forbidden);
  r.query = "";
  CHECK(!refused(r, CloseCode::unauthorized).as_close(config::RejectMode::close));
}

TEST(vtt_with_an_upgrade_is_a_room_of_that_name) {
  Request r;
  r.path = "/ws/captions/a.vtt";
  refused(r, CloseCode::forbidden);
  r.query = "token=" + token(R"("room_id":"a.vtt")");
  CHECK(!admitted(r).vtt);
  CHECK_EQ(admitted(r).room, RoomId("a.vtt"));
}

TEST(vtt_is_for_captions_and_for_rooms_with_a_name) {
  Request r;
  r.upgrade = false;
  r.path = "/ws/audio/a.vtt";
  refused(r, CloseCode::upgrade_required);
  r.path = "/ws/captions/.vtt";
  refused(r, CloseCode::bad_request);
  r.path = "/ws/captions/a.vtt";
  r.method = "HEAD";
  CHECK(refused(r, CloseCode::method_not_allowed).head);
}

// ---- auth.reject = close

TEST(with_reject_close_the_refusals_of_an_upgrade_become_closes) {
  FakeGate draining, full;
  draining.is_draining = true;
  full.limit = LimitReached{"full", true, 1};
  Request unknown, room, no_token, right;
  unknown.path = "/ws/x/a";
  room.path = "/ws/audio/..";
  no_token.query = "";
  right.path = "/ws/audio/b";
  for (const Refusal& refusal : {refused(unknown, CloseCode::not_found), refused(room, CloseCode::bad_request), refused(no_token, CloseCode::unauthorized),
                                 refused(right, CloseCode::forbidden), refused({}, CloseCode::not_ready, settings(), draining),
                                 refused({}, CloseCode::rate_limited, settings(), full)}) {
    CHECK(refusal.as_close(config::RejectMode::close));
    CHECK(!refusal.as_close(config::RejectMode::http));
  }
  unknown.upgrade = false;
  CHECK(!refused(unknown, CloseCode::not_found).as_close(config::RejectMode::close));
  unknown.upgrade = true;
  unknown.method = "POST";
  CHECK(!refused(unknown, CloseCode::not_found).as_close(config::RejectMode::close));
}

TEST(bodies_escape_what_json_must) {
  Refusal refusal;
  refusal.detail = "a \"b\" \\ \n\x01";
  CHECK_EQ(refusal.body(), R"({"code":4400,"reason":"Bad Request","detail":"a \"b\" \\ \u000a\u0001"})");
}
