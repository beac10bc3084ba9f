// Producer: the largest batch that the topic takes (max.message.bytes). Asked for at the start, before anything is handed to librdkafka, and again
// from time to time, so that no batch is made that would be refused, and no chunk gets a number that can't be published.
#include <charconv>
#include <string_view>

#include "core/kafka/embedded_cluster.hpp"
#include "core/kafka/producer.hpp"

namespace fluentgate::kafka {
namespace {

constexpr int ask_timeout_ms = 2000;
constexpr SteadyMs ask_again_ms = 60000;       // it may be changed while we run
constexpr SteadyMs missing_again_ms = 2000;
constexpr SteadyMs complain_every_ms = 30000;

// What a record takes beside its bytes, at most: the batch's header, its lengths and deltas (message format 2), and the lengths of each header.
constexpr std::size_t record_overhead_bytes = 61 + 36;
constexpr std::size_t header_overhead_bytes = 10;

struct DestroyResource { void operator()(rd_kafka_ConfigResource_t* resource) const noexcept { rd_kafka_ConfigResource_destroy(resource); } };
struct DestroyOptions { void operator()(rd_kafka_AdminOptions_t* options) const noexcept { rd_kafka_AdminOptions_destroy(options); } };

bool no_answer(rd_kafka_resp_err_t code) noexcept {
  return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
         code == RD_KAFKA_RESP_ERR__WAIT_COORD || code == RD_KAFKA_RESP_ERR__DESTROY;
}

std::size_t max_message_bytes(const rd_kafka_ConfigResource_t* resource) {
  std::size_t count = 0;
  const rd_kafka_ConfigEntry_t** const entries = rd_kafka_ConfigResource_configs(resource, &count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* const value = rd_kafka_ConfigEntry_value(entries[i]);
    if (value == nullptr || std::string_view(rd_kafka_ConfigEntry_name(entries[i])) != "max.message.bytes") continue;
    const std::string_view text(value);
    std::size_t bytes = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), bytes).ec == std::errc()) return bytes;
  }
  return 0;
}

}  // namespace

Status Producer::check_size(const AudioChunk& chunk, std::string_view value, std::span<const wire::OwnedHeader> headers) const {
  const std::size_t bytes = value.size() + chunk.room.value.size();
  if (bytes > message_bytes_max_) return Error{"too_large", "larger than message.max.bytes", false};
  if (const std::size_t limit = limit_bytes_.load(); limit > 0) {
    std::size_t record = record_overhead_bytes + bytes;
    for (const wire::OwnedHeader& header : headers) record += header_overhead_bytes + header.name.size() + header.value.size();
    if (record > limit) return Error{"too_large", "larger than the topic's max.message.bytes", false};
  }
  const std::size_t refused = too_large_bytes_.load();
  if (refused > 0 && bytes >= refused && clock_.steady_ms() < too_large_until_ms_.load())
    return Error{"too_large", "the broker has refused one as large", false};
  return ok();
}

// The answer comes as an event. A mock cluster has no such limit, and would leave the question without an answer.
void Producer::ask_limit() {
  limit_asked_ = true;
  const TextHandle cluster_id(rd_kafka_clusterid(client_.get(), 0));  // as the probe learned it
  if (cluster_id && is_mock_cluster(cluster_id.get())) return end_holding();
  const std::unique_ptr<rd_kafka_ConfigResource_t, DestroyResource> resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, kafka_.topic_audio_raw.c_str()));
  const std::unique_ptr<rd_kafka_AdminOptions_t, DestroyOptions> options(rd_kafka_AdminOptions_new(client_.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  char text[256];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), ask_timeout_ms, text, sizeof text);
  rd_kafka_ConfigResource_t* asked[] = {resource.get()};
  rd_kafka_DescribeConfigs(client_.get(), asked, 1, options.get(), queue_.get());
}

void Producer::take_limit(rd_kafka_event_t* event) {
  const SteadyMs now = clock_.steady_ms();
  limit_asked_ = false;
  limit_due_ms_ = now + ask_again_ms;
  rd_kafka_resp_err_t code = rd_kafka_event_error(event);
  std::size_t limit = 0;
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    std::size_t count = 0;
    const rd_kafka_ConfigResource_t** const resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
    code = count == 1 ? rd_kafka_ConfigResource_error(resources[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) limit = max_message_bytes(resources[0]);
  }
  if (no_answer(code)) {
    limit_due_ms_ = now + missing_again_ms;
    return end_holding();  // the lanes keep the order without it
  }
  if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
    limit_due_ms_ = now + missing_again_ms;
    if (now - missing_logged_ms_ >= complain_every_ms) {
      missing_logged_ms_ = now;
      log_.write(LogLevel::warn, "kafka", "topic " + kafka_.topic_audio_raw + " is missing; speech waits for it");
      state_.trouble("topic_missing");
    }
    return end_holding();  // a broker that makes topics by itself does when something is published
  }
  if (limit == 0 && !limit_unknown_logged_) {
    limit_unknown_logged_ = true;
    log_.write(LogLevel::info, "kafka", "the max.message.bytes of topic " + kafka_.topic_audio_raw + " can't be read (" + rd_kafka_err2name(code) +
                                            "): a chunk that is too large is known by its refusal");
  }
  if (limit > 0 && limit != limit_bytes_.exchange(limit)) {
    log_.write(LogLevel::info, "kafka", "topic " + kafka_.topic_audio_raw + " takes at most " + std::to_string(limit) + " bytes a batch");
    too_large_bytes_.store(0);
  }
  if (limit > 0 && limit < batch_bytes_) {
    // What waits in this client goes to one that makes smaller batches. At the start there is nothing.
    log_.write(LogLevel::info, "kafka", "batch.size is lowered from " + std::to_string(batch_bytes_) + " to that");
    fatal_.store(true);
  }
  end_holding();
}

void Producer::end_holding() {
  const std::lock_guard lock(lanes_mutex_);
  if (!holding_) return;
  holding_ = false;
  drain_all();
}

}  // namespace fluentgate::kafka
