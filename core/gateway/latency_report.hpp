// Per frame and instance: the slowest listener's latency into the log and the histograms (CONTRACT 6). Thread: loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/domain/latency.hpp"
#include "core/domain/outbox.hpp"
#include "core/domain/ports.hpp"
#include "core/gateway/gateway_metrics.hpp"

namespace fluentgate::gateway {

class LatencyReport {
 public:
  LatencyReport(Logger& logger, GatewayMetrics& metrics, std::int64_t sample) : logger_(logger), metrics_(metrics), sample_(sample) {}
  struct Frame {
    RoomId room;
    UserId speaker;
    std::optional<std::int64_t> sequence_number;
    std::string target;
    FrameLatency latency;
    SteadyUs arrival_us = 0;
  };
  void frame_written(const Frame& frame, SteadyUs slowest_us);

 private:
  Logger& logger_;
  GatewayMetrics& metrics_;
  std::int64_t sample_;
  std::uint64_t frames_ = 0;
};

// One frame on its way to its listeners. Reports when the last of them has it, or will never have it.
class FrameTrace final : public DeliveryTrace {
 public:
  FrameTrace(std::weak_ptr<LatencyReport> report, LatencyReport::Frame frame) : report_(std::move(report)), frame_(std::move(frame)) {}
  ~FrameTrace() override {
    if (slowest_us_ == 0) return;  // nobody had it
    if (const auto report = report_.lock()) report->frame_written(frame_, slowest_us_);
  }
  void written(SteadyUs now) noexcept override { slowest_us_ = now > slowest_us_ ? now : slowest_us_; }

 private:
  std::weak_ptr<LatencyReport> report_;
  LatencyReport::Frame frame_;
  SteadyUs slowest_us_ = 0;
};

}  // namespace fluentgate::gateway
