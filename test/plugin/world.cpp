// World, clients and clusters: see world.hpp.
#include "test/plugin/world.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace fluentgate::test {

using namespace std::chrono_literals;

namespace {

// Those of the test come last, and win.
std::vector<std::string> with(std::vector<std::string> options, const std::vector<std::string>& own) {
  options.insert(options.end(), own.begin(), own.end());
  return options;
}

// Captions have both: there `event` is what tells them apart.
std::string type_of(const Frame& frame) {
  if (frame.opcode != Frame::text) return {};
  const char* name = has_member(frame.payload, "event") ? "event" : "type";
  return has_member(frame.payload, name) ? text_member(frame.payload, name) : std::string();
}

}  // namespace

Frame Client::next() {
  while (true) {
    Frame frame = ws_.message();
    if (frame.opcode == Frame::close) FAIL("closed with " + std::to_string(frame.close_code()));
    if (type_of(frame) != "pipeline_heartbeat") return frame;
  }
}

std::string Client::text() {
  Frame frame = next();
  if (frame.opcode != Frame::text) FAIL("a binary message of " + std::to_string(frame.payload.size()) + " bytes in place of text");
  return std::move(frame.payload);
}

std::string Client::event(std::string_view type) {
  std::string passed;
  while (true) {
    Frame frame;
    try {
      frame = ws_.message();
    } catch (const Failure& failure) {
      FAIL("no " + std::string(type) + ": " + failure.what() + ", after" + passed);
    }
    if (frame.opcode == Frame::close) {
      FAIL("closed with " + std::to_string(frame.close_code()) + " before " + std::string(type) + " came, after" + passed);
    }
    if (type_of(frame) == type) return std::move(frame.payload);
    if (frame.opcode == Frame::text) passed += "\n  " + frame.payload;
  }
}

std::string Client::bytes() {
  while (true) {
    Frame frame = next();
    if (frame.opcode == Frame::binary) return std::move(frame.payload);
  }
}

std::vector<Frame> Client::until_pong() {
  const std::string mark = "mark-" + std::to_string(++pings_);
  send("{\"type\":\"ping\",\"mark\":\"" + mark + "\"}");
  std::vector<Frame> before;
  while (true) {
    Frame frame = next();
    if (frame.payload == "{\"type\":\"pong\",\"mark\":\"" + mark + "\"}") return before;
    before.push_back(std::move(frame));
  }
}

std::vector<std::string> Client::texts_until_pong() {
  std::vector<std::string> texts;
  for (Frame& frame : until_pong()) {
    if (frame.opcode == Frame::text) texts.push_back(std::move(frame.payload));
  }
  return texts;
}

std::string Client::refused(std::string_view code) {
  const std::string got = event("error");
  if (text_member(got, "code") != code) FAIL("expected " + std::string(code) + ", got " + got);
  if (text_member(got, "detail").empty()) FAIL("no detail: " + got);
  return got;
}

Cluster::Cluster(const std::vector<std::string>& topics, int partitions) {
  if (const auto bootstrap = real_kafka()) {
    topics_ = std::make_unique<OwnTopics>(*bootstrap, topics, partitions);
    redis_ = std::make_unique<RedisServer>();
    return;
  }
  auto cluster = kafka::EmbeddedCluster::start(topics, log_, partitions);
  if (!cluster) FAIL("no cluster: " + cluster.error().text);
  cluster_ = std::move(cluster).value();
}

kafka::EmbeddedCluster* Cluster::operator->() {
  if (!cluster_) FAIL("only an embedded cluster has faults when told: this test belongs into test/embedded_only.txt");
  return cluster_.get();
}

std::vector<std::string> Cluster::options() const {
  if (topics_) return with(topics_->options(), {"redis.url=" + redis_->url()});
  return {"kafka.bootstrap.servers=" + cluster_->bootstrap()};
}

KafkaAddress Cluster::address() const { return topics_ ? topics_->address() : KafkaAddress{cluster_->bootstrap()}; }

namespace {

std::vector<std::string> quick(std::vector<std::string> options) {
  options.emplace_back("kafka.consumer.fetch.wait.max.ms=10");  // the mock delays an empty fetch by the whole wait
  return options;
}

std::string bootstrap_of(HostProcess& host) {
  host.wait_ready();
  return text_member(host.connect().request("GET", "/readyz").body, "kafka.bootstrap");
}

std::unique_ptr<OwnTopics> topics_for(const std::vector<std::string>& options) {
  const auto bootstrap = real_kafka();
  if (!bootstrap) return nullptr;
  std::vector<std::string> names = usual_topics;
  // The embedded cluster makes whatever it is asked for; a broker that is run with care does not.
  if (std::find(options.begin(), options.end(), "kafka.dlq=true") != options.end()) {
    for (const std::string& name : usual_topics) names.push_back("dlq." + name);
  }
  return std::make_unique<OwnTopics>(*bootstrap, names);
}

}  // namespace

World::World(const std::vector<std::string>& options)
    : topics_(topics_for(options)), redis_(topics_ ? std::make_unique<RedisServer>() : nullptr),
      host(FLUENTGATE_BUILD_DIR, quick(topics_ ? with(with(topics_->options(), {"redis.url=" + redis_->url()}), options) : options)),
      worker(topics_ ? topics_->address() : KafkaAddress{bootstrap_of(host)}) {
  if (topics_) host.wait_ready();
}

World::World(Cluster& cluster, const std::vector<std::string>& options) : World(cluster.address(), with(cluster.options(), options)) {}

World::World(const KafkaAddress& address, const std::vector<std::string>& options)
    : host(FLUENTGATE_BUILD_DIR, quick(options)), worker(address) {
  host.wait_ready();
}

Client World::open(const std::string& endpoint, const TokenClaims& claims, const std::string& query, const std::string& subprotocol) {
  Headers headers{{"Authorization", "Bearer " + make_token(claims)}};
  if (!subprotocol.empty()) headers.emplace_back("Sec-WebSocket-Protocol", subprotocol);
  return Client(host.open("/ws/" + endpoint + "/" + claims.room + (query.empty() ? "" : "?" + query), headers));
}

namespace {

void read_greeting(Client& client, std::string_view last) {
  do {
    const Frame frame = client.ws().message();
    if (frame.opcode != Frame::text) FAIL("no text in the greeting");
    client.greeting.push_back(frame.payload);
  } while (type_of({Frame::text, true, client.greeting.back()}) != last);
}

}  // namespace

Client World::audio(const TokenClaims& claims, const std::string& query, const std::string& subprotocol) {
  Client client = open("audio", claims, query, subprotocol);
  read_greeting(client, "pipeline_heartbeat");
  return client;
}

Client World::signaling(const TokenClaims& claims, const std::string& query) {
  Client client = open("signaling", claims, query, {});
  read_greeting(client, "pipeline_heartbeat");
  return client;
}

Client World::captions(const TokenClaims& claims, const std::string& query) {
  Client client = open("captions", claims, query, {});
  read_greeting(client, "history_end");
  return client;
}

std::string World::page(const std::string& path) {
  const HttpReply reply = host.connect().request("GET", path);
  CHECK_EQ(reply.status, 200);
  return reply.body;
}

void World::wait_metric(const std::string& line) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  std::string body;
  do {
    body = page("/metrics");
    if (("\n" + body).find("\n" + line + "\n") != std::string::npos) return;
    std::this_thread::sleep_for(10ms);
  } while (std::chrono::steady_clock::now() < until);
  const std::string name = line.substr(0, line.find_first_of("{ "));
  std::string same;
  for (std::size_t at = body.find("\n" + name); at != std::string::npos; at = body.find("\n" + name, at + 1)) {
    same += body.substr(at, body.find('\n', at + 1) - at);
  }
  FAIL("/metrics never had: " + line + "\nbut:" + same);
}

std::string World::wait_log(const std::string& text) {
  std::string all;
  const bool seen = host.process().wait_until([&](const std::string&, const std::string& err) {
    all = err;
    return err.find(text) != std::string::npos;
  }, 10s);
  if (!seen) FAIL("never logged: " + text + "\n" + all);
  return all;
}

}  // namespace fluentgate::test
