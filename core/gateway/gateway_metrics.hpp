// The gateway's view of the metrics registry: one function per thing that is counted. Thread: loop.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/domain/close_code.hpp"
#include "core/domain/endpoint.hpp"
#include "core/domain/ids.hpp"
#include "core/kafka/traffic.hpp"
#include "core/metrics/registry.hpp"

namespace fluentgate::gateway {

class GatewayMetrics {
 public:
  explicit GatewayMetrics(std::string_view version);

  // A stage of CONTRACT 6; `target` empty where it has none, "-" where unknown.
  void stage(std::string_view stage, std::string_view source, std::string_view target, std::int64_t us);
  void malformed(std::string_view topic, std::string_view reason) { add(metrics::CounterId::messages_malformed, {topic, reason}); }
  void audio_dropped(std::string_view reason, std::int64_t us) {
    add(metrics::CounterId::audio_dropped_seconds, {reason}, static_cast<double>(us) / 1e6);
  }
  void audio_received(std::int64_t us) { received_.add(static_cast<double>(us) / 1e6); }
  void frames_skipped(std::string_view reason) { add(metrics::CounterId::frames_skipped, {reason}); }
  void frame_received() { frames_received_.add(); }
  void frames_delivered(std::uint64_t count) { frames_delivered_.add(static_cast<double>(count)); }
  void mailbox_dropped(std::uint64_t count) { add(metrics::CounterId::mailbox_dropped_frames, {}, static_cast<double>(count)); }
  void mailbox_messages(std::size_t count) { mailbox_messages_.set(static_cast<double>(count)); }
  void caption_received(std::string_view type) { add(metrics::CounterId::captions_received, {type}); }
  void captions_delivered(std::string_view type, std::uint64_t count) { add(metrics::CounterId::captions_delivered, {type}, static_cast<double>(count)); }
  void caption_resume(bool recovered) { add(metrics::CounterId::caption_resumes, {recovered ? "true" : "false"}); }
  void caption_history(std::size_t bytes, std::size_t rooms);
  void signaling_relayed(std::size_t receivers) { add(metrics::CounterId::signaling_relayed, {}, static_cast<double>(receivers)); }
  void suppressed() { add(metrics::CounterId::originals_suppressed, {}); }
  void restored(std::string_view reason) { add(metrics::CounterId::originals_restored, {reason}); }
  void chunk_published() { published_.add(); }
  // `spoken`: the speaker's language; empty: unknown.
  void chunk_acknowledged(std::string_view spoken, std::int64_t ack_us);
  void chunk_refused(std::string_view error) { add(metrics::CounterId::chunk_publish_errors, {error}); }
  void kafka_trouble(std::string_view reason) { add(metrics::CounterId::kafka_troubles, {reason}); }
  void numbers_owned(std::string_view how, std::int64_t waited_ms);
  void numbers_conflict() { add(metrics::CounterId::sequence_conflicts, {}); }
  void accepted(Endpoint endpoint) { add(metrics::CounterId::handshakes_accepted, {name_of(endpoint)}); }
  void refused(CloseCode code) { add(metrics::CounterId::handshakes_refused, {std::to_string(static_cast<int>(code))}); }
  void closed(CloseCode code) { add(metrics::CounterId::closes, {std::to_string(static_cast<int>(code))}); }
  void client_error(std::string_view code) { add(metrics::CounterId::client_errors, {code}); }
  void sessions(Endpoint endpoint, std::int64_t change) { gauge(metrics::GaugeId::sessions, {name_of(endpoint)}).add(static_cast<double>(change)); }
  void rooms(std::size_t count) { gauge(metrics::GaugeId::rooms).set(static_cast<double>(count)); }
  void kafka_up(bool up);
  void redis_up(bool up);
  // What was counted since the last call; `topics` in the order of its arrays.
  void kafka_traffic(const kafka::Traffic& traffic, const std::array<std::string_view, 3>& topics);
  void ready(bool is_ready) { gauge(metrics::GaugeId::ready).set(is_ready ? 1 : 0); }
  void draining() { gauge(metrics::GaugeId::draining).set(1); }
  void buffered(std::int64_t us, std::size_t bytes);
  void outbox_bytes(std::size_t bytes) { gauge(metrics::GaugeId::outbox_bytes).set(static_cast<double>(bytes)); }
  void turn_us(std::int64_t us) { turn_.observe(static_cast<double>(us) / 1e6); }
  std::string render() const { return registry_.render(); }

 private:
  using Values = metrics::Registry::Values;
  void add(metrics::CounterId id, Values values, double amount = 1) { registry_.counter(id, values).add(amount); }
  metrics::Gauge& gauge(metrics::GaugeId id, Values values = {}) { return registry_.gauge(id, values); }

  metrics::Registry registry_;
  // Looked up once: the hot paths' own.
  metrics::Counter& published_;
  metrics::Counter& acknowledged_;
  metrics::Counter& received_;
  metrics::Counter& frames_received_;
  metrics::Counter& frames_delivered_;
  metrics::Gauge& mailbox_messages_;
  metrics::Histogram& turn_;
  std::unordered_map<std::string, metrics::Histogram*, IdHash, IdEqual> stages_;  // by stage, source, target
  std::array<std::array<std::uint64_t, 3>, 3> traffic_shown_{};  // consumed, sampled, misplaced; by topic
  bool kafka_was_up_ = false;
  bool redis_was_up_ = false;
};

}  // namespace fluentgate::gateway
