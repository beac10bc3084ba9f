#include "core/auth/token_verifier.hpp"

#include "core/auth/base64url.hpp"
#include "core/auth/signature.hpp"
#include "core/domain/limits.hpp"
#include "test/support/check.hpp"
#include "test/unit/auth/test_keys.hpp"

using namespace fluentgate;
using namespace fluentgate::auth;
using namespace fluentgate::test;

namespace {

constexpr UnixMs now = 1'000'000'000;
const std::string claims_json = R"({"sub":"u","room_id":"a","exp":1000100})";
const SigningKey hmac_key{secret_64, ""};

const KeyPair& pair_for(Algorithm algorithm) {
  if (algorithm == Algorithm::es256) return p256();
  if (algorithm == Algorithm::es384) return p384();
  if (algorithm == Algorithm::es512) return p521();
  return algorithm == Algorithm::eddsa ? ed25519() : rsa();
}

SigningKey signing_key(Algorithm algorithm) { return is_hmac(algorithm) ? hmac_key : pair_for(algorithm).signing(); }

// One of each key, every algorithm allowed unless told otherwise.
std::shared_ptr<TokenVerifier> verifier(std::vector<std::string> algorithms = {}, std::vector<std::string> more_files = {}) {
  static const Folder folder;
  config::Auth auth;
  auth.algorithms = std::move(algorithms);
  if (auth.algorithms.empty()) for (const Algorithm a : all_algorithms()) auth.algorithms.emplace_back(name_of(a));
  auth.secret = secret_64;
  auth.public_key_files = {folder.write("rsa", rsa().public_pem), folder.write("p256", p256().public_pem), folder.write("p384", p384().public_pem),
                           folder.write("p521", p521().public_pem), folder.write("ed", ed25519().public_pem)};
  auth.public_key_files.insert(auth.public_key_files.end(), more_files.begin(), more_files.end());
  auto made = TokenVerifier::create(auth);
  if (!made.ok()) FAIL(made.error().text);
  return *made;
}

std::string header(std::string_view alg, const std::string& more = "") { return R"({"alg":")" + std::string(alg) + "\"" + more + "}"; }

void accepted(const Result<Claims>& claims) {
  if (!claims.ok()) FAIL(claims.error().text);
  CHECK_EQ(claims->user, UserId("u"));
}

void refused(const Result<Claims>& claims, std::string_view code) {
  if (claims.ok()) FAIL("accepted; expected: " + std::string(code));
  CHECK_EQ(claims.error().code, code);
}

std::string with_flipped_bit(std::string token, std::size_t part) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < part; ++i) at = token.find('.', at) + 1;
  const std::size_t end = std::min(token.find('.', at), token.size());
  std::string bytes = *base64url_decode(std::string_view(token).substr(at, end - at));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  return token.replace(at, end - at, base64url_encode(bytes));
}

}  // namespace

TEST(every_algorithm_verifies_what_its_signer_made) {
  const auto v = verifier();
  for (const Algorithm algorithm : all_algorithms()) {
    const auto token = sign_token(algorithm, signing_key(algorithm), claims_json);
    if (!token.ok()) FAIL(std::string(name_of(algorithm)) + ": " + token.error().text);
    accepted(v->verify(*token, now));
    accepted(v->verify(*sign_parts(algorithm, signing_key(algorithm), header(name_of(algorithm)), claims_json), now));
    CHECK_EQ(ERR_peek_error(), 0ul);
  }
}

TEST(tokens_that_libjwt_would_not_read_are_verified_all_the_same) {
  const auto v = verifier();
  const std::string long_integer = R"({"sub":"u","exp":1000100,"n":123456789012345678901234567890})";
  for (const Algorithm algorithm : all_algorithms()) {
    const SigningKey key = signing_key(algorithm);
    accepted(v->verify(*sign_parts(algorithm, key, header(name_of(algorithm), R"(,"typ":"at+jwt")"), claims_json), now));
    accepted(v->verify(*sign_parts(algorithm, key, header(name_of(algorithm)), long_integer), now));
    refused(v->verify(with_flipped_bit(*sign_parts(algorithm, key, header(name_of(algorithm), R"(,"typ":"at+jwt")"), claims_json), 2), now), "bad_signature");
  }
}

TEST(a_changed_signature_is_refused_for_every_algorithm) {
  const auto v = verifier();
  for (const Algorithm algorithm : all_algorithms()) {
    const std::string token = *sign_token(algorithm, signing_key(algorithm), claims_json);
    refused(v->verify(with_flipped_bit(token, 2), now), "bad_signature");
    const std::string other = *sign_token(algorithm, signing_key(algorithm), R"({"sub":"v","rooms":["*"],"exp":1000100})");
    const std::string grafted = other.substr(0, other.rfind('.')) + token.substr(token.rfind('.'));
    refused(v->verify(grafted, now), "bad_signature");
    refused(v->verify(token.substr(0, token.rfind('.') + 1), now), "bad_signature");
    CHECK_EQ(ERR_peek_error(), 0ul);
  }
}

TEST(libjwt_and_openssl_agree) {
  const auto v = verifier();
  for (const Algorithm algorithm : all_algorithms()) {
    const std::string token = *sign_token(algorithm, signing_key(algorithm), claims_json);
    const std::size_t first = token.find('.'), second = token.rfind('.');
    const std::string head = *base64url_decode(token.substr(0, first));
    const std::string payload = *base64url_decode(token.substr(first + 1, second - first - 1));
    std::string signature = *base64url_decode(token.substr(second + 1));
    const Key& key = *v->keys().candidates(algorithm, std::nullopt).front();
    const SignedToken good{token, std::string_view(token).substr(0, second), signature, head, payload, algorithm};
    CHECK(signature_valid(good, key) && signature_valid_by_openssl(good, key));
  }
}

TEST(a_key_of_another_owner_is_refused) {
  const auto v = verifier();
  refused(v->verify(*sign_token(Algorithm::rs256, other_rsa().signing(), claims_json), now), "bad_signature");
  refused(v->verify(*sign_token(Algorithm::ps256, other_rsa().signing(), claims_json), now), "bad_signature");
  refused(v->verify(*sign_token(Algorithm::es256, make_ec("P-256").signing(), claims_json), now), "bad_signature");
  refused(v->verify(*sign_token(Algorithm::eddsa, make_ed25519().signing(), claims_json), now), "bad_signature");
  refused(v->verify(*sign_token(Algorithm::hs256, {std::string(64, 'x'), ""}, claims_json), now), "bad_signature");
}

TEST(an_rsa_public_key_is_never_an_hmac_secret) {
  for (const Algorithm algorithm : {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512}) {
    const std::string forged = *sign_token(algorithm, {rsa().public_pem, ""}, claims_json);
    refused(verifier()->verify(forged, now), "bad_signature");
    refused(verifier({"RS256", "ES256"})->verify(forged, now), "algorithm_not_allowed");
  }
}

TEST(an_hmac_kid_that_names_an_rsa_key_is_refused) {
  const Folder folder;
  const auto v = verifier({"HS256", "RS256"}, {"r=" + folder.write("r", other_rsa().public_pem)});
  refused(v->verify(*sign_token(Algorithm::hs256, {rsa().public_pem, ""}, claims_json, "r"), now), "algorithm_not_allowed");
  refused(v->verify(*sign_token(Algorithm::hs256, hmac_key, claims_json, "r"), now), "algorithm_not_allowed");
}

TEST(an_ecdsa_key_of_another_curve_is_never_tried) {
  // ES256 made with a P-384 key: the header names one algorithm, the key is of another family.
  CHECK(!sign_parts(Algorithm::es256, p384().signing(), header("ES256"), claims_json).ok());
  const auto v = verifier();
  const std::string es384 = *sign_token(Algorithm::es384, p384().signing(), claims_json);
  const std::string relabelled = base64url_encode(header("ES256")) + es384.substr(es384.find('.'));
  refused(v->verify(relabelled, now), "bad_signature");
}

TEST(ecdsa_in_der_form_is_refused) {
  const std::string input = base64url_encode(header("ES256")) + "." + base64url_encode(claims_json);
  const MdContextHandle context(EVP_MD_CTX_new());
  CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, p256().pkey.get()) == 1);
  std::size_t size = 0;
  const auto* text = reinterpret_cast<const unsigned char*>(input.data());
  CHECK(EVP_DigestSign(context.get(), nullptr, &size, text, input.size()) == 1);
  std::string der(size, '\0');
  CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &size, text, input.size()) == 1);
  der.resize(size);
  refused(verifier()->verify(input + "." + base64url_encode(der), now), "bad_signature");
}

TEST(an_ecdsa_signature_of_zeros_is_refused) {
  for (const char* type : {"JWT", "at+jwt"}) {
    const std::string head = header("ES256", std::string(R"(,"typ":")") + type + "\"");
    refused(verifier()->verify(base64url_encode(head) + "." + base64url_encode(claims_json) + "." + base64url_encode(std::string(64, '\0')), now), "bad_signature");
  }
}

TEST(pss_and_pkcs1_are_not_mixed) {
  const auto v = verifier();
  const std::string ps = *sign_token(Algorithm::ps256, rsa().signing(), claims_json);
  refused(v->verify(base64url_encode(header("RS256")) + ps.substr(ps.find('.')), now), "bad_signature");
}

TEST(only_configured_algorithms_are_accepted) {
  const auto v = verifier({"RS256"});
  accepted(v->verify(*sign_token(Algorithm::rs256, rsa().signing(), claims_json), now));
  for (const Algorithm algorithm : all_algorithms()) {
    if (algorithm == Algorithm::rs256) continue;
    refused(v->verify(*sign_token(algorithm, signing_key(algorithm), claims_json), now), "algorithm_not_allowed");
  }
}

TEST(none_is_never_accepted) {
  const auto v = verifier();
  for (const char* alg : {"none", "None", "NONE", "nOnE", ""}) {
    refused(v->verify(base64url_encode(header(alg)) + "." + base64url_encode(claims_json) + ".", now), "algorithm_not_allowed");
  }
  refused(v->verify(*sign_parts(Algorithm::hs256, hmac_key, header("none"), claims_json), now), "algorithm_not_allowed");
  refused(v->verify(*sign_parts(Algorithm::hs256, hmac_key, header("hs256"), claims_json), now), "algorithm_not_allowed");
}

TEST(alg_must_be_a_string) {
  for (const char* head : {R"({})", R"({"alg":256})", R"({"alg":null})", R"({"alg":["HS256"]})"}) {
    refused(verifier()->verify(*sign_parts(Algorithm::hs256, hmac_key, head, claims_json), now), "malformed");
  }
}

TEST(crit_is_refused) {
  for (const char* crit : {R"(,"crit":["exp"])", R"(,"crit":[])", R"(,"crit":null)", R"(,"crit":["b64"],"b64":false)"}) {
    refused(verifier()->verify(*sign_parts(Algorithm::hs256, hmac_key, header("HS256", crit), claims_json), now), "unsupported_crit");
  }
}

TEST(a_token_does_not_bring_its_own_key) {
  const std::string more = R"(,"jwk":{"kty":"oct","k":"AAAA"},"jku":"http://127.0.0.1:1/keys","x5u":"http://127.0.0.1:1/cert","x5c":["AAAA"])";
  accepted(verifier()->verify(*sign_parts(Algorithm::hs256, hmac_key, header("HS256", more), claims_json), now));
  refused(verifier()->verify(*sign_parts(Algorithm::hs256, {std::string(64, 'e'), ""}, header("HS256", more), claims_json), now), "bad_signature");
}

TEST(a_kid_chooses_its_key_and_no_other) {
  const Folder folder;
  const auto v = verifier({}, {"one=" + folder.write("one", other_rsa().public_pem)});
  accepted(v->verify(*sign_token(Algorithm::rs256, other_rsa().signing(), claims_json, "one"), now));
  refused(v->verify(*sign_token(Algorithm::rs256, rsa().signing(), claims_json, "one"), now), "bad_signature");
  refused(v->verify(*sign_token(Algorithm::rs256, rsa().signing(), claims_json, "two"), now), "unknown_key");
  refused(v->verify(*sign_token(Algorithm::es256, p256().signing(), claims_json, "one"), now), "algorithm_not_allowed");
}

TEST(a_token_without_kid_is_tried_with_every_key_of_its_family) {
  const Folder folder;
  const auto v = verifier({}, {"one=" + folder.write("one", other_rsa().public_pem)});
  accepted(v->verify(*sign_token(Algorithm::rs256, rsa().signing(), claims_json), now));
  accepted(v->verify(*sign_token(Algorithm::rs256, other_rsa().signing(), claims_json), now));
  accepted(v->verify(*sign_token(Algorithm::ps384, other_rsa().signing(), claims_json), now));
}

TEST(the_secret_answers_to_any_kid_that_no_other_key_has) {
  accepted(verifier()->verify(*sign_token(Algorithm::hs256, hmac_key, claims_json, "whatever"), now));
  refused(verifier()->verify(*sign_parts(Algorithm::hs256, hmac_key, header("HS256", R"(,"kid":7)"), claims_json), now), "malformed");
}

TEST(malformed_tokens_are_refused) {
  const auto v = verifier();
  const std::string good = *sign_token(Algorithm::hs256, hmac_key, claims_json);
  const std::string input = good.substr(0, good.rfind('.'));
  for (const std::string& token :
       {std::string(), std::string("."), std::string(".."), std::string("..."), std::string("a.b.c"), input, good + ".", "." + good, good + ".a.b", good + "=",
        good + " ", " " + good, good + "\n", good.substr(0, 5) + "+" + good.substr(6), std::string("\0\0\0.\0.\0", 8), good + std::string(1, '\0')}) {
    refused(v->verify(token, now), "malformed");
  }
}

TEST(a_signature_has_one_spelling) {
  // HS256: 32 bytes are 43 characters, the last of which holds two bits that must be zero.
  std::string token = *sign_token(Algorithm::hs256, hmac_key, claims_json);
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  token.back() = alphabet[alphabet.find(token.back()) + 1];
  refused(verifier()->verify(token, now), "malformed");
}

TEST(headers_and_payloads_that_are_no_clean_object_are_refused) {
  const auto v = verifier();
  for (const char* head : {R"([])", R"("HS256")", "{", R"({"alg":"HS256"}x)", R"({"alg":"none","alg":"HS256"})", "", "\xff\xfe", R"({"alg":"HS256","x":"\u0000"})"}) {
    refused(v->verify(*sign_parts(Algorithm::hs256, hmac_key, head, claims_json), now), "malformed");
  }
  for (const char* payload : {"[]", "7", "", "{", R"({"sub":"u","sub":"v","exp":1000100})", R"({"sub":"u","exp":1000100} {})", "{\"sub\":\"\xff\",\"exp\":1000100}",
                              R"({"sub":"u","exp":1000100,"a":{"b":1,"b":2}})"}) {
    refused(v->verify(*sign_parts(Algorithm::hs256, hmac_key, header("HS256"), payload), now), "malformed");
    refused(v->verify(*sign_parts(Algorithm::rs256, rsa().signing(), header("RS256"), payload), now), "malformed");
  }
}

TEST(deep_tokens_are_refused_before_a_parser_recurses) {
  const auto v = verifier();
  const auto nested = [](std::size_t arrays) {
    return R"({"sub":"u","exp":1000100,"a":)" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
  };
  accepted(v->verify(*sign_parts(Algorithm::hs256, hmac_key, header("HS256"), nested(limits::json_depth_max - 1)), now));
  refused(v->verify(*sign_parts(Algorithm::hs256, hmac_key, header("HS256"), nested(limits::json_depth_max)), now), "malformed");
  refused(v->verify(*sign_parts(Algorithm::rs256, rsa().signing(), header("RS256"), nested(2000)), now), "malformed");
  refused(v->verify(base64url_encode(std::string(6000, '[')) + ".e30.", now), "malformed");
  const std::string brackets_in_a_string = R"({"sub":"u","exp":1000100,"a":")" + std::string(500, '[') + R"(\"["})";
  accepted(v->verify(*sign_parts(Algorithm::hs256, hmac_key, header("HS256"), brackets_in_a_string), now));
}

TEST(huge_tokens_are_refused_by_their_size) {
  const auto v = verifier();
  const auto sized = [](std::size_t padding) {
    return *sign_parts(Algorithm::hs256, hmac_key, header("HS256"), R"({"sub":"u","exp":1000100,"x":")" + std::string(padding, 'x') + "\"}");
  };
  std::size_t padding = limits::token_bytes_max * 3 / 4 - 200;
  while (sized(padding + 1).size() <= limits::token_bytes_max) ++padding;
  accepted(v->verify(sized(padding), now));
  refused(v->verify(sized(padding + 1), now), "malformed");
  refused(v->verify(std::string(1u << 20, 'a'), now), "malformed");
}

TEST(expiry_is_told_after_the_signature_is_known_to_be_good) {
  const std::string old_claims = R"({"sub":"u","exp":1})";
  const auto v = verifier();
  refused(v->verify(*sign_token(Algorithm::hs256, hmac_key, old_claims), now), "expired");
  refused(v->verify(*sign_token(Algorithm::hs256, {std::string(64, 'x'), ""}, old_claims), now), "bad_signature");
}

TEST(errors_hold_nothing_of_the_token_or_the_keys) {
  const auto v = verifier();
  for (const std::string& token : {std::string("very.secret.token"), *sign_token(Algorithm::hs256, hmac_key, R"({"sub":"topsecret","exp":1})"),
                                   *sign_parts(Algorithm::hs256, hmac_key, header("topsecret"), "{}"), *sign_token(Algorithm::rs256, rsa().signing(), claims_json, "topsecret")}) {
    const auto claims = v->verify(token, now);
    CHECK(!claims.ok());
    CHECK_EQ(claims.error().text.find("secret"), std::string::npos);
    CHECK_EQ(claims.error().text.find(secret_64), std::string::npos);
  }
}

// ---- tokens that nobody here made

namespace {

std::string pem_of_spki(std::string_view prefix_hex, const std::string& bytes) {
  std::string der;
  for (std::size_t i = 0; i < prefix_hex.size(); i += 2) der.push_back(static_cast<char>(std::stoi(std::string(prefix_hex.substr(i, 2)), nullptr, 16)));
  der += bytes;
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const PkeyHandle key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  CHECK(key != nullptr);
  return pem_of([](BIO* bio, const EVP_PKEY* k) { return PEM_write_bio_PUBKEY(bio, k); }, key.get());
}

void check_vector(const std::string& token, Algorithm algorithm, const Key& key) {
  const std::size_t first = token.find('.'), second = token.rfind('.');
  const std::string head = *base64url_decode(token.substr(0, first));
  const std::string payload = *base64url_decode(token.substr(first + 1, second - first - 1));
  std::string signature = *base64url_decode(token.substr(second + 1));
  const SignedToken signed_token{token, std::string_view(token).substr(0, second), signature, head, payload, algorithm};
  CHECK(signature_valid(signed_token, key) && signature_valid_by_openssl(signed_token, key));
  signature[0] = static_cast<char>(signature[0] ^ 1);
  const SignedToken changed{token, std::string_view(token).substr(0, second), signature, head, payload, algorithm};
  CHECK(!signature_valid_by_openssl(changed, key));
}

const std::string rfc7515_payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

}  // namespace

TEST(rfc7515_a1_hs256_is_verified) {
  Key key;
  key.secret = *base64url_decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  check_vector("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + rfc7515_payload + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", Algorithm::hs256, key);
}

TEST(rfc7515_a3_es256_is_verified) {
  const auto key = key_from_public_pem(pem_of_spki("3059301306072a8648ce3d020106082a8648ce3d03010703420004",
                                                   *base64url_decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU") +
                                                       *base64url_decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")));
  CHECK(key.ok());
  check_vector("eyJhbGciOiJFUzI1NiJ9." + rfc7515_payload + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
               Algorithm::es256, *key);
}

TEST(rfc8037_a4_eddsa_is_verified) {
  const auto key = key_from_public_pem(pem_of_spki("302a300506032b6570032100", *base64url_decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")));
  CHECK(key.ok());
  check_vector("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
               "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
               Algorithm::eddsa, *key);
}

TEST(an_hmac_signature_with_a_byte_more_or_less_is_refused) {
  const std::string token = *sign_token(Algorithm::hs256, hmac_key, claims_json);
  const std::string input = token.substr(0, token.rfind('.') + 1);
  const std::string signature = *base64url_decode(token.substr(input.size()));
  refused(verifier()->verify(input + base64url_encode(signature + "x"), now), "bad_signature");
  refused(verifier()->verify(input + base64url_encode(signature.substr(0, 31)), now), "bad_signature");
}
