#include "core/auth/algorithm.hpp"

#include <array>

namespace fluentgate::auth {
namespace {

struct Row {
  Algorithm algorithm;
  std::string_view name;
  KeyFamily family;
  std::size_t hash_bytes;
  std::size_t coordinate_bytes;
};

constexpr std::array<Row, 13> table{{
    {Algorithm::hs256, "HS256", KeyFamily::hmac, 32, 0},
    {Algorithm::hs384, "HS384", KeyFamily::hmac, 48, 0},
    {Algorithm::hs512, "HS512", KeyFamily::hmac, 64, 0},
    {Algorithm::rs256, "RS256", KeyFamily::rsa, 32, 0},
    {Algorithm::rs384, "RS384", KeyFamily::rsa, 48, 0},
    {Algorithm::rs512, "RS512", KeyFamily::rsa, 64, 0},
    {Algorithm::ps256, "PS256", KeyFamily::rsa, 32, 0},
    {Algorithm::ps384, "PS384", KeyFamily::rsa, 48, 0},
    {Algorithm::ps512, "PS512", KeyFamily::rsa, 64, 0},
    {Algorithm::es256, "ES256", KeyFamily::ec_p256, 32, 32},
    {Algorithm::es384, "ES384", KeyFamily::ec_p384, 48, 48},
    {Algorithm::es512, "ES512", KeyFamily::ec_p521, 64, 66},
    {Algorithm::eddsa, "EdDSA", KeyFamily::ed25519, 0, 0},
}};

constexpr auto algorithms = [] {
  std::array<Algorithm, table.size()> list{};
  for (std::size_t i = 0; i < table.size(); ++i) list[i] = table[i].algorithm;
  return list;
}();

const Row& row(Algorithm algorithm) noexcept { return table[static_cast<std::size_t>(algorithm)]; }

}  // namespace

std::optional<Algorithm> algorithm_named(std::string_view name) noexcept {
  for (const Row& r : table) {
    if (r.name == name) return r.algorithm;
  }
  return std::nullopt;
}

std::string_view name_of(Algorithm algorithm) noexcept { return row(algorithm).name; }

std::string_view name_of(KeyFamily family) noexcept {
  switch (family) {
    case KeyFamily::hmac: return "HMAC secret";
    case KeyFamily::rsa: return "RSA";
    case KeyFamily::rsa_pss: return "RSA-PSS";
    case KeyFamily::ec_p256: return "EC P-256";
    case KeyFamily::ec_p384: return "EC P-384";
    case KeyFamily::ec_p521: return "EC P-521";
    case KeyFamily::ed25519: return "Ed25519";
  }
  return "";
}

std::span<const Algorithm> all_algorithms() noexcept { return algorithms; }

std::string all_algorithm_names() {
  std::string names;
  for (const Row& r : table) {
    if (!names.empty()) names += ", ";
    names += r.name;
  }
  return names;
}

bool serves(KeyFamily family, Algorithm algorithm) noexcept {
  return row(algorithm).family == family || (family == KeyFamily::rsa_pss && is_pss(algorithm));
}

std::size_t hash_bytes(Algorithm algorithm) noexcept { return row(algorithm).hash_bytes; }
std::size_t coordinate_bytes(Algorithm algorithm) noexcept { return row(algorithm).coordinate_bytes; }

}  // namespace fluentgate::auth
