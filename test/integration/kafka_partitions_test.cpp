// kafka.partition_aware: what is fetched, and that nobody misses anything by it.
#include <algorithm>
#include <random>
#include <set>

#include "core/kafka/key_partitions.hpp"
#include "test/integration/kafka_world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

std::int32_t home(const std::string& partitioner, const std::string& key, std::int32_t count) {
  std::vector<std::int32_t> found;
  kafka::KeyPartitions({partitioner}).add(key, count, found);
  return found.front();
}

// More partitions for a topic of a real Kafka.
void grow(const std::string& bootstrap, const std::string& topic, std::size_t partitions) {
  char text[256];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  CHECK(rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap.c_str(), text, sizeof text) == RD_KAFKA_CONF_OK);
  const kafka::ClientHandle client(rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text));
  CHECK(client != nullptr);
  const kafka::QueueHandle queue(rd_kafka_queue_new(client.get()));
  rd_kafka_NewPartitions_t* more = rd_kafka_NewPartitions_new(topic.c_str(), partitions, text, sizeof text);
  rd_kafka_CreatePartitions(client.get(), &more, 1, nullptr, queue.get());
  rd_kafka_NewPartitions_destroy(more);
  const kafka::EventHandle event(rd_kafka_queue_poll(queue.get(), 20000));
  CHECK(event != nullptr);
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) FAIL(rd_kafka_event_error_string(event.get()));
}

struct Aware : KafkaWorld {
  // `audio` partitions in audio.synthesized, 16 in the others.
  explicit Aware(int audio = 16, std::vector<std::string> partitioners = {"murmur2"}) : audio_partitions(audio) {
    settings.kafka.partition_aware = true;
    settings.kafka.key_partitioners = std::move(partitioners);
    if (const auto bootstrap = real_kafka()) {
      real = true;
      topics = std::make_unique<OwnTopics>(*bootstrap, std::vector<std::string>{"audio.raw", "text.original", "text.translated"}, 16);
      audio_topic = std::make_unique<OwnTopics>(*bootstrap, std::vector<std::string>{"audio.synthesized"}, audio);
      settings.kafka.bootstrap_servers = *bootstrap;
      settings.kafka.topic_audio_raw = topics->name("audio.raw");
      settings.kafka.topic_audio_synthesized = audio_topic->name("audio.synthesized");
      settings.kafka.topic_text_original = topics->name("text.original");
      settings.kafka.topic_text_translated = topics->name("text.translated");
    } else {
      auto made = kafka::EmbeddedCluster::start({"audio.raw", "text.original", "text.translated"}, log, 16);
      if (!made) FAIL(made.error().text);
      outside = std::move(made).value();
      settings.kafka.bootstrap_servers = outside->bootstrap();
      settings.kafka.consumer_properties["fetch.wait.max.ms"] = "10";
      CHECK(outside->create_topic("audio.synthesized", audio).ok());
    }
  }
  ~Aware() { bridge.reset(); }  // before its topics
  const std::string& audio() const { return settings.kafka.topic_audio_synthesized; }
  const std::string& original() const { return settings.kafka.topic_text_original; }
  std::string bootstrap() const { return settings.kafka.bootstrap_servers; }

  void join(const std::string& room) { interest.set(RoomId(room), languages("es")); }
  void leave(const std::string& room) { interest.erase(RoomId(room)); }
  PeerMessage frame(const std::string& room, int number, std::int32_t partition) {
    return {audio(), room, synthesized(room, "ann", "es", {1, 2}, 16000, number), {}, 0, partition};
  }
  PeerMessage line(const std::string& room, const std::string& text, std::int32_t partition, UnixMs timestamp_ms = 0) {
    return {original(), room, transcription(room, "ann", text), {}, timestamp_ms, partition};
  }
  // Until a frame of this room and number has come.
  bool heard(const std::string& room, std::int64_t number, int timeout_ms = 10000) {
    return sink.wait_for_one<SynthesizedFrame>([&](const auto& one) { return one.room.value == room && one.sequence_number == number; }, timeout_ms);
  }
  std::size_t fetched() { return bridge->traffic().partitions_fetched.load(); }

  const int audio_partitions;
  bool real = false;
  std::unique_ptr<OwnTopics> audio_topic;
};

// Publishes frames of a room in a tight loop, always naming the number that is under way.
class Speaking {
 public:
  Speaking(Aware& world, std::string room) : room_(std::move(room)) {
    const std::int32_t partition = home("murmur2", room_, world.audio_partitions);
    thread_ = std::thread([this, &world, partition] {
      KafkaPeer worker(world.bootstrap());
      while (!stop_.load()) {
        const int number = ++begun_;
        worker.produce(world.frame(room_, number, partition));
      }
    });
  }
  ~Speaking() { stop(); }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int begun() const { return begun_.load(); }

 private:
  const std::string room_;
  std::atomic<int> begun_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace

TEST(only_the_partitions_of_hosted_rooms_are_fetched) {
  Aware world(16, {"murmur2", "crc32"});
  world.start_and_wait();  // ready without reading anything: the positions are known
  CHECK_EQ(world.fetched(), 0u);
  KafkaPeer worker(world.bootstrap());
  world.join("room-1");
  const std::set<std::int32_t> homes{home("murmur2", "room-1", 16), home("crc32", "room-1", 16)};
  int number = 0;
  for (const std::int32_t partition : homes) {
    worker.produce(world.frame("room-1", ++number, partition));
    CHECK(world.heard("room-1", number));
  }
  CHECK(eventually([&] { return world.fetched() == homes.size() * 3; }));
  const std::uint64_t consumed = world.bridge->traffic().consumed_bytes[0].load();
  CHECK(consumed > 0);
  // Elsewhere nothing is read, whatever comes there.
  for (std::int32_t partition = 0; partition < 16; ++partition) {
    if (!homes.contains(partition)) worker.produce(world.frame("room-2", 1, partition));
  }
  worker.produce(world.frame("room-1", 100, *homes.begin()));
  CHECK(world.heard("room-1", 100));
  CHECK(world.bridge->traffic().consumed_bytes[0].load() < consumed * 2);
  CHECK_EQ(world.fetched(), homes.size() * 3);
}

TEST(no_frame_after_a_join_is_missed_two_hundred_rooms_one_after_another) {
  Aware world(256);
  world.start_and_wait();
  // Everywhere something goes on, so that the ends move.
  std::atomic<bool> stop{false};
  std::thread noise([&] {
    KafkaPeer worker(world.bootstrap());
    std::mt19937 random(7);
    while (!stop.load()) {
      std::vector<PeerMessage> messages;
      for (int i = 0; i < 64; ++i) messages.push_back(world.frame("not here", 0, static_cast<std::int32_t>(random() % 256)));
      worker.produce(messages);
    }
  });
  std::vector<std::string> missed;
  for (int i = 0; i < 200; ++i) {
    const std::string room = "room-" + std::to_string(i);
    Speaking speaking(world, room);
    CHECK(eventually([&] { return speaking.begun() > 3; }));
    world.join(room);
    const int next = speaking.begun() + 1;  // begins after the join: must be heard
    CHECK(eventually([&] { return speaking.begun() > next; }));
    if (!world.heard(room, next)) missed.push_back(room + " " + std::to_string(next));
    speaking.stop();
    // Nothing between it and the last one either.
    std::set<std::int64_t> numbers;
    if (!world.heard(room, speaking.begun())) missed.push_back(room + " last");
    world.sink.each<SynthesizedFrame>([&](const auto& one) {
      if (one.room.value == room) numbers.insert(one.sequence_number.value_or(0));
    });
    for (int number = next; number <= speaking.begun(); ++number) {
      if (!numbers.contains(number)) missed.push_back(room + " hole " + std::to_string(number));
    }
  }
  stop = true;
  noise.join();
  for (const std::string& one : missed) FAIL("missed: " + one + " of " + std::to_string(missed.size()) + "\n" + world.log.all());
  CHECK(world.fetched() > 100);
}

TEST(a_room_that_comes_hears_nothing_from_long_before) {
  Aware world;
  world.start_and_wait();
  KafkaPeer worker(world.bootstrap());
  const std::int32_t partition = home("murmur2", "room-1", 16);
  PeerMessage old = world.frame("room-1", 1, partition);
  old.timestamp_ms = world.clock.unix_ms() - 60000;  // as after an outage: the end that is remembered is a minute old
  worker.produce(old);
  world.join("room-1");
  worker.produce(world.frame("room-1", 2, partition));
  CHECK(world.heard("room-1", 2));
  CHECK_EQ(world.sink.all<SynthesizedFrame>().size(), 1u);
  // Only what was there already may be dropped: a writer whose clock is late is heard.
  old = world.frame("room-1", 3, partition);
  old.timestamp_ms = world.clock.unix_ms() - 60000;
  worker.produce(old);
  CHECK(world.heard("room-1", 3));
}

TEST(captions_of_a_partition_that_is_newly_fetched_are_read_back) {
  Aware world;
  const std::int32_t partition = home("murmur2", "room-1", 16);
  KafkaPeer worker(world.bootstrap());
  const UnixMs now = world.clock.unix_ms();
  worker.produce(world.line("room-1", "an hour ago", partition, now - 3600000));
  worker.produce(world.line("room-1", "a minute ago", partition, now - 60000));
  world.start_and_wait();
  worker.produce(world.line("room-1", "since the start", partition));
  CHECK(world.sink.all<kafka::PartitionOpened>().empty());
  CHECK(world.bridge->text_places_of("room-1").has_value());
  world.join("room-1");
  worker.produce(world.line("room-1", "after the join", partition));
  CHECK(world.sink.wait<Caption>(3));
  const auto captions = world.sink.all<Caption>();
  CHECK_EQ(captions[0].text, "a minute ago");
  CHECK(captions[0].replayed);
  CHECK_EQ(captions[1].text, "since the start");
  CHECK_EQ(captions[2].text, "after the join");
  CHECK(!captions[2].replayed);
  // The loop is told of exactly the places that hold the room's captions.
  std::set<std::pair<std::uint8_t, std::int32_t>> opened, expected;
  for (const auto& one : world.sink.all<kafka::PartitionOpened>()) opened.insert({one.topic, one.partition});
  const auto places = *world.bridge->text_places_of("room-1");
  for (const auto& place : places) expected.insert(place);
  CHECK(opened == expected);
  CHECK_EQ(opened.size(), 2u);
}

TEST(a_partition_is_given_up_after_its_last_room_and_taken_again_without_a_hole) {
  Aware world;
  world.start_and_wait();
  KafkaPeer worker(world.bootstrap());
  const std::int32_t partition = home("murmur2", "room-1", 16);
  world.join("room-1");
  worker.produce(world.frame("room-1", 1, partition));
  worker.produce(world.line("room-1", "one", partition));
  CHECK(world.heard("room-1", 1));
  CHECK(world.sink.wait<Caption>(1));
  CHECK_EQ(world.fetched(), 3u);
  world.leave("room-1");
  for (std::size_t i = 0; i < 2; ++i) {  // still fetched; and with the second the first turn after the leave is over
    worker.produce(world.line("elsewhere", "two", partition));
    CHECK(world.sink.wait<Caption>(2 + i));
  }
  world.clock.push_forward(31000);
  CHECK(eventually([&] { return world.fetched() == 0; }));
  CHECK(world.sink.wait<kafka::PartitionClosed>(2));
  worker.produce(world.line("room-1", "three", partition));
  worker.produce(world.frame("room-1", 2, partition));
  world.join("room-1");
  worker.produce(world.frame("room-1", 3, partition));
  CHECK(world.heard("room-1", 3));
  CHECK(eventually([&] { return world.sink.all<Caption>().back().text == "three"; }));
  CHECK_EQ(world.fetched(), 3u);
}

TEST(a_record_of_a_hosted_room_in_an_unexpected_place_is_warned_of) {
  Aware world;
  world.start_and_wait();
  world.join("room-1");
  KafkaPeer worker(world.bootstrap());
  const std::int32_t right = home("murmur2", "room-1", 16), wrong = (right + 1) % 16;
  worker.produce(world.frame("room-1", 1, right));
  CHECK(world.heard("room-1", 1));
  worker.produce(world.frame("room-2", 1, wrong));  // another's: no reason to warn
  worker.produce(world.frame("room-1", 2, wrong));
  CHECK(eventually([&] { return world.bridge->traffic().misplaced[0].load() > 0; }, 20000));
  const std::string warning = "NOT DELIVERED: topic " + world.audio() + ", partition " + std::to_string(wrong) + ", room room-1, expected in " +
                              std::to_string(right) + " by kafka.key_partitioners = [murmur2]. Add the partitioner";
  CHECK(eventually([&] { return world.log.count(warning) == 1; }));  // counted first, then logged
  CHECK_EQ(world.bridge->traffic().misplaced[0].load(), 1u);
  CHECK(world.bridge->traffic().sampled_bytes[0].load() > 0);
  CHECK_EQ(world.sink.all<SynthesizedFrame>().size(), 1u);
  // A key that is not the room's is another mistake.
  world.clock.push_forward(11000);
  PeerMessage unkeyed = world.line("room-1", "hello", wrong);
  unkeyed.key = "ann";
  worker.produce(unkeyed);
  CHECK(eventually([&] { return world.log.count("Its key is not the room's id") == 1; }, 20000));
}

TEST(keys_that_move_when_partitions_are_added_are_followed) {
  Aware world(3);
  if (!world.real) return;  // the mock cluster can't add partitions
  // A room whose key moves to a partition that is there already, and one whose key moves to a new one.
  std::vector<std::string> rooms;
  for (int i = 0; rooms.size() < 2; ++i) {
    const std::string room = "room-" + std::to_string(i);
    const std::int32_t before = home("murmur2", room, 3), after = home("murmur2", room, 8);
    if (before != after && (after < 3) == rooms.empty() && (rooms.empty() || home("murmur2", rooms[0], 8) != before)) rooms.push_back(room);
  }
  world.start_and_wait();
  for (const std::string& room : rooms) world.join(room);
  KafkaPeer worker(world.bootstrap());
  for (const std::string& room : rooms) {
    worker.produce(world.frame(room, 1, home("murmur2", room, 3)));
    CHECK(world.heard(room, 1));
  }
  // Written by the new count at once, long before the gateway looks again, and by the old count still.
  grow(world.bootstrap(), world.audio(), 8);
  KafkaPeer newer(world.bootstrap());
  for (const std::string& room : rooms) {
    newer.produce(world.frame(room, 2, home("murmur2", room, 8)));
    newer.produce(world.frame(room, 3, home("murmur2", room, 3)));
  }
  for (const std::string& room : rooms) {
    CHECK(world.heard(room, 2));
    CHECK(world.heard(room, 3));
  }
}
