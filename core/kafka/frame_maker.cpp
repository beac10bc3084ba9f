// Wanted, decoded, heard once.
#include "core/kafka/frame_maker.hpp"

#include <utility>

namespace fluentgate::kafka {
namespace {

constexpr std::int64_t rest_us_min = 20000;  // less than that is no rest of a sentence, but a difference of roundings

// Bytes of audio in the event, by its length and padding where it is base64.
std::size_t audio_bytes(const wire::SynthesizedEvent& event) {
  if (!event.base64) return event.audio.size();
  const std::size_t padding = event.audio.ends_with("==") ? 2 : event.audio.ends_with('=') ? 1 : 0;
  return event.audio.size() < 4 ? 0 : event.audio.size() / 4 * 3 - padding;
}

bool half_a_sample(const wire::SynthesizedEvent& event) {
  if (!event.base64 || event.encoding != Encoding::linear16 || event.audio.empty() || event.audio.size() % 4 != 0) return false;
  return audio_bytes(event) % 2 != 0;
}

// Of Opus that nobody here wants it is unknown; a sentence that is then interrupted is heard by nobody either.
std::int64_t duration_us_of(const wire::SynthesizedEvent& event, const SynthesizedFrame& frame) {
  if (event.encoding == Encoding::linear16) return pcm_us(audio_bytes(event), event.sample_rate);
  return frame.duration_us;
}

}  // namespace

Result<SynthesizedFrame> FrameMaker::make(const wire::SynthesizedEvent& event, bool wanted) {
  SynthesizedFrame frame{.room = event.room, .speaker = event.speaker, .language = event.language};
  frame.sample_rate = output_rate_;
  frame.arrival_us = clock_.steady_us();
  frame.arrival_ms = clock_.unix_ms();
  // What nobody wants isn't decoded, unless its length alone shows half a sample: malformed is counted whoever listens.
  if (wanted || half_a_sample(event)) {
    Result<SharedBytes> pcm = converter_.convert(event, frame.arrival_us / 1000);
    if (!pcm) return pcm.error();
    if (wanted) {
      frame.pcm = std::move(pcm).value();
      frame.duration_us = pcm_us(frame.pcm->size(), output_rate_);
    }
  }
  frame.sequence_number = event.sequence_number;
  frame.utterance_id = event.utterance_id;
  frame.source_language = event.source_language;
  frame.ingest_ms = event.ingest_ms;
  return frame;
}

// False where nothing is left.
bool FrameMaker::cut(SynthesizedFrame& frame, std::int64_t from_us) const {
  if (from_us <= 0 || !frame.pcm) return true;
  if (frame.duration_us - from_us < rest_us_min) return false;
  const auto from = static_cast<std::size_t>(from_us * output_rate_ / 1'000'000) * 2;
  frame.pcm = std::make_shared<const Bytes>(frame.pcm->begin() + static_cast<std::ptrdiff_t>(from), frame.pcm->end());
  frame.duration_us = pcm_us(frame.pcm->size(), output_rate_);
  return true;
}

Result<std::optional<SynthesizedFrame>> FrameMaker::whole(const wire::SynthesizedEvent& event, UnixMs kafka_ms) {
  const bool twice = overlap_ != nullptr && overlap_->would_leave_out(event, clock_.steady_ms());
  Result<SynthesizedFrame> frame = make(event, !twice && interest_.wants(event.room.value, event.language));
  if (!frame) return frame.error();
  frame->kafka_ms = kafka_ms;
  if (overlap_ != nullptr) {
    const ChannelOverlap::Whole verdict = overlap_->whole(event, clock_.steady_ms());
    if (!verdict.heard) return std::optional<SynthesizedFrame>();
    if (twice) {  // Redis was lost, or the pieces were forgotten, since the question: it is heard after all
      frame = make(event, interest_.wants(event.room.value, event.language));
      if (!frame) return frame.error();
      frame->kafka_ms = kafka_ms;
    }
    if (!cut(*frame, verdict.from_us)) return std::optional<SynthesizedFrame>();
  }
  return std::optional(std::move(frame).value());
}

Result<std::optional<SynthesizedFrame>> FrameMaker::piece(const wire::SynthesizedEvent& event) {
  Result<SynthesizedFrame> frame = make(event, interest_.wants(event.room.value, event.language));
  if (!frame) return frame.error();
  frame->kafka_ms = frame->arrival_ms;
  if (overlap_ != nullptr && !overlap_->piece(event, duration_us_of(event, *frame), clock_.steady_ms())) return std::optional<SynthesizedFrame>();
  return std::optional(std::move(frame).value());
}

}  // namespace fluentgate::kafka
