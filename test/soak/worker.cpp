#include "test/soak/worker.hpp"

#include <algorithm>
#include <utility>

#include "test/plugin/world.hpp"
#include "test/support/check.hpp"

namespace fluentgate::soak {
namespace {

using Properties = std::vector<std::pair<std::string, std::string>>;
using Headers = std::vector<std::pair<std::string, std::string>>;

kafka::ClientHandle make(rd_kafka_type_t type, const Properties& properties, void* opaque, void (*reported)(rd_kafka_t*, const rd_kafka_message_t*, void*)) {
  kafka::ConfHandle conf(rd_kafka_conf_new());
  char text[512];
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK) FAIL(text);
  }
  rd_kafka_conf_set_opaque(conf.get(), opaque);
  if (reported != nullptr) rd_kafka_conf_set_dr_msg_cb(conf.get(), reported);
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  kafka::ClientHandle client(rd_kafka_new(type, conf.get(), text, sizeof text));
  if (!client) FAIL(text);
  (void)conf.release();
  return client;
}

Headers headers_of(const rd_kafka_message_t& message) {
  Headers out;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return out;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    out.emplace_back(name, value == nullptr ? std::string() : std::string(static_cast<const char*>(value), size));
  }
  return out;
}

// What is wanted; where the header is absent, everything but what was spoken.
std::vector<int> wanted_languages(const Headers& headers, int spoken) {
  std::vector<int> out;
  for (const auto& [name, value] : headers) {
    if (name != "fg-wanted") continue;
    for (int i = 0; i < language_count; ++i) {
      if (i != spoken && ("," + value + ",").find("," + std::string(languages[i]) + ",") != std::string::npos) out.push_back(i);
    }
    return out;
  }
  for (int i = 0; i < language_count; ++i) {
    if (i != spoken) out.push_back(i);
  }
  return out;
}

}  // namespace

EchoWorker::EchoWorker(std::string bootstrap) : bootstrap_(std::move(bootstrap)) {
  // message.timeout.ms 0: never. What is handed over comes, in this order.
  producer_ = make(RD_KAFKA_PRODUCER,
                   {{"bootstrap.servers", bootstrap_}, {"enable.idempotence", "true"}, {"linger.ms", "0"}, {"message.timeout.ms", "0"},
                    {"max.in.flight.requests.per.connection", "1"}, {"queue.buffering.max.messages", "1000000"}, {"reconnect.backoff.max.ms", "500"}},
                   this, &EchoWorker::reported);
  consumer_ = make(RD_KAFKA_CONSUMER,
                   {{"bootstrap.servers", bootstrap_}, {"group.id", "soak"}, {"enable.auto.commit", "false"}, {"auto.offset.reset", "error"},
                    {"fetch.wait.max.ms", "50"}, {"reconnect.backoff.max.ms", "500"}},
                   nullptr, nullptr);
  rd_kafka_poll_set_consumer(consumer_.get());
  follow();
  thread_ = std::thread([this] { run(); });
}

EchoWorker::~EchoWorker() {
  ended_ = true;
  thread_.join();
}

void EchoWorker::follow() {
  const kafka::TopicHandle handle(rd_kafka_topic_new(consumer_.get(), "audio.raw", nullptr));
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t code = rd_kafka_metadata(consumer_.get(), 0, handle.get(), &answer, 10000);
  const kafka::MetadataHandle metadata(answer);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt == 0) FAIL("no topic audio.raw");
  const kafka::PartitionsHandle list(rd_kafka_topic_partition_list_new(metadata->topics[0].partition_cnt));
  for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), "audio.raw", metadata->topics[0].partitions[i].id)->offset = 0;
  }
  const kafka::ErrorHandle error(rd_kafka_incremental_assign(consumer_.get(), list.get()));
  if (error) FAIL(rd_kafka_error_string(error.get()));
}

void EchoWorker::run() {
  while (!ended_) {
    rd_kafka_poll(producer_.get(), 0);
    const kafka::MessageHandle message(rd_kafka_consumer_poll(consumer_.get(), 20));
    if (!message) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      try {
        handle(*message);
      } catch (const std::exception& error) {
        problem(std::string("a record of audio.raw: ") + error.what());
      }
    } else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
      problem(std::string("audio.raw: ") + rd_kafka_message_errstr(message.get()));
    }
  }
}

void EchoWorker::handle(const rd_kafka_message_t& message) {
  std::int64_t& next = next_offset_[message.partition];
  if (message.offset != next) problem("audio.raw " + std::to_string(message.partition) + ": offset " + std::to_string(message.offset) + " in place of " + std::to_string(next));
  next = message.offset + 1;

  const std::string_view value(static_cast<const char*>(message.payload), message.len);
  const std::string payload = test::member(value, "payload");
  RawRecord record;
  record.partition = message.partition;
  record.offset = message.offset;
  record.number = test::number_member(payload, "sequence_number");
  record.room = test::text_member(payload, "room_id");
  record.user = test::text_member(payload, "user_id");
  const auto mark = read_mark(test::unbase64(test::text_member(payload, "audio_data")));
  const std::string_view key(static_cast<const char*>(message.key), message.key_len);
  const Headers headers = headers_of(message);
  for (const auto& [name, text] : headers) {
    if (name == "fg-instance") record.instance = text;
    if (name == "fg-seq" && text != std::to_string(record.number)) record.problem = "fg-seq " + text + " and sequence_number " + std::to_string(record.number);
  }
  if (!mark) {
    record.problem = "audio that nobody said";
  } else {
    record.mark = *mark;
    if (record.room != room_name(mark->room) || record.user != person_name(mark->person)) record.problem = "audio of another room or user";
    if (key != record.room) record.problem = "a key that is not the room";
  }
  if (record.problem.empty()) answer(record, headers);
  const std::lock_guard lock(mutex_);
  seen_.push_back(std::move(record));
}

void EchoWorker::answer(const RawRecord& record, const Headers& headers) {
  const std::vector<int> wanted = wanted_languages(headers, record.mark.spoken);
  for (const int language : wanted) {
    ChunkMark mark = record.mark;
    mark.language = static_cast<std::uint8_t>(language);
    test::Synthesis frame;
    frame.pcm = marked_pcm(mark);
    frame.language = languages[language];
    frame.number = record.number;
    frame.user = record.user;
    frame.room = record.room;
    frame.headers = headers;
    const bool binary = record.mark.room % 4 == 3;
    if (binary) std::erase_if(frame.headers, [](const auto& header) { return header.first == "fg-seq"; });  // it is written anew
    const test::PeerMessage message = binary ? test::synthesized_binary(frame) : test::synthesized(frame);
    produce({message.topic, message.key, message.value, message.headers});
  }
  captions(record, wanted, headers);
}

std::string EchoWorker::numbered(const std::string& room, bool translated, int language, bool final) {
  const std::lock_guard lock(mutex_);
  Produced& produced = produced_[{room, translated}];
  std::uint64_t& of_language = produced.by_language[language];
  const CaptionMark mark{produced.all, of_language};
  if (final) {
    ++produced.all;
    ++of_language;
  }
  return caption_text(mark, final);
}

void EchoWorker::captions(const RawRecord& record, const std::vector<int>& wanted, const Headers& headers) {
  const std::uint32_t at = record.mark.counter % final_every;
  const bool final = at == final_every - 1;
  if (!final && at != interim_at) return;
  test::Line line;
  line.number = record.number;
  line.user = record.user;
  line.room = record.room;
  line.headers = headers;
  line.more = final ? "" : ",\"is_final\":false";
  line.language = languages[record.mark.spoken];
  line.text = numbered(record.room, false, record.mark.spoken, final);
  const test::PeerMessage original = test::transcript(line);
  produce({original.topic, original.key, original.value, original.headers});
  line.original = line.text;
  for (const int language : wanted) {
    line.language = languages[language];
    line.text = numbered(record.room, true, language, final);
    const test::PeerMessage message = test::translation(line);
    produce({message.topic, message.key, message.value, message.headers});
  }
}

void EchoWorker::produce(const Out& out) {
  while (true) {
    kafka::HeadersHandle headers(rd_kafka_headers_new(out.headers.size()));
    for (const auto& [name, value] : out.headers)
      rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(), static_cast<ssize_t>(value.size()));
    const rd_kafka_resp_err_t code = rd_kafka_producev(
        producer_.get(), RD_KAFKA_V_TOPIC(out.topic.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(out.key.data(), out.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(out.value.data()), out.value.size()), RD_KAFKA_V_HEADERS(headers.get()), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      (void)headers.release();
      ++unacknowledged_;
      return;
    }
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || ended_) return problem(std::string("produce: ") + rd_kafka_err2str(code));
    rd_kafka_poll(producer_.get(), 20);
  }
}

void EchoWorker::reported(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  auto& worker = *static_cast<EchoWorker*>(self);
  --worker.unacknowledged_;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !worker.ended_) worker.problem(std::string("a message was refused: ") + rd_kafka_err2str(message->err));
}

void EchoWorker::problem(std::string text) {
  const std::lock_guard lock(mutex_);
  problems_.push_back(std::move(text));
}

std::vector<RawRecord> EchoWorker::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(seen_, {});
}

Produced EchoWorker::produced(int room, bool translated) const {
  const std::lock_guard lock(mutex_);
  const auto found = produced_.find({room_name(room), translated});
  return found == produced_.end() ? Produced{} : found->second;
}

std::vector<std::string> EchoWorker::problems() const {
  const std::lock_guard lock(mutex_);
  return problems_;
}

}  // namespace fluentgate::soak
