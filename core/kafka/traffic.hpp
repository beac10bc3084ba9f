// What the incoming side counts, by topic as in LogPosition: added to by the threads that read, shown by the loop. Thread: any.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace fluentgate::kafka {

struct Traffic {
  using PerTopic = std::array<std::atomic<std::uint64_t>, 3>;
  PerTopic consumed_bytes{};  // keys and values of the records read
  PerTopic sampled_bytes{};   // the same of PartitionSampler
  PerTopic misplaced{};       // records of rooms hosted here that PartitionSampler found where they are not fetched
  std::atomic<std::size_t> partitions_fetched{0};
};

}  // namespace fluentgate::kafka
