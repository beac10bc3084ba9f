// The way of a chunk into librdkafka, and of its report back.
#include "core/kafka/producer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace fluentgate::kafka {
namespace {

constexpr int poll_ms = 100;
constexpr int probe_timeout_ms = 500;
constexpr std::size_t reports_per_batch_max = 1024;

std::string property(rd_kafka_t* client, const char* name) {
  char text[32];
  std::size_t size = sizeof text;
  if (rd_kafka_conf_get(rd_kafka_conf(client), name, text, &size) != RD_KAFKA_CONF_OK) return {};
  return text;
}

std::size_t bytes_property(rd_kafka_t* client, const char* name) {
  return static_cast<std::size_t>(std::strtoull(property(client, name).c_str(), nullptr, 10));
}

Error error_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__QUEUE_FULL: return {"queue_full", "librdkafka's queue is full", true};
    case RD_KAFKA_RESP_ERR__FATAL: return {"queue_full", "the producer is being replaced after a fatal error", true};
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: return {"too_large", "larger than message.max.bytes", false};
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: return {"unknown_topic", "the topic is not there", true};
    default: return {"kafka", rd_kafka_err2str(code), true};
  }
}

}  // namespace

Producer::Producer(const config::Kafka& kafka, Cluster cluster, InboundSink& sink, BrokerStateTeller& state, Logger& log, const Clock& clock)
    : kafka_(kafka), cluster_(std::move(cluster)), binary_(kafka.format_audio_raw == config::AudioRawFormat::binary), sink_(sink), state_(state),
      log_(log), clock_(clock) {
  context_.log = &log;
}

Result<std::unique_ptr<Producer>> Producer::start(const config::Kafka& kafka, Cluster cluster, InboundSink& sink, BrokerStateTeller& state,
                                                  Logger& log, const Clock& clock) {
  std::unique_ptr<Producer> made(new Producer(kafka, std::move(cluster), sink, state, log, clock));
  if (Status opened = made->open(); !opened) return opened.error();
  made->thread_ = std::thread([producer = made.get()] { producer->run(); });
  return made;
}

Producer::~Producer() { stop(0); }

// Makes the client that publish() uses, in place of an older one, which is destroyed outside of the lock: that takes its time.
Status Producer::open() {
  config::Kafka kafka = kafka_;
  std::size_t batch_bytes = batch_bytes_;
  // The largest then goes alone, which tells whether it is the one that is too large; or the batches were, and half may do.
  if (refused_sum_bytes_ > 0) batch_bytes = std::max(refused_largest_bytes_, std::min(refused_sum_bytes_, batch_bytes_) / 2);
  if (const std::size_t limit = limit_bytes_.load(); limit > 0) batch_bytes = std::min(batch_bytes, limit);
  if (batch_bytes_ > 0) kafka.producer_properties["batch.size"] = std::to_string(std::max<std::size_t>(batch_bytes, 1));
  Result<ClientHandle> made = make_client(kafka, Side::producer, cluster_, context_);
  if (!made) return made.error();
  ClientHandle client = std::move(made).value();
  TopicHandle topic(rd_kafka_topic_new(client.get(), kafka_.topic_audio_raw.c_str(), nullptr));
  if (!topic) return Error{"kafka", "topic " + kafka_.topic_audio_raw + ": " + rd_kafka_err2str(rd_kafka_last_error())};
  QueueHandle queue(rd_kafka_queue_get_main(client.get()));
  batch_bytes_ = bytes_property(client.get(), "batch.size");
  if (message_bytes_max_ == 0) {  // the first: later ones are the same in this, and other threads read it
    message_bytes_max_ = bytes_property(client.get(), "message.max.bytes");
    idempotent_ = property(client.get(), "enable.idempotence") == "true";
  }
  refused_sum_bytes_ = refused_largest_bytes_ = 0;
  {
    const std::unique_lock lock(client_mutex_);
    client_.swap(client);
    topic_.swap(topic);
    queue_.swap(queue);
  }
  queue.reset();
  topic.reset();
  return ok();
}

Status Producer::publish(const AudioChunk& chunk, std::uint64_t token) {
  HeadersHandle headers(rd_kafka_headers_new(10));
  const std::vector<wire::OwnedHeader> list = wire::audio_chunk_headers(chunk, cluster_.instance, binary_);
  for (const wire::OwnedHeader& header : list) {
    rd_kafka_header_add(headers.get(), header.name.data(), static_cast<ssize_t>(header.name.size()), header.value.data(),
                        static_cast<ssize_t>(header.value.size()));
  }
  std::string json;
  std::string_view value(reinterpret_cast<const char*>(chunk.audio.data()), chunk.audio.size());
  if (!binary_) {
    json = wire::audio_chunk_json(chunk, clock_.unix_ms());
    value = json;
  }
  if (Status fits = check_size(chunk, value, list); !fits) return fits;
  const std::shared_lock client_lock(client_mutex_);
  const std::lock_guard lock(lanes_mutex_);
  Lane& lane = lanes_[chunk.room.value];
  InFlight entry{.token = token, .handed_us = clock_.steady_us(), .lane = &lane};
  if (chunk.encoding == Encoding::linear16) entry.audio_bytes = chunk.audio.size();
  entry.duration_us = chunk.duration_us;
  if (may_give(lane)) {
    Status given = hand_over(topic_.get(), nullptr, chunk.room.value, value, std::move(headers), std::move(entry));
    if (given) {
      ++lane.given;
      ++given_;
    }
    return given;
  }
  if (stopping_.load()) return Error{"queue_full", "the producer ends", true};
  if (fatal_.load()) return error_of(RD_KAFKA_RESP_ERR__FATAL);
  Kept kept{nullptr, kafka_.topic_audio_raw, chunk.room.value, std::string(value), std::move(headers)};
  kept.in_flight = &remember(std::move(entry));
  lane.waiting.push_back(std::move(kept));
  return ok();
}

bool Producer::dead_letter(const std::string& topic, std::string_view key, std::string_view value, std::span<const wire::Header> headers) noexcept {
  try {
    {
      const std::lock_guard lock(in_flight_mutex_);
      if (dead_letters_ >= dead_letters_max || dead_letter_bytes_ + value.size() > dead_letter_bytes_max) return false;
    }
    HeadersHandle copies(rd_kafka_headers_new(headers.size()));
    for (const wire::Header& header : headers) {
      rd_kafka_header_add(copies.get(), header.name.data(), static_cast<ssize_t>(header.name.size()), header.value.data(),
                          static_cast<ssize_t>(header.value.size()));
    }
    InFlight entry{.handed_us = clock_.steady_us()};
    entry.dead_letter = true;
    entry.bytes = value.size();
    const std::shared_lock lock(client_mutex_);
    return hand_over(nullptr, topic.c_str(), key, value, std::move(copies), std::move(entry)).ok();
  } catch (...) {
    return false;
  }
}

// `topic` null: `topic_name` counts. The caller holds client_mutex_ shared.
Status Producer::hand_over(rd_kafka_topic_t* topic, const char* topic_name, std::string_view key, std::string_view value, HeadersHandle headers,
                           InFlight entry) {
  if (stopping_.load()) return Error{"queue_full", "the producer ends", true};
  if (fatal_.load()) return error_of(RD_KAFKA_RESP_ERR__FATAL);
  InFlight* const in_flight = &remember(std::move(entry));
  std::array<rd_kafka_vu_t, 6> fields{};
  fields[0].vtype = topic != nullptr ? RD_KAFKA_VTYPE_RKT : RD_KAFKA_VTYPE_TOPIC;
  if (topic != nullptr) fields[0].u.rkt = topic;
  else fields[0].u.cstr = topic_name;
  fields[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[1].u.i = RD_KAFKA_MSG_F_COPY;
  fields[2].vtype = RD_KAFKA_VTYPE_KEY;
  fields[2].u.mem = {const_cast<char*>(key.data()), key.size()};
  fields[3].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[3].u.mem = {const_cast<char*>(value.data()), value.size()};
  fields[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
  fields[4].u.ptr = in_flight;
  fields[5].vtype = RD_KAFKA_VTYPE_HEADERS;
  fields[5].u.headers = headers.get();
  const ErrorHandle error(rd_kafka_produceva(client_.get(), fields.data(), fields.size()));
  if (!error) {
    (void)headers.release();  // librdkafka's now
    return ok();
  }
  if (rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED && !in_flight->dead_letter) denied_.store(true);
  forget(*in_flight);
  return error_of(rd_kafka_error_code(error.get()));
}

Producer::InFlight& Producer::remember(InFlight entry) {
  const std::lock_guard lock(in_flight_mutex_);
  in_flight_.push_back(std::move(entry));
  InFlight& in_flight = in_flight_.back();
  in_flight.self = std::prev(in_flight_.end());
  in_flight.serial = ++serial_;
  if (in_flight.dead_letter) {
    ++dead_letters_;
    dead_letter_bytes_ += in_flight.bytes;
  }
  return in_flight;
}

void Producer::forget(InFlight& in_flight) {
  const std::lock_guard lock(in_flight_mutex_);
  if (in_flight.dead_letter) {
    --dead_letters_;
    dead_letter_bytes_ -= in_flight.bytes;
  }
  in_flight_.erase(in_flight.self);
  if (in_flight_.empty()) all_settled_.notify_all();
}

// Thread: kafka-ack.
void Producer::run() {
  std::vector<Inbound> batch;
  for (;;) {
    EventHandle event(rd_kafka_queue_poll(queue_.get(), poll_ms));
    while (event) {
      if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_DR) take_reports(event.get(), batch);
      else if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_ERROR) on_error_event(event.get());
      else if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT) take_limit(event.get());
      if (batch.size() >= reports_per_batch_max) break;
      event.reset(rd_kafka_queue_poll(queue_.get(), 0));
    }
    event.reset();
    deliver(batch);
    if (stopping_.load()) {
      const std::lock_guard lock(in_flight_mutex_);
      if (in_flight_.empty() || rd_kafka_outq_len(client_.get()) == 0) return;
      continue;
    }
    if (fatal_.load() && everything_is_reported() && clock_.steady_ms() >= replace_due_ms_) {
      replace_client(batch);
      deliver(batch);
    }
    if (!connected_.load() && asking_.load()) probe_connection();
    if (connected_.load() && asking_.load() && !limit_asked_ && !fatal_.load() && clock_.steady_ms() >= limit_due_ms_) ask_limit();
    tend_lanes();
    if (denied_.exchange(false)) tell_not_authorised();
  }
}

// Of the client that fatal_ has been set for. Who had looked at fatal_ before that may still be handing over, but no longer once the lock is ours, and
// who comes after it finds it set: so nothing reaches a client that is about to be replaced, which would destroy it without a report.
bool Producer::everything_is_reported() {
  const std::unique_lock lock(client_mutex_);
  if (rd_kafka_outq_len(client_.get()) == 0) return true;
  // A request that had been made before the fatal error is refused after it, and its messages are queued again.
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
  return false;
}

void Producer::take_reports(rd_kafka_event_t* event, std::vector<Inbound>& batch) {
  while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) settle(*message, batch);
}

void Producer::settle(const rd_kafka_message_t& message, std::vector<Inbound>& batch) {
  auto& in_flight = *static_cast<InFlight*>(message._private);
  Lane* const lane = in_flight.lane;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (!connected_.exchange(true)) state_.producer_connected(true);
    finish(in_flight, {}, batch, message.partition, message.offset);
    lane_settled(lane, true);
    return;
  }
  const bool unsent = rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
  if (!stopping_.load()) {
    auto& taken = const_cast<rd_kafka_message_t&>(message);
    const Refusal refusal = refusal_as_too_large(message, in_flight);
    if (refusal == Refusal::alone && keep_shortened(taken, in_flight)) return lane_settled(lane, false);
    const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(client_.get(), nullptr, 0);
    // What the broker itself refused, and so opened the gap, would be refused again.
    const bool refused = fatal == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE && message.err > RD_KAFKA_RESP_ERR_NO_ERROR;
    const bool thrown_out = message.err == RD_KAFKA_RESP_ERR__PURGE_QUEUE && fatal_.load();
    const bool died_with_client = fatal != RD_KAFKA_RESP_ERR_NO_ERROR && !refused;
    if (refusal == Refusal::shared || (unsent && (thrown_out || died_with_client || wait_for_permission(message)))) {
      fatal_.store(true);
      keep_for_resend(taken, in_flight);
      return lane_settled(lane, false);
    }
  }
  log_failure(message);
  finish(in_flight, rd_kafka_err2name(message.err), batch);
  lane_settled(lane, false);
}

void Producer::log_failure(const rd_kafka_message_t& message) {
  ++failures_unlogged_;
  const SteadyMs now = clock_.steady_ms();
  if (now - failure_logged_ms_ < 1000) return;
  log_.write(LogLevel::error, "kafka",
             std::to_string(failures_unlogged_) + " message(s) refused for good, the last of " + std::to_string(message.len + message.key_len) +
                 " bytes for topic " + rd_kafka_topic_name(message.rkt) + ": " + rd_kafka_err2name(message.err) + " " + rd_kafka_err2str(message.err));
  failure_logged_ms_ = now;
  failures_unlogged_ = 0;
}

// `error` empty: acknowledged.
void Producer::finish(InFlight& in_flight, std::string error, std::vector<Inbound>& batch, std::int32_t partition, std::int64_t offset) {
  if (!in_flight.dead_letter) {
    const bool good = error.empty();
    batch.emplace_back(ChunkSettled{in_flight.token, good, std::move(error), clock_.steady_us() - in_flight.handed_us, good ? in_flight.lost_us : 0,
                                    partition, offset});
  }
  forget(in_flight);
}

void Producer::deliver(std::vector<Inbound>& batch) {
  if (batch.empty()) return;
  if (eager_.load(std::memory_order_relaxed)) sink_.deliver(std::exchange(batch, {}));
  else sink_.deliver_quietly(std::exchange(batch, {}));
}

void Producer::on_error_event(rd_kafka_event_t* event) {
  const rd_kafka_resp_err_t code = rd_kafka_event_error(event);
  if (rd_kafka_event_error_is_fatal(event) != 0) {
    fatal_.store(true);
    char text[512];
    const rd_kafka_resp_err_t cause = rd_kafka_fatal_error(client_.get(), text, sizeof text);
    // Who may write nowhere gets no producer id, before any message is sent.
    if (cause == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED || cause == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) return wait_for_right();
    const LogLevel level = cause == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE ? LogLevel::warn : LogLevel::error;
    log_.write(level, "kafka", std::string("fatal error of the producer, it is replaced: ") + rd_kafka_err2name(cause) + " " + text);
    return;
  }
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    if (connected_.exchange(false)) state_.producer_connected(false);
    return;
  }
  log_.write(LogLevel::debug, "kafka", std::string("producer: ") + rd_kafka_err2name(code) + " " + rd_kafka_event_error_string(event));
}

// A producer that sends nothing learns of the broker's return only by asking.
void Producer::probe_connection() {
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t code = rd_kafka_metadata(client_.get(), 0, topic_.get(), &answer, probe_timeout_ms);
  const MetadataHandle metadata(answer);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR && !connected_.exchange(true)) state_.producer_connected(true);
}

std::int64_t Producer::oldest_unacked_ms(SteadyMs now) const {
  const std::lock_guard lock(in_flight_mutex_);
  for (const InFlight& entry : in_flight_) {
    if (!entry.dead_letter) return std::max<std::int64_t>(0, now - entry.handed_us / 1000);
  }
  return 0;
}

std::size_t Producer::unacked() const {
  const std::lock_guard lock(in_flight_mutex_);
  return in_flight_.size() - dead_letters_;
}

Status Producer::flush(int timeout_ms) {
  std::unique_lock lock(in_flight_mutex_);
  if (all_settled_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return in_flight_.empty(); })) return ok();
  return Error{"timed_out", std::to_string(in_flight_.size()) + " message(s) not acknowledged within " + std::to_string(timeout_ms) + " ms", true};
}

void Producer::stop(int flush_ms) {
  if (!thread_.joinable()) return;
  if (Status flushed = flush(flush_ms); !flushed) log_.write(LogLevel::warn, "kafka", "at the end: " + flushed.error().text);
  stopping_.store(true);
  {
    const std::shared_lock lock(client_mutex_);
    if (client_) {
      rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
      rd_kafka_queue_yield(queue_.get());
    }
  }
  thread_.join();
  std::vector<Inbound> batch;
  for (Kept& kept : resend_) finish(*kept.in_flight, "stopped", batch);
  resend_.clear();
  {
    const std::lock_guard lock(lanes_mutex_);
    lanes_.clear();
  }
  {
    const std::lock_guard lock(in_flight_mutex_);
    for (const InFlight& entry : in_flight_) {
      if (!entry.dead_letter) batch.emplace_back(ChunkSettled{entry.token, false, "stopped", clock_.steady_us() - entry.handed_us});
    }
    in_flight_.clear();
    dead_letters_ = dead_letter_bytes_ = 0;
  }
  deliver(batch);
  queue_.reset();
  topic_.reset();
  client_.reset();
}

}  // namespace fluentgate::kafka
