// See raw_check.hpp.
#include "tools/bench/raw_check.hpp"

#include <charconv>
#include <optional>
#include <string_view>

#include "core/wire/base64.hpp"

namespace fluentgate::bench {
namespace {

constexpr int poll_ms = 50, watermark_ms = 5000;

std::optional<int> number_after(std::string_view text, std::string_view prefix) {
  int out = 0;
  if (!text.starts_with(prefix)) return std::nullopt;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + prefix.size(), end, out);
  return error == std::errc() && at == end ? std::optional(out) : std::nullopt;
}

}  // namespace

RawCheck::RawCheck(const Load& load, std::uint32_t run)
    : load_(load), run_(run), room_prefix_("bench-" + std::to_string(run) + "-"), next_(static_cast<std::size_t>(load.rooms * load.speakers)) {}

Result<std::unique_ptr<RawCheck>> RawCheck::start(const Load& load, std::uint32_t run) {
  std::unique_ptr<RawCheck> check(new RawCheck(load, run));
  Result<KafkaHandle> kafka = make_kafka(RD_KAFKA_CONSUMER, {{"bootstrap.servers", load.kafka}, {"group.id", "fluentgate-bench-" + std::to_string(run)},
                                                             {"enable.auto.commit", "false"}, {"fetch.wait.max.ms", "100"}});
  if (!kafka) return kafka.error();
  check->kafka_ = std::move(*kafka);
  rd_kafka_poll_set_consumer(check->kafka_.get());
  const Result<int> partitions = partitions_of(check->kafka_.get(), load.topic_raw);
  if (!partitions) return partitions.error();
  struct FreeList { void operator()(rd_kafka_topic_partition_list_t* list) const noexcept { rd_kafka_topic_partition_list_destroy(list); } };
  const std::unique_ptr<rd_kafka_topic_partition_list_t, FreeList> list(rd_kafka_topic_partition_list_new(*partitions));
  for (int i = 0; i < *partitions; ++i) {
    std::int64_t low = 0, high = 0;
    const auto error = rd_kafka_query_watermark_offsets(check->kafka_.get(), load.topic_raw.c_str(), i, &low, &high, watermark_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Error{"kafka", load.topic_raw + ": " + rd_kafka_err2str(error)};
    rd_kafka_topic_partition_list_add(list.get(), load.topic_raw.c_str(), i)->offset = high;
  }
  if (const auto error = rd_kafka_assign(check->kafka_.get(), list.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) return Error{"kafka", rd_kafka_err2str(error)};
  check->thread_ = std::thread([raw = check.get()] { raw->run(); });
  return check;
}

RawCheck::~RawCheck() { stop(); }

void RawCheck::stop() {
  stopping_ = true;
  if (!thread_.joinable()) return;
  thread_.join();
  rd_kafka_consumer_close(kafka_.get());
}

void RawCheck::run() {
  while (!stopping_) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(kafka_.get(), poll_ms);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) take(*message);
    rd_kafka_message_destroy(message);
  }
}

void RawCheck::take(const rd_kafka_message_t& message) {
  std::vector<wire::Header> headers;
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(&message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      headers.push_back({name, {static_cast<const char*>(value), size}});
    }
  }
  wire::KafkaRecord record;
  record.value = {static_cast<const char*>(message.payload), message.len};
  record.headers = headers;
  const auto key = parser_.audio_raw_key(record);
  const auto room = key ? number_after(key->room.value, room_prefix_) : std::nullopt;
  if (!room) return;  // of another client of this gateway
  const auto named = number_after(key->user.value, "speaker-");
  if (!named || *named < 0 || static_cast<std::size_t>(*named) >= next_.size() || *named / load_.speakers != *room) return;
  const std::size_t speaker = static_cast<std::size_t>(*named);
  value_bytes_ += static_cast<std::int64_t>(record.value.size());
  if (key->sequence_number < next_[speaker]) {
    ++out_of_place_;
  } else {
    missing_ += key->sequence_number - next_[speaker];
    next_[speaker] = key->sequence_number + 1;
  }
  check_sound(record.value, speaker, key->sequence_number);
  ++chunks_;
}

void RawCheck::check_sound(std::string_view value, std::size_t speaker, std::int64_t number) {
  std::optional<Mark> mark;
  bool whole = value.size() == static_cast<std::size_t>(load_.chunk_bytes);
  if (value.starts_with('{')) {
    constexpr std::string_view member = R"("audio_data":")";
    const std::size_t at = value.find(member);
    const std::size_t size = wire::base64_size(static_cast<std::size_t>(load_.chunk_bytes));
    const std::string_view text = at == std::string_view::npos ? std::string_view() : value.substr(at + member.size());
    whole = text.size() > size && text[size] == '"';
    if (const auto head = wire::base64_decode(text.substr(0, wire::base64_size(sizeof(Mark))))) mark = mark_of(*head, run_);
  } else {
    mark = mark_of({reinterpret_cast<const std::uint8_t*>(value.data()), value.size()}, run_);
  }
  if (!whole || !mark || mark->stream != speaker || mark->sequence != number) {
    ++corrupt_;
  } else if (measuring_) {
    latency_.add((monotonic_ns() - mark->handed_over_ns) / 1000);
  }
}

}  // namespace fluentgate::bench
