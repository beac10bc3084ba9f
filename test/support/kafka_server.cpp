// Properties, formatting, processes. A broker dies with the process that started it (setpriv --pdeathsig), however that ends.
#include "test/support/kafka_server.hpp"

#include <signal.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "test/support/check.hpp"
#include "test/support/free_port.hpp"

namespace fluentgate::test {
namespace {

using namespace std::chrono_literals;

constexpr auto start_deadline = 60s;  // 3 s on a machine that does nothing else
constexpr const char* up_words = "Kafka Server started";
const std::string libs = FLUENTGATE_SOURCE_DIR "/build/kafka/libs";

// Serial collection and the first compiler only: quick to start, and small.
std::vector<std::string> java(const std::string& heap, const std::vector<std::string>& arguments) {
  if (!std::filesystem::exists(libs)) FAIL("no Kafka in " + libs + ": ./dev servers puts it there, as ./dev test does");
  std::vector<std::string> command{"/usr/bin/setpriv", "--pdeathsig", "KILL", "java", "-Xmx" + heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
                                   "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
                                   "-Dorg.slf4j.simpleLogger.showDateTime=true", "-cp", libs + "/*"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

// As kafka.tools.StorageTool random-uuid makes them, without a second of Java for it: 16 bytes in base64url, none that begins with a dash.
std::string random_uuid() {
  static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::random_device random;
  std::string uuid = "F";
  while (uuid.size() < 21) uuid += letters[random() % letters.size()];
  return uuid + "A";  // of the last letter only two bits count
}

std::string content(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

KafkaServer::KafkaServer(KafkaServerOptions options) : options_(std::move(options)) {
  for (int i = 0; i < options_.brokers; ++i) {
    Broker broker;
    broker.port = free_port();
    broker.controller_port = free_port();
    broker.secured_port = free_port();
    broker.folder = folder_.path() + "/" + std::to_string(i + 1);
    std::filesystem::create_directories(broker.folder);
    brokers_.push_back(std::move(broker));
  }
  format();
  for (int i = 0; i < options_.brokers; ++i) start(i);
  for (int i = 0; i < options_.brokers; ++i) wait_up(i);
}

KafkaServer::~KafkaServer() = default;

std::string KafkaServer::properties_of(std::size_t index) const {
  const Broker& broker = brokers_[index];
  const std::string plain = "PLAIN://127.0.0.1:" + std::to_string(broker.port);
  std::string listeners = plain + ",CONTROLLER://127.0.0.1:" + std::to_string(broker.controller_port), advertised = plain, voters, text;
  const auto set = [&text](const std::string& name, const std::string& value) { text += name + "=" + value + "\n"; };
  if (options_.secured) {
    const std::string secured = "SECURED://localhost:" + std::to_string(broker.secured_port);
    listeners += "," + secured;
    advertised += "," + secured;
    const std::string pem = broker.folder + "/server.pem";
    std::ofstream(pem) << content(certificate_.key_file()) << content(certificate_.certificate_file());
    set("listener.name.secured.ssl.keystore.type", "PEM");
    set("listener.name.secured.ssl.keystore.location", pem);
    set("listener.name.secured.sasl.enabled.mechanisms", "PLAIN");
    set("listener.name.secured.plain.sasl.jaas.config",
        std::string("org.apache.kafka.common.security.plain.PlainLoginModule required user_") + secured_user + "=\"" + secured_password + "\";");
    set("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
    set("super.users", "User:ANONYMOUS");
  }
  for (std::size_t i = 0; i < brokers_.size(); ++i)
    voters += (i == 0 ? "" : ",") + std::to_string(i + 1) + "@127.0.0.1:" + std::to_string(brokers_[i].controller_port);
  set("process.roles", "broker,controller");
  set("node.id", std::to_string(index + 1));
  set("controller.quorum.voters", voters);
  set("controller.listener.names", "CONTROLLER");
  set("inter.broker.listener.name", "PLAIN");
  set("listener.security.protocol.map", "PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL");
  set("listeners", listeners);
  set("advertised.listeners", advertised);
  set("log.dirs", broker.folder + "/data");
  set("auto.create.topics.enable", "false");
  set("default.replication.factor", std::to_string(std::min(options_.brokers, 3)));
  set("offsets.topic.replication.factor", "1");
  set("message.max.bytes", "8388608");
  set("replica.fetch.max.bytes", "8388608");
  set("file.delete.delay.ms", "1000");
  // The default cleaner's buffers alone are 128 MB.
  set("log.cleaner.enable", "false");
  // A killed broker counts as there for so long, and does not come up again before; 9 s by default.
  set("broker.session.timeout.ms", "3000");
  set("broker.heartbeat.interval.ms", "500");
  for (const auto& [name, value] : options_.properties) set(name, value);
  return text;
}

// The quorum starts only with storage that was formatted, and all nodes with the same cluster id.
void KafkaServer::format() {
  const std::string cluster_id = random_uuid();
  std::vector<std::unique_ptr<Process>> tools;
  for (std::size_t i = 0; i < brokers_.size(); ++i) {
    const std::string file = brokers_[i].folder + "/server.properties";
    std::ofstream(file) << properties_of(i);
    tools.push_back(std::make_unique<Process>(java("64m", {"kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", file})));
  }
  for (const auto& tool : tools) {
    if (tool->wait(start_deadline) != 0) FAIL("Kafka's storage can't be formatted:\n" + tool->out() + tool->err());
  }
}

std::string KafkaServer::bootstrap() const {
  std::string list;
  for (const Broker& broker : brokers_) list += (list.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(broker.port);
  return list;
}

std::string KafkaServer::secured_bootstrap() const { return "localhost:" + std::to_string(brokers_[0].secured_port); }

void KafkaServer::kill(int broker) {
  Process& process = *brokers_.at(static_cast<std::size_t>(broker)).process;
  process.signal(SIGKILL);
  process.wait();
}

void KafkaServer::start(int broker) {
  Broker& started = brokers_.at(static_cast<std::size_t>(broker));
  started.process = std::make_unique<Process>(java("400m", {"kafka.Kafka", started.folder + "/server.properties"}));
}

void KafkaServer::wait_up(int broker) {
  Process& process = *brokers_.at(static_cast<std::size_t>(broker)).process;
  const bool up = process.wait_until(
      [](const std::string& out, const std::string& err) {
        return err.find(up_words) != std::string::npos || out.find(up_words) != std::string::npos;
      },
      start_deadline);
  if (!up) FAIL("Kafka did not start:\n" + process.out() + process.err());
}

std::string KafkaServer::log(int broker) const {
  const Process& process = *brokers_.at(static_cast<std::size_t>(broker)).process;
  return process.out() + process.err();
}

}  // namespace fluentgate::test
