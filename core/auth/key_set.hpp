// The keys that tokens are checked with, from auth.secret, auth.secret_file and auth.public_key_files (CONTRACT 1). Immutable once loaded: a
// reload makes a new one, and a shared_ptr to it is swapped. Thread: any.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/auth/algorithm.hpp"
#include "core/auth/handles.hpp"
#include "core/config/settings.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::auth {

inline constexpr std::size_t keys_max = 64;                    // in one set: a token without kid is tried with every key of its family
inline constexpr std::size_t key_file_bytes_max = 256u << 10;  // a larger file is no key file
inline constexpr int rsa_bits_min = 2048;                      // RFC 7518, 3.3
inline constexpr int rsa_bits_max = 16384;                     // beyond, OpenSSL refuses to verify

struct Key {
  std::optional<std::string> kid;
  KeyFamily family = KeyFamily::hmac;
  std::string secret;  // hmac only; the bytes as they are
  std::string pem;     // all others: the public half as SubjectPublicKeyInfo, for libjwt
  PkeyHandle pkey;     // the same for OpenSSL
};

class KeySet {
 public:
  // Error "bad_configuration": one line for each thing that is wrong, with option, path and reason, never a secret.
  static Result<std::shared_ptr<const KeySet>> load(const config::Auth& auth);

  // The keys that a token with this algorithm, and this kid if it has one, may be verified with. With a kid: the key of that name and no other;
  // where no key has the name, the HMAC secrets that have none.
  std::vector<const Key*> candidates(Algorithm algorithm, const std::optional<std::string>& kid) const;
  bool knows(std::string_view kid) const noexcept;
  std::size_t size() const noexcept { return keys_.size(); }
  const std::vector<Key>& keys() const noexcept { return keys_; }
  const std::vector<Algorithm>& algorithms() const noexcept { return algorithms_; }  // of auth.algorithms
  bool allows(Algorithm algorithm) const noexcept;

 private:
  friend class KeySetLoader;
  std::vector<Key> keys_;
  std::vector<Algorithm> algorithms_;
};

// `KID=PATH` or `PATH`; with a '/' before the first '=' it is a path.
struct KeyFileName {
  std::optional<std::string> kid;
  std::string path;
};
Result<KeyFileName> parse_key_file_name(std::string_view text);

// The public key in a PEM text: SubjectPublicKeyInfo, PKCS#1 or a certificate (a chain's first). A private key is refused: a gateway has no use for
// one. Errors say the reason only.
Result<Key> key_from_public_pem(std::string_view pem);

// A whole file of at most key_file_bytes_max. Errors say the reason only ("No such file or directory").
Result<std::string> read_key_file(const std::string& path);
// Without the line end that an editor or echo leaves behind.
void strip_line_end(std::string& text);

}  // namespace fluentgate::auth
