#include "core/gateway/gateway_metrics.hpp"

#include <chrono>
#include <iterator>
#include <utility>

namespace fluentgate::gateway {

namespace {
constexpr std::size_t cached_stages_max = 4096;
}

GatewayMetrics::GatewayMetrics(std::string_view version)
    : registry_(version),
      published_(registry_.counter(metrics::CounterId::chunks_published)),
      acknowledged_(registry_.counter(metrics::CounterId::chunks_acknowledged)),
      received_(registry_.counter(metrics::CounterId::audio_received_seconds)),
      frames_received_(registry_.counter(metrics::CounterId::frames_received)),
      frames_delivered_(registry_.counter(metrics::CounterId::frames_delivered)),
      mailbox_messages_(registry_.gauge(metrics::GaugeId::mailbox_messages)),
      turn_(registry_.histogram(metrics::HistogramId::loop_turn_seconds)) {
  kafka_up(false);
  gauge(metrics::GaugeId::redis_up).set(0);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  gauge(metrics::GaugeId::start_time_seconds).set(std::chrono::duration<double>(now).count());
}

void GatewayMetrics::stage(std::string_view stage, std::string_view source, std::string_view target, std::int64_t us) {
  std::string key;
  key.reserve(stage.size() + source.size() + target.size() + 2);
  key.append(stage).append(1, '\0').append(source).append(1, '\0').append(target);
  auto it = stages_.find(key);
  if (it == stages_.end()) {
    if (stages_.size() >= cached_stages_max) stages_.clear();
    it = stages_.emplace(std::move(key), &registry_.histogram(metrics::HistogramId::stage_latency_seconds, {stage, source, target})).first;
  }
  it->second->observe(static_cast<double>(us) / 1e6);
}

void GatewayMetrics::chunk_acknowledged(std::string_view spoken, std::int64_t ack_us) {
  acknowledged_.add();
  stage("kafka_ack", spoken.empty() ? "-" : spoken, "", ack_us);
}

void GatewayMetrics::caption_history(std::size_t bytes, std::size_t rooms) {
  gauge(metrics::GaugeId::caption_history_bytes).set(static_cast<double>(bytes));
  gauge(metrics::GaugeId::caption_history_rooms).set(static_cast<double>(rooms));
}

void GatewayMetrics::kafka_up(bool up) {
  gauge(metrics::GaugeId::kafka_up).set(up ? 1 : 0);
  if (kafka_was_up_ && !up) add(metrics::CounterId::kafka_disconnects, {});
  kafka_was_up_ = up;
}

void GatewayMetrics::redis_up(bool up) {
  gauge(metrics::GaugeId::redis_up).set(up ? 1 : 0);
  if (redis_was_up_ && !up) add(metrics::CounterId::redis_disconnects, {});
  redis_was_up_ = up;
}

void GatewayMetrics::numbers_owned(std::string_view how, std::int64_t waited_ms) {
  add(metrics::CounterId::sequence_owned, {how});
  registry_.histogram(metrics::HistogramId::sequence_wait_seconds, {how}).observe(static_cast<double>(waited_ms) / 1e3);
}

void GatewayMetrics::buffered(std::int64_t us, std::size_t bytes) {
  gauge(metrics::GaugeId::buffered_audio_seconds).set(static_cast<double>(us) / 1e6);
  gauge(metrics::GaugeId::buffered_audio_bytes).set(static_cast<double>(bytes));
}

void GatewayMetrics::kafka_traffic(const kafka::Traffic& traffic, const std::array<std::string_view, 3>& topics) {
  const std::pair<metrics::CounterId, const kafka::Traffic::PerTopic*> counts[] = {{metrics::CounterId::kafka_consumed_bytes, &traffic.consumed_bytes},
                                                                                  {metrics::CounterId::kafka_sampled_bytes, &traffic.sampled_bytes},
                                                                                  {metrics::CounterId::partition_misplaced, &traffic.misplaced}};
  for (std::size_t i = 0; i < std::size(counts); ++i) {
    for (std::size_t topic = 0; topic < topics.size(); ++topic) {
      const std::uint64_t now = (*counts[i].second)[topic].load(std::memory_order_relaxed);
      const std::uint64_t before = std::exchange(traffic_shown_[i][topic], now);
      if (now > before) add(counts[i].first, {topics[topic]}, static_cast<double>(now - before));
    }
  }
  gauge(metrics::GaugeId::kafka_partitions_fetched).set(static_cast<double>(traffic.partitions_fetched.load(std::memory_order_relaxed)));
}

}  // namespace fluentgate::gateway
