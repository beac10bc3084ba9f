// Coming and going of the cluster and its topics, sequence recovery, configuration, the end.
#include <map>

#include "test/integration/kafka_world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

bool is_connected(const kafka::BrokerState& state) { return state.connected; }
bool is_away(const kafka::BrokerState& state) { return !state.connected; }

std::map<std::string, std::int64_t> recovered(const CollectingSink& sink) {
  std::map<std::string, std::int64_t> found;
  for (const auto& one : sink.all<kafka::SpeakerRecovered>()) found[one.room.value + "/" + one.user.value] = one.sequence_number;
  return found;
}

std::string raw(const std::string& room, const std::string& user, int number) {
  return event("audio.chunk", R"("room_id":")" + room + R"(","user_id":")" + user + R"(","sequence_number":)" + std::to_string(number) +
                                  R"(,"audio_data":"AAAA","sample_rate":16000,"encoding":"linear16","source_language":"en")");
}

}  // namespace

TEST(embedded_cluster_is_ready_at_once) {
  KafkaWorld world;
  world.start();
  const SteadyMs before = world.clock.steady_ms();
  CHECK(world.sink.wait<kafka::RecoveryDone>(1));
  const SteadyMs recovery_ms = world.clock.steady_ms() - before;
  world.wait_ready();
  CHECK(recovery_ms < 1000);
  CHECK(world.clock.steady_ms() - before < 2000);
  CHECK(world.bridge->state().cluster_id.starts_with("mockCluster"));
  CHECK_EQ(world.log.count("EMBEDDED Kafka"), 1u);
  CHECK(world.bridge->bootstrap().starts_with("127.0.0.1:"));
}

TEST(loss_and_return_are_told_within_two_seconds) {
  KafkaWorld world;
  world.interest.set(RoomId("room-1"), languages("es"));
  world.start_and_wait();
  for (int round = 0; round < 2; ++round) {
    SteadyMs before = world.clock.steady_ms();
    world.cluster().set_down();
    CHECK(world.sink.wait_state(is_away, 2000));
    CHECK(world.clock.steady_ms() - before < 2000);
    before = world.clock.steady_ms();
    world.cluster().set_up();
    CHECK(world.sink.wait_state(is_connected, 2000));
    CHECK(world.clock.steady_ms() - before < 2000);
  }
  CHECK(world.bridge->state().positioned);
  KafkaPeer worker(world.address());
  worker.produce({"audio.synthesized", "room-1", synthesized("room-1", "ann", "es", {1, 2})});
  CHECK(world.sink.wait<SynthesizedFrame>(1));
}

TEST(outage_after_the_producer_was_replaced_is_told) {
  KafkaWorld world;
  kafka::BrokerStateTeller state(world.sink, world.log);
  world.use_outside_cluster();
  state.consumer_connected(true);
  auto producer = kafka::Producer::start(world.settings.kafka, {world.outside->bootstrap(), "test", true}, world.sink, state, world.log, world.clock);
  CHECK(producer);
  CHECK((*producer)->publish(chunk("room-1", "ann", 0), 0).ok());
  CHECK((*producer)->flush(10000).ok());
  CHECK(state.current().connected);
  (*producer)->provoke_fatal_error();
  CHECK(eventually([&] { return (*producer)->recreated() == 1; }));
  world.outside->set_down();
  CHECK(eventually([&] { return !state.current().connected; }));
  world.outside->set_up();
  CHECK(eventually([&] { return state.current().connected; }));
}

TEST(outage_repeats_and_loses_no_caption) {
  KafkaWorld world;
  world.start_and_wait();
  KafkaPeer worker(world.address());
  for (int i = 0; i < 10; ++i) worker.produce({"text.original", "k", transcription("room-1", "ann", "one", i), {}, 0, 0});
  CHECK(world.sink.wait<Caption>(10));
  world.cluster().set_down();
  CHECK(world.sink.wait_state(is_away, 3000));
  world.cluster().set_up();
  for (int i = 10; i < 20; ++i) worker.produce({"text.original", "k", transcription("room-1", "ann", "two", i), {}, 0, 0});
  CHECK(world.sink.wait<Caption>(20));
  const auto captions = world.sink.all<Caption>();
  for (std::size_t i = 0; i < captions.size(); ++i) CHECK_EQ(captions[i].position.offset, static_cast<std::int64_t>(i));
  CHECK_EQ(captions.size(), 20u);
}

TEST(silent_broker_is_told_as_away) {
  KafkaWorld world;
  world.start_and_wait();
  world.cluster().set_rtt_ms(5000);
  CHECK(world.sink.wait_state(is_away, 2500));
}

TEST(starts_while_kafka_is_away_and_serves_when_it_comes) {
  KafkaWorld world;
  world.use_outside_cluster();
  KafkaPeer worker(world.address());
  worker.produce({"audio.raw", "room-1", raw("room-1", "ann", 12)});
  world.outside->set_down();
  world.start();
  CHECK(eventually([&] { return world.log.count("waiting for Kafka") == 1; }));
  CHECK(world.sink.all<kafka::RecoveryDone>().empty());
  CHECK(!world.bridge->state().connected);
  CHECK(world.bridge->publisher().publish(chunk("room-9", "bob", 0), 5).ok());
  world.outside->set_up();
  world.wait_ready();
  CHECK_EQ(recovered(world.sink)["room-1/ann"], 12);
  CHECK(world.sink.wait<kafka::ChunkSettled>(1));
  CHECK(world.sink.all<kafka::ChunkSettled>().front().ok);
}

TEST(end_is_bounded_while_kafka_is_away) {
  KafkaWorld world;
  world.use_outside_cluster();
  world.outside->set_down();
  world.start();
  CHECK(eventually([&] { return world.log.count("waiting for Kafka") == 1; }));  // all three sides are asking by now
  const SteadyMs before = world.clock.steady_ms();
  world.bridge->stop(0);
  CHECK(world.clock.steady_ms() - before < 1000);
}

TEST(topic_that_comes_later_is_found_and_read_from_its_start) {
  KafkaWorld world;
  world.use_outside_cluster();
  world.outside->set_topic_error("text.translated", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  KafkaPeer worker(world.address());
  worker.produce({"text.original", "k", transcription("room-1", "ann", "hello"), {}, 0, 1});
  world.start();
  CHECK(world.sink.wait_state(is_connected));
  CHECK(world.sink.wait<Caption>(1));
  CHECK(world.sink.all<Caption>().front().replayed);
  CHECK(eventually([&] { return world.log.count("topic text.translated is missing") == 1; }));
  CHECK(!world.bridge->state().positioned);
  world.outside->set_topic_error("text.translated", RD_KAFKA_RESP_ERR_NO_ERROR);
  worker.produce({"text.translated", "k", translation("room-1", "ann", "hola"), {}, 0, 1});
  CHECK(world.sink.wait<Caption>(2, 5000));
  CHECK_EQ(world.sink.all<Caption>()[1].text, "hola");
  CHECK(!world.sink.all<Caption>()[1].replayed);
  CHECK(world.sink.wait_state([](const kafka::BrokerState& state) { return state.positioned; }));
}

TEST(sequence_numbers_are_recovered_from_both_formats_and_within_the_lookback) {
  KafkaWorld world;
  world.use_outside_cluster();
  KafkaPeer worker(world.address());
  const UnixMs now = world.clock.unix_ms();
  worker.produce({PeerMessage{"audio.raw", "room-1", raw("room-1", "ann", 41)}, PeerMessage{"audio.raw", "room-1", raw("room-1", "ann", 40)},
                  PeerMessage{"audio.raw", "room-2", raw("room-2", "ann", 7)}, PeerMessage{"audio.raw", "room-3", "not an event"},
                  PeerMessage{"audio.raw", "room-4", "pcm", {{"fg-room", "room-4"}, {"fg-user", "bob"}, {"fg-seq", "99"}}},
                  PeerMessage{"audio.raw", "room-5", raw("room-5", "old", 5), {}, now - 3600000}});
  world.start_and_wait();
  const std::map<std::string, std::int64_t> expected = {{"room-1/ann", 41}, {"room-2/ann", 7}, {"room-4/bob", 99}};
  CHECK(recovered(world.sink) == expected);
  bool done = false;
  for (const kafka::Inbound& message : world.sink.messages()) {
    if (std::holds_alternative<kafka::RecoveryDone>(message)) done = true;
    if (std::holds_alternative<kafka::SpeakerRecovered>(message)) CHECK(!done);
  }
}

TEST(what_the_bridge_published_is_recovered_by_the_next) {
  KafkaWorld world;
  world.use_outside_cluster();
  world.start_and_wait();
  for (int i = 0; i <= 20; ++i) CHECK(world.bridge->publisher().publish(chunk("room-1", "ann", i), 0).ok());
  world.bridge->stop(5000);
  KafkaWorld next;
  next.settings = world.settings;
  next.start_and_wait();
  CHECK_EQ(recovered(next.sink)["room-1/ann"], 20);
}

TEST(missing_audio_raw_counts_as_empty_once_the_cluster_says_so) {
  KafkaWorld world;
  world.use_outside_cluster();
  world.outside->set_topic_error("audio.raw", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  world.outside->set_down();
  world.start();
  CHECK(eventually([&] { return world.log.count("sequence numbers are not known yet") == 1; }));
  CHECK(world.sink.all<kafka::RecoveryDone>().empty());
  world.outside->set_up();
  CHECK(world.sink.wait<kafka::RecoveryDone>(1));
  CHECK(recovered(world.sink).empty());
  // What is published meanwhile waits for the topic and is not lost.
  CHECK(world.bridge->publisher().publish(chunk("room-1", "ann", 0), 0).ok());
  world.outside->set_topic_error("audio.raw", RD_KAFKA_RESP_ERR_NO_ERROR);
  CHECK(world.sink.wait<kafka::ChunkSettled>(1));
  CHECK(world.sink.all<kafka::ChunkSettled>().front().ok);
}

TEST(properties_are_checked_and_named) {
  const auto refusal = [](const char* name, const char* value) {
    config::Kafka kafka;
    kafka.properties[name] = value;
    const Status status = kafka::check_properties(kafka);
    return status ? std::string("taken") : status.error().text;
  };
  CHECK_EQ(refusal("socket.timeout.ms", "5000"), "taken");
  CHECK_EQ(refusal("linger.ms", "5"), "taken");
  CHECK_EQ(refusal("enable.idempotence", "false"), "taken");
  CHECK(refusal("no.such.property", "1").starts_with("kafka.no.such.property: not a property"));
  CHECK(refusal("socket.timeout.ms", "soon").starts_with("kafka.socket.timeout.ms = \"soon\": "));
  CHECK(refusal("acks", "1").starts_with("kafka.acks = \"1\": "));
  CHECK(refusal("group.id", "mine").starts_with("kafka.group.id: can't be set: "));
  CHECK(refusal("enable.auto.commit", "true").starts_with("kafka.enable.auto.commit: can't be set: "));
  CHECK(refusal("ssl.key.pem", "hush").find("hush") == std::string::npos);
  config::Kafka kafka;
  kafka.consumer_properties["fetch.min.bytes"] = "none";
  CHECK(kafka::check_properties(kafka).error().text.starts_with("kafka.consumer.fetch.min.bytes = "));
  kafka = {};
  kafka.topic_text_original = kafka.topic_text_translated;
  CHECK_EQ(kafka::check_properties(kafka).error().code, "bad_topic");
}
