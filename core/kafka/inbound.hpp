// What the Kafka threads tell the loop, and the one way to tell it. Plain values; batches keep Kafka's order per partition.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/domain/media.hpp"
#include "core/domain/numbering.hpp"

namespace fluentgate::kafka {

// Every record of the text topics, of whichever room, before the caption made of it: for resume.
struct RecordSeen { LogPosition position; };
// Reading of a text topic's partition began at `offset`; `end` was the end of its log at that time.
struct PartitionOpened { std::uint8_t topic = 0; std::int32_t partition = 0; std::int64_t offset = 0; std::int64_t end = 0; };
// It is read no more: nobody here wants it (kafka.partition_aware).
struct PartitionClosed { std::uint8_t topic = 0; std::int32_t partition = 0; };
// Delivery report of a chunk, in order per speaker. ok false: the broker refused it for good (`error` is librdkafka's name of the reason).
// `ack_us`: from hand-over to acknowledgement (stage kafka_ack). `lost_us` with ok: the broker refused all of it as too large, it has the beginning,
// under the chunk's number, without the last so many microseconds. `partition`, `offset`: where it is; -1: not known.
struct ChunkSettled {
  std::uint64_t token = 0;
  bool ok = true;
  std::string error;
  std::int64_t ack_us = 0;
  std::int64_t lost_us = 0;
  std::int32_t partition = -1;
  std::int64_t offset = -1;
};
// Highest number of a speaker found in audio.raw's last audio.sequence_lookback_ms.
struct SpeakerRecovered { RoomId room; UserId user; std::int64_t sequence_number = 0; };
struct RecoveryDone {};
// topic: index as in LogPosition, or 3 and 4 for Redis's channels pipeline:audio and pipeline:captions.
struct Malformed { std::uint8_t topic = 0; std::string reason; };
inline constexpr std::uint8_t audio_channel = 3, captions_channel = 4;
// Each time that it is logged, for the metric. Reasons: "message_too_large", "topic_missing", "not_authorised".
struct KafkaTrouble { std::string reason; };
// Sent on every change. `positioned`: the consumer has a position on every partition of every topic, so that what is published from now on is delivered.
struct BrokerState { bool connected = false; bool positioned = false; std::string cluster_id; };

using Inbound = std::variant<SynthesizedFrame, Caption, RecordSeen, PartitionOpened, PartitionClosed, ChunkSettled, SpeakerRecovered, RecoveryDone,
                             Malformed, KafkaTrouble, BrokerState, TailRead>;

class InboundSink {
 public:
  virtual ~InboundSink() = default;
  // Thread: any. Never blocks on the loop. Over limits::mailbox_messages_max audio frames are dropped and counted; nothing else is.
  virtual void deliver(std::vector<Inbound> batch) noexcept = 0;
  // The same, without waking the loop: delivered when it next turns, at the latest 20 ms later. For delivery reports while nothing waits.
  virtual void deliver_quietly(std::vector<Inbound> batch) noexcept = 0;
};

}  // namespace fluentgate::kafka
