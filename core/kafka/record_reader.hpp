// Turns a consumed record into what the loop is told: parses it, asks whether anybody here wants it before its audio is decoded, converts the
// audio; what can't be read is counted, logged at most once a second for each reason, and copied to the dead letter topic. Thread: kafka.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/config/settings.hpp"
#include "core/domain/ports.hpp"
#include "core/kafka/channel_overlap.hpp"
#include "core/kafka/frame_maker.hpp"
#include "core/kafka/handles.hpp"
#include "core/kafka/inbound.hpp"
#include "core/kafka/interest.hpp"
#include "core/kafka/malformed_log.hpp"
#include "core/kafka/producer.hpp"
#include "core/kafka/topic_watch.hpp"
#include "core/kafka/traffic.hpp"
#include "core/wire/kafka_event.hpp"

namespace fluentgate::kafka {

class RecordReader {
 public:
  // `overlap` null: nothing comes on Redis's channels too. `dead_letters` null: none are written.
  RecordReader(const config::Settings& settings, const Interest& interest, ChannelOverlap* overlap, Producer* dead_letters, Traffic& traffic, Logger& log,
               const Clock& clock);

  // Told before the first record of that partition. `client` is whose records are read.
  void opened(rd_kafka_t* client, const Opening& opening, std::vector<Inbound>& out);
  // Nothing more comes of that partition.
  void closed(std::uint8_t topic, std::int32_t partition, std::vector<Inbound>& out);
  // Appends to `out`: RecordSeen and Caption, SynthesizedFrame, Malformed, or nothing.
  void read(rd_kafka_message_t& message, std::vector<Inbound>& out);

 private:
  struct Place {
    std::int64_t end = 0;
    UnixMs keep_from_ms = 0;
  };
  // The beginning of an audio partition that was opened for a room that came: see `midway`.
  struct Midway {
    rd_kafka_t* client = nullptr;
    std::int64_t until = -1;  // the log's end when its first record came; -1: none has come
  };

  void note_midway(const rd_kafka_message_t& message);
  bool from_before_the_join(const wire::KafkaRecord& record, std::string_view room) const;
  void read_frame(const wire::KafkaRecord& record, std::vector<Inbound>& out, std::string_view key);
  void read_caption(const wire::KafkaRecord& record, std::vector<Inbound>& out, std::string_view key);
  void malformed(const wire::KafkaRecord& record, const Error& error, bool replayed, std::vector<Inbound>& out, std::string_view key);
  std::span<const wire::Header> headers_of(const rd_kafka_message_t& message);

  const std::array<std::string, incoming_topics> topics_;
  const Interest& interest_;
  ChannelOverlap* overlap_;
  Producer* dead_letters_;
  Traffic& traffic_;
  Logger& log_;
  const Clock& clock_;

  wire::EventParser parser_;
  FrameMaker frames_;
  MalformedLog malformed_;
  std::map<std::pair<std::uint8_t, std::int32_t>, Place> places_;
  std::map<std::int32_t, Midway> midway_;  // mostly empty
  std::vector<wire::Header> headers_;  // kept for its memory
};

// In the order of LogPosition::topic.
std::array<std::string, incoming_topics> incoming_topic_names(const config::Kafka& kafka);

}  // namespace fluentgate::kafka
