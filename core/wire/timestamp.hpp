// Times as text (RFC 3339, ISO 8601), proleptic Gregorian and UTC. Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/domain/clock.hpp"

namespace fluentgate::wire {

// "2026-11-22T10:00:00.123456+00:00": what Python's isoformat() and Pydantic write, also with a blank or 't' for the 'T', any or no fraction,
// "Z", "+hhmm" or "+hh"; without an offset it is UTC. Years 1970 to 2500; anything else is nothing.
std::optional<UnixMs> parse_timestamp(std::string_view text) noexcept;
// With microseconds and "+00:00"; the years of parse_timestamp, others are clamped.
void append_timestamp(std::string& out, UnixMs time);

}  // namespace fluentgate::wire
