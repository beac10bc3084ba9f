// libjwt verifies RS* and ES*. OpenSSL verifies what it can't; one token is judged by one of them, never by whichever says yes:
// - PS* and EdDSA, which libjwt 1.10 does not know;
// - HS*, because libjwt before its fix for CVE-2024-25189 compares the signature with strcmp, and which one a machine has can't be told;
// - RS* and ES* of tokens that libjwt refuses to read at all: another `typ` than JWT ("at+jwt", RFC 9068), an integer beyond 64 bits anywhere.
// libjwt takes the algorithm from the token: the caller has already held it against the configured list, and the key's family is checked here first.
#include "core/auth/signature.hpp"

#include <strings.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "core/auth/json.hpp"
#include "core/domain/limits.hpp"

namespace fluentgate::auth {
namespace {

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

bool hmac_valid(const SignedToken& token, const Key& key) {
  unsigned char expected[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (HMAC(hash_of(token.algorithm), key.secret.data(), static_cast<int>(key.secret.size()), bytes(token.signing_input), token.signing_input.size(),
           expected, &size) == nullptr) {
    return false;
  }
  return token.signature.size() == size && CRYPTO_memcmp(token.signature.data(), expected, size) == 0;
}

// A JWS holds r || s, each as long as the curve's order (RFC 7518, 3.4); OpenSSL wants the DER of both.
std::string ecdsa_der(Algorithm algorithm, std::string_view signature) {
  const std::size_t half = coordinate_bytes(algorithm);
  if (signature.size() != 2 * half) return {};
  const EcdsaSignatureHandle pair(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes(signature), static_cast<int>(half), nullptr);
  BIGNUM* s = BN_bin2bn(bytes(signature) + half, static_cast<int>(half), nullptr);
  if (pair == nullptr || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (size <= 0) return {};
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  return i2d_ECDSA_SIG(pair.get(), &out) == size ? der : std::string();
}

bool public_key_valid(const SignedToken& token, const Key& key) {
  std::string der;
  std::string_view signature = token.signature;
  if (is_ecdsa(token.algorithm)) {
    der = ecdsa_der(token.algorithm, signature);
    if (der.empty()) return false;
    signature = der;
  }
  const MdContextHandle context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // owned by the context
  if (context == nullptr || EVP_DigestVerifyInit(context.get(), &options, hash_of(token.algorithm), nullptr, key.pkey.get()) != 1) return false;
  if (is_pss(token.algorithm) && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) <= 0 ||
                                  EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) <= 0)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(token.signing_input), token.signing_input.size()) == 1;
}

JsonHandle as_libjwt_reads(std::string_view text) {
  if (deeper_than(text, limits::json_depth_max)) return nullptr;
  JsonHandle value(json_loadb(text.data(), text.size(), 0, nullptr));
  return json_is_object(value.get()) ? std::move(value) : nullptr;
}

bool libjwt_can_judge(const SignedToken& token, const Key& key) {
  if (key.family == KeyFamily::hmac || token.algorithm == Algorithm::eddsa || is_pss(token.algorithm)) return false;
  const JsonHandle header = as_libjwt_reads(token.header);
  if (header == nullptr || as_libjwt_reads(token.payload) == nullptr) return false;
  const char* type = json_string_value(json_object_get(header.get(), "typ"));
  return type == nullptr || strcasecmp(type, "JWT") == 0;
}

bool libjwt_valid(const SignedToken& token, const Key& key) {
  jwt_t* raw = nullptr;
  const int error = jwt_decode(&raw, token.whole.c_str(), bytes(key.pem), static_cast<int>(key.pem.size()));
  const JwtHandle decoded(raw);
  return error == 0 && decoded != nullptr && name_of(token.algorithm) == jwt_alg_str(jwt_get_alg(decoded.get()));
}

}  // namespace

const EVP_MD* hash_of(Algorithm algorithm) noexcept {
  switch (hash_bytes(algorithm)) {
    case 32: return EVP_sha256();
    case 48: return EVP_sha384();
    case 64: return EVP_sha512();
    default: return nullptr;
  }
}

bool signature_valid_by_openssl(const SignedToken& token, const Key& key) {
  const QuietOpenSsl quiet;
  if (!serves(key.family, token.algorithm)) return false;
  return key.family == KeyFamily::hmac ? hmac_valid(token, key) : public_key_valid(token, key);
}

bool signature_valid(const SignedToken& token, const Key& key) {
  if (!serves(key.family, token.algorithm)) return false;
  if (!libjwt_can_judge(token, key)) return signature_valid_by_openssl(token, key);
  const QuietOpenSsl quiet;
  return libjwt_valid(token, key);
}

}  // namespace fluentgate::auth
