#include "core/metrics/metric_table.hpp"

namespace fluentgate::metrics {
namespace {

constexpr std::string_view endpoints[] = {"audio", "captions", "signaling"};
constexpr std::string_view caption_types[] = {"original", "translated"};
constexpr std::string_view skip_reasons[] = {"stale", "slow"};
constexpr std::string_view restore_reasons[] = {"stalled", "language_changed", "speaker_left", "pipeline_down"};
constexpr std::string_view kafka_troubles[] = {"message_too_large", "topic_missing", "not_authorised"};
constexpr std::string_view number_ways[] = {"fresh", "resumed", "handed_over", "forced", "log"};
constexpr std::string_view truths[] = {"true", "false"};

constexpr double latency_buckets[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30};
constexpr double turn_buckets[] = {0.00001, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1};

constexpr std::size_t few = 64;
constexpr std::size_t stages_max = 2048;  // 7 stages and the language pairs in use

using Labels = std::array<std::string_view, labels_max>;
using Known = std::span<const std::string_view>;

constexpr Metric counter(CounterId id, std::string_view name, std::string_view help, Labels labels = {}, Known known = {}) {
  return {Type::counter, static_cast<std::uint8_t>(id), name, help, labels, known, {}, few};
}
constexpr Metric gauge(GaugeId id, std::string_view name, std::string_view help, Labels labels = {}, Known known = {}) {
  return {Type::gauge, static_cast<std::uint8_t>(id), name, help, labels, known, {}, few};
}
constexpr Metric histogram(HistogramId id, std::string_view name, std::string_view help, std::span<const double> buckets, Labels labels,
                           std::size_t children_max) {
  return {Type::histogram, static_cast<std::uint8_t>(id), name, help, labels, {}, buckets, children_max};
}

constexpr Metric table[] = {
    counter(CounterId::chunks_published, "fluentgate_chunks_published_total", "Chunks of speech handed to the Kafka producer."),
    counter(CounterId::chunks_acknowledged, "fluentgate_chunks_acknowledged_total", "Chunks of speech that Kafka acknowledged."),
    counter(CounterId::chunk_publish_errors, "fluentgate_chunk_publish_errors_total",
            "Chunks of speech that Kafka refused for good, by librdkafka's name of the reason.", {"reason"}),
    counter(CounterId::audio_received_seconds, "fluentgate_audio_received_seconds_total", "Duration of the speech taken from participants."),
    counter(CounterId::audio_dropped_seconds, "fluentgate_audio_dropped_seconds_total",
            "Duration of the speech that was dropped before it had a sequence number.", {"reason"}),
    counter(CounterId::frames_received, "fluentgate_frames_received_total",
            "Frames of synthesized speech that arrived for rooms of this instance."),
    counter(CounterId::frames_delivered, "fluentgate_frames_delivered_total",
            "Frames of synthesized speech written to listeners, once per listener."),
    counter(CounterId::frames_skipped, "fluentgate_frames_skipped_total",
            "Frames of synthesized speech that a listener did not get: too old, or the listener too slow.", {"reason"}, skip_reasons),
    counter(CounterId::mailbox_dropped_frames, "fluentgate_mailbox_dropped_frames_total",
            "Frames of synthesized speech dropped because the loop did not keep up."),
    counter(CounterId::captions_received, "fluentgate_captions_received_total", "Captions that arrived for rooms of this instance.", {"type"},
            caption_types),
    counter(CounterId::captions_delivered, "fluentgate_captions_delivered_total", "Captions written to subscribers, once per subscriber.", {"type"},
            caption_types),
    counter(CounterId::caption_resumes, "fluentgate_caption_resumes_total", "Resumed caption streams, by whether all that was missed was still here.",
            {"recovered"}, truths),
    counter(CounterId::messages_malformed, "fluentgate_messages_malformed_total", "Kafka messages that could not be understood.",
            {"topic", "reason"}),
    counter(CounterId::signaling_relayed, "fluentgate_signaling_relayed_total", "Signaling messages passed on, once per receiver."),
    counter(CounterId::originals_suppressed, "fluentgate_originals_suppressed_total",
            "Times that a listener was told to suppress a speaker's original voice."),
    counter(CounterId::originals_restored, "fluentgate_originals_restored_total",
            "Times that a listener was given a speaker's original voice back, by reason.", {"reason"}, restore_reasons),
    counter(CounterId::sequence_owned, "fluentgate_sequence_owned_total",
            "Speakers whose numbering came to this instance: nobody had it, it was released, its owner gave it up when asked, its owner was gone, "
            "or the log was read back.",
            {"how"}, number_ways),
    counter(CounterId::sequence_conflicts, "fluentgate_sequence_conflicts_total",
            "Times that two instances were seen to have numbered the same speaker, so that numbers in the log may repeat."),
    counter(CounterId::handshakes_accepted, "fluentgate_handshakes_accepted_total", "Handshakes that were upgraded.", {"endpoint"}, endpoints),
    counter(CounterId::handshakes_refused, "fluentgate_handshakes_refused_total", "Handshakes that were refused, by code.", {"code"}),
    counter(CounterId::closes, "fluentgate_closes_total", "Sockets closed by this side, by close code.", {"code"}),
    counter(CounterId::client_errors, "fluentgate_client_errors_total", "Error events sent to clients, by code.", {"code"}),
    counter(CounterId::kafka_disconnects, "fluentgate_kafka_disconnects_total", "Times that the last connection to a Kafka broker was lost."),
    counter(CounterId::kafka_troubles, "fluentgate_kafka_troubles_total",
            "What Kafka's operator must put right, each time that it is logged: a batch too large for the topic, a topic or a right that is missing.",
            {"reason"}, kafka_troubles),
    counter(CounterId::redis_disconnects, "fluentgate_redis_disconnects_total", "Times that the connection to Redis was lost."),
    counter(CounterId::kafka_consumed_bytes, "fluentgate_kafka_consumed_bytes_total", "Bytes of keys and values read from the incoming topics.", {"topic"}),
    counter(CounterId::kafka_sampled_bytes, "fluentgate_kafka_sampled_bytes_total",
            "Bytes of keys and values of the records looked at in partitions that are not fetched.", {"topic"}),
    counter(CounterId::partition_misplaced, "fluentgate_partition_misplaced_total",
            "Records of rooms of this instance found, by samples, in partitions that are not fetched: they are not delivered. See kafka.key_partitioners.",
            {"topic"}),
    counter(CounterId::log_lines_suppressed, "fluentgate_log_lines_suppressed_total", "Repeated log lines that were held back."),

    gauge(GaugeId::sessions, "fluentgate_sessions", "Open sockets.", {"endpoint"}, endpoints),
    gauge(GaugeId::rooms, "fluentgate_rooms", "Rooms with at least one socket here."),
    gauge(GaugeId::ready, "fluentgate_ready", "1 while /readyz answers 200."),
    gauge(GaugeId::draining, "fluentgate_draining", "1 while this instance drains."),
    gauge(GaugeId::kafka_up, "fluentgate_kafka_up", "1 while a Kafka broker is connected."),
    gauge(GaugeId::redis_up, "fluentgate_redis_up", "1 while Redis is connected; 0 also where none is configured."),
    gauge(GaugeId::outbox_bytes, "fluentgate_outbox_bytes", "Bytes that wait for slow sockets."),
    gauge(GaugeId::buffered_audio_seconds, "fluentgate_buffered_audio_seconds", "Duration of the speech that waits for Kafka."),
    gauge(GaugeId::buffered_audio_bytes, "fluentgate_buffered_audio_bytes", "Bytes of the speech that waits for Kafka."),
    gauge(GaugeId::mailbox_messages, "fluentgate_mailbox_messages", "Messages that waited for the loop at its last turn."),
    gauge(GaugeId::caption_history_bytes, "fluentgate_caption_history_bytes", "Bytes of captions kept for late joiners."),
    gauge(GaugeId::caption_history_rooms, "fluentgate_caption_history_rooms", "Rooms of which captions are remembered."),
    gauge(GaugeId::kafka_partitions_fetched, "fluentgate_kafka_partitions_fetched", "Partitions of the incoming topics that this instance reads."),
    gauge(GaugeId::start_time_seconds, "fluentgate_start_time_seconds", "When this instance started, in seconds since 1970."),
    gauge(GaugeId::build_info, "fluentgate_build_info", "Always 1; the version is in the label.", {"version"}),

    histogram(HistogramId::stage_latency_seconds, "fluentgate_stage_latency_seconds",
              "Time that a stage took: kafka_ack, transcript, translation, synthesis, egress, end_to_end, mouth_to_ear. "
              "Source and target are languages, - where unknown; target is empty for stages without one.",
              latency_buckets, {"stage", "source", "target"}, stages_max),
    histogram(HistogramId::loop_turn_seconds, "fluentgate_loop_turn_seconds", "Time that one turn of the loop took for what Kafka sent.", turn_buckets, {}, 1),
    histogram(HistogramId::sequence_wait_seconds, "fluentgate_sequence_wait_seconds",
              "Time from a speaker's first chunk here until its numbering was known, by how it was.", latency_buckets, {"how"}, few),
};

// A row out of place does not compile.
consteval bool in_order() {
  const std::size_t counters = static_cast<std::size_t>(CounterId::count_);
  const std::size_t gauges = static_cast<std::size_t>(GaugeId::count_);
  if (std::size(table) != counters + gauges + static_cast<std::size_t>(HistogramId::count_)) return false;
  for (std::size_t i = 0; i < std::size(table); ++i) {
    const Type type = i < counters ? Type::counter : i < counters + gauges ? Type::gauge : Type::histogram;
    const std::size_t first = type == Type::counter ? 0 : type == Type::gauge ? counters : counters + gauges;
    if (table[i].type != type || table[i].id != i - first) return false;
    if (!table[i].known.empty() && table[i].label_count() != 1) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const Metric> metric_table() noexcept { return table; }

}  // namespace fluentgate::metrics
