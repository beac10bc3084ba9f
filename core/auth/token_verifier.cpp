#include "core/auth/token_verifier.hpp"

#include <algorithm>
#include <string>

#include "core/auth/base64url.hpp"
#include "core/auth/json.hpp"
#include "core/auth/signature.hpp"
#include "core/domain/limits.hpp"

namespace fluentgate::auth {
namespace {

struct Parts {
  std::string whole;
  std::string header, payload, signature;  // decoded
  std::size_t signing_input_bytes = 0;
};

struct Header {
  Algorithm algorithm;
  std::optional<std::string> kid;
};

Error malformed() { return Error{"malformed", "malformed token"}; }

Result<Parts> take_apart(std::string_view token) {
  if (token.size() > limits::token_bytes_max) return Error{"malformed", "malformed token: longer than " + std::to_string(limits::token_bytes_max) + " bytes"};
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return malformed();
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return malformed();
  auto header = base64url_decode(token.substr(0, first));
  auto payload = base64url_decode(token.substr(first + 1, second - first - 1));
  auto signature = base64url_decode(token.substr(second + 1));
  if (!header || !payload || !signature) return malformed();
  return Parts{std::string(token), std::move(*header), std::move(*payload), std::move(*signature), second};
}

// `jwk`, `jku`, `x5u` and `x5c` are never looked at: a token does not bring its own key.
Result<Header> read_header(std::string_view text, const KeySet& keys) {
  const JsonHandle json = parse_object(text);
  if (json == nullptr) return malformed();
  if (!json_is_string(json_object_get(json.get(), "alg"))) return malformed();
  const auto algorithm = algorithm_named(string_member(json.get(), "alg"));
  if (!algorithm || !keys.allows(*algorithm)) return Error{"algorithm_not_allowed", "algorithm not allowed"};
  if (json_object_get(json.get(), "crit") != nullptr) return Error{"unsupported_crit", "token has crit, which is not supported"};
  Header header{*algorithm, std::nullopt};
  if (const json_t* kid = json_object_get(json.get(), "kid")) {
    if (!json_is_string(kid)) return malformed();
    header.kid = std::string(string_member(json.get(), "kid"));
  }
  return header;
}

}  // namespace

Result<std::shared_ptr<TokenVerifier>> TokenVerifier::create(const config::Auth& auth) {
  Result<std::shared_ptr<const KeySet>> keys = KeySet::load(auth);
  if (!keys) return keys.error();
  return std::make_shared<TokenVerifier>(auth, std::move(*keys));
}

Status TokenVerifier::reload(const config::Auth& auth) {
  Result<std::shared_ptr<const KeySet>> keys = KeySet::load(auth);
  if (!keys) return keys.error();
  keys_ = std::move(*keys);
  return ok();
}

Result<Claims> TokenVerifier::verify(std::string_view token, UnixMs now) const {
  const Result<Parts> parts = take_apart(token);
  if (!parts) return parts.error();
  const Result<Header> header = read_header(parts->header, *keys_);
  if (!header) return header.error();
  const std::vector<const Key*> candidates = keys_->candidates(header->algorithm, header->kid);
  if (candidates.empty()) {
    const bool other_family = header->kid && keys_->knows(*header->kid);
    return other_family ? Error{"algorithm_not_allowed", "algorithm not allowed for the key that kid names"} : Error{"unknown_key", "kid names no key"};
  }
  const SignedToken signed_token{parts->whole, std::string_view(parts->whole).substr(0, parts->signing_input_bytes), parts->signature, parts->header,
                                 parts->payload, header->algorithm};
  const bool valid = std::any_of(candidates.begin(), candidates.end(), [&](const Key* key) { return signature_valid(signed_token, *key); });
  if (!valid) return Error{"bad_signature", "bad signature"};
  const JsonHandle payload = parse_object(parts->payload);
  if (payload == nullptr) return malformed();
  return read_claims(payload.get(), auth_, now);
}

}  // namespace fluentgate::auth
