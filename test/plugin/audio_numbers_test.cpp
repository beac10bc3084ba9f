// CONTRACT 2, sequence_number: rises by one over reconnects, replacements, restarts and other instances, by what the log holds.
#include <signal.h>

#include <algorithm>

#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

const TokenClaims speaker{.user = "ann", .speaking_language = "en"};

std::string joined(const std::vector<PeerRecord>& records) {
  std::string all;
  for (const PeerRecord& record : records) all += audio_of(record);
  return all;
}

void check_numbers(const std::vector<PeerRecord>& records) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    CHECK_EQ(number_of(records[i]), static_cast<std::int64_t>(i));
    CHECK_EQ(records[i].header("fg-seq").value_or(""), std::to_string(i));
  }
}

TEST(numbers_rise_by_one_over_reconnects_and_replacements) {
  World world;
  Client first = world.audio(speaker);
  first.audio(pcm_bytes(640, 1));
  first.audio(pcm_bytes(640, 2));
  first.until_pong();
  Client second = world.audio(speaker);
  CHECK_EQ(first.ws().close_code(), 4009);
  second.audio(pcm_bytes(640, 3));
  second.ws().send_close();
  CHECK_EQ(second.ws().close_code(), 1000);
  Client other = world.audio({.user = "bob"});  // numbers of its own
  other.audio(pcm_bytes(640, 5));
  Client third = world.audio(speaker);
  third.audio(pcm_bytes(640, 4));
  const auto records = world.worker.read("audio.raw", 5);
  std::vector<PeerRecord> hers;
  std::copy_if(records.begin(), records.end(), std::back_inserter(hers),
               [](const auto& r) { return text_member(r.value, "payload.user_id") == "ann"; });
  CHECK(joined(hers) == pcm_bytes(640, 1) + pcm_bytes(640, 2) + pcm_bytes(640, 3) + pcm_bytes(640, 4));
  check_numbers(hers);
  const auto bobs = std::find_if(records.begin(), records.end(), [](const auto& r) { return text_member(r.value, "payload.user_id") == "bob"; });
  CHECK_EQ(number_of(*bobs), 0);
  CHECK(!has_member(member(bobs->value, "payload"), "source_language"));  // unknown: left out
}

TEST(without_lookback_a_restart_begins_anew_as_the_reference_says) {
  Cluster cluster;
  {
    World world(cluster);
    Client client = world.audio(speaker);
    client.audio(pcm_bytes(640, 1));
    world.worker.read("audio.raw", 1);
  }
  World world(cluster, {"audio.sequence_lookback_ms=0"});
  Client client = world.audio(speaker);
  client.audio(pcm_bytes(640, 2));
  CHECK_EQ(number_of(world.worker.read("audio.raw", 2)[1]), 0);
}

TEST(another_instances_numbers_are_seen_at_the_start) {
  Cluster cluster;
  KafkaPeer other(cluster.address());
  // A speaker whom only another instance has served, in both formats, and one in another room.
  other.produce({"audio.raw", "r1", "xx",
                 {{"fg-room", "r1"}, {"fg-user", "ann"}, {"fg-seq", "41"}, {"fg-rate", "16000"}, {"fg-enc", "linear16"}, {"fg-lang", "en"}}, 0, -1});
  other.produce({"audio.raw", "r2", "{\"payload\":{\"room_id\":\"r2\",\"user_id\":\"ann\",\"sequence_number\":99}}", {}, 0, -1});
  other.produce({"audio.raw", "r1", "malformed", {}, 0, -1});
  World world(cluster);
  Client client = world.audio(speaker);
  client.audio(pcm_bytes(640));
  const auto records = world.worker.read("audio.raw", 4);
  const auto mine = std::find_if(records.begin(), records.end(), [](const auto& r) { return r.header("fg-instance").has_value(); });
  CHECK(mine != records.end());
  CHECK_EQ(number_of(*mine), 42);
}

TEST(numbers_go_on_after_a_restart_by_what_the_log_holds) {
  Cluster cluster;
  {
    World world(cluster);
    Client client = world.audio(speaker);
    for (int i = 0; i < 3; ++i) client.audio(pcm_bytes(640, i));
    world.worker.read("audio.raw", 3);
    world.host.process().signal(SIGKILL);
    CHECK_EQ(world.host.process().wait(), 128 + SIGKILL);
  }
  World world(cluster, {"kafka.format.audio_raw=binary"});  // numbers are read back from either format
  {
    Client client = world.audio(speaker);
    client.audio(pcm_bytes(640, 3));
    const auto records = world.worker.read("audio.raw", 4);
    CHECK_EQ(records[3].header("fg-seq").value_or(""), std::string("3"));
  }
  CHECK_EQ(world.host.stop(), 0);
  World last(cluster);
  Client client = last.audio(speaker);
  client.audio(pcm_bytes(640, 4));
  const auto records = last.worker.read("audio.raw", 5);
  CHECK_EQ(number_of(records[4]), 4);
}

}  // namespace
}  // namespace fluentgate::test
