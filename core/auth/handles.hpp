// Deleters for the C handles of OpenSSL, jansson and libjwt. Thread: any.
#pragma once

#include <memory>

#include <jansson.h>
#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace fluentgate::auth {

template <auto function>
struct Deleter {
  template <class T>
  void operator()(T* handle) const noexcept { function(handle); }
};

using PkeyHandle = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using MdContextHandle = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using BioHandle = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using X509Handle = std::unique_ptr<X509, Deleter<X509_free>>;
using EcdsaSignatureHandle = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;
// json_decref is static in jansson's header: as a template argument it would give each file a type of its own.
struct JsonDeleter {
  void operator()(json_t* value) const noexcept { json_decref(value); }
};
using JsonHandle = std::unique_ptr<json_t, JsonDeleter>;
using JwtHandle = std::unique_ptr<jwt_t, Deleter<jwt_free>>;

// What fails in a scope leaves nothing in the thread's OpenSSL error queue, where TLS would take it for its own.
class QuietOpenSsl {
 public:
  QuietOpenSsl() noexcept { ERR_set_mark(); }
  ~QuietOpenSsl() { ERR_pop_to_mark(); }
  QuietOpenSsl(const QuietOpenSsl&) = delete;
  QuietOpenSsl& operator=(const QuietOpenSsl&) = delete;
};

}  // namespace fluentgate::auth
