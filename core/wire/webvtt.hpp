// Final captions as WebVTT (W3C), for GET {prefix}/captions/{room_id}.vtt (CONTRACT 3). Thread: any.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/domain/media.hpp"

namespace fluentgate::wire {

// The speaker's name, where it is known; else the id is shown.
using SpeakerName = std::function<std::optional<std::string>(const UserId&)>;

// Times count from the first cue, whose wall clock a NOTE gives. A cue lasts as long as its text takes to read (1 to 7 s), at most until the
// same speaker's next in the same language. Without captions: "WEBVTT\n\n".
std::string webvtt(std::span<const std::shared_ptr<const Caption>> finals, const SpeakerName& speaker_name);

}  // namespace fluentgate::wire
