#include "test/soak/mark.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <vector>

namespace fluentgate::soak {
namespace {

constexpr std::string_view magic = "FGsoak";
constexpr std::size_t mark_bytes = magic.size() + 10 + 2;  // with a sum of two bytes

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

std::uint64_t get(std::string_view in, std::size_t at, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value |= static_cast<std::uint64_t>(static_cast<unsigned char>(in[at + static_cast<std::size_t>(i)])) << (8 * i);
  return value;
}

std::uint16_t sum(std::string_view bytes) {
  std::uint32_t total = 7;
  for (const char c : bytes) total = total * 31 + static_cast<unsigned char>(c);
  return static_cast<std::uint16_t>(total ^ total >> 16);
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> numbered(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto value = number(name.substr(prefix.size()));
  if (!value || *value > 65535) return std::nullopt;
  return static_cast<int>(*value);
}

}  // namespace

std::optional<int> language_index(std::string_view tag) {
  const auto found = std::find(std::begin(languages), std::end(languages), tag);
  if (found == std::end(languages)) return std::nullopt;
  return static_cast<int>(found - std::begin(languages));
}

std::string marked_pcm(const ChunkMark& mark) {
  std::string out(magic);
  put(out, mark.room, 2);
  put(out, mark.person, 2);
  put(out, mark.counter, 4);
  put(out, mark.spoken, 1);
  put(out, mark.language, 1);
  put(out, sum(out), 2);
  for (int i = 0; out.size() < chunk_bytes; ++i) put(out, static_cast<std::uint16_t>(i / 8 % 2 == 0 ? 6000 : -6000), 2);
  return out;
}

std::optional<ChunkMark> read_mark(std::string_view pcm) {
  if (pcm.size() != chunk_bytes || !pcm.starts_with(magic)) return std::nullopt;
  if (get(pcm, mark_bytes - 2, 2) != sum(pcm.substr(0, mark_bytes - 2))) return std::nullopt;
  const std::size_t at = magic.size();
  ChunkMark mark;
  mark.room = static_cast<std::uint16_t>(get(pcm, at, 2));
  mark.person = static_cast<std::uint16_t>(get(pcm, at + 2, 2));
  mark.counter = static_cast<std::uint32_t>(get(pcm, at + 4, 4));
  mark.spoken = static_cast<std::uint8_t>(get(pcm, at + 8, 1));
  mark.language = static_cast<std::uint8_t>(get(pcm, at + 9, 1));
  if (mark.spoken >= language_count || mark.language >= language_count) return std::nullopt;
  return mark;
}

std::string caption_text(const CaptionMark& mark, bool final) {
  return std::string(final ? "final " : "interim ") + std::to_string(mark.index) + " " + std::to_string(mark.language_index);
}

std::optional<ReadCaption> read_caption(std::string_view text) {
  ReadCaption out;
  if (text.starts_with("final ")) {
    text.remove_prefix(6);
  } else if (text.starts_with("interim ")) {
    out.final = false;
    text.remove_prefix(8);
  } else {
    return std::nullopt;
  }
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto first = number(text.substr(0, blank)), second = number(text.substr(blank + 1));
  if (!first || !second) return std::nullopt;
  out.mark = {*first, *second};
  return out;
}

std::string room_name(int room) { return "room-" + std::to_string(room); }
std::string person_name(int person) { return "person-" + std::to_string(person); }
std::optional<int> room_of(std::string_view name) { return numbered(name, "room-"); }
std::optional<int> person_of(std::string_view name) { return numbered(name, "person-"); }

}  // namespace fluentgate::soak
