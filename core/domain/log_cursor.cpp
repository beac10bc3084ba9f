// LogCursor as text: varints of the places in order, timestamps as differences, in base64url (RFC 4648, 5) without padding. Short, because it
// travels in a URL that hosts bound to a few kilobytes.
#include <array>
#include <limits>

#include "core/domain/caption_history.hpp"

namespace fluentgate {
namespace {

constexpr std::uint8_t format_version = 1;
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

std::string base64url(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<std::uint8_t>(c);
    for (held += 8; held >= 6; held -= 6) out.push_back(alphabet[(bits >> (held - 6)) & 63]);
  }
  if (held > 0) out.push_back(alphabet[(bits << (6 - held)) & 63]);
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>((bits >> held) & 0xff));
    }
  }
  if ((bits & ((1u << held) - 1)) != 0) return std::nullopt;  // bits that no encoder sets
  return out;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool at_end() const noexcept { return at_ == bytes_.size(); }
  std::optional<std::uint64_t> varint() noexcept {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
      if (shift == 63 && byte > 1) return std::nullopt;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace

std::string LogCursor::encode() const {
  std::string bytes(1, static_cast<char>(format_version));
  std::uint64_t timestamp = 0;  // differences wrap on purpose, so that no value can overflow
  for (const auto& [partition, place] : places) {
    put_varint(bytes, partition.first);
    put_varint(bytes, static_cast<std::uint32_t>(partition.second));
    put_varint(bytes, static_cast<std::uint64_t>(place.offset) + 1);
    put_varint(bytes, zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(place.timestamp_ms) - timestamp)));
    timestamp = static_cast<std::uint64_t>(place.timestamp_ms);
  }
  return base64url(bytes);
}

std::optional<LogCursor> LogCursor::decode(std::string_view text) {
  constexpr std::size_t bytes_per_place_max = 2 + 5 + 10 + 10;
  if (text.size() > (1 + limits::log_partitions_max * bytes_per_place_max) * 4 / 3 + 2) return std::nullopt;
  const std::optional<std::string> bytes = from_base64url(text);
  if (!bytes || bytes->empty() || static_cast<std::uint8_t>(bytes->front()) != format_version) return std::nullopt;
  Reader reader(std::string_view(*bytes).substr(1));
  LogCursor cursor;
  std::uint64_t timestamp = 0;
  while (!reader.at_end()) {
    const auto topic = reader.varint();
    const auto partition = reader.varint();
    const auto offset_plus_one = reader.varint();
    const auto difference = reader.varint();
    if (!topic || !partition || !offset_plus_one || !difference) return std::nullopt;
    constexpr auto int32_max = static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max());
    constexpr auto int64_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (*topic > 0xff || *partition > int32_max || *offset_plus_one > int64_max) return std::nullopt;
    timestamp += static_cast<std::uint64_t>(unzigzag(*difference));
    const Partition key{static_cast<std::uint8_t>(*topic), static_cast<std::int32_t>(*partition)};
    if (!cursor.places.empty() && !(cursor.places.rbegin()->first < key)) return std::nullopt;  // in order, without repeats
    if (cursor.places.size() == limits::log_partitions_max) return std::nullopt;
    cursor.places.emplace_hint(cursor.places.end(), key,
                               Place{static_cast<std::int64_t>(*offset_plus_one) - 1, static_cast<std::int64_t>(timestamp)});
  }
  return cursor;
}

}  // namespace fluentgate
