// sign_token leaves HS*, RS* and ES* to libjwt, so that what our verifier accepts is held against a second maker; OpenSSL signs PS* and EdDSA.
#include "core/auth/token_signer.hpp"

#include <cstdlib>
#include <memory>
#include <utility>

#include <openssl/bn.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/auth/base64url.hpp"
#include "core/auth/handles.hpp"
#include "core/auth/json.hpp"
#include "core/auth/key_set.hpp"
#include "core/auth/signature.hpp"

namespace fluentgate::auth {
namespace {

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

Error bad_key(std::string text) { return Error{"bad_key", std::move(text)}; }

struct Opened {
  PkeyHandle pkey;
  KeyFamily family = KeyFamily::hmac;
};

// No password prompt: the callback answers that there is none.
int no_password(char*, int, int, void*) { return -1; }

Result<Opened> open(const SigningKey& key) {
  Opened opened;
  if (key.private_pem.empty()) {
    if (key.secret.empty()) return bad_key("no key");
    return opened;
  }
  const BioHandle bio(BIO_new_mem_buf(key.private_pem.data(), static_cast<int>(key.private_pem.size())));
  opened.pkey.reset(bio == nullptr ? nullptr : PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (opened.pkey == nullptr) return bad_key("no private key in PEM form without a password");
  const BioHandle out(BIO_new(BIO_s_mem()));
  char* pem = nullptr;
  if (out == nullptr || PEM_write_bio_PUBKEY(out.get(), opened.pkey.get()) != 1) return bad_key("the key has no public half");
  const long size = BIO_get_mem_data(out.get(), &pem);
  const Result<Key> half = key_from_public_pem({pem, static_cast<std::size_t>(size)});
  if (!half) return half.error();
  opened.family = half->family;
  return opened;
}

Result<Opened> open_for(Algorithm algorithm, const SigningKey& key) {
  Result<Opened> opened = open(key);
  if (!opened) return opened;
  if (!serves(opened->family, algorithm)) return bad_key("this " + std::string(name_of(opened->family)) + " key does not serve " + std::string(name_of(algorithm)));
  if (is_hmac(algorithm) && key.secret.size() < hash_bytes(algorithm)) {
    return bad_key("a secret of " + std::to_string(key.secret.size()) + " bytes; " + std::string(name_of(algorithm)) + " needs at least " +
                   std::to_string(hash_bytes(algorithm)));
  }
  return opened;
}

std::string raw_ecdsa(Algorithm algorithm, const std::string& der) {
  const unsigned char* at = bytes(der);
  const EcdsaSignatureHandle pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  const std::size_t half = coordinate_bytes(algorithm);
  std::string raw(2 * half, '\0');
  if (pair == nullptr) return {};
  const bool fits = BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes(raw), static_cast<int>(half)) > 0 &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes(raw) + half, static_cast<int>(half)) > 0;
  return fits ? raw : std::string();
}

std::string sign_bytes(Algorithm algorithm, const SigningKey& key, EVP_PKEY* pkey, std::string_view input) {
  if (is_hmac(algorithm)) {
    std::string mac(EVP_MAX_MD_SIZE, '\0');
    unsigned int size = 0;
    if (HMAC(hash_of(algorithm), key.secret.data(), static_cast<int>(key.secret.size()), bytes(input), input.size(), bytes(mac), &size) == nullptr) return {};
    mac.resize(size);
    return mac;
  }
  const MdContextHandle context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // owned by the context
  if (context == nullptr || EVP_DigestSignInit(context.get(), &options, hash_of(algorithm), nullptr, pkey) != 1) return {};
  if (is_pss(algorithm) && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) <= 0 ||
                            EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) <= 0)) {
    return {};
  }
  std::size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, bytes(input), input.size()) != 1) return {};
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), bytes(signature), &size, bytes(input), input.size()) != 1) return {};
  signature.resize(size);
  return is_ecdsa(algorithm) ? raw_ecdsa(algorithm, signature) : signature;
}

Result<std::string> sign_opened(Algorithm algorithm, const SigningKey& key, EVP_PKEY* pkey, std::string_view header_json, std::string_view payload) {
  std::string token = base64url_encode(header_json) + "." + base64url_encode(payload);
  const std::string signature = sign_bytes(algorithm, key, pkey, token);
  if (signature.empty()) return bad_key("the key does not sign " + std::string(name_of(algorithm)));
  return token + "." + base64url_encode(signature);
}

std::string header_json(Algorithm algorithm, const std::optional<std::string>& kid) {
  const JsonHandle header(json_object());
  json_object_set_new(header.get(), "alg", json_string(std::string(name_of(algorithm)).c_str()));
  json_object_set_new(header.get(), "typ", json_string("JWT"));
  if (kid) json_object_set_new(header.get(), "kid", json_stringn(kid->data(), kid->size()));
  struct Free { void operator()(char* text) const noexcept { std::free(text); } };
  const std::unique_ptr<char, Free> text(json_dumps(header.get(), JSON_COMPACT));
  return text == nullptr ? std::string() : std::string(text.get());
}

// Null where libjwt can't take these claims, key or kid.
JwtHandle libjwt_token(Algorithm algorithm, const std::string& key, const std::string& claims, const std::optional<std::string>& kid) {
  jwt_t* raw = nullptr;
  if (jwt_new(&raw) != 0) return nullptr;
  JwtHandle token(raw);
  const jwt_alg_t named = jwt_str_alg(std::string(name_of(algorithm)).c_str());
  if (jwt_add_grants_json(raw, claims.c_str()) != 0 || (kid && jwt_add_header(raw, "kid", kid->c_str()) != 0)) return nullptr;
  return jwt_set_alg(raw, named, bytes(key), static_cast<int>(key.size())) == 0 ? std::move(token) : nullptr;
}

}  // namespace

Result<std::string> sign_parts(Algorithm algorithm, const SigningKey& key, std::string_view header, std::string_view payload) {
  const QuietOpenSsl quiet;
  const Result<Opened> opened = open_for(algorithm, key);
  if (!opened) return opened.error();
  return sign_opened(algorithm, key, opened->pkey.get(), header, payload);
}

Result<std::string> sign_token(Algorithm algorithm, const SigningKey& key, std::string_view claims_json, const std::optional<std::string>& kid) {
  const QuietOpenSsl quiet;
  if (parse_object(claims_json) == nullptr) return Error{"bad_claims", "the claims are not one JSON object"};
  const Result<Opened> opened = open_for(algorithm, key);
  if (!opened) return opened.error();
  if (is_pss(algorithm) || algorithm == Algorithm::eddsa) {
    return sign_opened(algorithm, key, opened->pkey.get(), header_json(algorithm, kid), claims_json);
  }
  const JwtHandle token = libjwt_token(algorithm, is_hmac(algorithm) ? key.secret : key.private_pem, std::string(claims_json), kid);
  if (token == nullptr) return Error{"bad_claims", "libjwt does not take these claims"};
  struct Free { void operator()(char* text) const noexcept { std::free(text); } };  // libjwt 1.10 has no function of its own for it
  const std::unique_ptr<char, Free> text(jwt_encode_str(token.get()));
  if (text == nullptr) return bad_key("the key does not sign " + std::string(name_of(algorithm)));
  return std::string(text.get());
}

Result<Algorithm> default_algorithm(const SigningKey& key) {
  const QuietOpenSsl quiet;
  const Result<Opened> opened = open(key);
  if (!opened) return opened.error();
  if (opened->family == KeyFamily::rsa) return Algorithm::rs256;
  if (opened->family == KeyFamily::rsa_pss) return Algorithm::ps256;
  for (const Algorithm algorithm : all_algorithms()) {
    if (serves(opened->family, algorithm)) return algorithm;
  }
  return bad_key("no algorithm for this key");
}

}  // namespace fluentgate::auth
