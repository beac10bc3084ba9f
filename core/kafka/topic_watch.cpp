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
constexpr SteadyMs ends_every_ms = 500;        // of what is not fetched: as much may be read from before a room's first join

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

void TopicWatch::hurry() noexcept {
  {
    const std::lock_guard lock(mutex_);
    hurry_ = true;
  }
  wake_.notify_all();
}

void TopicWatch::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      hurry_ = false;
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
    if (options_.plan != nullptr && connected_) wait_ms = std::min(wait_ms, follow_plan());
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::milliseconds(wait_ms), [this] { return stopping_ || lost_ || hurry_; });
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
  std::vector<PartitionPlan::Seen> seen;
  for (int i = 0; i < answer.partition_cnt; ++i) {
    const std::int32_t partition = answer.partitions[i].id;
    const auto [at, fresh] = topic.partitions.try_emplace(partition, options_.plan != nullptr);
    seen.push_back({partition, answer.partitions[i].leader >= 0});
    // What is found later did not exist when we came: all in it was published since.
    if (fresh && options_.plan == nullptr) pending_[{index, partition}] = first_sight && !topic.was_missing ? From::end : From::beginning;
    if ((!at->second || options_.plan != nullptr) && answer.partitions[i].leader < 0)
      complain(topic, "topic " + options_.topics[index] + ": partition " + std::to_string(partition) + " has no leader; waiting for it");
  }
  if (options_.plan != nullptr) options_.plan->note_topic(static_cast<std::uint8_t>(index), seen, topic.was_missing);
}

// Returns how long it may wait for the next turn.
SteadyMs TopicWatch::follow_plan() {
  PartitionPlan& plan = *options_.plan;
  SteadyMs wait_ms = ends_every_ms;
  if (plan.incomplete() || clock_.steady_ms() >= ends_due_ms_) {
    refresh_ends();
    ends_due_ms_ = clock_.steady_ms() + ends_every_ms;
  }
  if (stopping()) return 0;
  if (!open_wanted() || plan.incomplete()) wait_ms = retry_ms;
  state_.partitions_assigned(plan.placed());
  return std::clamp<SteadyMs>(ends_due_ms_ - clock_.steady_ms(), 1, wait_ms);
}

void TopicWatch::refresh_ends() {
  const std::vector<PartitionPlan::Place> places = options_.plan->to_ask();
  if (places.empty()) return;
  std::vector<PartitionId> ids;
  for (const auto& [topic, partition] : places) ids.push_back({options_.topics[topic], partition});
  const Result<std::vector<std::int64_t>> ends = log_ends_told(client_, ids, request_timeout_ms);
  if (ends) options_.plan->note_ends(places, ends.value());
  else log_.write(LogLevel::debug, "kafka", ends.error().text);  // what was known stays good, only older
}

// Text that is wanted is read back captions.history_ms; audio needs no request, so the consumer takes it itself.
bool TopicWatch::open_wanted() {
  for (PartitionPlan::Wanted& wanted : options_.plan->take_wanted(true)) placing_.push_back(wanted);
  std::vector<Opening> openings;
  std::vector<PartitionId> ids;
  std::vector<std::int64_t> live_from;
  for (const auto& [place, from, whole] : placing_) {
    if (whole) {
      openings.push_back({place.first, place.second, from, from, 0});
      continue;
    }
    ids.push_back({options_.topics[place.first], place.second});
    live_from.push_back(from);
  }
  std::erase_if(placing_, [](const PartitionPlan::Wanted& wanted) { return wanted.whole; });
  if (!ids.empty()) {
    const UnixMs keep_from_ms = clock_.unix_ms() - options_.history_ms;
    const Result<std::vector<std::int64_t>> starts = text_starts(ids, live_from, keep_from_ms);
    const Result<std::vector<std::int64_t>> ends = starts ? log_offsets(client_, ids, LogPlace::end, request_timeout_ms) : starts;
    if (ends) {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto& [place, from, whole] = placing_[i];
        openings.push_back({place.first, place.second, starts.value()[i], from, keep_from_ms, ends.value()[i]});
      }
      placing_.clear();
    } else {
      log_.write(LogLevel::debug, "kafka", ends.error().text);
    }
  }
  if (!openings.empty()) hand_over(openings);
  return placing_.empty();
}

void TopicWatch::hand_over(const std::vector<Opening>& openings) {
  {
    const std::lock_guard lock(mutex_);
    openings_.insert(openings_.end(), openings.begin(), openings.end());
  }
  found_();
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
  hand_over(openings);
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
