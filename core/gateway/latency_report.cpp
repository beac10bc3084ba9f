#include "core/gateway/latency_report.hpp"

#include <algorithm>

namespace fluentgate::gateway {

void LatencyReport::frame_written(const Frame& frame, SteadyUs slowest_us) {
  const std::int64_t egress_us = std::max<std::int64_t>(0, slowest_us - frame.arrival_us);
  const FrameLatency& latency = frame.latency;
  if (latency.tts_ms) metrics_.stage("synthesis", latency.source, frame.target, *latency.tts_ms * 1000);
  metrics_.stage("egress", latency.source, frame.target, egress_us);
  if (latency.pipeline_ms) metrics_.stage("end_to_end", latency.source, frame.target, *latency.pipeline_ms * 1000 + egress_us);
  if (sample_ <= 0 || frames_++ % static_cast<std::uint64_t>(sample_) != 0 || !logger_.enabled(LogLevel::info)) return;
  logger_.write(LogLevel::info, "latency",
                latency_line(frame.room, frame.speaker, frame.sequence_number, latency.source, frame.target, latency, egress_us / 1000));
}

}  // namespace fluentgate::gateway
