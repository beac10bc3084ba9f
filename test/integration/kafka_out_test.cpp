// Chunks on their way out, as a pipeline worker sees them: key, headers, formats, order, outages.
#include <map>

#include "test/integration/kafka_world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

void publish(KafkaWorld& world, const AudioChunk& made, std::uint64_t token) {
  const Status status = world.bridge->publisher().publish(made, token);
  if (!status) FAIL(status.error().code + ": " + status.error().text);
}

std::vector<std::int64_t> numbers(const std::vector<PeerRecord>& records) {
  std::vector<std::int64_t> found;
  for (const PeerRecord& record : records) found.push_back(std::stoll(record.header("fg-seq").value_or("-1")));
  return found;
}

std::string listed(const std::vector<std::int64_t>& values) {
  std::string text;
  for (const std::int64_t value : values) text += std::to_string(value) + " ";
  return text;
}

std::vector<std::int64_t> counting(std::int64_t count) {
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < count; ++i) expected.push_back(i);
  return expected;
}

}  // namespace

TEST(chunk_goes_out_as_json_with_key_and_headers) {
  KafkaWorld world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  AudioChunk made = chunk("room-1", "ann", 5, {1, 2, 3, 4});
  made.gap_ms = 120;
  publish(world, made, 42);
  const PeerRecord record = worker.read("audio.raw", 1).front();
  CHECK_EQ(record.key, "room-1");
  CHECK_EQ(record.header("fg-seq"), "5");
  CHECK_EQ(record.header("fg-ingest-ms"), "1763805600123");
  CHECK_EQ(record.header("fg-wanted"), "es,fr");
  CHECK_EQ(record.header("fg-instance"), world.bridge->instance());
  CHECK_EQ(record.header("fg-gap-ms"), "120");
  CHECK_EQ(record.header("traceparent").value_or("").size(), 55u);
  CHECK(!record.header("fg-room").has_value());
  CHECK(record.value.find(R"("event_type":"audio.chunk")") != std::string::npos);
  CHECK(record.value.find(R"("audio_data":"AQIDBA==")") != std::string::npos);
  CHECK(record.value.find(R"("sequence_number":5)") != std::string::npos);
  CHECK(world.sink.wait<kafka::ChunkSettled>(1));
  const kafka::ChunkSettled settled = world.sink.all<kafka::ChunkSettled>().front();
  CHECK(settled.ok);
  CHECK_EQ(settled.token, 42u);
  CHECK(settled.ack_us > 0 && settled.ack_us < 5'000'000);
}

TEST(chunk_goes_out_as_binary_when_chosen) {
  KafkaWorld world;
  world.settings.kafka.format_audio_raw = config::AudioRawFormat::binary;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  publish(world, chunk("room-1", "ann", 0, {0, 255, 10, 20}), 1);
  const PeerRecord record = worker.read("audio.raw", 1).front();
  CHECK_EQ(record.value, std::string("\x00\xff\x0a\x14", 4));
  CHECK_EQ(record.key, "room-1");
  CHECK_EQ(record.header("fg-room"), "room-1");
  CHECK_EQ(record.header("fg-user"), "ann");
  CHECK_EQ(record.header("fg-rate"), "16000");
  CHECK_EQ(record.header("fg-enc"), "linear16");
  CHECK_EQ(record.header("fg-lang"), "en");
}

TEST(chunk_of_ten_seconds_at_48_khz_fits) {
  KafkaWorld world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  publish(world, chunk("room-1", "ann", 0, Bytes(960000, 9)), 1);
  CHECK(worker.read("audio.raw", 1).front().value.size() > 1'280'000u);
}

TEST(reports_wake_the_loop_only_when_somebody_waits) {
  KafkaWorld world;
  world.start_and_wait();
  publish(world, chunk("room-1", "ann", 0), 1);
  CHECK(world.sink.wait<kafka::ChunkSettled>(1));
  CHECK_EQ(world.sink.quiet(), 1u);
  world.bridge->set_eager(true);
  const std::size_t loud = world.sink.loud();
  publish(world, chunk("room-1", "ann", 1), 2);
  CHECK(world.sink.wait<kafka::ChunkSettled>(2));
  CHECK_EQ(world.sink.quiet(), 1u);
  CHECK_EQ(world.sink.loud(), loud + 1);
}

TEST(outage_loses_and_repeats_nothing) {
  KafkaWorld world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  for (int i = 0; i < 50; ++i) publish(world, chunk("room-1", "ann", i), static_cast<std::uint64_t>(i));
  world.cluster().set_down();
  for (int i = 50; i < 100; ++i) publish(world, chunk("room-1", "ann", i), static_cast<std::uint64_t>(i));
  CHECK(eventually([&] { return world.bridge->oldest_unacked_ms() > 300; }));
  CHECK(!world.bridge->flush(10).ok());
  world.cluster().set_up();
  for (int i = 100; i < 120; ++i) publish(world, chunk("room-1", "ann", i), static_cast<std::uint64_t>(i));
  CHECK(world.sink.wait<kafka::ChunkSettled>(120));
  worker.read("audio.raw", 120);
  CHECK_EQ(listed(numbers(worker.read_rest("audio.raw"))), listed(counting(120)));
  const auto settled = world.sink.all<kafka::ChunkSettled>();
  for (std::size_t i = 0; i < settled.size(); ++i) {
    CHECK(settled[i].ok);
    CHECK_EQ(settled[i].token, i);
  }
  CHECK_EQ(world.bridge->oldest_unacked_ms(), 0);
  CHECK_EQ(world.bridge->unacked(), 0u);
}

TEST(connections_cut_in_the_middle_of_requests_repeat_nothing) {
  KafkaWorld world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  for (int round = 0; round < 5; ++round) {
    world.cluster().fail_next(0, RD_KAFKA_RESP_ERR__TRANSPORT, 2);
    for (int i = 0; i < 10; ++i) publish(world, chunk("room-1", "ann", round * 10 + i), 0);
    CHECK(world.bridge->flush(10000).ok());
  }
  worker.read("audio.raw", 50);
  CHECK_EQ(listed(numbers(worker.read_rest("audio.raw"))), listed(counting(50)));
}

TEST(refusal_for_good_is_told_with_its_reason) {
  KafkaWorld world;
  world.settings.kafka.producer_properties["enable.idempotence"] = "false";
  world.start_and_wait();
  world.cluster().fail_next(0, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  publish(world, chunk("room-1", "ann", 0), 7);
  CHECK(world.sink.wait<kafka::ChunkSettled>(1));
  const kafka::ChunkSettled settled = world.sink.all<kafka::ChunkSettled>().front();
  CHECK(!settled.ok);
  CHECK_EQ(settled.error, "TOPIC_AUTHORIZATION_FAILED");
  CHECK_EQ(world.log.count("refused for good"), 1u);
}

TEST(batch_refused_as_too_large_is_sent_again_in_smaller_ones) {
  // A broker measures the batch: without this all of it would be gone, other speakers' chunks too.
  KafkaWorld world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  publish(world, chunk("room-1", "ann", 0), 0);
  CHECK(world.sink.wait<kafka::ChunkSettled>(1));  // the others needn't go alone any more
  world.cluster().set_down();
  for (int i = 1; i < 20; ++i) publish(world, chunk("room-1", "ann", i), static_cast<std::uint64_t>(i));
  world.cluster().fail_next(0, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  world.cluster().set_up();
  CHECK(world.sink.wait<kafka::ChunkSettled>(20));
  for (const auto& settled : world.sink.all<kafka::ChunkSettled>()) {
    CHECK_EQ(settled.error, "");
    CHECK_EQ(settled.lost_us, 0);
  }
  worker.read("audio.raw", 20);
  CHECK_EQ(listed(numbers(worker.read_rest("audio.raw"))), listed(counting(20)));
  CHECK(world.bridge->producers_recreated() >= 1);
}

TEST(refused_again_while_it_is_sent_again_keeps_its_order) {
  KafkaWorld world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  world.cluster().set_down();
  for (int i = 0; i < 20; ++i) publish(world, chunk("room-1", "ann", i), static_cast<std::uint64_t>(i));
  world.cluster().fail_next(0, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 2);
  world.cluster().set_up();
  CHECK(world.sink.wait<kafka::ChunkSettled>(20));
  for (const auto& settled : world.sink.all<kafka::ChunkSettled>()) CHECK_EQ(settled.error, "");
  worker.read("audio.raw", 20);
  CHECK_EQ(listed(numbers(worker.read_rest("audio.raw"))), listed(counting(20)));
}

TEST(chunk_too_large_for_the_broker_keeps_its_number_and_the_next_is_refused_before_it_has_one) {
  KafkaWorld world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  const Bytes large(200000, 1);
  world.cluster().fail_next(0, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 2);
  publish(world, chunk("room-1", "ann", 0, large), 1);
  CHECK(eventually([&] { return world.bridge->publisher().publish(chunk("room-1", "ann", 1), 2).ok(); }));  // while the client is replaced: later
  CHECK(world.sink.wait<kafka::ChunkSettled>(2));
  const auto settled = world.sink.all<kafka::ChunkSettled>();
  CHECK_EQ(settled[0].error, "");
  CHECK_EQ(settled[0].token, 1u);
  CHECK(settled[0].lost_us > 4'500'000 && settled[0].lost_us < 5'000'000);  // of 6.25 s a quarter is left, less what is around it
  CHECK_EQ(settled[1].lost_us, 0);
  CHECK(world.log.count("message too large") >= 1u);
  CHECK(world.sink.wait<kafka::KafkaTrouble>(2));
  CHECK_EQ(world.sink.all<kafka::KafkaTrouble>().front().reason, "message_too_large");
  const Status refused = world.bridge->publisher().publish(chunk("room-1", "ann", 2, large), 3);
  CHECK(!refused.ok());
  CHECK_EQ(refused.error().code, "too_large");
  CHECK(!refused.error().retriable);
  CHECK(eventually([&] { return world.bridge->publisher().publish(chunk("room-1", "ann", 2), 4).ok(); }));
  CHECK(world.sink.wait<kafka::ChunkSettled>(3));
  const auto records = worker.read("audio.raw", 3);
  CHECK_EQ(listed(numbers(records)), listed(counting(3)));
  CHECK(records[0].value.size() > 60000u && records[0].value.size() < 70000u);
}

TEST(refused_batch_amid_others_keeps_every_rooms_order) {
  // Several rooms share partitions and batches. While there is no broker all that is published waits, so none is refused alone.
  KafkaWorld world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  for (int round = 0; round < 10; ++round) {
    const bool refuse = round % 3 == 1;
    if (refuse) {
      CHECK(world.bridge->flush(20000).ok());
      world.cluster().set_down();
    }
    for (int room = 0; room < 12; ++room) {
      const AudioChunk made = chunk("room-" + std::to_string(room), "ann", round);
      CHECK(eventually([&] { return world.bridge->publisher().publish(made, 0).ok(); }));
    }
    if (!refuse) continue;
    world.cluster().fail_next(0, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    world.cluster().set_up();
  }
  CHECK(world.bridge->flush(20000).ok());
  for (const auto& settled : world.sink.all<kafka::ChunkSettled>()) CHECK_EQ(settled.error, "");
  worker.read("audio.raw", 120);
  std::map<std::string, std::vector<PeerRecord>> rooms;
  for (const PeerRecord& record : worker.read_rest("audio.raw")) rooms[record.key].push_back(record);
  CHECK_EQ(rooms.size(), 12u);
  for (const auto& [room, records] : rooms) CHECK_EQ(listed(numbers(records)), listed(counting(10)));
}

TEST(a_right_that_comes_back_loses_no_chunk) {
  KafkaWorld world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  publish(world, chunk("room-1", "ann", 0), 0);
  CHECK(world.sink.wait<kafka::ChunkSettled>(1));
  world.cluster().fail_next(0, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 2);
  for (int i = 1; i < 5; ++i) {
    CHECK(eventually([&] { return world.bridge->publisher().publish(chunk("room-1", "ann", i), static_cast<std::uint64_t>(i)).ok(); }));
  }
  CHECK(world.sink.wait<kafka::ChunkSettled>(5));
  for (const auto& settled : world.sink.all<kafka::ChunkSettled>()) CHECK_EQ(settled.error, "");
  worker.read("audio.raw", 5);
  CHECK_EQ(listed(numbers(worker.read_rest("audio.raw"))), listed(counting(5)));
  CHECK_EQ(world.log.count("not authorised to write to topic audio.raw"), 1u);
  CHECK(world.sink.wait<kafka::KafkaTrouble>(1));
  CHECK_EQ(world.sink.all<kafka::KafkaTrouble>().front().reason, "not_authorised");
}

TEST(fatal_error_replaces_the_producer_and_sends_what_had_not_left) {
  KafkaWorld world;
  kafka::BrokerStateTeller state(world.sink, world.log);
  world.use_outside_cluster();
  auto made = kafka::Producer::start(world.settings.kafka, {world.outside->bootstrap(), "test", true}, world.sink, state, world.log, world.clock);
  CHECK(made.ok());
  kafka::Producer& producer = *made.value();
  for (int i = 0; i < 5; ++i) CHECK(producer.publish(chunk("room-1", "ann", i), 0).ok());
  CHECK(producer.flush(10000).ok());
  world.outside->set_down();
  for (int i = 5; i < 10; ++i) CHECK(producer.publish(chunk("room-1", "ann", i), 0).ok());
  producer.provoke_fatal_error();
  CHECK(eventually([&] { return producer.recreated() == 1; }));
  world.outside->set_up();
  Status last = ok();
  CHECK(eventually([&] { last = producer.publish(chunk("room-1", "ann", 10), 0); return last.ok(); }));
  CHECK(producer.flush(10000).ok());
  for (const auto& settled : world.sink.all<kafka::ChunkSettled>()) CHECK_EQ(settled.error, "");
  KafkaPeer worker(world.address());
  worker.read("audio.raw", 11);
  CHECK_EQ(listed(numbers(worker.read_rest("audio.raw"))), listed(counting(11)));
}

TEST(end_reports_what_never_reached_kafka) {
  KafkaWorld world;
  world.start_and_wait();
  world.cluster().set_down();
  publish(world, chunk("room-1", "ann", 0), 3);
  const SteadyMs before = world.clock.steady_ms();
  world.bridge->stop(100);
  CHECK(world.clock.steady_ms() - before < 2000);
  const auto settled = world.sink.all<kafka::ChunkSettled>();
  CHECK_EQ(settled.size(), 1u);
  CHECK(!settled.front().ok);
}
