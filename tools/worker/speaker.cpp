// See speaker.hpp.
#include "tools/worker/speaker.hpp"

#include <algorithm>
#include <charconv>

#include "core/audio/pcm.hpp"
#include "core/wire/event_id.hpp"

namespace fluentgate::worker {
namespace {

constexpr std::size_t samples_per_ms = Endpointer::sample_rate / 1000;

bool is_english(const std::string& language) {
  const std::string primary = primary_subtag(language);
  return primary.empty() || primary == "en" || primary == "eng";
}

std::int64_t gap_ms(const ChunkInfo& info) {
  std::int64_t value = 0;
  for (const Header& header : info.headers) {
    if (header.name == "fg-gap-ms") std::from_chars(header.value.data(), header.value.data() + header.value.size(), value);
  }
  return value;
}

}  // namespace

Speaker::Speaker(SpeechContext& context, std::string key) : context_(context), key_(std::move(key)), endpointer_(context.endpointer) {}

Speaker::~Speaker() {
  if (decoder_ == nullptr) return;
  (void)decoder_->end();
  context_.decoders.give_back(std::move(decoder_), key_);
}

bool Speaker::to_samples(const Chunk& chunk) {
  decoded_.clear();
  int rate = chunk.sample_rate;
  if (chunk.encoding == Encoding::opus) {
    rate = Endpointer::sample_rate;  // libopus decodes to any of its rates
    if (!opus_) {
      auto made = audio::OpusDecoder::make(rate);
      if (!made) return false;
      opus_.emplace(std::move(*made));
    }
    if (const Status decoded = opus_->decode(chunk.audio, decoded_); !decoded) {
      context_.bad_opus("an Opus packet of " + chunk.info->user + " was skipped: " + decoded.error().text);
      return false;
    }
  } else {
    audio::append_samples(chunk.audio, decoded_);
  }
  last_chunk_ms_ = static_cast<std::int64_t>(decoded_.size()) * 1000 / rate;
  if (!resampler_ || resampler_->in_rate() != rate) {
    auto made = audio::Resampler::make(rate, Endpointer::sample_rate);
    if (!made) return false;
    resampler_.emplace(std::move(*made));
  }
  resampler_->process(decoded_, carry_);
  return true;
}

void Speaker::on_chunk(const Chunk& chunk, SteadyUs now_us) {
  last_chunk_us_ = now_us;
  if (!is_english(chunk.info->source_language)) {
    context_.other_language("no speech model for language " + chunk.info->source_language + ": " + chunk.info->user + " is not transcribed");
    if (endpointer_.finish() == Endpointer::Event::end) end_phrase(now_us);
    return;
  }
  // Words on both sides of a hole are not neighbours.
  if (gap_ms(*chunk.info) >= context_.endpointer.hangover_ms && endpointer_.finish() == Endpointer::Event::end) end_phrase(now_us);
  newest_ = chunk.info;
  if (!to_samples(chunk)) return;
  std::size_t at = 0;
  for (; at + Endpointer::frame_samples <= carry_.size(); at += Endpointer::frame_samples) {
    on_frame(std::span(carry_).subspan(at, Endpointer::frame_samples), now_us);
  }
  carry_.erase(carry_.begin(), carry_.begin() + static_cast<std::ptrdiff_t>(at));
  feed_pending();
  maybe_interim(now_us);
}

void Speaker::on_frame(std::span<const std::int16_t> frame, SteadyUs now_us) {
  const Endpointer::Event event = endpointer_.feed(frame);
  if (event == Endpointer::Event::begin) begin_phrase();
  if (endpointer_.in_phrase() || event == Endpointer::Event::end) {
    pending_.insert(pending_.end(), frame.begin(), frame.end());
    if (endpointer_.silence_ms() == 0) last_voiced_ = newest_;
    if (event == Endpointer::Event::end) end_phrase(now_us);
    return;
  }
  lead_in_.insert(lead_in_.end(), frame.begin(), frame.end());
  const std::size_t kept = lead_in_ms * samples_per_ms;
  // Trimmed in large steps: a move of a few kilobytes every 300 ms, not every frame.
  if (lead_in_.size() > 2 * kept) lead_in_.erase(lead_in_.begin(), lead_in_.end() - static_cast<std::ptrdiff_t>(kept));
}

void Speaker::begin_phrase() {
  utterance_id_.clear();
  wire::append_uuid4(utterance_id_);
  revision_ = 0;
  last_interim_.clear();
  last_interim_us_ = 0;
  last_voiced_ = newest_;
  const std::size_t kept = std::min(lead_in_.size(), lead_in_ms * samples_per_ms);
  pending_.assign(lead_in_.end() - static_cast<std::ptrdiff_t>(kept), lead_in_.end());
  lead_in_.clear();
  decoder_ = context_.decoders.take(key_);
  if (decoder_ == nullptr) context_.no_decoder("more people speak at once than there are decoders (--decoders): a phrase is not transcribed");
}

void Speaker::feed_pending() {
  if (decoder_ != nullptr) decoder_->feed(pending_);
  pending_.clear();
}

void Speaker::maybe_interim(SteadyUs now_us) {
  if (decoder_ == nullptr) return;
  if (last_interim_us_ == 0) last_interim_us_ = now_us;  // the phrase's first words take their time too
  if (now_us - last_interim_us_ < interim_ms * 1000) return;
  const std::string text = decoder_->hypothesis();
  if (text.empty() || text == last_interim_) return;
  last_interim_us_ = now_us;
  last_interim_ = text;
  publish_transcript(*newest_, text, false);
}

void Speaker::publish_transcript(const ChunkInfo& at, const std::string& text, bool is_final) {
  context_.publisher.publish(transcript_message({at, text, utterance_id_, revision_++, is_final}, unix_ms_now()));
}

void Speaker::end_phrase(SteadyUs now_us) {
  feed_pending();
  if (decoder_ == nullptr) return;
  std::string text = decoder_->end();
  context_.decoders.give_back(std::move(decoder_), key_);
  // What was shown as an interim must not stay unfinished.
  if (text.empty() || (endpointer_.voiced_ms() < voice_ms_min && revision_ == 0)) text = last_interim_;
  if (text.empty()) return;
  publish_transcript(*last_voiced_, text, true);

  auto phrase = std::make_shared<Phrase>();
  phrase->at = last_voiced_;
  phrase->utterance_id = utterance_id_;
  phrase->text = std::move(text);
  phrase->wanted = wanted_languages(*newest_, context_.languages);  // what is wanted now, not what was
  phrase->report = std::make_shared<PhraseReport>(last_voiced_, context_.summary);
  const int hangover_ms = endpointer_.silence_ms();
  phrase->report->recognized(endpointer_.phrase_ms() - hangover_ms, hangover_ms, std::min(newest_->arrival_us, now_us), steady_us_now());
  if (!phrase->wanted.empty()) context_.on_phrase(phrase);
}

void Speaker::on_tick(SteadyUs now_us) {
  if (!endpointer_.in_phrase() || now_us - last_chunk_us_ < (silent_stream_ms + last_chunk_ms_) * 1000) return;
  if (endpointer_.finish() == Endpointer::Event::end) end_phrase(now_us);
}

}  // namespace fluentgate::worker
