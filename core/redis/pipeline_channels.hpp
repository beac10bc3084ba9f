// What some workers publish only in Redis while it is live (CONTRACT 5, redis.pipeline_channels): pieces of a streamed synthesis on pipeline:audio:{room_id}
// and interim captions on pipeline:captions:{room_id}, of the rooms that are open here. Read and converted on the redis thread with Kafka's own reader and
// delivered as Kafka's frames and captions are; kafka::ChannelOverlap decides what of both ways is heard.
// Final captions on the channel are left out: they come in Kafka, with a place in its log. What can't be read is counted and logged as Kafka's messages are.
// Thread: open() and close() any; the rest redis.
#pragma once

#include <string>
#include <string_view>

#include "core/config/settings.hpp"
#include "core/domain/clock.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/ports.hpp"
#include "core/kafka/channel_overlap.hpp"
#include "core/kafka/frame_maker.hpp"
#include "core/kafka/inbound.hpp"
#include "core/kafka/interest.hpp"
#include "core/kafka/malformed_log.hpp"
#include "core/redis/link.hpp"
#include "core/wire/channel_caption.hpp"
#include "core/wire/kafka_event.hpp"

namespace fluentgate::redis {

class PipelineChannels final : public Link::Listener {
 public:
  // Listens to the link from now on. All of it outlives the link's thread.
  PipelineChannels(const config::Settings& settings, Link& link, kafka::InboundSink& sink, const kafka::Interest& interest,
                   kafka::ChannelOverlap& overlap, Logger& log, const Clock& clock);

  // The room has participants here, until close(). A room is opened once.
  void open(const RoomId& room);
  void close(const RoomId& room);

  void on_connected(bool again) override;
  void on_lost() override;
  void on_message(std::string_view channel, std::string_view payload) override;

 private:
  void read_piece(std::string_view room, std::string_view payload);
  void read_caption(std::string_view room, std::string_view payload);
  void malformed(std::uint8_t channel, std::string_view room, const Error& error);

  Link& link_;
  kafka::InboundSink& sink_;
  const kafka::Interest& interest_;
  kafka::ChannelOverlap& overlap_;
  const Clock& clock_;
  wire::EventParser events_;
  wire::ChannelCaptionParser captions_;
  kafka::FrameMaker frames_;
  kafka::MalformedLog malformed_;
};

}  // namespace fluentgate::redis
