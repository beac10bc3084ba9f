// See kafka_feed.hpp.
#include "tools/bench/kafka_feed.hpp"

#include <array>

#include "core/wire/base64.hpp"

namespace fluentgate::bench {
namespace {

constexpr int metadata_ms = 2000, metadata_tries = 5;
constexpr int flush_ms = 5000;
constexpr timespec tick{0, 500'000};
constexpr int foreign_rooms = 997;  // a prime, so that they fall on every partition
const std::string voice = "voice";

}  // namespace

void FreeKafka::operator()(rd_kafka_t* kafka) const noexcept { rd_kafka_destroy(kafka); }

Result<KafkaHandle> make_kafka(rd_kafka_type_t type, const std::vector<std::pair<std::string, std::string>>& properties, ReportCallback report,
                               void* opaque) {
  std::array<char, 512> why{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      return Error{"kafka", why.data()};
    }
  }
  if (report != nullptr) {
    rd_kafka_conf_set_dr_msg_cb(conf, report);
    rd_kafka_conf_set_opaque(conf, opaque);
  }
  rd_kafka_t* kafka = rd_kafka_new(type, conf, why.data(), why.size());
  if (kafka == nullptr) {
    rd_kafka_conf_destroy(conf);
    return Error{"kafka", why.data()};
  }
  return KafkaHandle(kafka);
}

Result<int> partitions_of(rd_kafka_t* kafka, const std::string& topic) {
  const TopicHandle handle(rd_kafka_topic_new(kafka, topic.c_str(), nullptr));
  std::string why = "no answer";
  for (int i = 0; i < metadata_tries && handle; ++i) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t error = rd_kafka_metadata(kafka, 0, handle.get(), &metadata, metadata_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      why = rd_kafka_err2str(error);
      continue;
    }
    const int count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    why = metadata->topic_cnt == 1 ? rd_kafka_err2str(metadata->topics[0].err) : "not there";
    rd_kafka_metadata_destroy(metadata);
    if (count > 0) return count;
    const timespec wait{0, 300'000'000};
    ::nanosleep(&wait, nullptr);
  }
  return Error{"kafka", "topic " + topic + ": " + why};
}

KafkaFeed::KafkaFeed(const Load& load, std::uint32_t run)
    : load_(load), run_(run), frame_(static_cast<std::size_t>(load.frame_bytes)), sent_(static_cast<std::size_t>(load.streams())) {}

Result<std::unique_ptr<KafkaFeed>> KafkaFeed::start(const Load& load, std::uint32_t run) {
  std::unique_ptr<KafkaFeed> feed(new KafkaFeed(load, run));
  // Like a worker in Java: keys by murmur2, at once.
  Result<KafkaHandle> kafka = make_kafka(RD_KAFKA_PRODUCER, {{"bootstrap.servers", load.kafka}, {"linger.ms", "0"}, {"partitioner", "murmur2_random"},
                                                             {"max.in.flight.requests.per.connection", "1"}, {"enable.idempotence", "true"},
                                                             {"delivery.report.only.error", "true"}}, on_report, feed.get());
  if (!kafka) return kafka.error();
  feed->kafka_ = std::move(*kafka);
  const Result<int> partitions = partitions_of(feed->kafka_.get(), load.topic_synthesized);
  if (!partitions) return partitions.error();
  feed->topic_.reset(rd_kafka_topic_new(feed->kafka_.get(), load.topic_synthesized.c_str(), nullptr));
  return feed;
}

KafkaFeed::~KafkaFeed() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

// On the feed's own thread, in rd_kafka_poll and rd_kafka_flush.
void KafkaFeed::on_report(rd_kafka_t*, const rd_kafka_message_t* report, void* opaque) {
  KafkaFeed& feed = *static_cast<KafkaFeed*>(opaque);
  if (report->err != RD_KAFKA_RESP_ERR_NO_ERROR && feed.failed_++ == 0) feed.first_failure_ = rd_kafka_err2str(report->err);
}

void KafkaFeed::begin(std::int64_t start_ns, std::int64_t stop_ns) {
  thread_ = std::thread([this, start_ns, stop_ns] { run(start_ns, stop_ns); });
}

void KafkaFeed::run(std::int64_t start_ns, std::int64_t stop_ns) {
  const double gap_ns = sent_.empty() ? 0 : 1e9 / (load_.frames_per_s * static_cast<double>(sent_.size()));
  const double foreign_gap_ns = load_.foreign_per_s > 0 ? 1e9 / load_.foreign_per_s : 0;
  std::int64_t turn = 0;
  const auto due = [start_ns](std::int64_t count, double gap) { return start_ns + static_cast<std::int64_t>(static_cast<double>(count) * gap); };
  for (std::int64_t now_ns = monotonic_ns(); now_ns < stop_ns && !stopping_; now_ns = monotonic_ns()) {
    while (!sent_.empty() && due(turn, gap_ns) <= now_ns && due(turn, gap_ns) < stop_ns) {
      delay_.add((monotonic_ns() - due(turn, gap_ns)) / 1000);
      hand_over_stream(turn++);
    }
    while (foreign_gap_ns > 0 && due(foreign_, foreign_gap_ns) <= now_ns) hand_over_foreign();
    sent_shown_ = turn;
    foreign_shown_ = foreign_;
    rd_kafka_poll(kafka_.get(), 0);
    ::nanosleep(&tick, nullptr);
  }
  if (rd_kafka_flush(kafka_.get(), stopping_ ? 0 : flush_ms) != RD_KAFKA_RESP_ERR_NO_ERROR && failed_++ == 0) first_failure_ = "not acknowledged in time";
  done_ = true;
}

void KafkaFeed::hand_over_stream(std::int64_t turn) {
  const std::size_t stream = static_cast<std::size_t>(turn) % sent_.size();
  put_mark(frame_, {run_, static_cast<std::uint32_t>(stream), sent_[stream], monotonic_ns()});
  hand_over(room_name(run_, static_cast<int>(stream / load_.languages.size())), load_.languages[stream % load_.languages.size()], sent_[stream]);
  ++sent_[stream];
}

void KafkaFeed::hand_over_foreign() {
  put_mark(frame_, {});
  hand_over("elsewhere-" + std::to_string(run_) + "-" + std::to_string(foreign_ % foreign_rooms), load_.languages.front(), foreign_ / foreign_rooms);
  ++foreign_;
}

void KafkaFeed::hand_over(const std::string& room, const std::string& language, std::int64_t sequence) {
  const std::string number = std::to_string(sequence), ingest = std::to_string(unix_ms());
  rd_kafka_headers_t* headers = rd_kafka_headers_new(7);
  const auto add = [headers](const char* name, const std::string& value) {
    rd_kafka_header_add(headers, name, -1, value.data(), static_cast<ssize_t>(value.size()));
  };
  add("fg-ingest-ms", ingest);
  add("fg-seq", number);
  const void* value = frame_.data();
  std::size_t size = frame_.size();
  if (load_.json_frames) {
    json_ = R"({"event_id":"7c0d3b52-9f5e-4b1e-8a53-2f6f7b1f0a11","event_type":"audio.synthesized","timestamp":"2026-11-22T10:00:00.123456+00:00","payload":{"room_id":")" +
            room + R"(","user_id":")" + voice + R"(","sequence_number":)" + number + R"(,"audio_data":")";
    wire::base64_append(json_, frame_);
    json_ += R"(","target_language":")" + language + R"(","sample_rate":16000,"encoding":"linear16"}})";
    value = json_.data();
    size = json_.size();
  } else {
    add("fg-room", room);
    add("fg-user", voice);
    add("fg-rate", "16000");
    add("fg-enc", "linear16");
    add("fg-lang", language);
  }
  for (;;) {
    const rd_kafka_resp_err_t error =
        rd_kafka_producev(kafka_.get(), RD_KAFKA_V_RKT(topic_.get()), RD_KAFKA_V_KEY(room.data(), room.size()), RD_KAFKA_V_VALUE(const_cast<void*>(value), size),
                          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && !stopping_) {
      rd_kafka_poll(kafka_.get(), 10);
      continue;
    }
    rd_kafka_headers_destroy(headers);
    if (failed_++ == 0) first_failure_ = rd_kafka_err2str(error);
    return;
  }
}

}  // namespace fluentgate::bench
