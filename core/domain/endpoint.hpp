// The three kinds of WebSocket (CONTRACT 1). The path alone decides which one a socket is. Thread: any.
#pragma once

#include <cstdint>
#include <string_view>

namespace fluentgate {

enum class Endpoint : std::uint8_t { audio, captions, signaling };

// As in the path, in metric labels and in logs.
constexpr std::string_view name_of(Endpoint e) noexcept {
  switch (e) {
    case Endpoint::audio: return "audio";
    case Endpoint::captions: return "captions";
    case Endpoint::signaling: return "signaling";
  }
  return "";
}

}  // namespace fluentgate
