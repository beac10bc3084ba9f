// Reads audio.raw beside the gateway's workers and checks that every chunk that was said is there: numbered from 0 without a hole, with the sound that was
// sent. Thread: start() and stop() the caller's; the counts may be read by any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/domain/result.hpp"
#include "core/wire/kafka_event.hpp"
#include "tools/bench/histogram.hpp"
#include "tools/bench/kafka_feed.hpp"
#include "tools/bench/load.hpp"

namespace fluentgate::bench {

class RawCheck {
 public:
  // Reads from the end of every partition as it is now. Errors "kafka".
  static Result<std::unique_ptr<RawCheck>> start(const Load& load, std::uint32_t run);
  ~RawCheck();
  void stop();
  void measure(bool on) { measuring_ = on; }

  std::int64_t chunks() const { return chunks_.load(); }  // ours, whatever is wrong with them
  // After stop():
  std::int64_t missing() const { return missing_; }
  std::int64_t out_of_place() const { return out_of_place_; }
  std::int64_t corrupt() const { return corrupt_; }
  std::int64_t value_bytes() const { return value_bytes_; }
  const Histogram& latency() const { return latency_; }  // from the client's send to here, through Kafka

 private:
  RawCheck(const Load& load, std::uint32_t run);
  void run();
  void take(const rd_kafka_message_t& message);
  void check_sound(std::string_view value, std::size_t speaker, std::int64_t number);

  const Load& load_;
  const std::uint32_t run_;
  const std::string room_prefix_;
  KafkaHandle kafka_;
  std::thread thread_;
  std::atomic<bool> stopping_{false}, measuring_{false};
  wire::EventParser parser_;
  std::vector<std::int64_t> next_;  // per speaker
  std::atomic<std::int64_t> chunks_{0};
  std::int64_t missing_ = 0, out_of_place_ = 0, corrupt_ = 0, value_bytes_ = 0;
  Histogram latency_;
};

}  // namespace fluentgate::bench
