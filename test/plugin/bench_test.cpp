// fluentgate-bench, as a user runs it: what arrives is counted and checked, and what does not arrive fails.
#include "test/plugin/world.hpp"
#include "test/support/process.hpp"

using namespace fluentgate::test;

namespace {

struct Outcome {
  int code;
  std::string out, err;
};

Outcome bench(World& world, const Cluster& cluster, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{std::string(FLUENTGATE_BUILD_DIR) + "/fluentgate-bench", "--url", "ws" + world.host.url().substr(4) + "/ws",
                                   "--kafka", cluster.address().bootstrap, "--secret", test_secret, "--seconds", "1", "--warm-up", "0", "--json",
                                   "--topic-raw", "audio.raw" + cluster.address().topic_suffix,
                                   "--topic-synthesized", "audio.synthesized" + cluster.address().topic_suffix};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Process process(command);
  const int code = process.wait(std::chrono::seconds(50));
  return {code, process.out(), process.err()};
}

}  // namespace

TEST(bench_hears_every_frame_and_finds_every_chunk) {
  Cluster cluster;
  World world(cluster);
  const Outcome done = bench(world, cluster, {"--rooms", "2", "--listeners", "4", "--languages", "es,fr", "--frames-per-s", "20", "--speakers", "2", "--rate", "20",
                                              "--pid", std::to_string(world.host.process().pid())});
  if (done.code != 0) FAIL(done.out + done.err);
  CHECK_EQ(number_member(done.out, "frames_sent"), 80);   // 2 rooms × 2 languages × 20
  CHECK_EQ(number_member(done.out, "frames_heard"), 160);  // two listeners to each stream
  CHECK_EQ(number_member(done.out, "chunks_said"), 80);
  CHECK_EQ(number_member(done.out, "chunks_in_kafka"), 80);
  CHECK(number_member(done.out, "gateway.rss_before_bytes") > 0);
}

TEST(bench_takes_json_frames_too) {
  Cluster cluster;
  World world(cluster);
  const Outcome done = bench(world, cluster, {"--listeners", "2", "--frames-per-s", "20", "--json-frames", "--foreign", "20"});
  if (done.code != 0) FAIL(done.out + done.err);
  CHECK_EQ(number_member(done.out, "frames_heard"), 40);
}

// Chunks are looked for where they never come.
TEST(bench_fails_where_chunks_are_lost) {
  Cluster cluster;
  World world(cluster);
  const Outcome done = bench(world, cluster, {"--speakers", "1", "--rate", "20", "--topic-raw", "text.original" + cluster.address().topic_suffix});
  CHECK_EQ(done.code, 1);
  CHECK(done.out.find("chunks never came to Kafka") != std::string::npos);
}

// Frames go where the gateway doesn't listen.
TEST(bench_fails_where_frames_are_lost) {
  Cluster cluster({"audio.raw", "audio.synthesized", "text.original", "text.translated", "elsewhere"});
  World world(cluster);
  const Outcome done = bench(world, cluster, {"--listeners", "1", "--frames-per-s", "20", "--topic-synthesized", "elsewhere" + cluster.address().topic_suffix});
  CHECK_EQ(done.code, 1);
  CHECK(done.out.find("20 frames never came") != std::string::npos);
}

TEST(bench_says_what_is_wrong_with_its_arguments) {
  Cluster cluster;
  World world(cluster);
  CHECK_EQ(bench(world, cluster, {}).code, 2);
  CHECK_EQ(bench(world, cluster, {"--listeners", "1", "--languages", "en"}).code, 2);
  CHECK_EQ(bench(world, cluster, {"--listeners", "1", "--frame-bytes", "641"}).code, 2);
}
