// A synthesized event → the frame that the loop is told: asks whether anybody here wants it before its audio is decoded, converts the audio.
// The same for what comes from Kafka and from Redis's channels. Thread: the one that reads the events.
#pragma once

#include <optional>

#include "core/domain/clock.hpp"
#include "core/domain/media.hpp"
#include "core/domain/result.hpp"
#include "core/kafka/channel_overlap.hpp"
#include "core/kafka/frame_converter.hpp"
#include "core/kafka/interest.hpp"
#include "core/wire/kafka_event.hpp"

namespace fluentgate::kafka {

class FrameMaker {
 public:
  // `overlap` null: nothing comes twice.
  FrameMaker(int output_rate, const Interest& interest, ChannelOverlap* overlap, const Clock& clock)
      : output_rate_(output_rate), interest_(interest), overlap_(overlap), clock_(clock), converter_(output_rate) {}

  // Of a room that is hosted here. Nothing: it is heard on the other way. Errors: bad_base64, odd_bytes, bad_sample_rate, bad_opus.
  Result<std::optional<SynthesizedFrame>> whole(const wire::SynthesizedEvent& event, UnixMs kafka_ms);
  // One of several that make a sentence. Its time is that of its arrival: nothing waits on a channel.
  Result<std::optional<SynthesizedFrame>> piece(const wire::SynthesizedEvent& event);

 private:
  Result<SynthesizedFrame> make(const wire::SynthesizedEvent& event, bool wanted);
  bool cut(SynthesizedFrame& frame, std::int64_t from_us) const;

  const int output_rate_;
  const Interest& interest_;
  ChannelOverlap* overlap_;
  const Clock& clock_;
  FrameConverter converter_;
};

}  // namespace fluentgate::kafka
