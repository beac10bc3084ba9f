// In which partitions the records of a key may be: by librdkafka's own functions, so that nothing has to be kept equal to them. Thread: any.
//
//   murmur2  (murmur2(key, seed 0x9747b28c) & 0x7fffffff) % count   Kafka's own: Java, Kafka Streams, kafka-python, aiokafka; librdkafka's murmur2(_random)
//   crc32    crc32(key) % count                                     librdkafka's consistent(_random), which is its default: C, Go, .NET, confluent-kafka
//   fnv1a    |int32(fnv1a(key))| % count                            librdkafka's fnv1a(_random), Sarama's default
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fluentgate::kafka {

class KeyPartitions {
 public:
  // Names as in the option kafka.key_partitioners, which knows no others.
  explicit KeyPartitions(const std::vector<std::string>& partitioners);
  // Adds those of a topic with `count` partitions, each once, to `out`. The key is not empty: without one, writers choose as they like.
  void add(std::string_view key, std::int32_t count, std::vector<std::int32_t>& out) const;

 private:
  using Partitioner = std::int32_t (*)(std::string_view key, std::int32_t count);
  std::vector<Partitioner> partitioners_;
};

}  // namespace fluentgate::kafka
