// A whole Kafka in this process, for demos and tests: librdkafka's mock cluster with one broker on a free port of 127.0.0.1.
// It keeps 5 MB per partition in memory and nothing longer than the process lives. Thread: any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/domain/ports.hpp"
#include "core/domain/result.hpp"
#include "core/kafka/client_conf.hpp"
#include "core/kafka/handles.hpp"

namespace fluentgate::kafka {

class EmbeddedCluster {
 public:
  static constexpr int partitions_default = 4;

  // Makes the topics. Errors: "embedded_cluster".
  static Result<std::unique_ptr<EmbeddedCluster>> start(const std::vector<std::string>& topics, Logger& log, int partitions = partitions_default);

  ~EmbeddedCluster();
  EmbeddedCluster(const EmbeddedCluster&) = delete;
  EmbeddedCluster& operator=(const EmbeddedCluster&) = delete;

  const std::string& bootstrap() const noexcept { return bootstrap_; }  // 127.0.0.1:PORT
  Status create_topic(const std::string& name, int partitions);

  // Faults, for tests. All connections are cut and none is taken until it is up again.
  void set_down();
  void set_up();
  void set_rtt_ms(int rtt_ms);
  // The next `count` requests of this kind (Kafka's ApiKey: 0 Produce, 1 Fetch, 2 ListOffsets, 3 Metadata) are answered by this error;
  // RD_KAFKA_RESP_ERR__TRANSPORT cuts the connection instead.
  void fail_next(std::int16_t api_key, rd_kafka_resp_err_t error, std::size_t count = 1);
  // What metadata says of the topic; UNKNOWN_TOPIC_OR_PART plays a missing one (the mock makes whatever it is asked for), NO_ERROR ends it.
  void set_topic_error(const std::string& topic, rd_kafka_resp_err_t error);

 private:
  EmbeddedCluster() = default;
  ClientContext context_;
  ClientHandle client_;         // the cluster's keeper, connected to nothing
  MockClusterHandle cluster_;   // goes before it
  std::string bootstrap_;
};

// A mock cluster says so in its id. It answers every offsets_for_times by -1, which elsewhere means "nothing newer".
inline bool is_mock_cluster(std::string_view cluster_id) noexcept { return cluster_id.starts_with("mockCluster"); }

}  // namespace fluentgate::kafka
