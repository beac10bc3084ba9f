// Cues in order of their start, as WebVTT demands, even where Kafka's order and the events' own times differ.
#include "core/wire/webvtt.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/wire/json_write.hpp"
#include "core/wire/timestamp.hpp"
#include "core/wire/utf8.hpp"

namespace fluentgate::wire {
namespace {

constexpr std::int64_t cue_ms_min = 1000;
constexpr std::int64_t cue_ms_max = 7000;
constexpr std::int64_t ms_per_character = 65;  // about 15 characters a second

struct Cue {
  const Caption* caption;
  UnixMs start;
  std::int64_t duration_ms;
};

UnixMs time_of(const Caption& caption) { return caption.event_ms.value_or(caption.position.timestamp_ms); }

std::int64_t reading_ms(std::string_view text) {
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return std::clamp<std::int64_t>(characters * ms_per_character, cue_ms_min, cue_ms_max);
}

void append_two(std::string& out, std::int64_t value) {
  if (value < 10) out += '0';
  append_json_integer(out, value);
}

void append_time(std::string& out, std::int64_t ms) {
  append_two(out, ms / 3600000);
  out += ':';
  append_two(out, ms / 60000 % 60);
  out += ':';
  append_two(out, ms / 1000 % 60);
  out += '.';
  const std::int64_t rest = ms % 1000;
  if (rest < 100) out += '0';
  append_two(out, rest);
}

// Cue text: markup and "-->" become character references; control characters and line breaks, which could end the cue, a blank.
void append_cue_text(std::string& out, std::string_view text) {
  bool blank = true;  // leading blanks are left out
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t size = utf8_sequence_size(text.substr(i, 4));
    if (c <= 0x20 || c == 0x7F) {
      if (!blank) out += ' ';
      blank = true;
      ++i;
      continue;
    }
    blank = false;
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (size == 0) out += "\xEF\xBF\xBD";
    else out += text.substr(i, size);
    i += size == 0 ? 1 : size;
  }
}

std::vector<Cue> cues_of(std::span<const std::shared_ptr<const Caption>> finals) {
  std::vector<Cue> cues;
  cues.reserve(finals.size());
  for (const auto& caption : finals) cues.push_back({caption.get(), time_of(*caption), reading_ms(caption->text)});
  std::stable_sort(cues.begin(), cues.end(), [](const Cue& a, const Cue& b) { return a.start < b.start; });
  // From the last to the first: the start of the one that follows in the same voice and language.
  std::map<std::pair<std::string_view, std::string_view>, UnixMs> following;
  for (std::size_t i = cues.size(); i-- > 0;) {
    Cue& cue = cues[i];
    const auto [next, first] = following.try_emplace({cue.caption->speaker.value, cue.caption->language.key()}, cue.start);
    if (!first) {
      if (next->second > cue.start) cue.duration_ms = std::min(cue.duration_ms, next->second - cue.start);
      next->second = cue.start;
    }
  }
  return cues;
}

}  // namespace

std::string webvtt(std::span<const std::shared_ptr<const Caption>> finals, const SpeakerName& speaker_name) {
  std::string out = "WEBVTT\n\n";
  const std::vector<Cue> cues = cues_of(finals);
  if (cues.empty()) return out;
  const UnixMs first = cues.front().start;
  out += "NOTE 00:00:00.000 is ";
  append_timestamp(out, first);
  out += "\n\n";
  for (const Cue& cue : cues) {
    append_time(out, cue.start - first);
    out += " --> ";
    append_time(out, cue.start - first + cue.duration_ms);
    out += "\n<v ";
    const std::optional<std::string> name = speaker_name ? speaker_name(cue.caption->speaker) : std::nullopt;
    append_cue_text(out, name && !name->empty() ? *name : cue.caption->speaker.value);
    out += '>';
    append_cue_text(out, cue.caption->text);
    out += "\n\n";
  }
  return out;
}

}  // namespace fluentgate::wire
