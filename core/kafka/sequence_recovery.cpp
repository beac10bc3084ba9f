// Where the lookback begins, everything from there to the end as it is now, the highest number of each speaker.
#include "core/kafka/sequence_recovery.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace fluentgate::kafka {
namespace {

constexpr int retry_ms = 100;

}  // namespace

SequenceRecovery::SequenceRecovery(const config::Settings& settings, Cluster cluster, InboundSink& sink, LogTailReader* tail, Logger& log,
                                   const Clock& clock)
    : topic_(settings.kafka.topic_audio_raw), lookback_ms_(settings.audio.sequence_lookback_ms), sink_(sink), log_(log), clock_(clock), tail_(tail),
      reader_(settings.kafka, std::move(cluster), log, clock) {}

void SequenceRecovery::start() {
  thread_ = std::thread([this] { run(); });
}

void SequenceRecovery::begin_stop() noexcept {
  {
    const std::lock_guard lock(mutex_);  // else the thread could look, miss the change and wait
    stopping_.store(true);
  }
  wake_.notify_all();
}

void SequenceRecovery::stop() {
  begin_stop();
  if (thread_.joinable()) thread_.join();
}

void SequenceRecovery::run() {
  bool waiting_logged = false;
  while (!stopping()) {
    if (attempt()) {
      reader_.close();
      report();
      return;
    }
    if (!waiting_logged && !stopping()) {
      waiting_logged = true;
      log_.write(LogLevel::info, "kafka", "sequence numbers are not known yet: waiting to read back " + topic_);
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::milliseconds(retry_ms), [this] { return stopping(); });
  }
  reader_.close();
}

bool SequenceRecovery::attempt() {
  if (!reader_.open()) return false;
  highest_.clear();
  ends_.clear();
  counts_ = {};
  const auto failed = [this](const Error& error) {
    log_.write(LogLevel::debug, "kafka", "reading back " + topic_ + ": " + error.text);
    return false;
  };
  const Result<std::vector<std::int32_t>> partitions = reader_.partitions();
  if (!partitions) return failed(partitions.error());
  if (partitions->empty() || lookback_ms_ == 0) return true;
  if (stopping()) return false;  // between requests: each may take its whole time-out
  Result<LogReader::Offsets> ends = reader_.ends(partitions.value());
  if (!ends) return failed(ends.error());
  if (stopping()) return false;
  read_from_ms_ = clock_.unix_ms() - lookback_ms_;
  const Result<LogReader::Offsets> starts = reader_.at(partitions.value(), read_from_ms_, ends.value());
  if (!starts) return failed(starts.error());
  ends_ = std::move(ends).value();
  return reader_.read(starts.value(), ends_, [this](const LogReader::Record& record) { note(record); }, [this] { return stopping(); }, counts_);
}

void SequenceRecovery::note(const LogReader::Record& record) {
  if (record.timestamp_ms >= 0 && record.timestamp_ms < read_from_ms_) return;
  highest_.note(record);
}

void SequenceRecovery::report() {
  std::vector<Inbound> batch;
  batch.reserve(highest_.size() + 1);
  highest_.each([&batch](const RoomId& room, const UserId& user, const SpeakerPlaces::Place& place) {
    batch.emplace_back(SpeakerRecovered{room, user, place.number});
  });
  batch.emplace_back(RecoveryDone{});
  if (counts_.records > 0) {
    log_.write(LogLevel::info, "kafka",
               "read back " + std::to_string(counts_.records) + " record(s) of " + topic_ + ": " + std::to_string(highest_.size()) +
                   " speaker(s) go on" + (counts_.unreadable > 0 ? ", " + std::to_string(counts_.unreadable) + " record(s) could not be read" : ""));
  }
  done_.store(true);
  sink_.deliver(std::move(batch));
  if (tail_ != nullptr) tail_->covered(std::exchange(ends_, {}), std::exchange(highest_, {}));
  highest_.clear();
}

}  // namespace fluentgate::kafka
