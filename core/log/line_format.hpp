// One log line as text or as JSON, such that nothing in it can forge another line or reach a terminal as a command. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/domain/clock.hpp"
#include "core/domain/ports.hpp"

namespace fluentgate::logging {

enum class Format : std::uint8_t { text, json };

std::string_view name_of(LogLevel level) noexcept;
std::optional<LogLevel> parse_level(std::string_view name) noexcept;  // error, warn, info, debug

// RFC 3339 in UTC with milliseconds: 2026-11-22T10:00:00.123Z
void append_timestamp(std::string& out, UnixMs now);

// Appends the line and its newline.
//   text: `TIMESTAMP LEVEL CATEGORY: TEXT`; for the category `latency` without the colon (CONTRACT 6).
//         Control characters (C0, DEL, C1), U+2028, U+2029 and bytes that are not UTF-8 are written \n, \t, \r, \xHH.
//   json: {"ts","level","category","text"} in this order; bytes that are not UTF-8 become U+FFFD.
// Over limits::log_line_bytes_max the text is cut between characters and ends in "... (cut)".
void append_line(std::string& out, Format format, UnixMs now, LogLevel level, std::string_view category, std::string_view text);

}  // namespace fluentgate::logging
