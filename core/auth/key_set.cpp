#include "core/auth/key_set.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace fluentgate::auth {
namespace {

// One block of a PEM text, freed with it.
struct PemBlock {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  PemBlock() = default;
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;
  ~PemBlock() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  }
  bool read(BIO* bio) { return PEM_read_bio(bio, &name, &header, &data, &size) == 1; }
  std::string_view kind() const { return name; }
};

std::optional<KeyFamily> ec_family(EVP_PKEY* pkey) {
  char group[64] = {};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(pkey, group, sizeof group, &size) != 1) return std::nullopt;
  switch (OBJ_sn2nid(group)) {
    case NID_X9_62_prime256v1: return KeyFamily::ec_p256;
    case NID_secp384r1: return KeyFamily::ec_p384;
    case NID_secp521r1: return KeyFamily::ec_p521;
    default: return std::nullopt;
  }
}

Error unusable(std::string text) { return Error{"bad_key", std::move(text)}; }

Result<KeyFamily> family_of(EVP_PKEY* pkey) {
  const int id = EVP_PKEY_get_base_id(pkey);
  if (id == EVP_PKEY_RSA || id == EVP_PKEY_RSA_PSS) {
    const int bits = EVP_PKEY_get_bits(pkey);
    if (bits < rsa_bits_min || bits > rsa_bits_max) {
      return unusable("an RSA key of " + std::to_string(bits) + " bits; allowed are " + std::to_string(rsa_bits_min) + " to " + std::to_string(rsa_bits_max));
    }
    return id == EVP_PKEY_RSA ? KeyFamily::rsa : KeyFamily::rsa_pss;
  }
  if (id == EVP_PKEY_EC) {
    const auto family = ec_family(pkey);
    if (!family) return unusable("an EC key of another curve than P-256, P-384 or P-521");
    return *family;
  }
  if (id == EVP_PKEY_ED25519) return KeyFamily::ed25519;
  return unusable("a key of a kind that no algorithm uses; RSA, EC and Ed25519 are");
}

PkeyHandle decode(const PemBlock& block) {
  const unsigned char* at = block.data;
  if (block.kind() == PEM_STRING_PUBLIC) return PkeyHandle(d2i_PUBKEY(nullptr, &at, block.size));
  if (block.kind() == PEM_STRING_RSA_PUBLIC) return PkeyHandle(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, block.size));
  if (block.kind() == PEM_STRING_X509 || block.kind() == PEM_STRING_X509_OLD) {
    const X509Handle certificate(d2i_X509(nullptr, &at, block.size));
    return certificate == nullptr ? nullptr : PkeyHandle(X509_get_pubkey(certificate.get()));
  }
  return nullptr;
}

std::string public_pem(EVP_PKEY* pkey) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_PUBKEY(bio.get(), pkey) != 1) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

Result<KeyFileName> parse_key_file_name(std::string_view text) {
  const std::size_t equals = text.find('=');
  const bool has_kid = equals != std::string_view::npos && text.find('/') > equals;
  KeyFileName name;
  if (has_kid) name.kid = std::string(text.substr(0, equals));
  name.path = std::string(has_kid ? text.substr(equals + 1) : text);
  if (has_kid && name.kid->empty()) return unusable("empty KID before '='; allowed are PATH and KID=PATH");
  if (name.path.empty()) return unusable("empty path; allowed are PATH and KID=PATH");
  return name;
}

Result<std::string> read_key_file(const std::string& path) {
  struct Close { void operator()(std::FILE* file) const noexcept { std::fclose(file); } };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) return unusable(std::generic_category().message(errno));
  std::string text(key_file_bytes_max + 1, '\0');
  const std::size_t size = std::fread(text.data(), 1, text.size(), file.get());
  if (std::ferror(file.get()) != 0) return unusable(std::generic_category().message(errno));
  if (size > key_file_bytes_max) return unusable("larger than " + std::to_string(key_file_bytes_max) + " bytes");
  text.resize(size);
  return text;
}

void strip_line_end(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

Result<Key> key_from_public_pem(std::string_view pem) {
  const QuietOpenSsl quiet;
  if (pem.size() > key_file_bytes_max) return unusable("larger than " + std::to_string(key_file_bytes_max) + " bytes");
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return unusable("out of memory");
  Key key;
  for (bool certificate = false;;) {
    PemBlock block;
    if (!block.read(bio.get())) break;
    if (block.kind().ends_with("PRIVATE KEY")) {
      return unusable("holds a private key; give the public half: openssl pkey -in PATH -pubout");
    }
    if (block.kind() == PEM_STRING_ECPARAMETERS) continue;
    const bool is_certificate = block.kind() == PEM_STRING_X509 || block.kind() == PEM_STRING_X509_OLD;
    if (key.pkey != nullptr) {
      if (certificate && is_certificate) continue;  // the chain above the first
      return unusable("holds more than one key; one file holds one key");
    }
    certificate = is_certificate;
    key.pkey = decode(block);
    if (key.pkey == nullptr) return unusable("PEM block \"" + std::string(block.kind()) + "\" is not a public key or certificate that can be read");
  }
  if (key.pkey == nullptr) return unusable("no public key in PEM form");
  Result<KeyFamily> family = family_of(key.pkey.get());
  if (!family) return family.error();
  key.family = *family;
  key.pem = public_pem(key.pkey.get());
  if (key.pem.empty()) return unusable("the public key can't be written as PEM");
  return key;
}

// Collects every error of a configuration before it gives up, so that an operator mends them at once.
class KeySetLoader {
 public:
  explicit KeySetLoader(const config::Auth& auth) : auth_(auth) {}

  Result<std::shared_ptr<const KeySet>> load() {
    algorithms();
    secrets();
    for (const std::string& entry : auth_.public_key_files) public_key_file(entry);
    // Sources of later issues (a JWKS file) add their keys here, through add().
    if (set_->keys_.empty() && errors_.empty()) wrong("auth.secret: no key at all; set auth.secret, auth.secret_file or auth.public_key_files");
    if (errors_.empty()) every_algorithm_has_a_key();
    if (!errors_.empty()) return Error{"bad_configuration", errors_};
    return std::shared_ptr<const KeySet>(std::move(set_));
  }

 private:
  void wrong(const std::string& line) {
    if (!errors_.empty()) errors_ += '\n';
    errors_ += line;
  }

  void algorithms() {
    if (auth_.algorithms.empty()) wrong("auth.algorithms: empty; allowed: " + all_algorithm_names());
    for (const std::string& name : auth_.algorithms) {
      const auto algorithm = algorithm_named(name);
      if (!algorithm) wrong("auth.algorithms = \"" + name + "\": not known; allowed: " + all_algorithm_names());
      else if (!set_->allows(*algorithm)) set_->algorithms_.push_back(*algorithm);
    }
  }

  void secrets() {
    if (!auth_.secret.empty() && !auth_.secret_file.empty()) {
      wrong("auth.secret_file: set together with auth.secret; only one of the two may be");
      return;
    }
    if (!auth_.secret.empty()) add_secret("auth.secret", auth_.secret);
    if (auth_.secret_file.empty()) return;
    const std::string option = "auth.secret_file = \"" + auth_.secret_file + "\"";
    Result<std::string> text = read_key_file(auth_.secret_file);
    if (!text) {
      wrong(option + ": " + text.error().text);
      return;
    }
    strip_line_end(*text);
    if (text->empty()) wrong(option + ": the file is empty");
    else add_secret(option, *text);
    OPENSSL_cleanse(text->data(), text->size());
  }

  void add_secret(const std::string& option, const std::string& secret) {
    bool long_enough = true;
    for (const Algorithm algorithm : set_->algorithms_) {
      if (!is_hmac(algorithm) || secret.size() >= hash_bytes(algorithm)) continue;
      wrong(option + ": a secret of " + std::to_string(secret.size()) + " bytes; " + std::string(name_of(algorithm)) + " needs at least " +
            std::to_string(hash_bytes(algorithm)) + " (RFC 7518, 3.2)");
      long_enough = false;
    }
    if (!long_enough) return;
    Key key;
    key.secret = secret;
    add(option, std::move(key));
  }

  void public_key_file(const std::string& entry) {
    const std::string option = "auth.public_key_files = \"" + entry + "\"";
    Result<KeyFileName> name = parse_key_file_name(entry);
    if (!name) return wrong(option + ": " + name.error().text);
    Result<std::string> text = read_key_file(name->path);
    if (!text) return wrong(option + ": " + text.error().text);
    Result<Key> key = key_from_public_pem(*text);
    OPENSSL_cleanse(text->data(), text->size());  // it may have been a private key
    if (!key) return wrong(option + ": " + key.error().text);
    key->kid = name->kid;
    add(option, std::move(*key));
  }

  void add(const std::string& option, Key key) {
    if (set_->keys_.size() >= keys_max) return wrong(option + ": more than " + std::to_string(keys_max) + " keys");
    if (key.kid && set_->knows(*key.kid)) return wrong(option + ": the KID \"" + *key.kid + "\" is given to two keys");
    set_->keys_.push_back(std::move(key));
  }

  void every_algorithm_has_a_key() {
    for (const Algorithm algorithm : set_->algorithms_) {
      const bool served = std::any_of(set_->keys_.begin(), set_->keys_.end(), [&](const Key& key) { return serves(key.family, algorithm); });
      if (served) continue;
      const std::string needed = is_hmac(algorithm)                   ? "auth.secret or auth.secret_file"
                                 : algorithm == Algorithm::eddsa      ? "an Ed25519 key in auth.public_key_files"
                                 : is_ecdsa(algorithm)                ? "an EC key of its curve in auth.public_key_files"
                                                                      : "an RSA key in auth.public_key_files";
      wrong("auth.algorithms = \"" + std::string(name_of(algorithm)) + "\": no key for it; it needs " + needed);
    }
  }

  const config::Auth& auth_;
  std::shared_ptr<KeySet> set_ = std::make_shared<KeySet>();
  std::string errors_;
};

Result<std::shared_ptr<const KeySet>> KeySet::load(const config::Auth& auth) { return KeySetLoader(auth).load(); }

bool KeySet::knows(std::string_view kid) const noexcept {
  return std::any_of(keys_.begin(), keys_.end(), [&](const Key& key) { return key.kid && *key.kid == kid; });
}

bool KeySet::allows(Algorithm algorithm) const noexcept { return std::find(algorithms_.begin(), algorithms_.end(), algorithm) != algorithms_.end(); }

std::vector<const Key*> KeySet::candidates(Algorithm algorithm, const std::optional<std::string>& kid) const {
  std::vector<const Key*> list;
  const bool named = kid && knows(*kid);
  for (const Key& key : keys_) {
    if (!serves(key.family, algorithm)) continue;
    if (kid && named && key.kid != kid) continue;
    if (kid && !named && (key.kid || key.family != KeyFamily::hmac)) continue;
    list.push_back(&key);
  }
  return list;
}

}  // namespace fluentgate::auth
