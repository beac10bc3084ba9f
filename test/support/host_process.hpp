// fluentgate-host from the build folder, on a free port, with the embedded cluster unless told otherwise; and tokens that it accepts.
// Thread: one. The test program must be built with FLUENTGATE_BUILD_DIR (fluentgate_test does).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/support/process.hpp"
#include "test/support/ws_client.hpp"

namespace fluentgate::test {

inline constexpr const char* test_secret = "a-secret-for-tests-that-is-long-enough-for-hs512-0123456789-abcdefghij";

class HostProcess {
 public:
  // Options as "name=value", each given by --set, after port 0 and the test secret (left out where auth.secret_file is among them). Waits for the ready line, and fails without it.
  explicit HostProcess(const std::string& build_folder, const std::vector<std::string>& options = {}, const std::vector<std::string>& arguments = {});

  int port() const noexcept { return port_; }
  const std::string& url() const noexcept { return url_; }  // of the ready line
  bool tls() const noexcept { return url_.starts_with("https"); }
  Process& process() noexcept { return process_; }

  WsClient connect() const { return WsClient("127.0.0.1", port_, tls()); }
  // Connects and upgrades; fails unless 101 comes.
  WsClient open(const std::string& target, const Headers& headers = {}) const;
  // Until /readyz answers 200.
  void wait_ready();
  // SIGTERM, and the exit code.
  int stop();

 private:
  Process process_;
  std::string url_;
  int port_ = 0;
};

// Claims of a token signed with test_secret (HS256); those that are empty are left out. `exp` is seconds from now.
struct TokenClaims {
  std::string user = "u1";
  std::string room = "r1";
  std::string listening_language = {}, speaking_language = {}, name = {};
  std::int64_t expires_s = 3600;
  std::string more = {};  // further members as JSON: `"role":"host"`
};
std::string make_token(const TokenClaims& claims = {}, const std::string& secret = test_secret);

// A self-signed certificate for localhost, made anew: two PEM files in a folder of their own, removed with it.
class TestCertificate {
 public:
  TestCertificate();
  ~TestCertificate();
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;
  std::string certificate_file() const { return folder_ + "/cert.pem"; }
  std::string key_file() const { return folder_ + "/key.pem"; }

 private:
  std::string folder_;
};

// A folder under the system's temporary one, removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const noexcept { return path_; }
  // Writes a file in it and gives its path.
  std::string file(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

}  // namespace fluentgate::test
