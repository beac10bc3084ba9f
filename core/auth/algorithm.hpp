// The signature algorithms of tokens (RFC 7518, 3.1; RFC 8037) and the families of keys that serve them. `none` is not among them, on purpose.
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace fluentgate::auth {

enum class Algorithm : std::uint8_t { hs256, hs384, hs512, rs256, rs384, rs512, ps256, ps384, ps512, es256, es384, es512, eddsa };

// A key is used with its own family only (CONTRACT 1). rsa_pss: a key whose certificate or encoding restricts it to PSS.
enum class KeyFamily : std::uint8_t { hmac, rsa, rsa_pss, ec_p256, ec_p384, ec_p521, ed25519 };

std::optional<Algorithm> algorithm_named(std::string_view name) noexcept;  // exact: names are case-sensitive
std::string_view name_of(Algorithm algorithm) noexcept;
std::string_view name_of(KeyFamily family) noexcept;
inline std::ostream& operator<<(std::ostream& out, Algorithm algorithm) { return out << name_of(algorithm); }
inline std::ostream& operator<<(std::ostream& out, KeyFamily family) { return out << name_of(family); }
std::span<const Algorithm> all_algorithms() noexcept;
std::string all_algorithm_names();  // "HS256, HS384, ...", for error texts

bool serves(KeyFamily family, Algorithm algorithm) noexcept;
inline bool is_hmac(Algorithm algorithm) noexcept { return algorithm <= Algorithm::hs512; }
inline bool is_pss(Algorithm algorithm) noexcept { return algorithm >= Algorithm::ps256 && algorithm <= Algorithm::ps512; }
inline bool is_ecdsa(Algorithm algorithm) noexcept { return algorithm >= Algorithm::es256 && algorithm <= Algorithm::es512; }
std::size_t hash_bytes(Algorithm algorithm) noexcept;       // 32, 48, 64; 0 for EdDSA, which hashes by itself
std::size_t coordinate_bytes(Algorithm algorithm) noexcept;  // of r and of s (RFC 7518, 3.4); 0 where it is not ECDSA

}  // namespace fluentgate::auth
