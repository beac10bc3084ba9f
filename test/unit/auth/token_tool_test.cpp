// fluentgate-token as a program: what it prints is accepted by the verifier, and wrong usage ends with 2.
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <map>

#include "core/auth/token_verifier.hpp"
#include "test/support/check.hpp"
#include "test/unit/auth/test_keys.hpp"

using namespace fluentgate;
using namespace fluentgate::auth;
using namespace fluentgate::test;

namespace {

struct Run {
  int code = -1;
  std::string out, err;
};

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Run run(const std::string& arguments) {
  const Folder folder;
  const std::string command = std::string(FLUENTGATE_BUILD_DIR) + "/fluentgate-token " + arguments + " >" + folder.path("out") + " 2>" + folder.path("err");
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(folder.path("out")), text_of(folder.path("err"))};
}

UnixMs now() { return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

Claims claims_of(const Run& result, config::Auth auth) {
  if (result.code != 0) FAIL(result.err);
  CHECK(result.err.empty());
  CHECK(result.out.ends_with('\n') && result.out.find('\n') == result.out.size() - 1);
  const auto verifier = TokenVerifier::create(auth);
  if (!verifier.ok()) FAIL(verifier.error().text);
  const auto claims = (*verifier)->verify(std::string_view(result.out).substr(0, result.out.size() - 1), now());
  if (!claims.ok()) FAIL(claims.error().text);
  return *claims;
}

config::Auth hmac(const std::string& algorithm = "HS256") {
  config::Auth auth;
  auth.algorithms = {algorithm};
  auth.secret = secret_64;
  return auth;
}

const std::string base = "--secret " + secret_64 + " --user alice ";

void wrong(const std::string& arguments, std::string_view text) {
  const Run result = run(arguments);
  CHECK_EQ(result.code, 2);
  CHECK_EQ(result.out, "");
  if (result.err.find(text) == std::string::npos) FAIL("no \"" + std::string(text) + "\" in: " + result.err);
  CHECK(result.err.find(secret_64) == std::string::npos);
}

}  // namespace

TEST(all_options_end_in_the_token) {
  const Claims claims = claims_of(run(base + "--room a --name 'Ada L' --role host --speak en-US --listen es,fr --understands de,it --ttl 60 --kid k"), hmac());
  CHECK_EQ(claims.user, UserId("alice"));
  CHECK_EQ(*claims.room, RoomId("a"));
  CHECK(claims.rooms.empty() && !claims.any_room);
  CHECK_EQ(*claims.name, "Ada L");
  CHECK_EQ(*claims.role, "host");
  CHECK_EQ(*claims.speaking_language, "en-US");
  CHECK_EQ(join(claims.listening), "es,fr");
  CHECK_EQ(join(claims.understands), "de,it");
  CHECK_EQ(*claims.exp_s - *claims.iat_s, 60);
}

TEST(several_rooms_and_the_wildcard_are_a_list) {
  const Claims two = claims_of(run(base + "--room a --room b"), hmac());
  CHECK(!two.room && two.may_enter(RoomId("a")) && two.may_enter(RoomId("b")) && !two.may_enter(RoomId("c")));
  const Claims any = claims_of(run(base + "--room '*'"), hmac());
  CHECK(!any.room && any.any_room);
}

TEST(every_algorithm_is_signed) {
  const Folder folder;
  const std::map<std::string, const KeyPair*> pairs{{"RS256", &rsa()}, {"RS384", &rsa()}, {"RS512", &rsa()}, {"PS256", &rsa()}, {"PS384", &rsa()}, {"PS512", &rsa()},
                                                    {"ES256", &p256()}, {"ES384", &p384()}, {"ES512", &p521()}, {"EdDSA", &ed25519()}};
  for (const auto& [algorithm, pair] : pairs) {
    config::Auth auth;
    auth.algorithms = {algorithm};
    auth.public_key_files = {"k=" + folder.write("public", pair->public_pem)};
    claims_of(run("--key " + folder.write("private", pair->private_pem) + " --kid k --user u --room a --alg " + algorithm), auth);
  }
  for (const char* algorithm : {"HS256", "HS384", "HS512"}) claims_of(run(base + "--room a --alg " + algorithm), hmac(algorithm));
}

TEST(without_alg_the_key_says_it) {
  const Folder folder;
  config::Auth auth;
  auth.algorithms = {"ES384"};
  auth.public_key_files = {folder.write("public", p384().public_pem)};
  claims_of(run("--user u --room a --key " + folder.write("private", p384().private_pem)), auth);
}

TEST(a_secret_file_is_read_as_the_gateway_reads_it) {
  const Folder folder;
  claims_of(run("--user u --room a --secret-file " + folder.write("secret", secret_64 + "\n")), hmac());
}

TEST(wrong_usage_is_2_with_a_clear_message) {
  const Folder folder;
  wrong("", "--user");
  wrong(base, "--room");
  wrong("--user u --room a", "--secret");
  wrong(base + "--room a --key k", "exactly one");
  wrong(base + "--room a --alg HS257", "HS257");
  wrong(base + "--room a --alg RS256", "RS256");
  wrong(base + "--room a/b", "--room a/b");
  wrong(base + "--room a --listen 'not a tag'", "--listen");
  wrong(base + "--room a --speak 1", "--speak");
  wrong(base + "--room a --ttl soon", "--ttl");
  wrong(base + "--room a --nonsense", "nonsense");
  wrong("--secret " + secret_64 + " --user '' --room a", "--user");
  wrong("--secret short --user u --room a", "needs at least 32");
  wrong("--user u --room a --key " + folder.path("gone"), "No such file");
  wrong("--user u --room a --key " + folder.write("public", p256().public_pem), "private key");
}

TEST(help_ends_with_0) { CHECK_EQ(run("--help").code, 0); }
