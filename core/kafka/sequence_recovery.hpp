// Reads back audio.raw's last audio.sequence_lookback_ms once, at the start, so that speakers go on after their highest number.
// A consumer and a thread of its own, both gone when done. Tries again while Kafka is away: done means that the cluster has answered.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "core/config/settings.hpp"
#include "core/domain/ports.hpp"
#include "core/kafka/client_conf.hpp"
#include "core/kafka/inbound.hpp"
#include "core/kafka/log_reader.hpp"
#include "core/kafka/log_tail.hpp"

namespace fluentgate::kafka {

class SequenceRecovery {
 public:
  // Delivers SpeakerRecovered for each speaker, once, and then RecoveryDone.
  // `tail`, if given, goes on from what was read; it outlives this.
  SequenceRecovery(const config::Settings& settings, Cluster cluster, InboundSink& sink, LogTailReader* tail, Logger& log, const Clock& clock);
  ~SequenceRecovery() { stop(); }
  void start();
  void begin_stop() noexcept;  // waits for nothing
  void stop();                 // waits for its thread, at most a second
  bool done() const noexcept { return done_.load(); }

 private:
  void run();
  bool attempt();
  void note(const LogReader::Record& record);
  void report();
  bool stopping() const noexcept { return stopping_.load(); }

  const std::string topic_;
  const std::int64_t lookback_ms_;
  InboundSink& sink_;
  Logger& log_;
  const Clock& clock_;
  LogTailReader* const tail_;

  LogReader reader_;
  LogReader::Counts counts_;
  LogReader::Offsets ends_;
  UnixMs read_from_ms_ = 0;
  // As many as spoke in the lookback: no bound but the log's, since a speaker left out would repeat its numbers.
  SpeakerPlaces highest_;
  std::atomic<bool> stopping_{false}, done_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace fluentgate::kafka
