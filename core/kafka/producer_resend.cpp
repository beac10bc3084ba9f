// Producer: what is taken back after a fatal error or a batch that the broker refused, and sent again by a new client.
#include <algorithm>
#include <utility>

#include "core/kafka/producer.hpp"

namespace fluentgate::kafka {
namespace {

constexpr SteadyMs too_large_ms = 60000;
constexpr SteadyMs permission_retry_ms = 1000;
constexpr SteadyMs permission_logged_every_ms = 30000;
constexpr SteadyMs shortened_logged_every_ms = 1000;
constexpr SteadyMs open_retry_ms = 100;

// Never more than librdkafka counts for it when it fills a batch.
std::size_t bytes_of(const rd_kafka_message_t& message) noexcept { return message.len + message.key_len; }

}  // namespace

// The broker measures a batch, and refuses it whole: others must not go down with one that is too large. So all that wait are taken back, in
// order, and go to a new client that makes smaller batches. One that was refused alone is too large itself.
Producer::Refusal Producer::refusal_as_too_large(const rd_kafka_message_t& message, const InFlight& in_flight) {
  if (message.err != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return Refusal::other;
  const std::size_t bytes = bytes_of(message);
  bool only_one = false;
  {
    const std::lock_guard lock(lanes_mutex_);
    only_one = in_flight.lane != nullptr && given_ == 1 && refused_sum_bytes_ == 0;
  }
  limit_due_ms_ = 0;  // it may have been lowered
  if (bytes >= batch_bytes_ || only_one) {
    if (!in_flight.dead_letter) {
      const SteadyMs now = clock_.steady_ms();
      const bool known = now < too_large_until_ms_.load() && too_large_bytes_.load() > 0;
      too_large_bytes_.store(known ? std::min(too_large_bytes_.load(), bytes) : bytes);
      too_large_until_ms_.store(now + too_large_ms);
    }
    return Refusal::alone;
  }
  refused_sum_bytes_ += bytes;
  refused_largest_bytes_ = std::max(refused_largest_bytes_, bytes);
  if (bytes == refused_sum_bytes_) {  // the first
    state_.trouble("message_too_large");
    log_.write(LogLevel::warn, "kafka", "the broker refuses a batch as too large (batch.size " + std::to_string(batch_bytes_) +
                                            "): what waits is sent again in smaller ones; the topic's max.message.bytes may be too low");
    // An idempotent producer has stopped by itself (enable.gapless.guarantee), so that nothing overtakes what is sent again.
    rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
  }
  return Refusal::shared;
}

// A right that was taken away may be given back: what has its number waits for that, as while Kafka is away. Without idempotence it is lost.
bool Producer::wait_for_permission(const rd_kafka_message_t& message) {
  if (!idempotent_) return false;
  if (message.err != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED && message.err != RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) return false;
  if (static_cast<InFlight*>(message._private)->dead_letter) return false;  // its topic is another one, and it may be lost
  wait_for_right();
  return true;
}

// The client is replaced then, and not in a hurry: what it asks for may be refused again.
void Producer::wait_for_right() {
  replace_due_ms_ = clock_.steady_ms() + permission_retry_ms;
  tell_not_authorised();
}

void Producer::tell_not_authorised() {
  const SteadyMs now = clock_.steady_ms();
  if (now - permission_logged_ms_ < permission_logged_every_ms) return;
  permission_logged_ms_ = now;
  log_.write(LogLevel::error, "kafka", "not authorised to write to topic " + kafka_.topic_audio_raw + "; speech waits until it is allowed");
  state_.trouble("not_authorised");
}

// A chunk of PCM that is too large by itself keeps its number, so that there is no hole, and loses its end. What comes after it and is as large
// is cut before it has a number (check_size).
bool Producer::keep_shortened(rd_kafka_message_t& message, InFlight& in_flight) {
  if (in_flight.dead_letter || in_flight.audio_bytes == 0) return false;
  const std::size_t before = message.len;
  keep_for_resend(message, in_flight);
  Kept& kept = resend_.back();
  const std::size_t removed = wire::shorten_audio_value(kept.value, binary_, before / 2);
  if (removed == 0) {
    resend_.pop_back();
    return false;
  }
  state_.trouble("message_too_large");
  in_flight.lost_us += in_flight.duration_us * static_cast<std::int64_t>(removed) / static_cast<std::int64_t>(in_flight.audio_bytes);
  fatal_.store(true);
  const SteadyMs now = clock_.steady_ms();
  if (now - shortened_logged_ms_ >= shortened_logged_every_ms) {
    shortened_logged_ms_ = now;
    log_.write(LogLevel::error, "kafka", "message too large: the broker refuses " + std::to_string(before) + " bytes for topic " + kept.topic +
                                             "; sent again cut to " + std::to_string(kept.value.size()) + "; lower audio.max_chunk_ms or raise the topic's max.message.bytes");
  }
  return true;
}

void Producer::keep_for_resend(rd_kafka_message_t& message, InFlight& in_flight) {
  Kept kept;
  kept.in_flight = &in_flight;
  kept.topic = rd_kafka_topic_name(message.rkt);
  kept.key.assign(static_cast<const char*>(message.key), message.key_len);
  kept.value.assign(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  rd_kafka_message_detach_headers(&message, &headers);
  kept.headers.reset(headers);
  resend_.push_back(std::move(kept));
}

// After a fatal error nothing is accepted until every report is in, so the order of what is sent again is the order of before, and all of it comes
// before what waits. What may have reached the log (its acknowledgement is missing) is not sent again: a number would repeat; it has been reported
// as failed.
void Producer::replace_client(std::vector<Inbound>& batch) {
  Status opened = open();
  if (!opened) {
    log_.write(LogLevel::error, "kafka", "could not make a new producer, trying again: " + opened.error().text);
    replace_due_ms_ = clock_.steady_ms() + open_retry_ms;
    return;
  }
  recreated_.fetch_add(1);
  limit_asked_ = false;  // the answer went with the client
  const std::size_t again = resend_.size();
  // librdkafka throws its queues out one after another, not in the order in which it was given the messages.
  std::sort(resend_.begin(), resend_.end(), [](const Kept& a, const Kept& b) { return a.in_flight->serial > b.in_flight->serial; });
  std::deque<Kept> dead_letters;
  const std::lock_guard lock(lanes_mutex_);
  for (auto& [room, lane] : lanes_) lane.proven = false;
  for (Kept& kept : resend_) {
    Lane* const lane = kept.in_flight->lane;
    (lane != nullptr ? lane->waiting : dead_letters).push_front(std::move(kept));
  }
  resend_.clear();
  fatal_.store(false);
  drain_all();
  for (Kept& kept : dead_letters) {
    const rd_kafka_resp_err_t error = send_kept(kept);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) finish(*kept.in_flight, rd_kafka_err2name(error), batch);
  }
  log_.write(again > 0 ? LogLevel::warn : LogLevel::info, "kafka",
             "the producer was replaced; " + std::to_string(again) + " message(s) that had not reached the log are sent by the new one");
}

rd_kafka_resp_err_t Producer::send_kept(Kept& kept) {
  std::vector<rd_kafka_vu_t> fields(5);
  fields[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  fields[0].u.cstr = kept.topic.c_str();
  fields[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[1].u.i = RD_KAFKA_MSG_F_COPY;
  fields[2].vtype = RD_KAFKA_VTYPE_KEY;
  fields[2].u.mem = {kept.key.data(), kept.key.size()};
  fields[3].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[3].u.mem = {kept.value.data(), kept.value.size()};
  fields[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
  fields[4].u.ptr = kept.in_flight;
  if (kept.headers) {
    fields.emplace_back();
    fields.back().vtype = RD_KAFKA_VTYPE_HEADERS;
    fields.back().u.headers = kept.headers.get();
  }
  const ErrorHandle refused(rd_kafka_produceva(client_.get(), fields.data(), fields.size()));
  if (refused) return rd_kafka_error_code(refused.get());
  (void)kept.headers.release();  // librdkafka's now
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void Producer::provoke_fatal_error() {
  const std::shared_lock lock(client_mutex_);
  rd_kafka_test_fatal_error(client_.get(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "provoked");
}

}  // namespace fluentgate::kafka
