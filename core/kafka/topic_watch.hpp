// Watches the cluster on a thread of its own ("kafka-watch"), so that the consumer never waits for an answer: is it there, which partitions
// do our incoming topics have, and where is each to be read from. Found partitions are handed to the consumer. With a PartitionPlan, only those
// of text that it wants are; their ends and those of all that is not fetched are kept known to it.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/ports.hpp"
#include "core/kafka/broker_state.hpp"
#include "core/kafka/handles.hpp"
#include "core/kafka/offsets.hpp"
#include "core/kafka/partition_plan.hpp"

namespace fluentgate::kafka {

// A partition to be read from `start`. Text records below `end` were there before we came; those older than `keep_from_ms`, the first of which
// is read to know its timestamp, are not for us.
struct Opening {
  std::uint8_t topic = 0;
  std::int32_t partition = 0;
  std::int64_t start = 0;
  std::int64_t end = 0;
  UnixMs keep_from_ms = 0;
  std::int64_t history_to = 0;  // beyond `end`: records up to here were there when it was opened, but may be newer than the room that wanted it
  bool midway = false;  // audio: what was there at the first look may be from before its room was here
};

class TopicWatch {
 public:
  struct Options {
    std::array<std::string, incoming_topics> topics;
    std::int64_t history_ms = 0;  // how far text topics are read back
    PartitionPlan* plan = nullptr;  // null: every partition is read
  };
  // `client` and the plan outlive the watch. `found` is called on the watch's thread when take() has something.
  TopicWatch(rd_kafka_t* client, Options options, BrokerStateTeller& state, Logger& log, const Clock& clock, std::function<void()> found);
  ~TopicWatch() { stop(); }

  void start();
  void begin_stop() noexcept;  // no request begins any more; waits for nothing
  void stop();                 // waits for at most one request's time-out (750 ms)

  // Thread: kafka. What was found since the last call.
  std::vector<Opening> take();
  // Thread: any. Messages came: the connection is there, no need to ask.
  void alive() noexcept { alive_ms_.store(clock_.steady_ms(), std::memory_order_relaxed); }
  // Thread: any. librdkafka lost all its connections.
  void lost() noexcept;
  // Thread: any. The plan wants something.
  void hurry() noexcept;

 private:
  enum class From : std::uint8_t { end, beginning };
  struct Topic {
    TopicHandle handle;
    bool present = false;
    bool was_missing = false;                   // the cluster has said that it isn't there: later, everything in it is new
    std::map<std::int32_t, bool> partitions;    // handed over?
    SteadyMs complained_ms = -60000;
  };

  void run();
  bool stopping();
  bool due(SteadyMs now) const;
  bool ask();
  bool ask_about(std::size_t index);
  void no_answer(rd_kafka_resp_err_t code);
  void note_topic(std::size_t index, const rd_kafka_metadata_topic_t& answer);
  bool open_partitions();
  SteadyMs follow_plan();
  void refresh_ends();
  bool open_wanted();
  void hand_over(const std::vector<Opening>& openings);
  bool open(std::size_t index, const std::vector<std::int32_t>& partitions, From from, std::vector<Opening>& openings);
  Result<std::vector<std::int64_t>> text_starts(const std::vector<PartitionId>& ids, const std::vector<std::int64_t>& ends, UnixMs keep_from_ms);
  void complain(Topic& topic, const std::string& text, const char* trouble = nullptr);

  rd_kafka_t* client_;
  const Options options_;
  BrokerStateTeller& state_;
  Logger& log_;
  const Clock& clock_;
  const std::function<void()> found_;

  std::array<Topic, incoming_topics> topics_;                                // kafka-watch only
  std::map<std::pair<std::size_t, std::int32_t>, From> pending_;             // found, not yet placed
  std::vector<PartitionPlan::Wanted> placing_;                                // wanted by the plan, not yet placed
  SteadyMs ends_due_ms_ = 0;
  std::string cluster_id_;
  bool connected_ = false, waiting_logged_ = false;
  std::size_t next_topic_ = 0;
  SteadyMs answered_ms_ = -60000;

  std::atomic<SteadyMs> alive_ms_{-60000};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false, lost_ = false, hurry_ = false;
  std::vector<Opening> openings_;
  std::thread thread_;
};

}  // namespace fluentgate::kafka
