// Every metric, one row each: the scrape, the reference page docs/metrics.md and their test come from this table (CONTRACT 6). Thread: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fluentgate::metrics {

enum class Type : std::uint8_t { counter, gauge, histogram };
constexpr std::string_view name_of(Type type) noexcept {
  return type == Type::counter ? "counter" : type == Type::gauge ? "gauge" : "histogram";
}

// In the order of the table.
enum class CounterId : std::uint8_t {
  chunks_published, chunks_acknowledged, chunk_publish_errors, audio_received_seconds, audio_dropped_seconds, frames_received, frames_delivered,
  frames_skipped, mailbox_dropped_frames, captions_received, captions_delivered, caption_resumes, messages_malformed, signaling_relayed,
  originals_suppressed, originals_restored, sequence_owned, sequence_conflicts, handshakes_accepted, handshakes_refused, closes, client_errors, kafka_disconnects, kafka_troubles, redis_disconnects,
  kafka_consumed_bytes, kafka_sampled_bytes, partition_misplaced, log_lines_suppressed, count_
};
enum class GaugeId : std::uint8_t {
  sessions, rooms, ready, draining, kafka_up, redis_up, outbox_bytes, buffered_audio_seconds, buffered_audio_bytes, mailbox_messages,
  caption_history_bytes, caption_history_rooms, kafka_partitions_fetched, start_time_seconds, build_info, count_
};
enum class HistogramId : std::uint8_t { stage_latency_seconds, loop_turn_seconds, sequence_wait_seconds, count_ };

inline constexpr std::size_t labels_max = 3;

struct Metric {
  Type type;
  std::uint8_t id;                                  // of the enum of its type
  std::string_view name;
  std::string_view help;
  std::array<std::string_view, labels_max> labels;  // names; the first empty one ends the list
  std::span<const std::string_view> known;          // values of the only label that are shown from the start, with 0
  std::span<const double> buckets;                  // upper bounds in seconds, rising; +Inf is added
  std::size_t children_max;                         // label combinations; beyond: see Registry
  constexpr std::size_t label_count() const noexcept {
    std::size_t count = 0;
    while (count < labels_max && !labels[count].empty()) ++count;
    return count;
  }
};

// Counters, then gauges, then histograms, each in the order of its enum.
std::span<const Metric> metric_table() noexcept;

}  // namespace fluentgate::metrics
