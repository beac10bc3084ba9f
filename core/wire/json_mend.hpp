// Valid JSON that simdjson refuses, made into JSON that it takes. A slow path for few texts: workers may send what they like in members that we
// don't know, and captions cut inside an emoji. Thread: any.
#pragma once

#include <string>
#include <string_view>

namespace fluentgate::wire {

// A copy in which numbers beyond 64 bits, or beyond a double, are 1e300 (as good as any number that none of ours can be), and an escape of half a
// surrogate pair is one of U+FFFD. Everything else, what is broken too, is as it was: whoever parses the copy still finds it.
std::string mended_json(std::string_view text);

}  // namespace fluentgate::wire
