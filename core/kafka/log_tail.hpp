// The end of audio.raw, read for speakers whose numbers nobody else can tell: of an instance that was killed, or of one that numbers without Redis
// (docs/decisions/0006). All questions that wait are answered by one pass over the log. A thread of its own ("log-tail"), with Redis only.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/config/settings.hpp"
#include "core/domain/numbering.hpp"
#include "core/domain/ports.hpp"
#include "core/kafka/client_conf.hpp"
#include "core/kafka/inbound.hpp"
#include "core/kafka/log_reader.hpp"

namespace fluentgate::kafka {

// The highest number of each speaker, and where it is.
class SpeakerPlaces {
 public:
  struct Place {
    std::int64_t number = 0;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::int64_t timestamp_ms = 0;
  };
  void note(const LogReader::Record& record);
  const Place* find(const RoomId& room, const UserId& user) const;
  void forget_before(std::int64_t timestamp_ms);
  std::size_t size() const noexcept { return places_.size(); }
  void clear() noexcept { places_.clear(); }
  template <class Visit>
  void each(Visit&& visit) const {
    for (const auto& [who, place] : places_) visit(RoomId(who.first), UserId(who.second), place);
  }

 private:
  std::map<std::pair<std::string, std::string>, Place> places_;
};

class LogTailReader final : public LogTail {
 public:
  // Clocks of instances may be that far apart.
  static constexpr std::int64_t clock_slack_ms = 60000;

  // Answers are TailRead messages.
  LogTailReader(const config::Settings& settings, Cluster cluster, InboundSink& sink, Logger& log, const Clock& clock);
  ~LogTailReader() override { stop(); }
  void start();
  void begin_stop() noexcept;
  void stop();

  // Thread: loop. Waits for Kafka, and if it is about the lookback for covered().
  void ask(Question question) override;
  // Thread: any. What was read at the start: the lookback up to `ends`.
  void covered(LogReader::Offsets ends, SpeakerPlaces highest);

 private:
  struct Pass;
  void run();
  bool wait_for_work(std::vector<Question>& questions);
  bool answer(std::vector<Question>& questions);
  Result<Pass> plan(const std::vector<Question>& questions);
  Status plan_times(const std::vector<Question>& questions, Pass& pass);
  void tell(const std::vector<Question>& questions, const Pass& pass);

  const config::Kafka kafka_;
  const std::int64_t lookback_ms_;
  InboundSink& sink_;
  Logger& log_;
  const Clock& clock_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;            // guarded by mutex_, as what follows up to the thread's own
  bool is_covered_ = false;
  std::vector<Question> asked_;
  LogReader::Offsets given_ends_;
  SpeakerPlaces given_highest_;

  // Of the thread: the lookback has been read up to cover_.
  LogReader reader_;
  LogReader::Offsets cover_;
  SpeakerPlaces highest_;
  std::thread thread_;
};

}  // namespace fluentgate::kafka
