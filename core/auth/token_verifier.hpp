// Verifies access tokens: JWS compact serialisation (RFC 7515, RFC 7519). The algorithm is checked against auth.algorithms and the key's family
// before anything is verified. Thread: loop (verify reads the keys that reload swaps); no call blocks but reload, which reads files.
#pragma once

#include <memory>
#include <string_view>

#include "core/auth/claims.hpp"
#include "core/auth/key_set.hpp"
#include "core/config/settings.hpp"
#include "core/domain/clock.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::auth {

class TokenVerifier {
 public:
  TokenVerifier(config::Auth auth, std::shared_ptr<const KeySet> keys) : auth_(std::move(auth)), keys_(std::move(keys)) {}
  // Errors of KeySet::load.
  static Result<std::shared_ptr<TokenVerifier>> create(const config::Auth& auth);

  // Errors: those of read_claims, and "malformed", "algorithm_not_allowed", "unsupported_crit", "unknown_key", "bad_signature".
  // The text is for people and holds nothing of the token.
  Result<Claims> verify(std::string_view token, UnixMs now) const;

  // Keys and algorithms anew, from these options and the files that they name; the other options stay. On an error the old keys stay, and the
  // error says why.
  Status reload(const config::Auth& auth);

  const KeySet& keys() const noexcept { return *keys_; }
  const config::Auth& options() const noexcept { return auth_; }

 private:
  config::Auth auth_;
  std::shared_ptr<const KeySet> keys_;
};

}  // namespace fluentgate::auth
