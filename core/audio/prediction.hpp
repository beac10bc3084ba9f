// How a sound most likely goes on for a few milliseconds: linear prediction with Burg's method (J. P. Burg, 1967), whose filter is always
// stable, so that it dies away and never grows. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fluentgate::audio {

// Appends `count` samples that continue `past`, of which the last 20 ms or so are enough. Silence goes on as silence; so does no past at all.
void append_prediction(std::span<const std::int16_t> past, std::size_t count, std::vector<std::int16_t>& out);

}  // namespace fluentgate::audio
