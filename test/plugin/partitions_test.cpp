// kafka.partition_aware as clients see it: whoever has the join's answer misses nothing that is said after it.
#include <atomic>
#include <set>
#include <thread>

#include "core/kafka/key_partitions.hpp"
#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

constexpr int partitions = 128;

std::int32_t home(const std::string& room) {
  std::vector<std::int32_t> found;
  kafka::KeyPartitions({"murmur2"}).add(room, partitions, found);
  return found.front();
}
PeerMessage in_its_place(PeerMessage message) {
  message.partition = home(message.key);
  return message;
}

TEST(first_frame_after_the_answer_is_heard_in_each_of_two_hundred_rooms) {
  Cluster cluster(usual_topics, partitions);
  World world(cluster, {"kafka.partition_aware=true", "kafka.key_partitioners=murmur2", "limits.sessions_per_user=1000"});
  // A tight loop of frames into the room that is being joined: before, during and after.
  std::atomic<int> current{0}, begun{0};
  std::atomic<bool> stop{false};
  std::thread loop([&] {
    KafkaPeer peer(cluster.address());
    while (!stop.load()) {
      const int number = ++begun;
      peer.produce(in_its_place(synthesized({.pcm = pcm_bytes(64, number), .number = number, .room = "room-" + std::to_string(current.load())})));
    }
  });
  std::vector<Client> rooms;  // all stay
  std::string failed;
  for (int i = 0; i < 200 && failed.empty(); ++i) {
    const std::string room = "room-" + std::to_string(i);
    current = i;
    const int before = begun.load();
    while (begun.load() < before + 3) std::this_thread::yield();
    Client client = world.audio({.user = "ann", .room = room, .listening_language = "es"}, {}, "fluentgate.audio.v1");
    const int next = begun.load() + 1;  // produced after the greeting was here
    // Ascending without a hole from there on, whatever came before it.
    int last = -1;
    while (failed.empty() && last < next + 3) {
      const int number = static_cast<int>(number_member(framed(client.bytes()).header, "sequence_number"));
      if ((last >= 0 && number != last + 1) || (last < 0 && number > next)) {
        failed = room + ": " + std::to_string(number) + " after " + std::to_string(last) + ", " + std::to_string(next) + " was the first after the answer";
      }
      last = number;
    }
    rooms.push_back(std::move(client));
  }
  stop = true;
  loop.join();
  if (!failed.empty()) FAIL(failed);
}

TEST(captions_history_is_there_for_the_first_of_a_room_and_resumes_on_another_instance) {
  Cluster cluster(usual_topics, partitions);
  const std::vector<std::string> aware{"kafka.partition_aware=true", "kafka.key_partitioners=murmur2"};
  World one(cluster, aware), other(cluster, aware);
  const auto say = [&](const std::string& text, const std::string& room) {
    one.worker.produce(in_its_place(transcript({.text = text, .room = room})));
  };
  say("before anybody came", "r1");
  std::string somewhere_else = "elsewhere";
  while (home(somewhere_else) == home("r1")) somewhere_else += "x";
  Client neighbour = other.captions({.user = "bob", .room = somewhere_else});
  say("to the neighbour", somewhere_else);
  CHECK_EQ(text_member(neighbour.event("caption"), "text"), std::string("to the neighbour"));
  Client first = one.captions({.user = "ann"});
  if (first.greeting.size() != 2) FAIL(first.greeting[0]);
  CHECK_EQ(text_member(first.greeting[0], "text"), std::string("before anybody came"));
  const std::string since = text_member(first.greeting[1], "offset"), epoch = text_member(first.greeting[1], "epoch");
  say("live", "r1");
  CHECK_EQ(text_member(first.event("caption"), "text"), std::string("live"));
  // The other instance has never read that partition.
  Client resumed = other.captions({.user = "ann"}, "since=" + since + "&epoch=" + epoch);
  CHECK_EQ(resumed.greeting.size(), 2u);
  CHECK_EQ(text_member(resumed.greeting[0], "text"), std::string("live"));
  CHECK_EQ(member(resumed.greeting[1], "recovered"), std::string("true"));
  say("to both", "r1");
  CHECK_EQ(text_member(first.event("caption"), "text"), std::string("to both"));
  CHECK_EQ(text_member(resumed.event("caption"), "text"), std::string("to both"));
  one.wait_metric("fluentgate_kafka_partitions_fetched 3");
}

}  // namespace
}  // namespace fluentgate::test
