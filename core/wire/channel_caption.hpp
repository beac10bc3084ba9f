// Captions as workers publish them on Redis's channel pipeline:captions:{room_id} (CONTRACT 5): one JSON object each, FluentMeet's, or the one
// that we send to clients (CONTRACT 3), or the event of the Kafka topic. Thread: one at a time.
#pragma once

#include <memory>
#include <string_view>

#include "core/domain/media.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::wire {

class ChannelCaptionParser {
 public:
  ChannelCaptionParser();
  ~ChannelCaptionParser();

  // The caption without arrival_ms and without a position. What is read of it, the first that is there:
  //   kind      type "original" or "translated"; is_translation; translated if there is a translated_text; else original
  //   speaker   speaker_id, user_id                      language  of an original: language, source_language; of a translation: target_language, language
  //   text      of an original: text; of a translation: translated_text, text
  //   time      timestamp_ms, timestamp (a number of ms or text)
  // and speaker_name, source_language, original_text, is_final (true where absent), sequence_number, utterance_id, revision. Unknown members are ignored.
  // Errors: those of malformed_reasons(); bad_event_type: an object whose `event` says that it is something else.
  Result<Caption> read(std::string_view json, const RoomId& room);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fluentgate::wire
