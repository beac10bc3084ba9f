// listen.processes: several processes on one port, one ready line, pages that tell of all of them, and what happens when one is killed.
#include <signal.h>

#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "core/kafka/embedded_cluster.hpp"
#include "test/support/check.hpp"
#include "test/support/host_process.hpp"
#include "test/support/inbound_sink.hpp"
#include "test/support/redis_server.hpp"

using namespace fluentgate;
using namespace fluentgate::test;
using namespace std::chrono_literals;

namespace {

struct ProcessesWorld {
  CollectingLogger log;
  RedisServer redis;
  std::unique_ptr<kafka::EmbeddedCluster> cluster;
  std::unique_ptr<HostProcess> host;

  explicit ProcessesWorld(int processes, const std::vector<std::string>& more = {}) {
    auto made = kafka::EmbeddedCluster::start({"audio.raw", "audio.synthesized", "text.original", "text.translated"}, log);
    if (!made) FAIL(made.error().text);
    cluster = std::move(*made);
    std::vector<std::string> options{"listen.processes=" + std::to_string(processes), "redis.url=" + redis.url(),
                                     "kafka.bootstrap.servers=" + cluster->bootstrap(), "kafka.consumer.fetch.wait.max.ms=10"};
    options.insert(options.end(), more.begin(), more.end());
    host = std::make_unique<HostProcess>(FLUENTGATE_BUILD_DIR, options);
  }
  HttpReply get(const std::string& path) const { return host->connect().request("GET", path); }
  // The pids by the supervisor's log lines, in the order in which it told them.
  std::vector<pid_t> pids() const {
    std::vector<pid_t> found;
    std::istringstream lines(host->process().err());
    for (std::string line; std::getline(lines, line);) {
      if (const std::size_t at = line.find(" is pid "); at != std::string::npos) found.push_back(std::stoi(line.substr(at + 8)));
    }
    return found;
  }
};

std::set<std::string> processes_in(const std::string& metrics, const std::string& name) {
  std::set<std::string> found;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name + "{process=\"")) continue;
    const std::size_t at = name.size() + 10;
    found.insert(line.substr(at, line.find('"', at) - at));
  }
  return found;
}

bool is_gone(pid_t pid) { return kill(pid, 0) != 0; }

template <class Condition>
bool within(std::chrono::milliseconds time, Condition condition) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

}  // namespace

TEST(processes_share_a_port_and_their_pages_tell_of_all) {
  ProcessesWorld world(3);
  CHECK_EQ(world.pids().size(), 3u);
  CHECK_EQ(world.host->process().out(), "fluentgate-host ready on " + world.host->url() + "\n");
  world.host->wait_ready();
  const HttpReply ready = world.get("/readyz");
  CHECK_EQ(ready.status, 200);
  CHECK(ready.body.find("\"processes\":{\"ready\":3,\"total\":3}") != std::string::npos);
  const HttpReply metrics = world.get("/metrics");
  CHECK(processes_in(metrics.body, "fluentgate_ready") == (std::set<std::string>{"0", "1", "2"}));
  std::size_t told = 0;
  for (std::size_t at = 0; (at = metrics.body.find("# TYPE fluentgate_ready gauge", at)) != std::string::npos; ++at) ++told;
  CHECK_EQ(told, 1u);
  const auto pids = world.pids();
  CHECK_EQ(world.host->stop(), 0);
  for (const pid_t pid : pids) CHECK(is_gone(pid));
}

TEST(processes_all_take_connections) {
  ProcessesWorld world(2);
  world.host->wait_ready();
  std::vector<WsClient> clients;  // held open, so that each process has its own; the kernel spreads them by a hash of the addresses
  for (int i = 0; i < 40; ++i) {
    clients.push_back(world.host->open("/ws/captions/r1?token=" + make_token({.user = "u" + std::to_string(i)})));
  }
  CHECK(within(5s, [&] {
    const std::string metrics = world.get("/metrics").body;
    double sum = 0;
    int with_some = 0;
    for (const std::string process : {"0", "1"}) {
      const std::string line = "fluentgate_sessions{process=\"" + process + "\",endpoint=\"captions\"} ";
      const std::size_t at = metrics.find(line);
      if (at == std::string::npos) return false;
      const double count = std::stod(metrics.substr(at + line.size()));
      sum += count;
      with_some += count > 0 ? 1 : 0;
    }
    return sum == 40 && with_some == 2;
  }));
}

TEST(processes_that_end_are_started_again) {
  ProcessesWorld world(2);
  world.host->wait_ready();
  kill(world.pids()[1], SIGKILL);
  CHECK(within(10s, [&] { return world.pids().size() == 3; }));
  CHECK(world.host->process().err().find("process 1 ended by signal Killed") != std::string::npos);
  world.host->wait_ready();
  CHECK(world.get("/readyz").body.find("\"ready\":2") != std::string::npos);
  CHECK_EQ(world.host->process().out(), "fluentgate-host ready on " + world.host->url() + "\n");
  CHECK_EQ(world.host->stop(), 0);
}

TEST(processes_end_with_their_supervisor) {
  ProcessesWorld world(2);
  const auto pids = world.pids();
  world.host->process().signal(SIGKILL);
  world.host->process().wait();
  for (const pid_t pid : pids) CHECK(within(10s, [&] { return is_gone(pid); }));
}

TEST(processes_leave_a_port_alone_that_another_has) {
  ProcessesWorld world(2);
  Process second({std::string(FLUENTGATE_BUILD_DIR) + "/fluentgate-host", "--set", "listen.port=" + std::to_string(world.host->port()), "--set",
                  "listen.processes=2", "--set", "redis.url=" + world.redis.url(), "--set", "kafka.bootstrap.servers=" + world.cluster->bootstrap(), "--set",
                  "auth.secret=" + std::string(test_secret)});
  CHECK_EQ(second.wait(), 1);
  CHECK(second.err().find("cannot listen on port " + std::to_string(world.host->port())) != std::string::npos);
}

TEST(processes_serve_tls) {
  const TestCertificate certificate;
  ProcessesWorld world(2, {"listen.tls_cert=" + certificate.certificate_file(), "listen.tls_key=" + certificate.key_file()});
  CHECK(world.host->tls());
  world.host->wait_ready();
  WsClient client = world.host->open("/ws/signaling/r1?token=" + make_token());
  CHECK(client.text_that([](const std::string& text) { return text.find("existing_users") != std::string::npos; }).find("\"users\":[]") != std::string::npos);
}
