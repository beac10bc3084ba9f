// Who may be in a room where membership is asked (CONTRACT 1, auth.membership and auth.require_room).
#include "core/auth/room_right.hpp"

#include "core/auth/admission.hpp"
#include "core/auth/token_signer.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::auth;

namespace {

struct Members final : MemberLookup {
  MemberAnswer look_up(const RoomId& room, const UserId& user) override {
    asked += room.value + "/" + user.value + " ";
    return answer;
  }
  void watch(const RoomId&, const UserId&) override {}
  void unwatch(const RoomId&, const UserId&) override {}
  MemberAnswer answer;
  std::string asked;
};

MemberAnswer member(std::string state) { return {MemberAnswer::Standing::member, std::move(state)}; }

struct OpenGate final : Gate {
  bool draining() const override { return false; }
  bool ready_gate_closed() const override { return false; }
  std::optional<LimitReached> over_limit(const RoomId&, const UserId&, Endpoint) const override { return LimitReached{"full"}; }
};

config::Auth asks(config::Membership membership, bool require_room = true) {
  config::Auth auth;
  auth.secret = std::string(64, 's');
  auth.membership = membership;
  auth.require_room = require_room;
  return auth;
}

Claims claims_of(const char* room) {
  Claims claims;
  claims.user = UserId("u");
  if (room != nullptr) {
    claims.room = RoomId(room);
    claims.names_rooms = true;
  }
  return claims;
}

// 0: may enter; else the close code.
int verdict(const config::Auth& auth, MemberLookup* members, const char* claimed_room) {
  Claims claims = claims_of(claimed_room);
  const auto refusal = check_room_right(auth, members, RoomId("a"), claims);
  return refusal ? static_cast<int>(refusal->code) : 0;
}

}  // namespace

TEST(room_right_by_the_token_alone_asks_nobody) {
  Members members;
  CHECK_EQ(verdict(asks(config::Membership::token), &members, "a"), 0);
  CHECK_EQ(verdict(asks(config::Membership::token), &members, "b"), 4003);
  CHECK_EQ(verdict(asks(config::Membership::token), &members, nullptr), 4003);
  CHECK_EQ(members.asked, "");
}

TEST(room_right_by_membership) {
  Members members;
  const config::Auth redis = asks(config::Membership::redis);
  CHECK_EQ(verdict(redis, &members, "a"), 4013);
  CHECK_EQ(verdict(redis, nullptr, "a"), 4013);
  members.answer.standing = MemberAnswer::Standing::stranger;
  CHECK_EQ(verdict(redis, &members, "a"), 4003);
  members.answer = member("{}");
  CHECK_EQ(verdict(redis, &members, "a"), 0);
  CHECK_EQ(verdict(redis, &members, "b"), 0);
  CHECK_EQ(verdict(redis, &members, nullptr), 4003);  // auth.require_room
  CHECK_EQ(members.asked, "a/u a/u a/u a/u ");
  CHECK_EQ(verdict(asks(config::Membership::redis, false), &members, nullptr), 0);
}

TEST(room_right_by_both) {
  Members members;
  members.answer = member("{}");
  const config::Auth both = asks(config::Membership::both);
  CHECK_EQ(verdict(both, &members, "a"), 0);
  CHECK_EQ(verdict(both, &members, "b"), 4003);
  CHECK_EQ(verdict(both, &members, nullptr), 4003);
  CHECK_EQ(verdict(asks(config::Membership::both, false), &members, nullptr), 0);
  CHECK_EQ(verdict(asks(config::Membership::both, false), &members, "b"), 4003);
  members.answer.standing = MemberAnswer::Standing::stranger;
  CHECK_EQ(verdict(both, &members, "a"), 4003);
}

TEST(room_right_takes_the_members_state_for_the_claims) {
  Members members;
  members.answer = member(R"({"language":"pt-BR","speaking_language":"en-us","display_name":"Ann","role":"host","other":[1]})");
  Claims claims = claims_of("a");
  claims.name = "token";
  claims.understands = parse_language_list("de").value();
  CHECK(!check_room_right(asks(config::Membership::redis), &members, RoomId("a"), claims));
  CHECK_EQ(join(claims.listening), "pt-BR");
  CHECK_EQ(join(claims.understands), "de");
  CHECK_EQ(claims.speaking_language.value(), "en-us");
  CHECK_EQ(claims.name.value(), "Ann");
  CHECK_EQ(claims.role.value(), "host");
  for (const char* unreadable : {"", "not json", "[1]", R"({"language":3,"speaking_language":"!","display_name":"","role":null})"}) {
    members.answer = member(unreadable);
    Claims kept = claims_of("a");
    kept.listening = parse_language_list("es").value();
    kept.speaking_language = "fr";
    kept.name = "token";
    kept.role = "guest";
    CHECK(!check_room_right(asks(config::Membership::redis), &members, RoomId("a"), kept));
    CHECK_EQ(join(kept.listening), "es");
    CHECK_EQ(kept.speaking_language.value(), "fr");
    CHECK_EQ(kept.name.value(), "token");
    CHECK_EQ(kept.role.value(), "guest");
  }
}

TEST(room_right_comes_after_the_query_and_before_the_limits) {
  config::Settings settings;
  settings.auth = asks(config::Membership::redis);
  const auto verifier = TokenVerifier::create(settings.auth);
  Admission admission(settings, verifier.value());
  Members members;
  admission.ask(members);
  const std::string token =
      sign_token(Algorithm::hs256, {settings.auth.secret, ""}, R"({"sub":"u","room_id":"a","exp":2000000000,"listening_language":"es"})").value();
  const auto decide = [&](const std::string& query) {
    const std::string whole = "token=" + token + query;
    return admission.decide({"GET", "/ws/signaling/a", whole, true, {}, {}, {}, {}}, OpenGate(), 1'000'000'000);
  };
  CHECK_EQ(static_cast<int>(std::get<Refusal>(decide("&lang=!")).code), 4400);
  CHECK_EQ(members.asked, "");
  const Refusal away = std::get<Refusal>(decide(""));
  CHECK_EQ(static_cast<int>(away.code), 4013);
  CHECK_EQ(away.status(), 503);
  CHECK(away.retry_after_s.has_value());
  members.answer = member(R"({"language":"fr","speaking_language":"en"})");
  CHECK_EQ(static_cast<int>(std::get<Refusal>(decide("")).code), 4029);
}

TEST(room_right_state_is_what_the_socket_starts_with_unless_the_query_says_otherwise) {
  config::Settings settings;
  settings.auth = asks(config::Membership::both);
  const auto verifier = TokenVerifier::create(settings.auth);
  Admission admission(settings, verifier.value());
  Members members;
  members.answer = member(R"({"language":"fr","speaking_language":"en"})");
  admission.ask(members);
  const std::string token =
      sign_token(Algorithm::hs256, {settings.auth.secret, ""}, R"({"sub":"u","room_id":"a","exp":2000000000,"listening_language":"es"})").value();
  struct Roomy final : Gate {
    bool draining() const override { return false; }
    bool ready_gate_closed() const override { return false; }
    std::optional<LimitReached> over_limit(const RoomId&, const UserId&, Endpoint) const override { return std::nullopt; }
  };
  const auto decide = [&](const std::string& query) {
    const std::string whole = "token=" + token + query;
    return std::get<Admitted>(admission.decide({"GET", "/ws/audio/a", whole, true, {}, {}, {}, {}}, Roomy(), 1'000'000'000));
  };
  const Admitted plain = decide("");
  CHECK_EQ(join(plain.hearing.listening), "fr");
  CHECK_EQ(plain.speaking_language.value(), "en");
  const Admitted asked = decide("&lang=de&speak=it");
  CHECK_EQ(join(asked.hearing.listening), "de");
  CHECK_EQ(asked.speaking_language.value(), "it");
}
