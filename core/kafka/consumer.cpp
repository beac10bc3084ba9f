// The consumer's turn: new partitions, what came, one delivery.
#include "core/kafka/consumer.hpp"

#include <array>
#include <utility>

namespace fluentgate::kafka {
namespace {

constexpr int poll_ms = 100;  // also when librdkafka's callbacks are served at the latest
constexpr SteadyMs complain_every_ms = 5000;
constexpr SteadyMs release_every_ms = 1000;

}  // namespace

Consumer::Consumer(const config::Settings& settings, InboundSink& sink, Interest& interest, ChannelOverlap* overlap, Producer* dead_letters,
                   BrokerStateTeller& state, Logger& log, const Clock& clock)
    : sink_(sink), interest_(interest), state_(state), log_(log), clock_(clock), topics_(incoming_topic_names(settings.kafka)),
      reader_(settings, interest, overlap, dead_letters, traffic_, log, clock) {
  context_.log = &log;
  context_.on_error = [this](rd_kafka_resp_err_t code, const char* reason) { on_client_error(code, reason); };
}

Result<std::unique_ptr<Consumer>> Consumer::start(const config::Settings& settings, const Cluster& cluster, InboundSink& sink,
                                                  Interest& interest, ChannelOverlap* overlap, Producer* dead_letters,
                                                  BrokerStateTeller& state, Logger& log, const Clock& clock) {
  std::unique_ptr<Consumer> made(new Consumer(settings, sink, interest, overlap, dead_letters, state, log, clock));
  Result<ClientHandle> client = make_client(settings.kafka, Side::consumer, cluster, made->context_);
  if (!client) return client.error();
  made->client_ = std::move(client).value();
  made->queue_.reset(rd_kafka_queue_get_consumer(made->client_.get()));
  if (!made->queue_) return Error{"kafka", "librdkafka gave no consumer queue"};
  Consumer* consumer = made.get();
  if (settings.kafka.partition_aware) {
    // Its history is owed to who comes after a move of keys, on top of what clients write by an old partition count.
    PartitionPlan::Options options{settings.kafka.key_partitioners};
    options.moved_keep_ms += settings.captions.history_ms;
    made->plan_ = std::make_unique<PartitionPlan>(std::move(options), interest, clock);
    Result<std::unique_ptr<PartitionSampler>> sampler =
        PartitionSampler::start(settings, cluster, interest, *made->plan_, consumer->traffic_, log, clock);
    if (!sampler) return sampler.error();
    made->sampler_ = std::move(sampler).value();
  }
  made->watch_ = std::make_unique<TopicWatch>(
      consumer->client_.get(), TopicWatch::Options{consumer->topics_, settings.captions.history_ms, consumer->plan_.get()}, state, log, clock,
      [consumer] { rd_kafka_queue_yield(consumer->queue_.get()); });
  made->watch_->start();
  if (made->plan_) {
    interest.follow([consumer] {
      rd_kafka_queue_yield(consumer->queue_.get());
      consumer->watch_->hurry();
    });
  }
  made->thread_ = std::thread([consumer] { consumer->run(); });
  return made;
}

Consumer::~Consumer() { stop(); }

void Consumer::begin_stop() noexcept {
  stopping_.store(true);
  if (plan_) interest_.unfollow();
  if (queue_) rd_kafka_queue_yield(queue_.get());
  if (watch_) watch_->begin_stop();
  if (sampler_) sampler_->begin_stop();
}

void Consumer::stop() {
  begin_stop();
  if (thread_.joinable()) thread_.join();
  if (watch_) watch_->stop();
  watch_.reset();
  sampler_.reset();
  queue_.reset();
  client_.reset();
}

void Consumer::run() {
  std::vector<Inbound> batch;
  std::array<rd_kafka_message_t*, records_per_turn_max> messages{};
  while (!stopping_.load()) {
    if (plan_) release(batch);
    assign(batch);
    if (rd_kafka_message_t* first = rd_kafka_consumer_poll(client_.get(), poll_ms)) {
      take(first, batch);
      // With a timeout this call would wait for the array to be full.
      const ssize_t more = rd_kafka_consume_batch_queue(queue_.get(), 0, messages.data(), messages.size());
      for (ssize_t i = 0; i < more; ++i) take(messages[static_cast<std::size_t>(i)], batch);
    }
    if (!batch.empty()) sink_.deliver(std::exchange(batch, {}));
  }
}

// Added to what is assigned already, whose positions stay.
void Consumer::assign(std::vector<Inbound>& batch) {
  std::vector<Opening> openings = watch_->take();
  if (plan_) {
    for (const auto& [place, live_from, whole] : plan_->take_wanted(false))
      openings.push_back({place.first, place.second, live_from, live_from, 0, 0, !whole});
  }
  for (Opening& opening : openings) {
    reader_.opened(client_.get(), opening, batch);
    unassigned_.push_back(opening);
  }
  if (unassigned_.empty()) return;
  const PartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(unassigned_.size())));
  for (const Opening& opening : unassigned_)
    rd_kafka_topic_partition_list_add(list.get(), topics_[opening.topic].c_str(), opening.partition)->offset = opening.start;
  // Told before the first record can come.
  if (!batch.empty()) sink_.deliver(std::exchange(batch, {}));
  const ErrorHandle error(rd_kafka_incremental_assign(client_.get(), list.get()));
  if (error) {
    const SteadyMs now = clock_.steady_ms();
    if (now - complained_ms_ >= complain_every_ms) {
      complained_ms_ = now;
      log_.write(LogLevel::error, "kafka", std::string("assigning partitions, trying again: ") + rd_kafka_error_string(error.get()));
    }
    return;
  }
  assigned_ += unassigned_.size();
  traffic_.partitions_fetched.store(assigned_, std::memory_order_relaxed);
  if (plan_) {
    for (const Opening& opening : unassigned_) plan_->assigned({opening.topic, opening.partition});
  } else {
    state_.partitions_assigned(assigned_);
  }
  unassigned_.clear();
}

// What nobody here wants any more, some time after its last room left. Where it was read up to is known from then on.
void Consumer::release(std::vector<Inbound>& batch) {
  const SteadyMs now = clock_.steady_ms();
  if (now < release_due_ms_) return;
  release_due_ms_ = now + release_every_ms;
  const std::vector<PartitionPlan::Place> places = plan_->take_unwanted();
  if (places.empty()) return;
  const PartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(places.size())));
  for (const auto& [topic, partition] : places) rd_kafka_topic_partition_list_add(list.get(), topics_[topic].c_str(), partition);
  const bool told = rd_kafka_position(client_.get(), list.get()) == RD_KAFKA_RESP_ERR_NO_ERROR;
  const ErrorHandle error(rd_kafka_incremental_unassign(client_.get(), list.get()));
  if (error) {
    log_.write(LogLevel::error, "kafka", std::string("releasing partitions, trying again: ") + rd_kafka_error_string(error.get()));
    for (const PartitionPlan::Place& place : places) plan_->assigned(place);
    return;
  }
  assigned_ -= places.size();
  traffic_.partitions_fetched.store(assigned_, std::memory_order_relaxed);
  for (const PartitionPlan::Place& place : places) {
    const rd_kafka_topic_partition_t* at = rd_kafka_topic_partition_list_find(list.get(), topics_[place.first].c_str(), place.second);
    reader_.closed(place.first, place.second, batch);
    plan_->released(place, told && at != nullptr && at->offset >= 0 ? at->offset : -1);
  }
}

std::optional<std::vector<PartitionPlan::Place>> Consumer::text_places_of(std::string_view room) const {
  if (!plan_) return std::nullopt;
  return plan_->text_places_of(room).value_or(std::vector<PartitionPlan::Place>());
}

void Consumer::take(rd_kafka_message_t* message, std::vector<Inbound>& batch) {
  const MessageHandle owned(message);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    watch_->alive();
    reader_.read(*message, batch);
    return;
  }
  // librdkafka goes on by itself after all of these; positions out of range begin at the start of the log that is there.
  const SteadyMs now = clock_.steady_ms();
  if (now - complained_ms_ < complain_every_ms) return;
  complained_ms_ = now;
  log_.write(LogLevel::warn, "kafka",
             std::string("reading ") + (message->rkt != nullptr ? rd_kafka_topic_name(message->rkt) : "") + ": " + rd_kafka_message_errstr(message));
}

void Consumer::on_client_error(rd_kafka_resp_err_t code, const char* reason) {
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    if (watch_) watch_->lost();
    return;
  }
  log_.write(LogLevel::debug, "kafka", std::string("consumer: ") + rd_kafka_err2name(code) + " " + reason);
}

}  // namespace fluentgate::kafka
