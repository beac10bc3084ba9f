// s16le bytes <-> samples. Bytes from a socket, from base64 or from Kafka are not aligned for int16_t, so they are always copied, never cast.
// Thread: any. Shapes: mono, little endian on the wire, host order in samples.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace fluentgate::audio {

// Appends the samples of `bytes`. An odd last byte is no sample and is left out: callers refuse odd lengths before (odd_bytes).
inline void append_samples(std::span<const std::uint8_t> bytes, std::vector<std::int16_t>& samples) {
  const std::size_t count = bytes.size() / 2;
  if (count == 0) return;
  const std::size_t before = samples.size();
  samples.resize(before + count);
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(samples.data() + before, bytes.data(), count * 2);
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      samples[before + i] = static_cast<std::int16_t>(static_cast<std::uint16_t>(bytes[2 * i] | (bytes[2 * i + 1] << 8)));
    }
  }
}

// Appends `samples` as s16le.
inline void append_bytes(std::span<const std::int16_t> samples, std::vector<std::uint8_t>& bytes) {
  if (samples.empty()) return;
  const std::size_t before = bytes.size();
  bytes.resize(before + samples.size() * 2);
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(bytes.data() + before, samples.data(), samples.size() * 2);
  } else {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto sample = static_cast<std::uint16_t>(samples[i]);
      bytes[before + 2 * i] = static_cast<std::uint8_t>(sample & 0xff);
      bytes[before + 2 * i + 1] = static_cast<std::uint8_t>(sample >> 8);
    }
  }
}

inline std::vector<std::int16_t> to_samples(std::span<const std::uint8_t> bytes) {
  std::vector<std::int16_t> samples;
  append_samples(bytes, samples);
  return samples;
}

inline std::vector<std::uint8_t> to_bytes(std::span<const std::int16_t> samples) {
  std::vector<std::uint8_t> bytes;
  append_bytes(samples, bytes);
  return bytes;
}

}  // namespace fluentgate::audio
