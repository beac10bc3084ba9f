// Base64 by tables: encoding takes twelve bits at a time from an 8 KiB table, decoding four characters from four tables of 256 words,
// so that both run at about memory-bound speed without instructions that not every machine has.
#include "core/wire/base64.hpp"

#include <array>
#include <cstring>

namespace fluentgate::wire {
namespace {

constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct Pair { char text[2]; };
constexpr std::array<Pair, 4096> make_pairs() {
  std::array<Pair, 4096> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {{alphabet[i >> 6], alphabet[i & 63]}};
  return pairs;
}
constexpr std::array<Pair, 4096> pairs = make_pairs();

constexpr std::uint32_t bad = 0x01000000;  // no sum of three values reaches this bit
using Table = std::array<std::uint32_t, 256>;
constexpr Table make_table(int shift) {
  Table table{};
  for (std::uint32_t& entry : table) entry = bad;
  for (std::uint32_t i = 0; i < 64; ++i) table[static_cast<unsigned char>(alphabet[i])] = i << shift;
  return table;
}
constexpr Table table0 = make_table(18);
constexpr Table table1 = make_table(12);
constexpr Table table2 = make_table(6);
constexpr Table table3 = make_table(0);

constexpr bool skipped(unsigned char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

void put3(std::uint8_t* out, std::uint32_t value) noexcept {
  out[0] = static_cast<std::uint8_t>(value >> 16);
  out[1] = static_cast<std::uint8_t>(value >> 8);
  out[2] = static_cast<std::uint8_t>(value);
}

// Decodes whole quads until the first that isn't; moves both.
void decode_run(const unsigned char*& in, const unsigned char* end, std::uint8_t*& out) noexcept {
  while (end - in >= 4) {
    const std::uint32_t value = table0[in[0]] | table1[in[1]] | table2[in[2]] | table3[in[3]];
    if ((value & bad) != 0) return;
    put3(out, value);
    in += 4;
    out += 3;
  }
}

// Whether what is left is `padding` times '=' (or, where it may be missing, nothing) and blanks.
bool ends_well(const unsigned char* in, const unsigned char* end, int padding) noexcept {
  int seen = 0;
  for (; in != end; ++in) {
    if (skipped(*in)) continue;
    if (*in != '=') return false;
    ++seen;
  }
  return seen == 0 || seen == padding;
}

}  // namespace

void base64_append(std::string& out, std::span<const std::uint8_t> data) {
  const std::size_t begin = out.size();
  out.resize(begin + base64_size(data.size()));
  char* to = out.data() + begin;
  const std::uint8_t* in = data.data();
  std::size_t left = data.size();
  for (; left >= 3; left -= 3, in += 3, to += 4) {
    const std::uint32_t value = (static_cast<std::uint32_t>(in[0]) << 16) | (static_cast<std::uint32_t>(in[1]) << 8) | in[2];
    std::memcpy(to, pairs[value >> 12].text, 2);
    std::memcpy(to + 2, pairs[value & 0xFFF].text, 2);
  }
  if (left == 0) return;
  const std::uint32_t value = (static_cast<std::uint32_t>(in[0]) << 16) | (left == 2 ? static_cast<std::uint32_t>(in[1]) << 8 : 0u);
  std::memcpy(to, pairs[value >> 12].text, 2);
  to[2] = left == 2 ? alphabet[(value >> 6) & 63] : '=';
  to[3] = '=';
}

std::optional<Bytes> base64_decode(std::string_view text) {
  Bytes bytes(text.size() / 4 * 3 + 3);
  const auto* in = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* const end = in + text.size();
  std::uint8_t* out = bytes.data();
  for (;;) {
    decode_run(in, end, out);
    // One quad slowly: over blanks, or the last and shorter one.
    std::uint32_t value = 0;
    int count = 0;
    while (in != end && count < 4) {
      if (!skipped(*in)) {
        if (table3[*in] == bad) break;
        value = (value << 6) | table3[*in];
        ++count;
      }
      ++in;
    }
    if (count == 4) {
      put3(out, value);
      out += 3;
      continue;
    }
    if (count == 1 || !ends_well(in, end, count == 0 ? 0 : 4 - count)) return std::nullopt;
    if (count >= 2) *out++ = static_cast<std::uint8_t>(value >> (count == 2 ? 4 : 10));
    if (count == 3) *out++ = static_cast<std::uint8_t>(value >> 2);
    bytes.resize(static_cast<std::size_t>(out - bytes.data()));
    return bytes;
  }
}

}  // namespace fluentgate::wire
