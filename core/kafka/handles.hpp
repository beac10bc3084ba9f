// librdkafka's handles with their deleters, nothing else. Thread: any.
#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <memory>

namespace fluentgate::kafka {

// Without closing the consumer: closing talks to the group's coordinator, and the end would hang on a broker that is away. We keep no
// group state that would need it. Joins librdkafka's threads.
struct DestroyClient {
  void operator()(rd_kafka_t* rk) const noexcept { rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }
};
struct DestroyConf { void operator()(rd_kafka_conf_t* conf) const noexcept { rd_kafka_conf_destroy(conf); } };
struct DestroyTopic { void operator()(rd_kafka_topic_t* topic) const noexcept { rd_kafka_topic_destroy(topic); } };
struct DestroyQueue { void operator()(rd_kafka_queue_t* queue) const noexcept { rd_kafka_queue_destroy(queue); } };
struct DestroyEvent { void operator()(rd_kafka_event_t* event) const noexcept { rd_kafka_event_destroy(event); } };
struct DestroyError { void operator()(rd_kafka_error_t* error) const noexcept { rd_kafka_error_destroy(error); } };
struct DestroyMessage { void operator()(rd_kafka_message_t* message) const noexcept { rd_kafka_message_destroy(message); } };
struct DestroyHeaders { void operator()(rd_kafka_headers_t* headers) const noexcept { rd_kafka_headers_destroy(headers); } };
struct DestroyMetadata { void operator()(const rd_kafka_metadata_t* metadata) const noexcept { rd_kafka_metadata_destroy(metadata); } };
struct DestroyPartitions {
  void operator()(rd_kafka_topic_partition_list_t* list) const noexcept { rd_kafka_topic_partition_list_destroy(list); }
};
struct DestroyMockCluster { void operator()(rd_kafka_mock_cluster_t* cluster) const noexcept { rd_kafka_mock_cluster_destroy(cluster); } };
struct FreeText { void operator()(char* text) const noexcept { rd_kafka_mem_free(nullptr, text); } };

using ClientHandle = std::unique_ptr<rd_kafka_t, DestroyClient>;
using ConfHandle = std::unique_ptr<rd_kafka_conf_t, DestroyConf>;
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, DestroyTopic>;  // destroyed before its client
using QueueHandle = std::unique_ptr<rd_kafka_queue_t, DestroyQueue>;  // destroyed before its client
using EventHandle = std::unique_ptr<rd_kafka_event_t, DestroyEvent>;
using ErrorHandle = std::unique_ptr<rd_kafka_error_t, DestroyError>;
using MessageHandle = std::unique_ptr<rd_kafka_message_t, DestroyMessage>;
using HeadersHandle = std::unique_ptr<rd_kafka_headers_t, DestroyHeaders>;
using MetadataHandle = std::unique_ptr<const rd_kafka_metadata_t, DestroyMetadata>;
using PartitionsHandle = std::unique_ptr<rd_kafka_topic_partition_list_t, DestroyPartitions>;
using MockClusterHandle = std::unique_ptr<rd_kafka_mock_cluster_t, DestroyMockCluster>;
using TextHandle = std::unique_ptr<char, FreeText>;

}  // namespace fluentgate::kafka
