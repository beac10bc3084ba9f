// librdkafka's partitioners use neither the topic nor the opaques, so they are called without.
#include "core/kafka/key_partitions.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <utility>

namespace fluentgate::kafka {
namespace {

template <auto Function>
std::int32_t call(std::string_view key, std::int32_t count) {
  return Function(nullptr, key.data(), key.size(), count, nullptr, nullptr);
}

}  // namespace

KeyPartitions::KeyPartitions(const std::vector<std::string>& partitioners) {
  const std::pair<std::string_view, Partitioner> known[] = {{"murmur2", call<rd_kafka_msg_partitioner_murmur2>},
                                                            {"crc32", call<rd_kafka_msg_partitioner_consistent>},
                                                            {"fnv1a", call<rd_kafka_msg_partitioner_fnv1a>}};
  for (const auto& [name, function] : known) {
    if (std::find(partitioners.begin(), partitioners.end(), name) != partitioners.end()) partitioners_.push_back(function);
  }
}

void KeyPartitions::add(std::string_view key, std::int32_t count, std::vector<std::int32_t>& out) const {
  if (count <= 0) return;
  for (const Partitioner function : partitioners_) {
    const std::int32_t partition = function(key, count);
    if (std::find(out.begin(), out.end(), partition) == out.end()) out.push_back(partition);
  }
}

}  // namespace fluentgate::kafka
