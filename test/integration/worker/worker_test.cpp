// The real fluentgate-worker process against librdkafka's mock cluster: recorded speech in, captions, translation and synthesis out.
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>
#include <signal.h>
#include <simdjson.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <map>
#include <thread>

#include "core/wire/base64.hpp"
#include "test/support/check.hpp"
#include "test/unit/worker/recording.hpp"

using namespace fluentgate;

namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto long_enough = std::chrono::seconds(30);
const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

struct Record {
  std::string topic;
  std::string value;
  std::map<std::string, std::string> headers;
  SteadyClock::time_point at;
};

// A broker in this process, a producer of audio.raw and a consumer of what comes back.
class Cluster {
 public:
  Cluster() {
    char text[512];
    owner_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof text);
    if (owner_ == nullptr) FAIL(text);
    mock_ = rd_kafka_mock_cluster_new(owner_, 1);
    bootstrap = rd_kafka_mock_cluster_bootstraps(mock_);
    for (const char* topic : {"audio.raw", "text.original", "text.translated", "audio.synthesized"}) rd_kafka_mock_topic_create(mock_, topic, 1, 1);
    connect();
  }
  ~Cluster() {
    disconnect();
    rd_kafka_mock_cluster_destroy(mock_);
    rd_kafka_destroy(owner_);
  }
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  void publish(const std::string& value, const std::map<std::string, std::string>& headers) {
    rd_kafka_headers_t* list = rd_kafka_headers_new(headers.size());
    for (const auto& [name, text] : headers) rd_kafka_header_add(list, name.c_str(), -1, text.data(), static_cast<ssize_t>(text.size()));
    const auto error = rd_kafka_producev(producer_, RD_KAFKA_V_TOPIC("audio.raw"), RD_KAFKA_V_KEY("room", 4),
                                         RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                                         RD_KAFKA_V_HEADERS(list), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) FAIL(rd_kafka_err2str(error));
    rd_kafka_poll(producer_, 0);
  }
  // Clients anew, reading from the beginning: it is the worker that is tested for coming back after an outage, not they.
  void reconnect() {
    disconnect();
    connect();
    records.clear();
  }
  void brokers(bool up) { up ? rd_kafka_mock_broker_set_up(mock_, 1) : rd_kafka_mock_broker_set_down(mock_, 1); }

  // Reads into `records` until `enough` or the time is over: whether it was enough.
  bool read_until(const std::function<bool()>& enough, std::chrono::milliseconds at_most = long_enough) {
    const auto deadline = SteadyClock::now() + at_most;
    while (!enough()) {
      if (SteadyClock::now() > deadline) return false;
      rd_kafka_poll(producer_, 0);
      rd_kafka_message_t* message = rd_kafka_consume_queue(queue_, 20);
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) keep(*message);
      rd_kafka_message_destroy(message);
    }
    return true;
  }

  std::string bootstrap;
  std::vector<Record> records;

 private:
  void connect() {
    producer_ = client(RD_KAFKA_PRODUCER);
    consumer_ = client(RD_KAFKA_CONSUMER);
    queue_ = rd_kafka_queue_new(consumer_);
    for (const char* topic : {"text.original", "text.translated", "audio.synthesized"}) {
      topics_.push_back(rd_kafka_topic_new(consumer_, topic, nullptr));
      rd_kafka_consume_start_queue(topics_.back(), 0, RD_KAFKA_OFFSET_BEGINNING, queue_);
    }
  }
  void disconnect() {
    for (rd_kafka_topic_t* topic : topics_) {
      rd_kafka_consume_stop(topic, 0);
      rd_kafka_topic_destroy(topic);
    }
    topics_.clear();
    rd_kafka_queue_destroy(queue_);
    rd_kafka_destroy(consumer_);
    rd_kafka_destroy(producer_);
  }
  rd_kafka_t* client(rd_kafka_type_t type) const {
    char text[512];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap.c_str(), text, sizeof text);
    rd_kafka_conf_set(conf, type == RD_KAFKA_PRODUCER ? "linger.ms" : "fetch.wait.max.ms", type == RD_KAFKA_PRODUCER ? "0" : "10", text, sizeof text);
    rd_kafka_conf_set(conf, "reconnect.backoff.max.ms", "500", text, sizeof text);
    return rd_kafka_new(type, conf, text, sizeof text);
  }
  void keep(const rd_kafka_message_t& message) {
    Record record{rd_kafka_topic_name(message.rkt), std::string(static_cast<const char*>(message.payload), message.len), {}, SteadyClock::now()};
    rd_kafka_headers_t* list = nullptr;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    if (rd_kafka_message_headers(&message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      for (std::size_t i = 0; rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
        record.headers[name] = std::string(static_cast<const char*>(value), size);
      }
    }
    records.push_back(std::move(record));
  }
  rd_kafka_t* owner_ = nullptr;
  rd_kafka_mock_cluster_t* mock_ = nullptr;
  rd_kafka_t* producer_ = nullptr;
  rd_kafka_t* consumer_ = nullptr;
  rd_kafka_queue_t* queue_ = nullptr;
  std::vector<rd_kafka_topic_t*> topics_;
};

class Worker {
 public:
  explicit Worker(const std::vector<std::string>& arguments) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) FAIL("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      std::vector<char*> list;
      static const std::string program = FLUENTGATE_BUILD_DIR "/fluentgate-worker";
      list.push_back(const_cast<char*>(program.c_str()));
      for (const std::string& argument : arguments) list.push_back(const_cast<char*>(argument.c_str()));
      list.push_back(nullptr);
      ::execv(program.c_str(), list.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    out_ = ends[0];
  }
  ~Worker() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(out_);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Its first line.
  std::string ready_line() {
    std::string line;
    const auto deadline = SteadyClock::now() + long_enough;
    while (line.find('\n') == std::string::npos && SteadyClock::now() < deadline) {
      pollfd polled{out_, POLLIN, 0};
      if (::poll(&polled, 1, 100) <= 0) continue;
      char bytes[256];
      const ssize_t count = ::read(out_, bytes, sizeof bytes);
      if (count <= 0) break;
      line.append(bytes, static_cast<std::size_t>(count));
    }
    return line;
  }
  void signal(int number) const { ::kill(pid_, number); }
  // Its exit code; -1 where it was still there after that time or died by a signal.
  int exit_code(std::chrono::milliseconds at_most) {
    const auto deadline = SteadyClock::now() + at_most;
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) {
      if (SteadyClock::now() > deadline) return -1;
      ::poll(nullptr, 0, 10);
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
};

std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int64_t sequence = 0;

// Paced `speed` times as fast as it was spoken, in chunks of 40 ms, with a pause of 0.8 s behind it.
void speak(Cluster& cluster, const test::Recording& recording, const std::string& wanted, int speed) {
  std::vector<std::int16_t> samples = recording.samples;
  samples.resize(samples.size() + 16 * 800);
  constexpr std::size_t chunk = 16 * 40;
  auto due = SteadyClock::now();
  for (std::size_t at = 0; at < samples.size(); at += chunk) {
    const auto bytes = audio::to_bytes(std::span(samples).subspan(at, std::min(chunk, samples.size() - at)));
    std::string audio;
    wire::base64_append(audio, bytes);
    cluster.publish(R"({"event_id":"e","event_type":"audio.chunk","timestamp":"2026-11-22T10:00:00.123456+00:00","payload":{"room_id":"room","user_id":"ann",)"
                    R"("sequence_number":)" + std::to_string(sequence) + R"(,"audio_data":")" + audio +
                    R"(","sample_rate":16000,"encoding":"linear16","source_language":"en"}})",
                    {{"fg-ingest-ms", std::to_string(unix_ms())}, {"fg-seq", std::to_string(sequence)}, {"fg-instance", "test"}, {"fg-wanted", wanted}, {"traceparent", trace}});
    ++sequence;
    due += std::chrono::milliseconds(40) / speed;
    std::this_thread::sleep_until(due);  // the pace of speech is what is tested with
  }
}

struct Parsed {
  simdjson::dom::parser parser;
  simdjson::dom::element payload;
  explicit Parsed(const Record& record) : payload(parser.parse(record.value)["payload"]) {}
  std::string text(const char* name) const { return std::string(std::string_view(payload[name])); }
};

std::size_t count(const Cluster& cluster, const std::string& topic, const std::function<bool(const Parsed&)>& matches) {
  std::size_t found = 0;
  for (const Record& record : cluster.records) found += record.topic == topic && matches(Parsed(record)) ? 1 : 0;
  return found;
}

bool any(const Parsed&) { return true; }
bool is_final(const Parsed& parsed) { return bool(parsed.payload["is_final"]); }

void check_headers(const Record& record) {
  const std::string seq = std::to_string(std::int64_t(Parsed(record).payload["sequence_number"]));
  CHECK_EQ(record.headers.at("fg-seq"), seq);
  CHECK_EQ(record.headers.at("fg-instance"), "test");
  CHECK(!record.headers.at("fg-ingest-ms").empty());
  CHECK_EQ(record.headers.at("traceparent").substr(0, 36), trace.substr(0, 36));
  CHECK(record.headers.at("traceparent") != trace);
}

}  // namespace

TEST(speech_comes_back_as_captions_translation_and_sound) {
  Cluster cluster;
  Worker worker({"--bootstrap", cluster.bootstrap, "--verbose"});
  CHECK_EQ(worker.ready_line(), "fluentgate-worker ready on " + cluster.bootstrap + "\n");
  const auto recordings = test::recordings();
  const test::Recording& recording = recordings.at(0);
  cluster.publish("not an event", {});  // the stream goes on
  speak(cluster, recording, "es-MX,ca", 2);
  CHECK(cluster.read_until([&] { return count(cluster, "audio.synthesized", [](const Parsed& p) { return p.text("target_language") == "ca"; }) > 5; }));
  CHECK(cluster.read_until([&] { return count(cluster, "text.translated", any) >= 2; }));
  // What is still on its way.
  cluster.read_until([] { return false; }, std::chrono::milliseconds(300));

  CHECK(count(cluster, "text.original", [](const Parsed& p) { return !is_final(p); }) >= 3);
  CHECK_EQ(count(cluster, "text.original", is_final), 1u);
  std::map<std::string, std::size_t> samples;
  std::string utterance;
  for (const Record& record : cluster.records) {
    const Parsed parsed(record);
    check_headers(record);
    CHECK_EQ(parsed.text("user_id"), "ann");
    if (utterance.empty()) utterance = parsed.text("utterance_id");
    CHECK_EQ(parsed.text("utterance_id"), utterance);
    if (record.topic == "text.original" && is_final(parsed)) CHECK(test::word_overlap(recording, parsed.text("text")) >= 0.4);
    if (record.topic == "text.translated") {
      const std::string text = parsed.text("translated_text");
      CHECK(text.find_first_of("*@#") == std::string::npos);
      CHECK(!text.empty() && text != parsed.text("original_text"));
    }
    if (record.topic == "audio.synthesized") {
      const auto audio = wire::base64_decode(parsed.text("audio_data"));
      CHECK(audio.has_value());
      CHECK(audio->size() <= 3200);
      CHECK_EQ(std::int64_t(parsed.payload["sample_rate"]), 16000);
      samples[parsed.text("target_language")] += audio->size() / 2;
    }
  }
  CHECK_EQ(samples.size(), 2u);
  CHECK(samples["es-MX"] > 16000 * 2);
  CHECK(samples["ca"] > 16000 * 2);
  worker.signal(SIGTERM);
  CHECK_EQ(worker.exit_code(std::chrono::milliseconds(2000)), 0);
}

TEST(a_broker_that_was_away_is_found_again) {
  Cluster cluster;
  Worker worker({"--bootstrap", cluster.bootstrap, "--languages", "es"});
  CHECK(!worker.ready_line().empty());
  const auto recordings = test::recordings();
  speak(cluster, recordings.at(1), "es", 4);
  CHECK(cluster.read_until([&] { return count(cluster, "audio.synthesized", any) > 5; }));
  const std::string first = Parsed(cluster.records.back()).text("utterance_id");
  cluster.brokers(false);
  CHECK(!cluster.read_until([] { return false; }, std::chrono::milliseconds(1500)));
  cluster.brokers(true);
  cluster.reconnect();
  speak(cluster, recordings.at(4), "es", 2);
  CHECK(cluster.read_until([&] { return count(cluster, "text.original", is_final) >= 2 && count(cluster, "text.translated", any) >= 2; }));
  CHECK(cluster.read_until([&] {
    const std::string newest = Parsed(cluster.records.back()).text("utterance_id");
    return cluster.records.back().topic == "audio.synthesized" && newest != first;
  }));
  worker.signal(SIGINT);
  CHECK_EQ(worker.exit_code(std::chrono::milliseconds(2000)), 0);
}

TEST(ends_in_time_while_no_broker_is_there) {
  Worker worker({"--bootstrap", "127.0.0.1:1", "--languages", "es"});
  ::poll(nullptr, 0, 1500);  // models loaded, searching for the broker
  worker.signal(SIGTERM);
  CHECK_EQ(worker.exit_code(std::chrono::milliseconds(2000)), 0);
}

TEST(wrong_usage_is_2_and_a_missing_model_1) {
  const auto code = [](const std::vector<std::string>& arguments) { return Worker(arguments).exit_code(long_enough); };
  CHECK_EQ(code({}), 2);
  CHECK_EQ(code({"--no-such-option"}), 2);
  CHECK_EQ(code({"--bootstrap", "127.0.0.1:1", "--gateway", "http://127.0.0.1:1"}), 2);
  CHECK_EQ(code({"--gateway", "ftp://x"}), 2);
  CHECK_EQ(code({"--bootstrap", "127.0.0.1:1", "--kafka", "no.such.property=1"}), 2);
  CHECK_EQ(code({"--bootstrap", "127.0.0.1:1", "--kafka", "linger.ms"}), 2);
  CHECK_EQ(code({"--bootstrap", "127.0.0.1:1", "--languages", "xx"}), 2);
  CHECK_EQ(code({"--bootstrap", "127.0.0.1:1", "--model-dir", "/nonexistent"}), 1);
  CHECK_EQ(code({"--bootstrap", "127.0.0.1:1", "--modes-dir", "/nonexistent"}), 1);
  CHECK_EQ(code({"--help"}), 0);
}
