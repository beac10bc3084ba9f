// Checks one signature with one key. Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "core/auth/algorithm.hpp"
#include "core/auth/key_set.hpp"

namespace fluentgate::auth {

// A token whose three parts are known to be well-formed base64url and whose header has been read.
struct SignedToken {
  const std::string& whole;        // "header.payload.signature"
  std::string_view signing_input;  // "header.payload", a view into it
  std::string_view signature;      // the bytes
  std::string_view header;         // JSON
  std::string_view payload;        // should be JSON
  Algorithm algorithm;             // of the header, and allowed
};

// False also where the key is not of the algorithm's family.
bool signature_valid(const SignedToken& token, const Key& key);
// The same by OpenSSL alone, whatever the algorithm.
bool signature_valid_by_openssl(const SignedToken& token, const Key& key);
// Null for EdDSA, which hashes by itself.
const EVP_MD* hash_of(Algorithm algorithm) noexcept;

}  // namespace fluentgate::auth
