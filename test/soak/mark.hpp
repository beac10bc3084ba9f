// What everything that the soak says carries, so that whoever hears it knows exactly what it is: chunks of speech are marked in their first samples,
// captions in their text. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fluentgate::soak {

// Of one chunk: who said it, in which room, as the how many'th of the run, in which language; and in a synthesis the language it is in now.
struct ChunkMark {
  std::uint16_t room = 0;
  std::uint16_t person = 0;
  std::uint32_t counter = 0;
  std::uint8_t spoken = 0;    // index into languages
  std::uint8_t language = 0;  // as spoken, in a synthesis the target
  friend bool operator==(const ChunkMark&, const ChunkMark&) = default;
};

inline constexpr std::string_view languages[] = {"en", "es", "fr", "de"};
inline constexpr int language_count = 4;
std::optional<int> language_index(std::string_view tag);

inline constexpr std::size_t chunk_bytes = 640;  // 20 ms of 16 kHz, loud enough to count as voice

std::string marked_pcm(const ChunkMark& mark);
std::optional<ChunkMark> read_mark(std::string_view pcm);

// Of one final caption: the how many'th of its room and topic, and of those in its language.
struct CaptionMark {
  std::uint64_t index = 0;
  std::uint64_t language_index = 0;
};
std::string caption_text(const CaptionMark& mark, bool final);
struct ReadCaption {
  CaptionMark mark;
  bool final = true;
};
std::optional<ReadCaption> read_caption(std::string_view text);

std::string room_name(int room);
std::string person_name(int person);
std::optional<int> room_of(std::string_view name);
std::optional<int> person_of(std::string_view name);

}  // namespace fluentgate::soak
