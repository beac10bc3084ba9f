// Makes tokens: for fluentgate-token and for tests. The gateway itself signs nothing. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/auth/algorithm.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::auth {

struct SigningKey {
  std::string secret;       // HS*: the bytes as they are
  std::string private_pem;  // all others: a private key in PEM, without a password
};

// `claims_json` is one JSON object. Errors "bad_key", "bad_claims": the text says what does not fit, never the key.
Result<std::string> sign_token(Algorithm algorithm, const SigningKey& key, std::string_view claims_json, const std::optional<std::string>& kid = {});

// The algorithm that is meant where only the key is given: HS256, RS256, ES256/384/512 by the curve, EdDSA.
Result<Algorithm> default_algorithm(const SigningKey& key);

// Any header, any payload, JSON or not: tests make hostile tokens of these. No check but that the key fits the algorithm.
Result<std::string> sign_parts(Algorithm algorithm, const SigningKey& key, std::string_view header_json, std::string_view payload);

}  // namespace fluentgate::auth
