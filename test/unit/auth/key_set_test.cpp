#include "core/auth/key_set.hpp"

#include "core/auth/token_verifier.hpp"
#include "test/support/check.hpp"
#include "test/unit/auth/test_keys.hpp"

using namespace fluentgate;
using namespace fluentgate::auth;
using namespace fluentgate::test;

namespace {

config::Auth options(std::vector<std::string> algorithms, std::string secret, std::vector<std::string> files = {}) {
  config::Auth auth;
  auth.algorithms = std::move(algorithms);
  auth.secret = std::move(secret);
  auth.public_key_files = std::move(files);
  return auth;
}

// The error text must hold every part.
void refused(const config::Auth& auth, std::initializer_list<std::string_view> parts) {
  const auto keys = KeySet::load(auth);
  if (keys.ok()) FAIL("loaded");
  for (const auto part : parts) {
    if (keys.error().text.find(part) == std::string::npos) FAIL("no \"" + std::string(part) + "\" in: " + keys.error().text);
  }
}

}  // namespace

TEST(no_key_at_all_is_an_error) { refused(options({"HS256"}, ""), {"auth.secret", "no key at all"}); }

TEST(a_secret_shorter_than_a_configured_hash_is_refused_and_not_shown) {
  const std::string secret(31, 'q');
  refused(options({"HS256"}, secret), {"auth.secret", "31 bytes", "HS256", "32"});
  CHECK_EQ(KeySet::load(options({"HS256"}, secret)).error().text.find(secret), std::string::npos);
  CHECK(KeySet::load(options({"HS256"}, std::string(32, 'q'))).ok());
  refused(options({"HS256", "HS512"}, std::string(63, 'q')), {"HS512", "64"});
  CHECK(KeySet::load(options({"HS256", "HS512"}, std::string(64, 'q'))).ok());
}

TEST(an_unknown_algorithm_and_none_are_refused) {
  refused(options({"HS257"}, secret_64), {"auth.algorithms", "HS257", "HS256"});
  refused(options({"none"}, secret_64), {"auth.algorithms", "none"});
  refused(options({"hs256"}, secret_64), {"hs256"});
  refused(options({}, secret_64), {"auth.algorithms", "empty"});
}

TEST(an_algorithm_without_a_key_is_named) {
  const Folder folder;
  refused(options({"HS256", "RS256"}, secret_64), {"RS256", "no key", "auth.public_key_files"});
  refused(options({"ES384"}, "", {folder.write("k", p256().public_pem)}), {"ES384"});
  refused(options({"HS256"}, "", {folder.write("r", rsa().public_pem)}), {"HS256", "auth.secret"});
  refused(options({"EdDSA"}, secret_64), {"EdDSA", "Ed25519"});
}

TEST(every_kind_of_public_key_is_loaded) {
  const Folder folder;
  const auto keys = KeySet::load(options({"RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"}, "",
                                         {folder.write("a", rsa().public_pem), folder.write("b", p256().public_pem), folder.write("c", p384().public_pem),
                                          folder.write("d", p521().public_pem), folder.write("e", ed25519().public_pem)}));
  if (!keys.ok()) FAIL(keys.error().text);
  CHECK_EQ((*keys)->size(), 5u);
  CHECK_EQ((*keys)->candidates(Algorithm::ps512, std::nullopt).size(), 1u);
  CHECK_EQ((*keys)->candidates(Algorithm::es384, std::nullopt).size(), 1u);
}

TEST(a_certificate_gives_its_key) {
  const X509Handle certificate(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), p256().pkey.get());
  CHECK(X509_sign(certificate.get(), p256().pkey.get(), EVP_sha256()) > 0);
  const BioHandle bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  const auto key = key_from_public_pem({data, static_cast<std::size_t>(size)});
  if (!key.ok()) FAIL(key.error().text);
  CHECK_EQ(key->family, KeyFamily::ec_p256);
  CHECK_EQ(key->pem, p256().public_pem);
}

TEST(a_private_key_is_refused_with_the_way_out) {
  const Folder folder;
  refused(options({"RS256"}, "", {folder.write("k.pem", rsa().private_pem)}), {"auth.public_key_files", "k.pem", "private key", "-pubout"});
}

TEST(keys_that_are_too_weak_or_of_no_use_are_refused) {
  CHECK(!key_from_public_pem(make_rsa(1024).public_pem).ok());
  CHECK(!key_from_public_pem(make_ec("secp256k1").public_pem).ok());
  CHECK(!key_from_public_pem(pair_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")).public_pem).ok());
  CHECK(!key_from_public_pem(rsa().public_pem + p256().public_pem).ok());
  CHECK(!key_from_public_pem("").ok());
  CHECK(!key_from_public_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").ok());
  CHECK(!key_from_public_pem("no PEM").ok());
  CHECK_EQ(ERR_peek_error(), 0ul);
}

TEST(unreadable_files_are_told_with_option_path_and_reason) {
  const Folder folder;
  refused(options({"RS256"}, "", {folder.path("gone.pem")}), {"auth.public_key_files", "gone.pem", "No such file"});
  refused(options({"RS256"}, "", {folder.path("")}), {"auth.public_key_files", "Is a directory"});
  refused(options({"RS256"}, "", {folder.write("huge", std::string(key_file_bytes_max + 1, 'x'))}), {"larger than"});
  config::Auth auth = options({"HS256"}, "");
  auth.secret_file = folder.path("secret");
  refused(auth, {"auth.secret_file", "secret", "No such file"});
}

TEST(every_error_gets_its_line) {
  const Folder folder;
  const auto keys = KeySet::load(options({"HS256", "XX"}, "short", {folder.path("gone")}));
  CHECK(!keys.ok());
  CHECK_EQ(std::count(keys.error().text.begin(), keys.error().text.end(), '\n'), 2);
}

TEST(a_secret_file_loses_one_line_end) {
  const Folder folder;
  config::Auth auth = options({"HS256"}, "");
  auth.secret_file = folder.write("secret", secret_64 + "\n");
  CHECK_EQ((*KeySet::load(auth))->keys().front().secret, secret_64);
  auth.secret_file = folder.write("empty", "\n");
  refused(auth, {"auth.secret_file", "empty"});
  auth.secret = secret_64;
  refused(auth, {"auth.secret_file", "only one"});
}

TEST(kid_is_what_stands_before_the_first_equals_sign_unless_it_is_a_path) {
  CHECK_EQ(*parse_key_file_name("k1=/etc/key=1.pem")->kid, "k1");
  CHECK_EQ(parse_key_file_name("k1=/etc/key=1.pem")->path, "/etc/key=1.pem");
  CHECK(!parse_key_file_name("/etc/a=b.pem")->kid);
  CHECK_EQ(parse_key_file_name("/etc/a=b.pem")->path, "/etc/a=b.pem");
  CHECK(!parse_key_file_name("key.pem")->kid);
  CHECK_EQ(*parse_key_file_name("k=key.pem")->kid, "k");
  for (const char* text : {"", "=key.pem", "k="}) CHECK(!parse_key_file_name(text).ok());
}

TEST(a_kid_given_twice_is_refused) {
  const Folder folder;
  refused(options({"RS256"}, "", {"k=" + folder.write("a", rsa().public_pem), "k=" + folder.write("b", other_rsa().public_pem)}), {"\"k\"", "two keys"});
}

TEST(candidates_follow_the_kid) {
  const Folder folder;
  const auto keys = *KeySet::load(options({"HS256", "RS256"}, secret_64,
                                          {"one=" + folder.write("a", rsa().public_pem), "two=" + folder.write("b", other_rsa().public_pem)}));
  CHECK_EQ(keys->candidates(Algorithm::rs256, std::nullopt).size(), 2u);
  CHECK_EQ(keys->candidates(Algorithm::rs256, "two").size(), 1u);
  CHECK_EQ(*keys->candidates(Algorithm::rs256, "two").front()->kid, "two");
  CHECK_EQ(keys->candidates(Algorithm::rs256, "three").size(), 0u);
  CHECK_EQ(keys->candidates(Algorithm::hs256, "three").size(), 1u);
  CHECK_EQ(keys->candidates(Algorithm::hs256, "one").size(), 0u);
}

TEST(a_plain_pem_does_not_answer_to_a_kid) {
  const Folder folder;
  const auto keys = *KeySet::load(options({"RS256"}, "", {folder.write("a", rsa().public_pem)}));
  CHECK_EQ(keys->candidates(Algorithm::rs256, "one").size(), 0u);
}

TEST(a_failed_reload_keeps_the_old_keys_and_a_good_one_swaps_them) {
  const Folder folder;
  config::Auth auth = options({"HS256"}, "");
  auth.secret_file = folder.write("secret", secret_64);
  const auto verifier = *TokenVerifier::create(auth);
  const std::string claims = R"({"sub":"u","exp":100})";
  const std::string old_token = *sign_token(Algorithm::hs256, {secret_64, ""}, claims);
  const std::string new_secret(64, 'n');
  const std::string new_token = *sign_token(Algorithm::hs256, {new_secret, ""}, claims);

  folder.write("secret", "short");
  const Status failed = verifier->reload(verifier->options());
  CHECK(!failed.ok());
  CHECK(failed.error().text.find("auth.secret_file") != std::string::npos);
  CHECK(verifier->verify(old_token, 0).ok());

  folder.write("secret", new_secret);
  CHECK(verifier->reload(verifier->options()).ok());
  CHECK(!verifier->verify(old_token, 0).ok());
  CHECK(verifier->verify(new_token, 0).ok());
}
