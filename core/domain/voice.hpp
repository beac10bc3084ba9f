// Whether somebody speaks, by energy: what suppress.voice_dbfs is compared with (CONTRACT 3). Thread: any.
#pragma once

#include <cstdint>
#include <span>

namespace fluentgate {

inline constexpr double silence_dbfs = -120.0;  // the lowest level told; the level of no audio at all

// RMS level of s16le mono PCM in dB relative to full scale (0: a square wave at the limit). An odd byte at the end is not looked at.
double dbfs(std::span<const std::uint8_t> pcm_s16le) noexcept;

}  // namespace fluentgate
