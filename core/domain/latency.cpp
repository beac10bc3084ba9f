// Correlation of frames with captions and chunks: see latency.hpp.
#include "core/domain/latency.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <vector>

namespace fluentgate {

bool Numbering::believes(std::int64_t number, std::int64_t newest, std::int64_t implied_ms) noexcept {
  for (std::size_t i = 0; i < size_; ++i) {
    const Sample& before = samples_[i];
    if (before.number != number) continue;
    return before.believed && implied_ms <= correlated_ms_max && implied_ms - before.implied_ms <= unproven_ms_max;
  }
  const bool began_again = size_ > 0 && number <= 1 && number < latest().number;
  if (began_again) *this = Numbering{};
  ++heard_;
  counts_from_one_ = counts_from_one_ && number == heard_;
  const bool believed = judge(number, newest, implied_ms);
  samples_[next_] = {number, newest, implied_ms, believed};
  next_ = (next_ + 1) % samples_max;
  size_ = std::min(size_ + 1, samples_max);
  return believed;
}

bool Numbering::judge(std::int64_t number, std::int64_t newest, std::int64_t implied_ms) const noexcept {
  if (implied_ms < 0 || implied_ms > correlated_ms_max) return false;
  bool proven = false;
  if (size_ > 0) {
    const std::int64_t numbers = number - oldest().number;
    const std::int64_t chunks = newest - oldest().newest;
    const bool keeps_pace = numbers * 2 >= chunks;
    if (!keeps_pace && implied_ms - oldest().implied_ms > drift_ms_max) return false;
    proven = keeps_pace && chunks >= counting_lag_chunks;
  }
  if (counts_from_one_ && newest - number >= counting_lag_chunks && implied_ms > counting_ms_max) {
    return proven && implied_ms <= counting_proven_ms_max;
  }
  return proven || implied_ms <= unproven_ms_max;
}

namespace {

constexpr std::int64_t none = -1;

// Ids and tags are compared by hash: a collision needs two equal ones within a minute of one speaker.
std::size_t hash_of(std::string_view text) noexcept { return text.empty() ? 0 : std::hash<std::string_view>{}(text); }

// Chunks of one speaker by number, the last ones. Numbers rise by one; any other step begins anew.
class Chunks {
 public:
  void add(std::int64_t number, UnixMs ingest_ms) {
    if (number != newest() + 1) {
      ingest_.clear();
      first_ = number;
    }
    ingest_.push_back(ingest_ms);
    while (ingest_.size() > limits::latency_records_max || ingest_ms - ingest_.front() > Numbering::correlated_ms_max) {
      ingest_.pop_front();
      ++first_;
    }
  }
  std::int64_t newest() const noexcept { return first_ + static_cast<std::int64_t>(ingest_.size()) - 1; }
  std::optional<UnixMs> ingest(std::int64_t number) const noexcept {
    if (ingest_.empty() || number < first_ || number > newest()) return std::nullopt;
    return ingest_[static_cast<std::size_t>(number - first_)];
  }

 private:
  std::int64_t first_ = 0;
  std::deque<UnixMs> ingest_;
};

struct Heard {
  std::int64_t number = none;
  std::size_t utterance = 0;  // hash; 0: the worker sent none
  std::size_t language = 0;
  UnixMs arrival_ms = 0;
  std::optional<UnixMs> ingest_ms;  // by its header
  bool is_final = true;
  std::string source;
};

struct Wanted {
  std::int64_t number = none;
  std::size_t utterance = 0;
  std::optional<std::size_t> language;
};

class Captions {
 public:
  void add(Heard heard) {
    if (heard_.size() >= limits::latency_captions_max) heard_.erase(heard_.begin());
    heard_.push_back(std::move(heard));
  }
  // The last that belongs to it and arrived from `from` to `to`.
  const Heard* last(const Wanted& wanted, UnixMs from, UnixMs to) const noexcept {
    const Heard* found = nullptr;
    for (const Heard& heard : heard_) {
      if (heard.arrival_ms < from || heard.arrival_ms > to || (wanted.language && *wanted.language != heard.language)) continue;
      const bool by_number = wanted.number != none && wanted.number == heard.number;
      const bool by_utterance = heard.is_final && wanted.utterance != 0 && wanted.utterance == heard.utterance;
      if ((by_number || by_utterance) && (found == nullptr || heard.arrival_ms >= found->arrival_ms)) found = &heard;
    }
    return found;
  }

 private:
  std::vector<Heard> heard_;
};

// A header's ingest, if it can be true.
std::optional<UnixMs> credible(std::optional<UnixMs> ingest_ms, UnixMs arrival_ms) noexcept {
  if (!ingest_ms || *ingest_ms <= 0 || *ingest_ms > arrival_ms || *ingest_ms < arrival_ms - LatencyTracker::header_ms_max) return std::nullopt;
  return ingest_ms;
}

std::int64_t number_of(const std::optional<std::int64_t>& number) noexcept { return number && *number >= 0 ? *number : none; }

}  // namespace

struct LatencyTracker::Speaker {
  Chunks chunks;
  Captions originals, translated;
  Numbering original_numbers, frame_numbers;
  std::list<const std::string*>::iterator recent;

  std::optional<UnixMs> correlated(Numbering& numbering, std::int64_t number, UnixMs arrival_ms) {
    const std::optional<UnixMs> ingest = number == none ? std::nullopt : chunks.ingest(number);
    if (!ingest || !numbering.believes(number, chunks.newest(), arrival_ms - *ingest)) return std::nullopt;
    return ingest;
  }
};

LatencyTracker::LatencyTracker() = default;
LatencyTracker::~LatencyTracker() = default;

LatencyTracker::Speaker& LatencyTracker::speaker_of(const RoomId& room, const UserId& user) {
  std::string key = room.value;
  key.push_back('\0');
  key += user.value;
  const auto [at, fresh] = speakers_.try_emplace(std::move(key));
  if (!fresh) {
    recency_.splice(recency_.begin(), recency_, at->second->recent);
    return *at->second;
  }
  at->second = std::make_unique<Speaker>();
  recency_.push_front(&at->first);
  at->second->recent = recency_.begin();
  Speaker& speaker = *at->second;
  if (speakers_.size() > limits::latency_speakers_max) {
    const auto oldest = speakers_.find(*recency_.back());
    recency_.pop_back();
    speakers_.erase(oldest);
  }
  return speaker;
}

void LatencyTracker::forget(const RoomId& room, const UserId& user) {
  const auto at = speakers_.find(room.value + '\0' + user.value);
  if (at == speakers_.end()) return;
  recency_.erase(at->second->recent);
  speakers_.erase(at);
}

void LatencyTracker::chunk_published(const RoomId& room, const UserId& user, std::int64_t sequence_number, UnixMs ingest_ms) {
  speaker_of(room, user).chunks.add(sequence_number, ingest_ms);
}

std::optional<std::int64_t> LatencyTracker::caption_arrived(const Caption& caption) {
  if (caption.replayed) return std::nullopt;
  Speaker& speaker = speaker_of(caption.room, caption.speaker);
  Heard heard;
  heard.number = number_of(caption.sequence_number);
  heard.utterance = hash_of(caption.utterance_id.value_or(""));
  heard.language = hash_of(caption.language.key());
  heard.arrival_ms = caption.arrival_ms;
  heard.ingest_ms = credible(caption.ingest_ms, caption.arrival_ms);
  heard.is_final = caption.is_final;
  if (caption.source_language) {
    heard.source = caption.source_language->spelling();
  } else if (caption.type == CaptionType::original) {
    heard.source = caption.language.spelling();
  }
  std::optional<UnixMs> from;
  if (caption.type == CaptionType::original) {
    from = heard.ingest_ms;
    // Asked for in any case: what is believed of a number depends on the numbers before it.
    if (const auto chunk = speaker.correlated(speaker.original_numbers, heard.number, heard.arrival_ms); !from) from = chunk;
    speaker.originals.add(heard);
  } else {
    const Wanted wanted{heard.number, heard.utterance, std::nullopt};
    const Heard* original = speaker.originals.last(wanted, heard.arrival_ms - Numbering::correlated_ms_max, heard.arrival_ms);
    if (original != nullptr) from = original->arrival_ms;
    speaker.translated.add(heard);
  }
  if (!from || !caption.is_final) return std::nullopt;
  return heard.arrival_ms - *from;
}

FrameLatency LatencyTracker::frame_arrived(const SynthesizedFrame& frame) {
  Speaker& speaker = speaker_of(frame.room, frame.speaker);
  const UnixMs arrival = frame.arrival_ms;
  const std::size_t utterance = hash_of(frame.utterance_id.value_or(""));
  const Wanted wanted_original{number_of(frame.sequence_number), utterance, std::nullopt};
  const Wanted wanted_translated{wanted_original.number, utterance, hash_of(frame.language.key())};
  const Heard* translated = nullptr;
  const Heard* original = nullptr;
  const auto find_captions = [&](UnixMs from) {
    translated = speaker.translated.last(wanted_translated, from, arrival);
    original = speaker.originals.last(wanted_original, from, translated != nullptr ? translated->arrival_ms : arrival);
  };
  find_captions(arrival - Numbering::correlated_ms_max);

  const std::optional<UnixMs> chunk = speaker.correlated(speaker.frame_numbers, wanted_original.number, arrival);
  std::optional<UnixMs> ingest = credible(frame.ingest_ms, arrival);
  if (!ingest && translated != nullptr) ingest = translated->ingest_ms;
  if (!ingest && original != nullptr) ingest = original->ingest_ms;
  if (!ingest) ingest = chunk;
  if (ingest) find_captions(*ingest);  // a caption from before the speech was heard is another's

  FrameLatency latency;
  if (ingest) latency.pipeline_ms = arrival - *ingest;
  if (ingest && original != nullptr) latency.stt_ms = original->arrival_ms - *ingest;
  if (original != nullptr && translated != nullptr) latency.mt_ms = translated->arrival_ms - original->arrival_ms;
  if (translated != nullptr) latency.tts_ms = arrival - translated->arrival_ms;
  if (frame.source_language && !frame.source_language->empty()) {
    latency.source = *frame.source_language;
  } else if (original != nullptr && !original->source.empty()) {
    latency.source = original->source;
  } else if (translated != nullptr && !translated->source.empty()) {
    latency.source = translated->source;
  } else {
    latency.source = "-";
  }
  return latency;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view plain = "-._~:@+,";
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool alphanumeric = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (alphanumeric || plain.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
  }
  return out;
}

std::string latency_line(const RoomId& room, const UserId& speaker, std::optional<std::int64_t> sequence_number, std::string_view source,
                         std::string_view target, const FrameLatency& latency, std::int64_t egress_ms) {
  const auto number = [](const std::optional<std::int64_t>& value) { return value ? std::to_string(*value) : std::string("-"); };
  const auto word = [](std::string_view text) { return text.empty() ? std::string("-") : percent_encoded(text); };
  egress_ms = std::max<std::int64_t>(egress_ms, 0);
  std::optional<std::int64_t> end_to_end_ms = latency.pipeline_ms;
  if (end_to_end_ms) *end_to_end_ms += egress_ms;
  return "room=" + word(room.value) + " speaker=" + word(speaker.value) + " seq=" + number(sequence_number) + " lang=" + word(source) + ">" +
         word(target) + " e2e_ms=" + number(end_to_end_ms) + " stt_ms=" + number(latency.stt_ms) + " mt_ms=" + number(latency.mt_ms) +
         " tts_ms=" + number(latency.tts_ms) + " egress_ms=" + std::to_string(egress_ms);
}

}  // namespace fluentgate
