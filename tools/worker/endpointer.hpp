// Where phrases begin and end in a stream of speech: a voice detector by energy that follows the noise, with a hangover that gets shorter as
// the phrase gets longer. Knows samples only, no clock. Thread: any, one at a time.
//
// A frame (10 ms) is voiced when it stands out of the noise floor, or its high frequencies do ("s", "f" at the end of a word are weak
// but bright), and it is not far below the phrase's own loudness (reverberation and breath are). The floor is the quietest stretch of
// the last three seconds (minimum statistics), so that it follows a fan within that time and needs no silence to learn from.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace fluentgate::worker {

struct EndpointerSettings {
  int onset_ms = 50;             // that much voice within onset_window_ms begins a phrase
  int onset_window_ms = 100;
  int hangover_ms = 320;         // silence that ends a short phrase ...
  int hangover_long_ms = 250;    // ... and one of phrase_long_ms and more
  int phrase_long_ms = 4000;
  int phrase_soft_max_ms = 12000;  // from here on a pause of hangover_soft_ms is enough
  int hangover_soft_ms = 120;
  int phrase_max_ms = 20000;     // cut, whatever is said
  double onset_db = 10.0;        // above the floor
  double keep_db = 7.0;
  double below_peak_db = 34.0;   // what is weaker than the phrase's loudness by this is no voice
  double onset_dbfs_min = -54.0;
};

class Endpointer {
 public:
  static constexpr int sample_rate = 16000;
  static constexpr std::size_t frame_samples = 160;  // 10 ms

  enum class Event : std::uint8_t { none, begin, end };

  explicit Endpointer(EndpointerSettings settings = {});

  // Exactly frame_samples samples of 16 kHz mono.
  Event feed(std::span<const std::int16_t> frame);
  // The stream pauses (no more audio comes): end if a phrase was open, else none.
  Event finish();

  bool in_phrase() const noexcept { return in_phrase_; }
  bool last_frame_voiced() const noexcept { return voiced_; }  // the frame of the last feed()
  // Of the phrase that is open, or ended last.
  int phrase_ms() const noexcept { return phrase_frames_ * frame_ms; }  // its silence at the end included
  int voiced_ms() const noexcept { return voiced_frames_ * frame_ms; }
  int silence_ms() const noexcept { return silence_frames_ * frame_ms; }  // since its last voice
  double floor_dbfs() const noexcept { return low_.floor; }

 private:
  static constexpr int frame_ms = 10;
  // Level and noise floor of one band, in dBFS.
  struct Band {
    static constexpr std::size_t windows = 6;
    static constexpr int window_frames = 50;
    void add(double level);
    double smoothed = -96;
    double floor = -60;
    std::array<double, windows> minima{};
    double minimum = 0;
    int frames = 0;
    std::size_t window = 0;
    bool started = false;
  };

  bool is_voiced(double low, double high);
  int hangover_now() const noexcept;
  void begin();

  const EndpointerSettings settings_;
  Band low_;   // the whole band
  Band high_;  // after pre-emphasis
  double previous_sample_ = 0;
  double peak_dbfs_ = -96;
  std::uint32_t recent_ = 0;  // a bit a frame, the newest lowest: voiced?
  bool voiced_ = false;
  bool in_phrase_ = false;
  int phrase_frames_ = 0;
  int voiced_frames_ = 0;
  int silence_frames_ = 0;
};

}  // namespace fluentgate::worker
