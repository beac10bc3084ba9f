// Keys made by OpenSSL for one run of a test program, and files that go with the test. Never fixed keys: nobody can take them for real ones.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/auth/handles.hpp"
#include "core/auth/token_signer.hpp"
#include "test/support/check.hpp"

namespace fluentgate::test {

struct KeyPair {
  auth::PkeyHandle pkey;
  std::string private_pem, public_pem;
  auth::SigningKey signing() const { return {"", private_pem}; }
};

inline std::string pem_of(int (*write)(BIO*, const EVP_PKEY*), const EVP_PKEY* key) {
  const auth::BioHandle bio(BIO_new(BIO_s_mem()));
  CHECK(write(bio.get(), key) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

inline KeyPair pair_of(EVP_PKEY* key) {
  CHECK(key != nullptr);
  KeyPair pair{auth::PkeyHandle(key), {}, {}};
  pair.private_pem = pem_of([](BIO* bio, const EVP_PKEY* k) { return PEM_write_bio_PKCS8PrivateKey(bio, k, nullptr, nullptr, 0, nullptr, nullptr); }, key);
  pair.public_pem = pem_of([](BIO* bio, const EVP_PKEY* k) { return PEM_write_bio_PUBKEY(bio, k); }, key);
  return pair;
}

inline KeyPair make_rsa(std::size_t bits = 2048) { return pair_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits)); }
inline KeyPair make_ec(const char* curve) { return pair_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve)); }
inline KeyPair make_ed25519() { return pair_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

inline const KeyPair& rsa() { static const KeyPair key = make_rsa(); return key; }
inline const KeyPair& other_rsa() { static const KeyPair key = make_rsa(); return key; }
inline const KeyPair& p256() { static const KeyPair key = make_ec("P-256"); return key; }
inline const KeyPair& p384() { static const KeyPair key = make_ec("P-384"); return key; }
inline const KeyPair& p521() { static const KeyPair key = make_ec("P-521"); return key; }
inline const KeyPair& ed25519() { static const KeyPair key = make_ed25519(); return key; }

// A folder of its own, gone with the object.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "fluentgate-auth-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

inline const std::string secret_64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

}  // namespace fluentgate::test
