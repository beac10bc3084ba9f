// Asks, places, hands over. The times make a lost connection known within 2 s, the stop included within 1 s.
#include "core/kafka/topic_watch.hpp"

#include <algorithm>
#include <chrono>

#include "core/kafka/embedded_cluster.hpp"

namespace fluentgate::kafka {
namespace {

constexpr int request_timeout_ms = 750;
constexpr SteadyMs ask_every_ms = 300;         // while nothing comes
constexpr SteadyMs refresh_every_ms = 1200;    // while messages come: only for new topics and partitions, one topic a time
constexpr SteadyMs lost_after_ms = 1500;       // without an answer
constexpr SteadyMs retry_ms = 50;
constexpr SteadyMs complain_every_ms = 30000;

bool means_missing(rd_kafka_resp_err_t code) noexcept {
  return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

}  // namespace

TopicWatch::TopicWatch(rd_kafka_t* client, Options options, BrokerStateTeller& state, Logger& log, const Clock& clock, std::function<void()> found)
    : client_(client), options_(std::move(options)), state_(state), log_(log), clock_(clock), found_(std::move(found)) {
  for (std::size_t i = 0; i < incoming_topics; ++i) topics_[i].handle.reset(rd_kafka_topic_new(client_, options_.topics[i].c_str(), nullptr));
}

void TopicWatch::start() {
  thread_ = std::thread([this] { run(); });
}

void TopicWatch::begin_stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

bool TopicWatch::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void TopicWatch::stop() {
  begin_stop();
  if (thread_.joinable()) thread_.join();
  for (Topic& topic : topics_) topic.handle.reset();
}

std::vector<Opening> TopicWatch::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(openings_, {});
}

void TopicWatch::lost() noexcept {
  {
    const std::lock_guard lock(mutex_);
    lost_ = true;
  }
  wake_.notify_all();
}

void TopicWatch::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      if (std::exchange(lost_, false)) {
        connected_ = false;
        alive_ms_.store(-60000, std::memory_order_relaxed);
        state_.consumer_connected(false);
      }
    }
    SteadyMs wait_ms = ask_every_ms;
    if (due(clock_.steady_ms())) {
      if (ask()) {
        if (!pending_.empty() && !open_partitions()) wait_ms = retry_ms;
      } else {
        wait_ms = retry_ms;
      }
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::milliseconds(wait_ms), [this] { return stopping_ || lost_; });
  }
}

bool TopicWatch::due(SteadyMs now) const {
  if (!connected_ || !pending_.empty()) return true;
  const bool flowing = now - alive_ms_.load(std::memory_order_relaxed) < ask_every_ms;
  return !flowing || now - answered_ms_ >= refresh_every_ms;
}

// One topic a turn, all when the connection is new. Never for all known topics at once: librdkafka 2.0.2 then lets the broker make those that
// are missing.
bool TopicWatch::ask() {
  if (connected_) {
    next_topic_ = (next_topic_ + 1) % incoming_topics;
    return ask_about(next_topic_);
  }
  for (std::size_t index = 0; index < incoming_topics; ++index) {
    if (stopping() || !ask_about(index)) return false;
  }
  connected_ = true;
  state_.consumer_connected(true);
  return true;
}

bool TopicWatch::ask_about(std::size_t index) {
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t code = rd_kafka_metadata(client_, 0, topics_[index].handle.get(), &answer, request_timeout_ms);
  const MetadataHandle metadata(answer);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    no_answer(code);
    return false;
  }
  answered_ms_ = clock_.steady_ms();
  if (cluster_id_.empty()) {
    if (stopping()) return false;
    cluster_id_ = cluster_id_of(client_, request_timeout_ms);
    if (cluster_id_.empty()) return false;  // it decides how text topics are read back
    state_.cluster_id(cluster_id_);
  }
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    if (options_.topics[index] == metadata->topics[i].topic) note_topic(index, metadata->topics[i]);
  }
  std::size_t known = 0;
  bool all = true;
  for (const Topic& topic : topics_) {
    known += topic.partitions.size();
    all = all && topic.present;
  }
  state_.partitions_known(known, all);
  return true;
}

void TopicWatch::no_answer(rd_kafka_resp_err_t code) {
  if (!waiting_logged_ && answered_ms_ < 0) {
    waiting_logged_ = true;
    log_.write(LogLevel::warn, "kafka", std::string("waiting for Kafka: ") + rd_kafka_err2str(code));
  }
  const SteadyMs heard_ms = std::max(answered_ms_, alive_ms_.load(std::memory_order_relaxed));
  if (!connected_ || clock_.steady_ms() - heard_ms < lost_after_ms) return;
  connected_ = false;
  state_.consumer_connected(false);
}

void TopicWatch::note_topic(std::size_t index, const rd_kafka_metadata_topic_t& answer) {
  Topic& topic = topics_[index];
  if (answer.err != RD_KAFKA_RESP_ERR_NO_ERROR || answer.partition_cnt == 0) {
    topic.present = false;
    if (means_missing(answer.err)) {
      if (topic.partitions.empty()) topic.was_missing = true;  // else: what we read of it goes on where it was
      complain(topic, "topic " + options_.topics[index] + " is missing; waiting for it", "topic_missing");
    } else {
      complain(topic, "topic " + options_.topics[index] + ": " + rd_kafka_err2str(answer.err) + "; waiting for it",
               answer.err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ? "not_authorised" : nullptr);
    }
    return;
  }
  const bool first_sight = topic.partitions.empty();
  topic.present = true;
  for (int i = 0; i < answer.partition_cnt; ++i) {
    const std::int32_t partition = answer.partitions[i].id;
    const auto [at, fresh] = topic.partitions.try_emplace(partition, false);
    // What is found later did not exist when we came: all in it was published since.
    if (fresh) pending_[{index, partition}] = first_sight && !topic.was_missing ? From::end : From::beginning;
    if (!at->second && answer.partitions[i].leader < 0)
      complain(topic, "topic " + options_.topics[index] + ": partition " + std::to_string(partition) + " has no leader; waiting for it");
  }
}

bool TopicWatch::open_partitions() {
  std::map<std::pair<std::size_t, From>, std::vector<std::int32_t>> groups;
  for (const auto& [key, from] : pending_) groups[{key.first, from}].push_back(key.second);
  std::vector<Opening> openings;
  bool complete = true;
  for (const auto& [group, partitions] : groups) {
    if (stopping()) return false;
    if (open(group.first, partitions, group.second, openings)) continue;
    // One without a leader must not keep back the others.
    for (const std::int32_t partition : partitions) {
      if (stopping()) return false;
      if (partitions.size() == 1 || !open(group.first, {partition}, group.second, openings)) complete = false;
    }
  }
  if (openings.empty()) return complete;
  for (const Opening& opening : openings) {
    pending_.erase({opening.topic, opening.partition});
    topics_[opening.topic].partitions[opening.partition] = true;
  }
  {
    const std::lock_guard lock(mutex_);
    openings_.insert(openings_.end(), openings.begin(), openings.end());
  }
  found_();
  return complete;
}

bool TopicWatch::open(std::size_t index, const std::vector<std::int32_t>& partitions, From from, std::vector<Opening>& openings) {
  std::vector<PartitionId> ids;
  for (const std::int32_t partition : partitions) ids.push_back({options_.topics[index], partition});
  Result<std::vector<std::int64_t>> ends = log_offsets(client_, ids, from == From::end ? LogPlace::end : LogPlace::beginning, request_timeout_ms);
  if (!ends) {
    log_.write(LogLevel::debug, "kafka", options_.topics[index] + ": " + ends.error().text);
    return false;
  }
  std::vector<std::int64_t> starts = ends.value();
  const bool read_back = index != 0 && from == From::end;  // text topics only
  const UnixMs keep_from_ms = read_back ? clock_.unix_ms() - options_.history_ms : 0;
  if (read_back) {
    Result<std::vector<std::int64_t>> found = text_starts(ids, ends.value(), keep_from_ms);
    if (!found) {
      log_.write(LogLevel::debug, "kafka", options_.topics[index] + ": " + found.error().text);
      return false;
    }
    starts = std::move(found).value();
  }
  for (std::size_t i = 0; i < ids.size(); ++i)
    openings.push_back({static_cast<std::uint8_t>(index), ids[i].partition, starts[i], ends.value()[i], keep_from_ms});
  return true;
}

// One record before the first that is wanted, if the log still has it: what a client saw last in a partition that has been silent since is
// then known by its timestamp, and a log that was replaced doesn't pass for it.
Result<std::vector<std::int64_t>> TopicWatch::text_starts(const std::vector<PartitionId>& ids, const std::vector<std::int64_t>& ends,
                                                          UnixMs keep_from_ms) {
  Result<std::vector<std::int64_t>> beginnings = log_offsets(client_, ids, LogPlace::beginning, request_timeout_ms);
  if (!beginnings) return beginnings;
  std::vector<std::int64_t> wanted = ends;
  if (options_.history_ms > 0) {
    // The mock cluster can't look up times: there everything is read, and dropped by the records' own.
    Result<std::vector<std::int64_t>> found =
        is_mock_cluster(cluster_id_) ? beginnings : offsets_at(client_, ids, keep_from_ms, request_timeout_ms);
    if (!found) return found;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (found.value()[i] >= 0 && found.value()[i] <= ends[i]) wanted[i] = found.value()[i];
    }
  }
  for (std::size_t i = 0; i < ids.size(); ++i) wanted[i] = std::max(beginnings.value()[i], wanted[i] - 1);
  return wanted;
}

void TopicWatch::complain(Topic& topic, const std::string& text, const char* trouble) {
  const SteadyMs now = clock_.steady_ms();
  if (now - topic.complained_ms < complain_every_ms) return;
  topic.complained_ms = now;
  log_.write(LogLevel::warn, "kafka", text);
  if (trouble != nullptr) state_.trouble(trouble);
}

}  // namespace fluentgate::kafka
