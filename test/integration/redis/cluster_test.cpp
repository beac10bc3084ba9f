// A Redis Cluster of two masters, and TLS: the same link, the same rooms.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/redis/key_slot.hpp"
#include "test/integration/redis/bus_world.hpp"

namespace fluentgate::test {
namespace {

// Two masters that share the slots.
struct Cluster {
  std::unique_ptr<RedisServer> first, second;

  static std::unique_ptr<RedisServer> node() {
    return std::make_unique<RedisServer>(std::vector<std::string>{"--cluster-enabled", "yes", "--cluster-port", std::to_string(free_port())});
  }
  static bool becomes(const RedisServer& server, const std::vector<std::string>& ask, const std::string& part) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (server.ask(ask).find(part) == std::string::npos) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  Cluster() : first(node()), second(node()) {
    CHECK_EQ(first->ask({"CLUSTER", "ADDSLOTSRANGE", "0", "8191"}), "OK");
    CHECK_EQ(second->ask({"CLUSTER", "ADDSLOTSRANGE", "8192", "16383"}), "OK");
    CHECK_EQ(second->ask({"CONFIG", "SET", "cluster-announce-ip", "127.0.0.1"}), "OK");
    CHECK_EQ(first->ask({"CONFIG", "SET", "cluster-announce-ip", "127.0.0.1"}), "OK");
    const std::string bus = second->ask({"CONFIG", "GET", "cluster-port"}).substr(std::string("cluster-port\n").size());
    CHECK_EQ(first->ask({"CLUSTER", "MEET", "127.0.0.1", std::to_string(second->port()), bus}), "OK");
    for (const RedisServer* one : {first.get(), second.get()}) {
      CHECK(becomes(*one, {"CLUSTER", "INFO"}, "cluster_state:ok"));
      CHECK(becomes(*one, {"CLUSTER", "INFO"}, "cluster_slots_ok:16384"));
    }
  }
};

struct Scratch {
  std::string path;
  Scratch() {
    char name[] = "/tmp/fluentgate-tls-XXXXXX";
    if (::mkdtemp(name) == nullptr) FAIL("no scratch directory");
    path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

TEST(commands_find_their_node_and_keep_their_order) {
  Cluster cluster;
  LinkWorld world(cluster.first->url());
  CHECK(world.told.wait_up());
  CHECK_EQ(world.log.count("(cluster)"), 1u);
  constexpr const char* append_script = "return redis.call('APPEND', KEYS[1], ARGV[1])";
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const std::string text = std::to_string(i) + ",";
    expected += text;
    for (const char* key : {"foo", "bar", "hello"}) {
      if (i % 2 == 0) {
        world.link->command({key, {"APPEND", key, text}});
      } else {
        world.link->script(append_script, key, {text});
      }
    }
  }
  for (const char* key : {"foo", "bar", "hello"}) {
    CHECK_EQ(world.ask({key, {"GET", key}}), expected);
    const RedisServer& home = redis::key_slot(key) < 8192 ? *cluster.first : *cluster.second;
    CHECK_EQ(home.ask({"EXISTS", key}), "1");
  }
}

TEST(a_slot_that_moves_is_followed) {
  Cluster cluster;
  LinkWorld world(cluster.first->url());
  CHECK(world.told.wait_up());
  CHECK_EQ(world.ask({"foo", {"SET", "foo", "1"}}), "OK");  // 12182, on the second
  const std::string slot = std::to_string(redis::key_slot("foo"));
  const std::string first_id = cluster.first->ask({"CLUSTER", "MYID"}), second_id = cluster.second->ask({"CLUSTER", "MYID"});
  CHECK_EQ(cluster.first->ask({"CLUSTER", "SETSLOT", slot, "IMPORTING", second_id}), "OK");
  CHECK_EQ(cluster.second->ask({"CLUSTER", "SETSLOT", slot, "MIGRATING", first_id}), "OK");
  CHECK_EQ(cluster.second->ask({"MIGRATE", "127.0.0.1", std::to_string(cluster.first->port()), "foo", "0", "5000"}), "OK");
  CHECK_EQ(world.ask({"foo", {"INCR", "foo"}}), "2");  // by ASK
  for (const RedisServer* one : {cluster.first.get(), cluster.second.get()}) CHECK_EQ(one->ask({"CLUSTER", "SETSLOT", slot, "NODE", first_id}), "OK");
  CHECK_EQ(world.ask({"foo", {"INCR", "foo"}}), "3");  // by MOVED
}

TEST(rooms_span_instances_on_different_nodes) {
  Cluster cluster;
  Instance a(cluster.first->url(), "a-1"), b(cluster.second->url(), "b-1");
  CHECK(a.up() && b.up());
  for (const char* name : {"r1", "r2", "r3", "r4"}) {
    a.bus->open(RoomId(name));
    b.bus->open(RoomId(name));
  }
  for (const char* name : {"r1", "r2", "r3", "r4"}) {
    CHECK(a.views(name, {}, false) && b.views(name, {}, false));
    a.bus->seat(RoomId(name), seat_of("ann"));
    CHECK(b.sees(name, "ann"));
    b.bus->broadcast(RoomId(name), UserId("bob"), "{}");
    CHECK(a.told.wait<redis::Push>([&](const redis::Push& push) { return push.room.value == name; }));
  }
}

TEST(a_node_that_dies_does_not_take_the_others_down) {
  Cluster cluster;
  LinkWorld world(cluster.first->url());
  CHECK(world.told.wait_up());
  CHECK_EQ(world.ask({"foo", {"SET", "foo", "1"}}), "OK");
  CHECK_EQ(world.ask({"bar", {"SET", "bar", "1"}}), "OK");
  cluster.second->kill();
  CHECK(world.ask({"foo", {"GET", "foo"}}).starts_with("error away"));
  CHECK_EQ(world.ask({"bar", {"GET", "bar"}}), "1");
  CHECK(world.link->connected());
}

TEST(rediss_speaks_tls_and_checks_the_certificate) {
  Scratch scratch;
  const std::string key = scratch.path + "/key.pem", certificate = scratch.path + "/cert.pem";
  Process openssl({"/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=redis-test", "-addext",
                   "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate});
  CHECK_EQ(openssl.wait(), 0);
  const int port = free_port();
  RedisServer server({"--tls-port", std::to_string(port), "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no"});
  const std::string url = "rediss://127.0.0.1:" + std::to_string(port);
  {
    LinkWorld stranger(url);
    CHECK(!stranger.told.wait([](const Told& t) { return t.up_; }, 500));
    CHECK(stranger.log.count("certificate is not trusted") >= 1);
  }
  ::setenv("SSL_CERT_FILE", certificate.c_str(), 1);
  {
    LinkWorld world(url);
    CHECK(world.told.wait_up());
    const std::string large(3'000'000, 'x');
    CHECK_EQ(world.ask({"k", {"SET", "k", large}}), "OK");
    CHECK_EQ(world.ask({"k", {"GET", "k"}}), large);
    Awaited subscribed;
    world.link->subscribe("c", [answer = subscribed.answer()] { answer(redis::Reply{}); });
    CHECK_EQ(subscribed.text(), "(nil)");
    CHECK_EQ(server.ask({"PUBLISH", "c", large}), "1");
    CHECK(world.told.wait_message("c=" + large));
    // A name that the certificate has not.
    LinkWorld other("rediss://localhost:" + std::to_string(port));
    CHECK(!other.told.wait([](const Told& t) { return t.up_; }, 500));
    CHECK(other.log.count("certificate is not trusted") >= 1);
  }
  ::unsetenv("SSL_CERT_FILE");
}

}  // namespace fluentgate::test
