// The partitions of a key, against the partitioners' own vectors and against what librdkafka's producer really does.
#include <array>
#include <set>
#include <utility>

#include "core/kafka/key_partitions.hpp"
#include "core/kafka/handles.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::kafka;

namespace {

std::vector<std::int32_t> of(const std::vector<std::string>& names, std::string_view key, std::int32_t count) {
  std::vector<std::int32_t> found;
  KeyPartitions(names).add(key, count, found);
  return found;
}

// Where librdkafka's producer puts the key: a topic of 64 partitions on its mock cluster.
class RealProducer {
 public:
  static constexpr std::int32_t partitions = 64;
  explicit RealProducer(const char* partitioner) {
    char text[256];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    CHECK(rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", text, sizeof text) == RD_KAFKA_CONF_OK);
    CHECK(rd_kafka_conf_set(conf, "partitioner", partitioner, text, sizeof text) == RD_KAFKA_CONF_OK);
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
      *static_cast<std::int32_t*>(message->_private) = message->partition;
      ++*static_cast<int*>(opaque);
    });
    rd_kafka_conf_set_opaque(conf, &settled_);
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text));
    CHECK(client_ != nullptr);
    CHECK(rd_kafka_mock_topic_create(rd_kafka_handle_mock_cluster(client_.get()), "t", partitions, 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  std::vector<std::int32_t> place(const std::vector<std::string>& keys) {
    std::vector<std::int32_t> found(keys.size(), -1);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      CHECK(rd_kafka_producev(client_.get(), RD_KAFKA_V_TOPIC("t"), RD_KAFKA_V_KEY(keys[i].data(), keys[i].size()), RD_KAFKA_V_VALUE(nullptr, 0),
                              RD_KAFKA_V_OPAQUE(&found[i]), RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    CHECK(rd_kafka_flush(client_.get(), 20000) == RD_KAFKA_RESP_ERR_NO_ERROR);
    CHECK_EQ(settled_, static_cast<int>(keys.size()));
    return found;
  }

 private:
  int settled_ = 0;
  ClientHandle client_;
};

}  // namespace

TEST(murmur2_is_kafkas_own) {
  // org.apache.kafka.common.utils.UtilsTest.testMurmur2; the partition is toPositive(hash) % count.
  const std::pair<const char*, std::int32_t> vectors[] = {{"21", -973932308},
                                                          {"foobar", -790332482},
                                                          {"a-little-bit-long-string", -985981536},
                                                          {"a-little-bit-longer-string", -1486304829},
                                                          {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
                                                          {"abc", 479470107}};
  for (const auto& [key, hash] : vectors) {
    for (const std::int32_t count : {1, 2, 3, 64, 1000, 1 << 20}) {
      const auto found = of({"murmur2"}, key, count);
      CHECK_EQ(found.size(), 1u);
      CHECK_EQ(found[0], (hash & 0x7fffffff) % count);
    }
  }
}

TEST(crc32_and_fnv1a_are_the_standard_functions) {
  // CRC-32 (ISO-HDLC) of "123456789" is cbf43926. FNV-1a of "a" is e40c292c, negative as an int32: its absolute value counts.
  CHECK_EQ(of({"crc32"}, "123456789", 1 << 20)[0], static_cast<std::int32_t>(0xcbf43926u % (1u << 20)));
  CHECK_EQ(of({"fnv1a"}, "a", 1000)[0], static_cast<std::int32_t>((0u - 0xe40c292cu) % 1000));
}

TEST(every_partitioner_agrees_with_the_producer_of_that_name) {
  std::vector<std::string> keys;
  for (int i = 0; i < 500; ++i) keys.push_back("room-" + std::to_string(i * 7919) + (i % 3 == 0 ? ":x~y" : ""));
  const std::pair<const char*, const char*> names[] = {
      {"murmur2", "murmur2"}, {"murmur2", "murmur2_random"}, {"crc32", "consistent"}, {"crc32", "consistent_random"},
      {"fnv1a", "fnv1a"},     {"fnv1a", "fnv1a_random"}};
  for (const auto& [ours, theirs] : names) {
    const auto placed = RealProducer(theirs).place(keys);
    for (std::size_t i = 0; i < keys.size(); ++i) CHECK_EQ(of({ours}, keys[i], RealProducer::partitions)[0], placed[i]);
  }
}

TEST(several_partitioners_give_each_partition_once) {
  int same = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "room-" + std::to_string(i);
    const auto found = of({"murmur2", "crc32", "fnv1a"}, key, 4);
    CHECK(std::set<std::int32_t>(found.begin(), found.end()).size() == found.size());
    same += found.size() < 3 ? 1 : 0;
  }
  CHECK(same > 50);
}

TEST(a_topic_without_partitions_has_none) { CHECK(of({"murmur2", "crc32"}, "room", 0).empty()); }
