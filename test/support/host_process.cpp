#include "test/support/host_process.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/auth/token_signer.hpp"
#include "test/support/check.hpp"

namespace fluentgate::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view ready_words = "fluentgate-host ready on ";

std::vector<std::string> command(const std::string& build_folder, const std::vector<std::string>& options, const std::vector<std::string>& arguments) {
  std::vector<std::string> all{build_folder + "/fluentgate-host", "--set", "listen.port=0"};
  const bool own_secret = std::any_of(options.begin(), options.end(), [](const std::string& option) { return option.starts_with("auth.secret_file="); });
  if (!own_secret) all.insert(all.end(), {"--set", "auth.secret=" + std::string(test_secret)});
  for (const std::string& option : options) {
    all.emplace_back("--set");
    all.push_back(option);
  }
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

bool ready_line(const std::string& out) { return out.starts_with(ready_words) && out.find('\n') != std::string::npos; }

}  // namespace

HostProcess::HostProcess(const std::string& build_folder, const std::vector<std::string>& options, const std::vector<std::string>& arguments)
    : process_(command(build_folder, options, arguments)) {
  if (!process_.wait_until([](const std::string& out, const std::string&) { return ready_line(out); }, 30s)) {
    FAIL("fluentgate-host was not ready; it said:\n" + process_.out() + process_.err());
  }
  const std::string out = process_.out();
  url_ = out.substr(ready_words.size(), out.find('\n') - ready_words.size());
  port_ = std::stoi(url_.substr(url_.rfind(':') + 1));
}

WsClient HostProcess::open(const std::string& target, const Headers& headers) const {
  WsClient client = connect();
  const HttpReply reply = client.upgrade(target, headers);
  if (reply.status != 101) FAIL("no upgrade of " + target + ": " + std::to_string(reply.status) + " " + reply.body);
  return client;
}

void HostProcess::wait_ready() {
  const auto until = std::chrono::steady_clock::now() + 20s;
  std::string body;
  while (std::chrono::steady_clock::now() < until) {
    const HttpReply reply = connect().request("GET", "/readyz");
    if (reply.status == 200) return;
    body = reply.body;
    std::this_thread::sleep_for(20ms);
  }
  FAIL("/readyz never answered 200: " + body + "\n" + process_.err());
}

int HostProcess::stop() {
  process_.signal(SIGTERM);
  return process_.wait();
}

std::string make_token(const TokenClaims& claims, const std::string& secret) {
  std::string json = "{\"exp\":" + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(
                                                      std::chrono::system_clock::now().time_since_epoch()).count() + claims.expires_s);
  const auto add = [&json](const char* name, const std::string& value) {
    if (!value.empty()) json += ",\"" + std::string(name) + "\":\"" + value + "\"";
  };
  add("sub", claims.user);
  add("room_id", claims.room);
  add("name", claims.name);
  add("speaking_language", claims.speaking_language);
  add("listening_language", claims.listening_language);
  if (!claims.more.empty()) json += "," + claims.more;
  json += "}";
  auth::SigningKey key;
  key.secret = secret;
  auto token = auth::sign_token(auth::Algorithm::hs256, key, json);
  if (!token) FAIL("no token: " + token.error().text);
  return *token;
}

TestCertificate::TestCertificate() {
  char name[] = "/tmp/fluentgate-cert-XXXXXX";
  if (::mkdtemp(name) == nullptr) FAIL("no folder for the certificate");
  folder_ = name;
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_set_pubkey(certificate, key);
  X509_NAME* const subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_sign(certificate, key, EVP_sha256());
  std::FILE* file = std::fopen(certificate_file().c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen(key_file().c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

TestCertificate::~TestCertificate() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

TemporaryFolder::TemporaryFolder() {
  char name[] = "/tmp/fluentgate-test-XXXXXX";
  if (::mkdtemp(name) == nullptr) FAIL("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::file(const std::string& name, const std::string& content) const {
  const std::string path = path_ + "/" + name;
  std::ofstream(path) << content;
  return path;
}

}  // namespace fluentgate::test
