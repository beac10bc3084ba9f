// One record's audio in, PCM at the output's rate out.
#include "core/kafka/frame_converter.hpp"

#include <span>
#include <utility>

#include "core/audio/pcm.hpp"
#include "core/wire/base64.hpp"

namespace fluentgate::kafka {
namespace {

std::string key_of(const wire::SynthesizedEvent& event) {
  std::string key;
  key.reserve(event.room.value.size() + event.speaker.value.size() + event.language.key().size() + 2);
  key.append(event.room.value).push_back('\0');
  key.append(event.speaker.value).push_back('\0');
  key.append(event.language.key());
  return key;
}

}  // namespace

Result<SharedBytes> FrameConverter::convert(const wire::SynthesizedEvent& event, SteadyMs now) {
  Bytes bytes;
  if (event.base64) {
    std::optional<Bytes> decoded = wire::base64_decode(event.audio);
    if (!decoded) return Error{"bad_base64", "audio_data is not base64"};
    bytes = std::move(*decoded);
  } else {
    const auto* data = reinterpret_cast<const std::uint8_t*>(event.audio.data());
    bytes.assign(data, data + event.audio.size());
  }
  if (event.encoding == Encoding::linear16) {
    if (bytes.size() % 2 != 0) return Error{"odd_bytes", std::to_string(bytes.size()) + " bytes of 16-bit PCM"};
    if (event.sample_rate == output_rate_) return SharedBytes(std::make_shared<const Bytes>(std::move(bytes)));
  }
  Result<Stream*> found = stream_of(event, now);
  if (!found) return found.error();
  Stream& stream = *found.value();
  decoded_.clear();
  if (stream.decoder) {
    if (Status done = stream.decoder->decode(bytes, decoded_); !done) return Error{"bad_opus", done.error().text};
  } else {
    audio::append_samples(bytes, decoded_);
  }
  if (stream.resampler) {
    converted_.clear();
    stream.resampler->process(decoded_, converted_);
    std::swap(decoded_, converted_);
  }
  return SharedBytes(std::make_shared<const Bytes>(audio::to_bytes(decoded_)));
}

Result<FrameConverter::Stream*> FrameConverter::stream_of(const wire::SynthesizedEvent& event, SteadyMs now) {
  std::string key = key_of(event);
  const auto known = index_.find(key);
  if (known == index_.end()) {
    Stream fresh;
    fresh.key = key;
    if (Status prepared = prepare(fresh, event); !prepared) return prepared.error();
    if (streams_.size() >= streams_max) {
      index_.erase(streams_.back().key);
      streams_.pop_back();
    }
    streams_.push_front(std::move(fresh));
    index_.emplace(std::move(key), streams_.begin());
  } else {
    streams_.splice(streams_.begin(), streams_, known->second);
    Stream& stream = streams_.front();
    if (stream.encoding != event.encoding || (event.encoding == Encoding::linear16 && stream.in_rate != event.sample_rate)) {
      if (Status prepared = prepare(stream, event); !prepared) return prepared.error();
    } else if (now - stream.used_ms > pause_ms) {
      if (stream.decoder) {
        if (Status prepared = prepare(stream, event); !prepared) return prepared.error();
      } else if (stream.resampler) {
        stream.resampler->reset();
      }
    } else if (stream.resampler && stream.utterance != event.utterance_id) {
      stream.resampler->reset();
    }
  }
  streams_.front().utterance = event.utterance_id;
  streams_.front().used_ms = now;
  return &streams_.front();
}

// Leaves the stream as it was if it fails.
Status FrameConverter::prepare(Stream& stream, const wire::SynthesizedEvent& event) const {
  std::optional<audio::OpusDecoder> decoder;
  int in_rate = event.sample_rate;
  if (event.encoding == Encoding::opus) {
    in_rate = audio::is_opus_rate(output_rate_) ? output_rate_ : 48000;  // Opus decodes to any of its rates by itself
    Result<audio::OpusDecoder> made = audio::OpusDecoder::make(in_rate);
    if (!made) return Error{"bad_opus", made.error().text};
    decoder.emplace(std::move(made).value());
  }
  std::optional<audio::PromptResampler> resampler;
  if (in_rate != output_rate_) {
    Result<audio::PromptResampler> made = audio::PromptResampler::make(in_rate, output_rate_);
    if (!made) return Error{"bad_sample_rate", made.error().text};
    resampler.emplace(std::move(made).value());
  }
  stream.encoding = event.encoding;
  stream.in_rate = in_rate;
  stream.decoder = std::move(decoder);
  stream.resampler = std::move(resampler);
  return ok();
}

}  // namespace fluentgate::kafka
