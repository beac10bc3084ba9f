// Makes PCM at the listeners' rate out of a synthesized record's audio: base64, Opus, other rates. Keeps one converter per (room, speaker,
// language) so that a sentence cut into records sounds as one. A record comes out whole: nothing of its end waits for the next one, which may
// never come. Thread: kafka.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/audio/opus_codec.hpp"
#include "core/audio/prompt_resampler.hpp"
#include "core/domain/media.hpp"
#include "core/domain/result.hpp"
#include "core/wire/kafka_event.hpp"

namespace fluentgate::kafka {

class FrameConverter {
 public:
  static constexpr std::size_t streams_max = 1024;   // beyond: the one least recently used begins anew
  static constexpr SteadyMs pause_ms = 1000;         // after that a stream begins anew

  explicit FrameConverter(int output_rate) : output_rate_(output_rate) {}

  // s16le mono at output_rate, unchanged where it is that already. Its duration is the record's; over the records of an utterance it adds up within a sample.
  // Errors: bad_base64, odd_bytes, bad_sample_rate, bad_opus.
  Result<SharedBytes> convert(const wire::SynthesizedEvent& event, SteadyMs now);
  std::size_t streams() const noexcept { return streams_.size(); }

 private:
  struct Stream {
    std::string key;
    Encoding encoding = Encoding::linear16;
    int in_rate = 0;
    std::optional<audio::PromptResampler> resampler;  // where the rates differ
    std::optional<audio::OpusDecoder> decoder;
    std::optional<std::string> utterance;  // as the last record told; another one begins anew
    SteadyMs used_ms = 0;
  };
  Result<Stream*> stream_of(const wire::SynthesizedEvent& event, SteadyMs now);
  Status prepare(Stream& stream, const wire::SynthesizedEvent& event) const;

  const int output_rate_;
  std::list<Stream> streams_;  // most recently used first
  std::unordered_map<std::string, std::list<Stream>::iterator> index_;
  std::vector<std::int16_t> decoded_, converted_;  // kept for their memory
};

}  // namespace fluentgate::kafka
