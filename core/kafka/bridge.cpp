// Starts and stops the parts in the order in which they need each other.
#include "core/kafka/bridge.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <random>

namespace fluentgate::kafka {
namespace {

std::string make_instance() {
  std::array<char, 64> host{};
  if (gethostname(host.data(), host.size() - 1) != 0 || host[0] == '\0') std::snprintf(host.data(), host.size(), "host");
  char text[128];
  std::snprintf(text, sizeof text, "%s-%ld-%04x", host.data(), static_cast<long>(getpid()), std::random_device{}() & 0xffffu);
  return text;
}

}  // namespace

Result<std::unique_ptr<Bridge>> Bridge::start(const config::Settings& settings, InboundSink& sink, Interest& interest, Logger& log,
                                              const Clock& clock, ChannelOverlap* overlap) {
  if (Status checked = check_properties(settings.kafka); !checked) return checked.error();
  std::unique_ptr<Bridge> made(new Bridge(sink, log, clock));
  made->cluster_ = {settings.kafka.bootstrap_servers, make_instance(), settings.kafka.embedded()};
  if (settings.kafka.embedded()) {
    const config::Kafka& kafka = settings.kafka;
    Result<std::unique_ptr<EmbeddedCluster>> embedded = EmbeddedCluster::start(
        {kafka.topic_audio_raw, kafka.topic_audio_synthesized, kafka.topic_text_original, kafka.topic_text_translated}, log);
    if (!embedded) return embedded.error();
    made->embedded_ = std::move(embedded).value();
    made->cluster_.bootstrap = made->embedded_->bootstrap();
    log.write(LogLevel::warn, "kafka", "EMBEDDED Kafka in this process at " + made->cluster_.bootstrap +
                                           ": nothing is kept when it ends, 5 MB per partition; set kafka.bootstrap.servers for a real one");
  }
  Result<std::unique_ptr<Producer>> producer = Producer::start(settings.kafka, made->cluster_, sink, made->state_, log, clock);
  if (!producer) return producer.error();
  made->producer_ = std::move(producer).value();
  Result<std::unique_ptr<Consumer>> consumer = Consumer::start(settings, made->cluster_, sink, interest, overlap,
                                                               settings.kafka.dlq ? made->producer_.get() : nullptr, made->state_, log, clock);
  if (!consumer) return consumer.error();
  made->consumer_ = std::move(consumer).value();
  if (!settings.redis.url.empty()) {
    made->tail_ = std::make_unique<LogTailReader>(settings, made->cluster_, sink, log, clock);
    made->tail_->start();
  }
  made->recovery_ = std::make_unique<SequenceRecovery>(settings, made->cluster_, sink, made->tail_.get(), log, clock);
  made->recovery_->start();
  return made;
}

Bridge::~Bridge() { stop(0); }

void Bridge::stop(int flush_ms) {
  if (recovery_) recovery_->begin_stop();
  if (producer_ && flush_ms > 0) (void)producer_->flush(flush_ms);  // while acknowledgements still reach the loop
  // With Kafka away each of them waits for a request's time-out: at the same time, not one after another.
  if (tail_) tail_->begin_stop();
  if (consumer_) consumer_->begin_stop();
  if (producer_) producer_->begin_stop();
  if (recovery_) recovery_->stop();
  if (tail_) tail_->stop();
  if (consumer_) consumer_->stop();  // before the producer, which takes its dead letters
  if (producer_) producer_->stop(0);
}

}  // namespace fluentgate::kafka
