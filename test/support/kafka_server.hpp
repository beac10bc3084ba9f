// Apache Kafka itself (KRaft, one process a broker, each a controller too) on free ports of 127.0.0.1, for tests that want a real one, kill it
// and start it again. Its jars come from build/kafka/libs, where ./dev puts them. About 3 s to start and 400 MB a broker. Thread: one.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "test/support/host_process.hpp"
#include "test/support/process.hpp"

namespace fluentgate::test {

struct KafkaServerOptions {
  int brokers = 1;
  // A listener of its own that wants TLS and a name with its password (SASL/PLAIN), and rights by ACL (StandardAuthorizer). Who comes by the
  // plain listener then has every right: that is the test itself.
  bool secured = false;
  std::vector<std::pair<std::string, std::string>> properties = {};  // of every broker; they win over ours
};

class KafkaServer {
 public:
  static constexpr const char* secured_user = "gateway";
  static constexpr const char* secured_password = "gateway-secret";

  // Returns when all are up; fails with what they said.
  explicit KafkaServer(KafkaServerOptions options = {});
  ~KafkaServer();
  KafkaServer(const KafkaServer&) = delete;
  KafkaServer& operator=(const KafkaServer&) = delete;

  std::string bootstrap() const;          // all brokers of the plain listener
  std::string secured_bootstrap() const;  // localhost:PORT; the certificate is for that name
  std::string certificate_file() const { return certificate_.certificate_file(); }

  void kill(int broker = 0);              // SIGKILL
  void start(int broker = 0);             // again, on the same ports and the same data; returns at once
  void wait_up(int broker = 0);
  std::string log(int broker = 0) const;  // of its present process

 private:
  struct Broker {
    int port = 0, controller_port = 0, secured_port = 0;
    std::string folder;
    std::unique_ptr<Process> process;
  };
  std::string properties_of(std::size_t index) const;
  void format();

  const KafkaServerOptions options_;
  TestCertificate certificate_;
  TemporaryFolder folder_;
  std::vector<Broker> brokers_;
};

}  // namespace fluentgate::test
