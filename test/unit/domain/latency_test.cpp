// Where a frame's time went: by headers, by captions, by chunk numbers while they can be believed (CONTRACT 4 and 6). Workers that number in
// their own way are simulated here.
#include "core/domain/latency.hpp"

#include <functional>
#include <vector>

#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

constexpr UnixMs start = 1'763'805'600'000;
const RoomId room("r");
const UserId speaker("u");

LanguageTag tag(const char* text) { return LanguageTag::parse(text).value(); }

struct Event {
  UnixMs arrival_ms = start;
  std::optional<std::int64_t> number = {};
  std::optional<UnixMs> ingest_ms = {};
  std::optional<std::string> utterance = {};
  std::string language = "es";
  bool is_final = true;
  bool replayed = false;
};

SynthesizedFrame frame(const Event& event) {
  return {.room = room, .speaker = speaker, .language = tag(event.language.c_str()), .sequence_number = event.number,
          .utterance_id = event.utterance, .source_language = {}, .pcm = {}, .ingest_ms = event.ingest_ms, .arrival_ms = event.arrival_ms};
}

Caption caption(CaptionType type, const Event& event) {
  return {.room = room, .type = type, .speaker = speaker, .language = tag(type == CaptionType::original ? "en" : event.language.c_str()),
          .source_language = {}, .text = "text", .is_final = event.is_final, .sequence_number = event.number, .utterance_id = event.utterance,
          .ingest_ms = event.ingest_ms, .position = {}, .arrival_ms = event.arrival_ms, .replayed = event.replayed};
}
Caption original(const Event& event) { return caption(CaptionType::original, event); }
Caption translated(const Event& event) { return caption(CaptionType::translated, event); }

std::optional<std::int64_t> ms(std::int64_t value) { return value; }
const std::optional<std::int64_t> unknown;

void check_sum(const FrameLatency& latency) {
  for (const auto& value : {latency.stt_ms, latency.mt_ms, latency.tts_ms, latency.pipeline_ms}) CHECK(!value || *value >= 0);
  if (latency.stt_ms && latency.mt_ms && latency.tts_ms && latency.pipeline_ms) {
    CHECK_EQ(*latency.stt_ms + *latency.mt_ms + *latency.tts_ms, *latency.pipeline_ms);
  }
}

// A speaker who talks without a pause in chunks of chunk_ms, each published as it came in. `number_of` is the worker: for the utterance `index`
// with its first and last chunk it says the number it sends.
struct Talk {
  std::int64_t chunk_ms = 20;
  std::vector<std::int64_t> utterances_ms;
  std::int64_t pipeline_ms = 700;  // from the end of the utterance to the frame
  std::int64_t first_chunk = 0;    // number of the speaker's first chunk
};
using Worker = std::function<std::int64_t(std::int64_t index, std::int64_t first, std::int64_t last)>;

// pipeline_ms of the frame of each utterance, as the tracker has it.
std::vector<std::optional<std::int64_t>> follow(const Talk& talk, const Worker& worker) {
  LatencyTracker tracker;
  std::vector<std::optional<std::int64_t>> results;
  std::int64_t published = 0;
  std::int64_t end_ms = 0, first = 0;
  for (std::size_t i = 0; i < talk.utterances_ms.size(); ++i) {
    end_ms += talk.utterances_ms[i];
    const UnixMs arrival = start + end_ms + talk.pipeline_ms;
    for (; start + published * talk.chunk_ms <= arrival; ++published) {
      tracker.chunk_published(room, speaker, talk.first_chunk + published, start + published * talk.chunk_ms);
    }
    const std::int64_t last = end_ms / talk.chunk_ms - 1;
    const std::int64_t number = worker(static_cast<std::int64_t>(i), talk.first_chunk + first, talk.first_chunk + last);
    first = last + 1;
    const FrameLatency latency = tracker.frame_arrived(frame({.arrival_ms = arrival, .number = number}));
    check_sum(latency);
    results.push_back(latency.pipeline_ms);
  }
  return results;
}

std::size_t believed(const std::vector<std::optional<std::int64_t>>& results) {
  std::size_t count = 0;
  for (const auto& result : results) count += result ? 1u : 0u;
  return count;
}

const std::vector<std::int64_t> phrases{2200, 1400, 3600, 1000, 2600, 4800, 1200, 3000, 2000, 2800, 1600, 5200, 900, 3100, 2400, 1800};

}  // namespace

TEST(headers_give_every_stage_exactly_and_they_add_up) {
  LatencyTracker tracker;
  const UnixMs ingest = start - 900;
  CHECK_EQ(tracker.caption_arrived(original({.arrival_ms = start - 500, .number = 7, .ingest_ms = ingest})), ms(400));
  CHECK_EQ(tracker.caption_arrived(translated({.arrival_ms = start - 300, .number = 7, .ingest_ms = ingest})), ms(200));
  const FrameLatency latency = tracker.frame_arrived(frame({.number = 7, .ingest_ms = ingest}));
  CHECK_EQ(latency.pipeline_ms, ms(900));
  CHECK_EQ(latency.stt_ms, ms(400));
  CHECK_EQ(latency.mt_ms, ms(200));
  CHECK_EQ(latency.tts_ms, ms(300));
  CHECK_EQ(latency.source, "en");
  check_sum(latency);
}

TEST(a_header_alone_gives_the_whole_and_no_stage) {
  LatencyTracker tracker;
  const FrameLatency latency = tracker.frame_arrived(frame({.ingest_ms = start - 1234}));
  CHECK_EQ(latency.pipeline_ms, ms(1234));
  CHECK_EQ(latency.stt_ms, unknown);
  CHECK_EQ(latency.mt_ms, unknown);
  CHECK_EQ(latency.tts_ms, unknown);
  CHECK_EQ(latency.source, "-");
}

TEST(a_header_of_the_future_of_seconds_or_of_another_day_is_no_time) {
  for (const UnixMs ingest : {start + 1, start / 1000, UnixMs{0}, UnixMs{-5}, start - LatencyTracker::header_ms_max - 1}) {
    LatencyTracker tracker;
    CHECK_EQ(tracker.frame_arrived(frame({.ingest_ms = ingest})).pipeline_ms, unknown);
  }
}

TEST(a_header_that_a_worker_dropped_half_way_still_counts) {
  LatencyTracker tracker;
  CHECK(tracker.caption_arrived(original({.arrival_ms = start - 500, .number = 7, .ingest_ms = start - 900})).has_value());
  CHECK_EQ(tracker.caption_arrived(translated({.arrival_ms = start - 300, .number = 7})), ms(200));
  const FrameLatency latency = tracker.frame_arrived(frame({.number = 7}));
  CHECK_EQ(latency.pipeline_ms, ms(900));
  check_sum(latency);
}

TEST(without_headers_the_chunk_of_the_same_number_counts) {
  LatencyTracker tracker;
  tracker.chunk_published(room, speaker, 41, start - 1000);
  tracker.chunk_published(room, speaker, 42, start - 800);
  CHECK_EQ(tracker.caption_arrived(original({.arrival_ms = start - 400, .number = 42})), ms(400));
  CHECK_EQ(tracker.caption_arrived(translated({.arrival_ms = start - 350, .number = 42})), ms(50));
  const FrameLatency latency = tracker.frame_arrived(frame({.number = 42}));
  CHECK_EQ(latency.pipeline_ms, ms(800));
  CHECK_EQ(latency.tts_ms, ms(350));
  check_sum(latency);
}

TEST(a_number_never_published_here_is_unknown) {
  LatencyTracker tracker;
  tracker.chunk_published(room, speaker, 41, start - 1000);
  for (const std::int64_t number : {0, 40, 42, -1}) CHECK_EQ(tracker.frame_arrived(frame({.number = number})).pipeline_ms, unknown);
  CHECK_EQ(tracker.frame_arrived(frame({})).pipeline_ms, unknown);
  CHECK_EQ(tracker.frame_arrived(frame({.arrival_ms = start - 1001, .number = 41})).pipeline_ms, unknown);  // before it came in
}

TEST(a_chunk_older_than_a_minute_or_than_the_memory_is_unknown) {
  LatencyTracker tracker;
  tracker.chunk_published(room, speaker, 0, start - Numbering::correlated_ms_max - 1);
  CHECK_EQ(tracker.frame_arrived(frame({.number = 0})).pipeline_ms, unknown);
  const auto count = static_cast<std::int64_t>(limits::latency_records_max) + 1;
  for (std::int64_t i = 1; i <= count; ++i) tracker.chunk_published(room, speaker, i, start);
  CHECK_EQ(tracker.frame_arrived(frame({.arrival_ms = start + 9, .number = 1})).pipeline_ms, unknown);
  CHECK_EQ(tracker.frame_arrived(frame({.arrival_ms = start + 9, .number = 2})).pipeline_ms, ms(9));
}

TEST(interim_captions_count_only_with_the_number_of_the_frame) {
  LatencyTracker tracker;
  const UnixMs ingest = start - 900;
  CHECK_EQ(tracker.caption_arrived(original({.arrival_ms = start - 600, .number = 6, .ingest_ms = ingest, .utterance = "a", .is_final = false})), unknown);
  CHECK_EQ(tracker.frame_arrived(frame({.number = 7, .ingest_ms = ingest, .utterance = "a"})).stt_ms, unknown);
  CHECK_EQ(tracker.caption_arrived(original({.arrival_ms = start - 500, .number = 7, .ingest_ms = ingest, .is_final = false})), unknown);
  CHECK_EQ(tracker.frame_arrived(frame({.number = 7, .ingest_ms = ingest})).stt_ms, ms(400));
}

TEST(a_final_counts_by_its_utterance_though_its_number_differs) {
  LatencyTracker tracker;
  const UnixMs ingest = start - 900;
  CHECK(tracker.caption_arrived(original({.arrival_ms = start - 500, .number = 6, .ingest_ms = ingest, .utterance = "a"})).has_value());
  CHECK(tracker.caption_arrived(translated({.arrival_ms = start - 400, .number = 6, .utterance = "a"})).has_value());
  const FrameLatency latency = tracker.frame_arrived(frame({.number = 9, .ingest_ms = ingest, .utterance = "a"}));
  CHECK_EQ(latency.stt_ms, ms(400));
  CHECK_EQ(latency.tts_ms, ms(400));
  check_sum(latency);
}

TEST(the_translation_is_that_of_the_frames_language) {
  LatencyTracker tracker;
  CHECK(!tracker.caption_arrived(original({.arrival_ms = start - 500, .number = 7})));
  CHECK_EQ(tracker.caption_arrived(translated({.arrival_ms = start - 400, .number = 7, .language = "es"})), ms(100));
  CHECK_EQ(tracker.caption_arrived(translated({.arrival_ms = start - 100, .number = 7, .language = "fr"})), ms(400));
  CHECK_EQ(tracker.frame_arrived(frame({.number = 7, .language = "es"})).tts_ms, ms(400));
  CHECK_EQ(tracker.frame_arrived(frame({.number = 7, .language = "FR"})).tts_ms, ms(100));
  CHECK_EQ(tracker.frame_arrived(frame({.number = 7, .language = "ca"})).tts_ms, unknown);
}

TEST(a_caption_from_before_the_speech_was_heard_is_not_its_caption) {
  LatencyTracker tracker;
  CHECK(!tracker.caption_arrived(original({.arrival_ms = start - 5000, .number = 7})));  // number 7 of an earlier count
  const FrameLatency latency = tracker.frame_arrived(frame({.number = 7, .ingest_ms = start - 900}));
  CHECK_EQ(latency.pipeline_ms, ms(900));
  CHECK_EQ(latency.stt_ms, unknown);
}

TEST(the_original_is_the_one_that_had_arrived_before_the_translation) {
  LatencyTracker tracker;
  const UnixMs ingest = start - 900;
  CHECK(tracker.caption_arrived(original({.arrival_ms = start - 700, .number = 7, .ingest_ms = ingest, .is_final = false})) == unknown);
  CHECK(tracker.caption_arrived(translated({.arrival_ms = start - 600, .number = 7})) == ms(100));
  CHECK(tracker.caption_arrived(original({.arrival_ms = start - 500, .number = 7, .ingest_ms = ingest})) == ms(400));
  const FrameLatency latency = tracker.frame_arrived(frame({.number = 7, .ingest_ms = ingest}));
  CHECK_EQ(latency.stt_ms, ms(200));
  CHECK_EQ(latency.mt_ms, ms(100));
  check_sum(latency);
}

TEST(the_pieces_of_an_utterance_are_measured_alike) {
  LatencyTracker tracker;
  tracker.chunk_published(room, speaker, 0, start - 900);
  CHECK(tracker.caption_arrived(original({.arrival_ms = start - 500, .number = 0})).has_value());
  CHECK(tracker.caption_arrived(translated({.arrival_ms = start - 300, .number = 0})).has_value());
  for (const std::int64_t later : {0, 100, 200, 4000}) {
    const FrameLatency latency = tracker.frame_arrived(frame({.arrival_ms = start + later, .number = 0}));
    CHECK_EQ(latency.stt_ms, ms(400));
    CHECK_EQ(latency.mt_ms, ms(200));
    CHECK_EQ(latency.tts_ms, ms(300 + later));
    check_sum(latency);
  }
}

TEST(captions_read_back_from_before_the_start_are_not_looked_at) {
  LatencyTracker tracker;
  CHECK(!tracker.caption_arrived(original({.arrival_ms = start - 500, .number = 7, .ingest_ms = start - 900, .replayed = true})));
  CHECK_EQ(tracker.frame_arrived(frame({.number = 7, .ingest_ms = start - 900})).stt_ms, unknown);
}

TEST(the_source_is_told_by_the_frame_before_the_captions) {
  LatencyTracker tracker;
  SynthesizedFrame told = frame({.number = 7});
  CHECK(!tracker.caption_arrived(original({.arrival_ms = start - 500, .number = 7})));
  CHECK_EQ(tracker.frame_arrived(told).source, "en");
  told.source_language = "en-GB";
  CHECK_EQ(tracker.frame_arrived(told).source, "en-GB");
}

TEST(a_worker_that_sends_the_last_chunks_number_is_believed_from_the_first_frame) {
  const auto results = follow({.utterances_ms = phrases}, [](auto, auto, std::int64_t last) { return last; });
  CHECK_EQ(believed(results), phrases.size());
  for (const auto& result : results) CHECK_EQ(result, ms(720));
}

TEST(a_worker_that_sends_the_first_chunks_number_is_believed_but_for_sudden_long_utterances) {
  const auto results = follow({.chunk_ms = 100, .utterances_ms = phrases}, [](auto, std::int64_t first, auto) { return first; });
  CHECK(believed(results) >= phrases.size() - 2);
  for (std::size_t i = 0; i < results.size(); ++i) CHECK(!results[i] || *results[i] == phrases[i] + 700);
}

TEST(a_worker_that_buffers_five_chunks_and_sends_the_fifths_number_is_believed) {
  const auto results = follow({.chunk_ms = 100, .utterances_ms = std::vector<std::int64_t>(100, 500), .pipeline_ms = 400},
                              [](auto, auto, std::int64_t last) { return last; });
  CHECK_EQ(believed(results), results.size());
}

TEST(a_worker_that_echoes_each_chunk_is_believed_in_a_burst_too) {
  LatencyTracker tracker;
  for (std::int64_t i = 0; i < 50; ++i) tracker.chunk_published(room, speaker, i, start);
  for (std::int64_t i = 0; i < 50; ++i) {
    CHECK_EQ(tracker.frame_arrived(frame({.arrival_ms = start + 30 * i, .number = i})).pipeline_ms, ms(30 * i));
  }
}

TEST(a_worker_that_counts_utterances_from_one_is_never_believed) {
  for (const std::int64_t chunk_ms : {20, 100, 250}) {
    const auto results = follow({.chunk_ms = chunk_ms, .utterances_ms = phrases}, [](std::int64_t index, auto, auto) { return index + 1; });
    CHECK_EQ(believed(results), 0u);
  }
}

TEST(a_worker_that_counts_utterances_from_zero_is_believed_once_at_most) {
  const auto results = follow({.utterances_ms = phrases}, [](std::int64_t index, auto, auto) { return index; });
  CHECK(believed(results) <= 1);
}

TEST(a_worker_that_counts_buffers_of_five_from_one_is_found_out_within_a_second) {
  const auto results = follow({.chunk_ms = 100, .utterances_ms = std::vector<std::int64_t>(60, 500), .pipeline_ms = 300},
                              [](std::int64_t index, auto, auto) { return index + 1; });
  CHECK(believed(results) <= 1);
  for (std::size_t i = 2; i < results.size(); ++i) CHECK_EQ(results[i], unknown);
}

TEST(a_worker_that_counts_all_speakers_together_is_found_out_at_the_second_utterance) {
  const auto results = follow({.utterances_ms = phrases}, [](std::int64_t index, auto, auto) { return 37 + 3 * index; });
  CHECK(believed(results) <= 1);
  for (std::size_t i = 1; i < results.size(); ++i) CHECK_EQ(results[i], unknown);
}

TEST(a_worker_that_began_to_count_chunks_long_after_the_speaker_is_not_believed) {
  // It counts every chunk, from one, since its own start twenty seconds into the speech: the numbers keep pace and lag by those twenty seconds.
  LatencyTracker tracker;
  std::int64_t published = 0;
  for (std::int64_t n = 1; n <= 300; ++n) {
    const UnixMs arrival = start + 20000 + n * 100 + 300;
    for (; start + published * 100 <= arrival; ++published) tracker.chunk_published(room, speaker, published, start + published * 100);
    CHECK_EQ(tracker.frame_arrived(frame({.arrival_ms = arrival, .number = n})).pipeline_ms, unknown);
  }
}

TEST(a_worker_that_restarts_its_count_stays_unbelieved) {
  const auto results = follow({.chunk_ms = 100, .utterances_ms = phrases}, [](std::int64_t index, auto, auto) { return index % 4 + 1; });
  CHECK_EQ(believed(results), 0u);
}

TEST(an_honest_worker_in_place_of_a_counting_one_is_believed_again_and_the_other_way_round_is_not) {
  const auto mended = follow({.chunk_ms = 100, .utterances_ms = phrases}, [](std::int64_t index, auto, std::int64_t last) { return index < 8 ? index + 1 : last; });
  for (std::size_t i = 0; i < 8; ++i) CHECK_EQ(mended[i], unknown);
  for (std::size_t i = 8; i < mended.size(); ++i) CHECK_EQ(mended[i], ms(800));
  const auto spoilt = follow({.chunk_ms = 100, .utterances_ms = phrases}, [](std::int64_t index, auto, std::int64_t last) { return index < 8 ? last : index - 7; });
  for (std::size_t i = 0; i < 8; ++i) CHECK_EQ(spoilt[i], ms(800));
  for (std::size_t i = 8; i < spoilt.size(); ++i) CHECK_EQ(spoilt[i], unknown);
}

TEST(numbers_go_on_after_a_restart_of_the_gateway) {
  const auto results = follow({.utterances_ms = phrases, .first_chunk = 123456}, [](auto, auto, std::int64_t last) { return last; });
  CHECK_EQ(believed(results), phrases.size());
}

TEST(a_speaker_forgotten_is_unknown_again) {
  LatencyTracker tracker;
  tracker.chunk_published(room, speaker, 0, start - 100);
  CHECK_EQ(tracker.speakers(), 1u);
  tracker.forget(room, speaker);
  tracker.forget(room, speaker);
  CHECK_EQ(tracker.speakers(), 0u);
  CHECK_EQ(tracker.frame_arrived(frame({.number = 0})).pipeline_ms, unknown);
}

TEST(the_speakers_of_two_rooms_are_told_apart) {
  LatencyTracker tracker;
  tracker.chunk_published(RoomId("other"), speaker, 0, start - 100);
  CHECK_EQ(tracker.frame_arrived(frame({.number = 0})).pipeline_ms, unknown);
}

TEST(over_the_bound_the_speaker_unheard_for_longest_is_forgotten) {
  LatencyTracker tracker;
  tracker.chunk_published(room, speaker, 0, start - 100);
  for (std::size_t i = 0; i < limits::latency_speakers_max; ++i) {
    if (i == 10) tracker.chunk_published(room, speaker, 1, start - 50);  // heard again: the next oldest goes
    tracker.chunk_published(room, UserId(std::to_string(i)), 0, start);
  }
  CHECK_EQ(tracker.speakers(), limits::latency_speakers_max);
  CHECK_EQ(tracker.frame_arrived(frame({.number = 1})).pipeline_ms, ms(50));
}

TEST(the_line_is_that_of_the_contract) {
  FrameLatency latency{.stt_ms = 400, .mt_ms = 200, .tts_ms = 300, .pipeline_ms = 900, .source = "en"};
  CHECK_EQ(latency_line(room, speaker, 7, "en", "es", latency, 3),
           "room=r speaker=u seq=7 lang=en>es e2e_ms=903 stt_ms=400 mt_ms=200 tts_ms=300 egress_ms=3");
  CHECK_EQ(latency_line(room, speaker, std::nullopt, "", "es", FrameLatency{}, -1),
           "room=r speaker=u seq=- lang=->es e2e_ms=- stt_ms=- mt_ms=- tts_ms=- egress_ms=0");
}

TEST(no_name_can_forge_a_line) {
  CHECK_EQ(percent_encoded("Az09-._~:@+,"), "Az09-._~:@+,");
  CHECK_EQ(percent_encoded("a b=c>d%\n\xc3\xa9"), "a%20b%3Dc%3Ed%25%0A%C3%A9");
  const std::string line = latency_line(RoomId("r\nx"), UserId("u seq=9 e2e_ms=1"), 7, "e n", "e>s", FrameLatency{}, 0);
  CHECK_EQ(line, "room=r%0Ax speaker=u%20seq%3D9%20e2e_ms%3D1 seq=7 lang=e%20n>e%3Es e2e_ms=- stt_ms=- mt_ms=- tts_ms=- egress_ms=0");
}
