// Producer: what is taken back after a fatal error or a batch that the broker refused, and sent again by a new client.
#include <algorithm>
#include <utility>

#include "core/kafka/producer.hpp"

namespace fluentgate::kafka {
namespace {

constexpr SteadyMs too_large_ms = 60000;

// Never more than librdkafka counts for it when it fills a batch.
std::size_t bytes_of(const rd_kafka_message_t& message) noexcept { return message.len + message.key_len; }

}  // namespace

// The broker measures a batch, and refuses it whole: others must not go down with one that is too large. So all that wait are taken back, in
// order, and go to a new client that makes smaller batches. One that was refused alone is too large itself.
bool Producer::shared_a_refused_batch(const rd_kafka_message_t& message, const InFlight& in_flight) {
  if (message.err == RD_KAFKA_RESP_ERR__PURGE_QUEUE)
    return refused_sum_bytes_ > 0 && rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
  if (message.err != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return false;
  const std::size_t bytes = bytes_of(message);
  if (bytes >= batch_bytes_) {
    if (!in_flight.dead_letter) {
      const SteadyMs now = clock_.steady_ms();
      const bool known = now < too_large_until_ms_.load();
      too_large_bytes_.store(known ? std::min(too_large_bytes_.load(), bytes) : bytes);
      too_large_until_ms_.store(now + too_large_ms);
    }
    return false;
  }
  refused_sum_bytes_ += bytes;
  refused_largest_bytes_ = std::max(refused_largest_bytes_, bytes);
  fatal_.store(true);
  if (bytes == refused_sum_bytes_) {  // the first
    log_.write(LogLevel::warn, "kafka", "the broker refuses a batch as too large (batch.size " + std::to_string(batch_bytes_) +
                                            "): what waits is sent again in smaller ones; the topic's max.message.bytes may be too low");
    // An idempotent producer has stopped by itself (enable.gapless.guarantee), so that nothing overtakes what is sent again.
    rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
  }
  return true;
}

void Producer::keep_for_resend(rd_kafka_message_t& message, InFlight& in_flight) {
  Resend kept;
  kept.in_flight = &in_flight;
  kept.topic = rd_kafka_topic_name(message.rkt);
  kept.key.assign(static_cast<const char*>(message.key), message.key_len);
  kept.value.assign(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  rd_kafka_message_detach_headers(&message, &headers);
  kept.headers.reset(headers);
  resend_.push_back(std::move(kept));
}

// After a fatal error nothing is accepted until every report is in, so the order of what is sent again is the order of before. What may
// have reached the log (its acknowledgement is missing) is not sent again: a number would repeat; it has been reported as failed.
void Producer::replace_client(std::vector<Inbound>& batch) {
  Status opened = open();
  if (!opened) {
    log_.write(LogLevel::error, "kafka", "could not make a new producer, trying again: " + opened.error().text);
    return;
  }
  recreated_.fetch_add(1);
  connected_.store(false);
  std::size_t again = 0;
  // librdkafka throws its queues out one after another, not in the order in which it was given the messages.
  std::sort(resend_.begin(), resend_.end(), [](const Resend& a, const Resend& b) { return a.in_flight->serial < b.in_flight->serial; });
  while (!resend_.empty()) {
    const std::string error = send_again(resend_.front());
    if (!error.empty() && rd_kafka_fatal_error(client_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      // The broker has refused the first of them already, while the others were on their way: what is left waits for the next client.
      log_.write(LogLevel::warn, "kafka", "the new producer has failed too; " + std::to_string(resend_.size()) + " message(s) wait for the next");
      return;
    }
    if (error.empty()) ++again;
    else finish(*resend_.front().in_flight, error, batch);
    resend_.pop_front();
  }
  fatal_.store(false);
  log_.write(LogLevel::warn, "kafka", "the producer was replaced; " + std::to_string(again) + " message(s) that had not reached the log are sent by the new one");
}

// Returns librdkafka's name of the error, or nothing.
std::string Producer::send_again(Resend& kept) {
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
  if (refused) return rd_kafka_err2name(rd_kafka_error_code(refused.get()));
  (void)kept.headers.release();
  return {};
}

void Producer::provoke_fatal_error() {
  const std::shared_lock lock(client_mutex_);
  rd_kafka_test_fatal_error(client_.get(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "provoked");
}

}  // namespace fluentgate::kafka
