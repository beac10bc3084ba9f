// What has to be read for the questions that wait, one pass, the answers.
#include "core/kafka/log_tail.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace fluentgate::kafka {
namespace {

constexpr int retry_ms = 100;
constexpr SteadyMs slow_ms = 1000;  // a pass that took longer is told

void at_least(LogReader::Offsets& starts, std::int32_t partition, std::int64_t offset) {
  const auto [found, added] = starts.try_emplace(partition, offset);
  if (!added) found->second = std::min(found->second, offset);
}

}  // namespace

void SpeakerPlaces::note(const LogReader::Record& record) {
  const Place place{record.key.sequence_number, record.partition, record.offset, record.timestamp_ms};
  const auto [found, fresh] = places_.try_emplace({record.key.room.value, record.key.user.value}, place);
  if (!fresh && record.key.sequence_number > found->second.number) found->second = place;
}

const SpeakerPlaces::Place* SpeakerPlaces::find(const RoomId& room, const UserId& user) const {
  const auto found = places_.find({room.value, user.value});
  return found == places_.end() ? nullptr : &found->second;
}

void SpeakerPlaces::forget_before(std::int64_t timestamp_ms) {
  std::erase_if(places_, [timestamp_ms](const auto& entry) { return entry.second.timestamp_ms >= 0 && entry.second.timestamp_ms < timestamp_ms; });
}

// One pass over the log.
struct LogTailReader::Pass {
  std::int32_t count = 0;        // of partitions
  bool lookback = false;
  LogReader::Offsets starts, beginnings, ends;
  std::map<std::pair<std::string, std::string>, TailRead> found;  // by room and user
};

LogTailReader::LogTailReader(const config::Settings& settings, Cluster cluster, InboundSink& sink, Logger& log, const Clock& clock)
    : kafka_(settings.kafka), lookback_ms_(settings.audio.sequence_lookback_ms), sink_(sink), log_(log), clock_(clock),
      reader_(settings.kafka, std::move(cluster), log, clock) {}

void LogTailReader::start() {
  thread_ = std::thread([this] { run(); });
}

void LogTailReader::begin_stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

void LogTailReader::stop() {
  begin_stop();
  if (thread_.joinable()) thread_.join();
}

void LogTailReader::ask(Question question) {
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(std::move(question));
  }
  wake_.notify_all();
}

void LogTailReader::covered(LogReader::Offsets ends, SpeakerPlaces highest) {
  {
    const std::lock_guard lock(mutex_);
    given_ends_ = std::move(ends);
    given_highest_ = std::move(highest);
    is_covered_ = true;
  }
  wake_.notify_all();
}

void LogTailReader::run() {
  std::vector<Question> questions;  // tried already, not answered
  while (wait_for_work(questions)) {
    if (questions.empty() || answer(questions)) {
      questions.clear();
      continue;
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::milliseconds(retry_ms), [this] { return stopping_; });
  }
  reader_.close();
}

// False: the end. Adds what can be answered now to `questions`.
bool LogTailReader::wait_for_work(std::vector<Question>& questions) {
  const auto can_be_answered = [this](const Question& question) { return is_covered_ || !question.lookback; };
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return stopping_ || !questions.empty() || std::any_of(asked_.begin(), asked_.end(), can_be_answered); });
  if (stopping_) return false;
  if (is_covered_ && (!given_ends_.empty() || given_highest_.size() > 0)) {
    cover_ = std::exchange(given_ends_, {});
    highest_ = std::exchange(given_highest_, {});
  }
  const auto later = std::stable_partition(asked_.begin(), asked_.end(), can_be_answered);
  std::move(asked_.begin(), later, std::back_inserter(questions));
  asked_.erase(asked_.begin(), later);
  return true;
}

// The records behind a checkpoint's place, if the room's records are still written there; else those of all partitions since its time.
Result<LogTailReader::Pass> LogTailReader::plan(const std::vector<Question>& questions) {
  Pass pass;
  const Result<std::vector<std::int32_t>> partitions = reader_.partitions();
  if (!partitions) return partitions.error();
  pass.count = static_cast<std::int32_t>(partitions->size());
  for (const Question& question : questions) {
    pass.lookback = pass.lookback || question.lookback;
    pass.found.try_emplace({question.room.value, question.user.value});
  }
  if (pass.count == 0) return pass;
  Result<LogReader::Offsets> beginnings = reader_.beginnings(partitions.value());
  if (!beginnings) return beginnings.error();
  Result<LogReader::Offsets> ends = reader_.ends(partitions.value());
  if (!ends) return ends.error();
  pass.beginnings = std::move(beginnings).value();
  pass.ends = std::move(ends).value();
  if (Status timed = plan_times(questions, pass); !timed) return timed.error();
  for (const Question& question : questions) {
    const NumberRecord& after = question.after;
    if (question.lookback || after.partition < 0 || after.partition != reader_.partition_of(question.room.value, pass.count)) continue;
    // Behind the end: the topic was made anew.
    const bool gone = after.offset >= pass.ends[after.partition];
    const std::int64_t start = gone ? pass.beginnings[after.partition] : std::max(after.offset + 1, pass.beginnings[after.partition]);
    at_least(pass.starts, after.partition, start);
  }
  return pass;
}

Status LogTailReader::plan_times(const std::vector<Question>& questions, Pass& pass) {
  std::vector<std::int32_t> all;
  for (const auto& [partition, end] : pass.ends) all.push_back(partition);
  std::set<std::int32_t> wanted;
  UnixMs since_ms = clock_.unix_ms();
  for (const Question& question : questions) {
    if (question.lookback) continue;
    const std::int32_t expected = reader_.partition_of(question.room.value, pass.count);
    if (question.after.partition >= 0 && question.after.partition == expected) continue;
    if (question.after.partition < 0 && expected >= 0) wanted.insert(expected);
    else wanted.insert(all.begin(), all.end());
    since_ms = std::min(since_ms, question.after.at_ms - clock_slack_ms);
  }
  if (!wanted.empty()) {
    const Result<LogReader::Offsets> found = reader_.at({wanted.begin(), wanted.end()}, since_ms, pass.ends);
    if (!found) return found.error();
    for (const auto& [partition, offset] : found.value()) at_least(pass.starts, partition, offset);
  }
  if (!pass.lookback) return ok();
  const Result<LogReader::Offsets> found = reader_.at(all, clock_.unix_ms() - lookback_ms_, pass.ends);
  if (!found) return found.error();
  for (const auto& [partition, offset] : found.value()) {
    const auto known = cover_.find(partition);
    // What was read already need not be read again, unless the topic was made anew.
    const bool on = known != cover_.end() && known->second <= pass.ends[partition];
    at_least(pass.starts, partition, on ? std::max(known->second, offset) : offset);
  }
  return ok();
}

bool LogTailReader::answer(std::vector<Question>& questions) {
  const SteadyMs begin_ms = clock_.steady_ms();
  const auto stopping = [this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  };
  if (!reader_.open()) return false;
  Result<Pass> planned = plan(questions);
  if (!planned) {
    log_.write(LogLevel::debug, "kafka", "reading the end of " + kafka_.topic_audio_raw + ": " + planned.error().text);
    return false;
  }
  Pass& pass = planned.value();
  std::set<std::string, std::less<>> rooms;
  for (const Question& question : questions) rooms.insert(question.room.value);
  const auto wanted = [&](std::string_view room) { return pass.lookback || rooms.contains(room); };
  const auto take = [&](const LogReader::Record& record) {
    if (pass.lookback) highest_.note(record);
    const auto found = pass.found.find({record.key.room.value, record.key.user.value});
    if (found == pass.found.end()) return;
    TailRead& read = found->second;
    if (!read.highest || record.key.sequence_number > *read.highest) {
      read.highest = record.key.sequence_number;
      read.partition = record.partition;
      read.offset = record.offset;
    } else if (record.partition == read.partition) {
      ++read.out_of_order;
    }
  };
  LogReader::Counts counts;
  if (!reader_.read(pass.starts, pass.ends, take, stopping, counts, wanted)) return false;
  if (pass.lookback) {
    cover_ = pass.ends;
    highest_.forget_before(clock_.unix_ms() - lookback_ms_ - clock_slack_ms);
  }
  const SteadyMs took_ms = clock_.steady_ms() - begin_ms;
  log_.write(took_ms >= slow_ms ? LogLevel::info : LogLevel::debug, "kafka",
             "read " + std::to_string(counts.records) + " record(s) at the end of " + kafka_.topic_audio_raw + " for " +
                 std::to_string(questions.size()) + " speaker(s) in " + std::to_string(took_ms) + " ms");
  tell(questions, pass);
  return true;
}

void LogTailReader::tell(const std::vector<Question>& questions, const Pass& pass) {
  std::vector<Inbound> batch;
  batch.reserve(questions.size());
  for (const Question& question : questions) {
    TailRead read = pass.found.at({question.room.value, question.user.value});
    read.ticket = question.ticket;
    read.room = question.room;
    read.user = question.user;
    const SpeakerPlaces::Place* const place = question.lookback ? highest_.find(question.room, question.user) : nullptr;
    if (place != nullptr && (!read.highest || place->number > *read.highest)) {
      read.highest = place->number;
      read.partition = place->partition;
      read.offset = place->offset;
    }
    batch.emplace_back(std::move(read));
  }
  sink_.deliver(std::move(batch));
}

}  // namespace fluentgate::kafka
