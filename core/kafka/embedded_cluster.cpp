// The mock cluster and its faults.
#include "core/kafka/embedded_cluster.hpp"

#include <chrono>
#include <thread>

namespace fluentgate::kafka {
namespace {

// The mock of librdkafka 2.0.2 serves its commands and only then throws the wake-up bytes away: a command given in between waits a second.
// Given a moment after the last one, and after the last connection's end, it is served at once.
void let_it_settle() { std::this_thread::sleep_for(std::chrono::milliseconds(3)); }

}  // namespace

Result<std::unique_ptr<EmbeddedCluster>> EmbeddedCluster::start(const std::vector<std::string>& topics, Logger& log, int partitions) {
  std::unique_ptr<EmbeddedCluster> made(new EmbeddedCluster);
  made->context_.log = &log;
  config::Kafka keeper;
  keeper.producer_properties["enable.idempotence"] = "false";  // it would look for a broker to give it an id
  Result<ClientHandle> client = make_client(keeper, Side::producer, Cluster{"", "embedded", true}, made->context_);
  if (!client) return Error{"embedded_cluster", client.error().text};
  made->client_ = std::move(client).value();
  made->cluster_.reset(rd_kafka_mock_cluster_new(made->client_.get(), 1));
  if (!made->cluster_) return Error{"embedded_cluster", "librdkafka could not start its mock cluster"};
  made->bootstrap_ = rd_kafka_mock_cluster_bootstraps(made->cluster_.get());
  for (const std::string& topic : topics) {
    if (Status created = made->create_topic(topic, partitions); !created) return created.error();
  }
  return made;
}

Status EmbeddedCluster::create_topic(const std::string& name, int partitions) {
  let_it_settle();
  const rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(cluster_.get(), name.c_str(), partitions, 1);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Error{"embedded_cluster", "topic " + name + ": " + rd_kafka_err2str(error)};
  return ok();
}

EmbeddedCluster::~EmbeddedCluster() {
  let_it_settle();
  cluster_.reset();
}

void EmbeddedCluster::set_down() {
  let_it_settle();
  rd_kafka_mock_broker_set_down(cluster_.get(), -1);
}

void EmbeddedCluster::set_up() {
  let_it_settle();
  rd_kafka_mock_broker_set_up(cluster_.get(), -1);
}

void EmbeddedCluster::set_rtt_ms(int rtt_ms) {
  let_it_settle();
  rd_kafka_mock_broker_set_rtt(cluster_.get(), -1, rtt_ms);
}

void EmbeddedCluster::fail_next(std::int16_t api_key, rd_kafka_resp_err_t error, std::size_t count) {
  const std::vector<rd_kafka_resp_err_t> errors(count, error);
  rd_kafka_mock_push_request_errors_array(cluster_.get(), api_key, count, errors.data());
}

void EmbeddedCluster::set_topic_error(const std::string& topic, rd_kafka_resp_err_t error) {
  let_it_settle();
  rd_kafka_mock_topic_set_error(cluster_.get(), topic.c_str(), error);
}

}  // namespace fluentgate::kafka
