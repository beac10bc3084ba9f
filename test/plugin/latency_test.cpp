// CONTRACT 6, latency: the line per frame and the histograms; exact with headers, correlated without, `-` where unknown.
#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

const TokenClaims speaker{.user = "ann", .speaking_language = "en"};

// The fields of the n-th latency line of the log.
std::map<std::string, std::string> latency_line(World& world, std::size_t n) {
  std::string line;
  const bool seen = world.host.process().wait_until([&](const std::string&, const std::string& err) {
    std::size_t at = 0;
    for (std::size_t i = 0; i <= n; ++i) {
      at = err.find(" info latency room=", at);
      if (at == std::string::npos) return false;
      at += 14;
    }
    const std::size_t end = err.find('\n', at);
    if (end == std::string::npos) return false;
    line = err.substr(at - 8, end - at + 8);
    line = line.substr(line.find("room="));
    return true;
  }, std::chrono::seconds(10));
  if (!seen) FAIL("no latency line " + std::to_string(n) + " in\n" + world.host.process().err());
  std::map<std::string, std::string> fields;
  std::string names;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t blank = std::min(line.find(' ', at), line.size());
    const std::string field = line.substr(at, blank - at);
    const std::size_t equals = field.find('=');
    if (equals == std::string::npos) FAIL("no field: " + line);
    fields[field.substr(0, equals)] = field.substr(equals + 1);
    names += field.substr(0, equals) + " ";
    at = blank + 1;
  }
  CHECK_EQ(names, std::string("room speaker seq lang e2e_ms stt_ms mt_ms tts_ms egress_ms "));
  return fields;
}

std::int64_t ms(std::map<std::string, std::string>& fields, const std::string& name) { return std::stoll(fields[name]); }

KafkaHeaders copied(const PeerRecord& record) {
  return {{"fg-ingest-ms", record.header("fg-ingest-ms").value()}, {"fg-seq", record.header("fg-seq").value()},
          {"traceparent", record.header("traceparent").value()}};
}

// Steps on until the clock shows it: so that each stage has taken at least so long.
void pass_ms(std::int64_t ms) {
  const std::int64_t until = now_ms() + ms;
  while (now_ms() < until) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(with_headers_the_stages_are_exact_and_add_up) {
  World world({"audio.max_age_ms=60000"});
  Client voice = world.audio(speaker);
  Client listener = world.audio({.user = "bob", .listening_language = "es"});
  Client captions = world.captions({.user = "bob"});
  voice.audio(pcm_bytes(640));
  const PeerRecord chunk = world.worker.read("audio.raw", 1)[0];
  pass_ms(30);
  // The worker's numbers are its own: 77 is no chunk of hers.
  world.worker.produce(transcript({.text = "hello", .number = 77, .user = "ann", .headers = copied(chunk)}));
  captions.event("caption");
  pass_ms(40);
  world.worker.produce(translation({.text = "hola", .language = "es", .number = 77, .user = "ann", .headers = copied(chunk)}));
  captions.event("caption");
  pass_ms(50);
  world.worker.produce(synthesized({.pcm = pcm_bytes(640), .number = 77, .user = "ann", .headers = copied(chunk)}));
  listener.bytes();
  auto line = latency_line(world, 0);
  CHECK_EQ(line["room"], std::string("r1"));
  CHECK_EQ(line["speaker"], std::string("ann"));
  CHECK_EQ(line["seq"], std::string("77"));
  CHECK_EQ(line["lang"], std::string("en>es"));
  CHECK(ms(line, "stt_ms") >= 29 && ms(line, "mt_ms") >= 39 && ms(line, "tts_ms") >= 49 && ms(line, "egress_ms") >= 0);
  const std::int64_t sum = ms(line, "stt_ms") + ms(line, "mt_ms") + ms(line, "tts_ms") + ms(line, "egress_ms");
  CHECK_EQ(ms(line, "e2e_ms"), sum);
  CHECK(sum <= now_ms() - std::stoll(*chunk.header("fg-ingest-ms")));
  for (const char* labels : {"stage=\"transcript\",source=\"en\",target=\"\"", "stage=\"translation\",source=\"en\",target=\"es\"",
                             "stage=\"synthesis\",source=\"en\",target=\"es\"", "stage=\"egress\",source=\"en\",target=\"es\"",
                             "stage=\"end_to_end\",source=\"en\",target=\"es\"", "stage=\"kafka_ack\",source=\"en\",target=\"\""}) {
    world.wait_metric("fluentgate_stage_latency_seconds_count{" + std::string(labels) + "} 1");
  }
}

TEST(without_headers_it_is_correlated_by_number) {
  World world({"audio.max_age_ms=60000"});
  Client voice = world.audio(speaker);
  Client listener = world.audio({.user = "bob", .listening_language = "es"});
  Client captions = world.captions({.user = "bob"});
  const std::int64_t spoken = now_ms();
  voice.audio(pcm_bytes(640));
  world.worker.read("audio.raw", 1);
  pass_ms(30);
  world.worker.produce(transcript({.text = "hello", .number = 0, .user = "ann"}));
  captions.event("caption");
  world.worker.produce(synthesized({.pcm = pcm_bytes(640), .number = 0, .user = "ann"}));
  listener.bytes();
  auto line = latency_line(world, 0);
  CHECK(ms(line, "e2e_ms") >= 29 && ms(line, "e2e_ms") <= now_ms() - spoken);
  CHECK(ms(line, "stt_ms") >= 29);
  CHECK_EQ(line["mt_ms"], std::string("-"));   // no translation came
  CHECK_EQ(line["tts_ms"], std::string("-"));
}

TEST(what_can_not_be_known_is_a_dash) {
  World world;
  Client voice = world.audio({.user = "ann"});
  Client listener = world.audio({.user = "bob", .listening_language = "es"});
  voice.audio(pcm_bytes(640));
  world.worker.read("audio.raw", 1);
  world.worker.produce(synthesized({.pcm = pcm_bytes(640), .user = "ann"}));
  listener.bytes();
  auto line = latency_line(world, 0);
  for (const char* name : {"seq", "e2e_ms", "stt_ms", "mt_ms", "tts_ms"}) CHECK_EQ(line[name], std::string("-"));
  CHECK_EQ(line["lang"], std::string("->es"));
  CHECK(ms(line, "egress_ms") >= 0);
  world.worker.produce(synthesized({.pcm = pcm_bytes(640), .number = 12345, .user = "ann"}));  // names no chunk
  listener.bytes();
  CHECK_EQ(latency_line(world, 1)["e2e_ms"], std::string("-"));
}

TEST(one_line_per_frame_whoever_listens_and_none_where_nobody_does) {
  World world;
  Client one = world.audio({.user = "bob", .listening_language = "es"});
  Client two = world.audio({.user = "eve", .listening_language = "es,fr"});
  world.worker.produce(synthesized({.pcm = pcm_bytes(640), .language = "de", .number = 1}));
  world.worker.produce(synthesized({.pcm = pcm_bytes(640), .number = 2}));
  world.worker.produce(synthesized({.pcm = pcm_bytes(640), .number = 3}));
  for (Client* client : {&one, &two}) {
    client->bytes();
    client->bytes();
  }
  CHECK_EQ(latency_line(world, 0)["seq"], std::string("2"));
  CHECK_EQ(latency_line(world, 1)["seq"], std::string("3"));
  for (Client* client : {&one, &two}) {
    client->ws().send_close();
    CHECK_EQ(client->ws().close_code(), 1000);
  }
  CHECK_EQ(world.host.stop(), 0);  // flushes the log
  const std::string log = world.host.process().err();
  std::size_t lines = 0;
  for (std::size_t at = log.find(" latency room="); at != std::string::npos; at = log.find(" latency room=", at + 1)) ++lines;
  CHECK_EQ(lines, std::size_t{2});
}

TEST(names_can_not_forge_a_line) {
  World world;
  Client listener = world.audio({.user = "bob", .listening_language = "es"});
  world.worker.produce(synthesized({.pcm = pcm_bytes(640), .number = 1, .user = "a b\\nlatency room=x=%"}));
  listener.bytes();
  CHECK_EQ(latency_line(world, 0)["speaker"], std::string("a%20b%0Alatency%20room%3Dx%3D%25"));
}

TEST(the_sample_logs_every_nth) {
  World world({"log.latency_sample=3"});
  Client listener = world.audio({.user = "bob", .listening_language = "es"});
  for (int i = 0; i < 7; ++i) world.worker.produce(synthesized({.pcm = pcm_bytes(640), .number = i}));
  for (int i = 0; i < 7; ++i) listener.bytes();
  for (std::size_t i = 0; i < 3; ++i) CHECK_EQ(latency_line(world, i)["seq"], std::to_string(i * 3));
}

TEST(json_log_has_the_same_text) {
  World world({"log.format=json"});
  Client listener = world.audio({.user = "bob", .listening_language = "es"});
  world.worker.produce(synthesized({.pcm = pcm_bytes(640), .number = 4}));
  listener.bytes();
  const std::string log = world.wait_log("\"category\":\"latency\",\"text\":\"room=r1 speaker=speaker seq=4 lang=->es e2e_ms=- ");
  std::size_t begin = 0;
  for (std::size_t end = log.find('\n'); end != std::string::npos; begin = end + 1, end = log.find('\n', begin)) {
    CHECK(keys(log.substr(begin, end - begin)) == (std::vector<std::string>{"ts", "level", "category", "text"}));
  }
}

}  // namespace
}  // namespace fluentgate::test
