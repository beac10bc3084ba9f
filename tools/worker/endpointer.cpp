// See endpointer.hpp.
#include "tools/worker/endpointer.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

namespace fluentgate::worker {
namespace {

constexpr double floor_dbfs_min = -75;  // digital silence must not make every click stand out
constexpr double floor_dbfs_max = -28;  // somebody who never pauses is not noise
constexpr double floor_bias_db = 2.0;   // a minimum lies below the mean of the noise
constexpr double peak_decay_db = 0.04;  // a frame: 4 dB a second

double level_db(double energy) { return 10.0 * std::log10(energy / (32768.0 * 32768.0) + 1e-10); }

}  // namespace

void Endpointer::Band::add(double level) {
  smoothed = started ? 0.6 * smoothed + 0.4 * level : level;
  if (!started) {
    // What comes first may be speech: until a window is full the floor is a guess, and only ever lowered.
    minima.fill(0);
    minimum = smoothed;
    started = true;
  }
  minimum = std::min(minimum, smoothed);
  if (++frames == window_frames) {
    minima[window] = minimum;
    window = (window + 1) % windows;
    minimum = smoothed;
    frames = 0;
  }
  const double oldest_guess = -50;
  double lowest = minimum;
  bool known = true;
  for (const double value : minima) {
    if (value < 0) lowest = std::min(lowest, value);
    else known = false;
  }
  if (!known) lowest = std::min(lowest, oldest_guess);
  floor = std::clamp(lowest + floor_bias_db, floor_dbfs_min, floor_dbfs_max);
}

Endpointer::Endpointer(EndpointerSettings settings) : settings_(settings) {}

bool Endpointer::is_voiced(double low, double high) {
  const double margin = in_phrase_ ? settings_.keep_db : settings_.onset_db;
  const bool stands_out = low > low_.floor + margin || high > high_.floor + margin + 2.0;
  if (!in_phrase_) return stands_out && low > settings_.onset_dbfs_min;
  return stands_out && low > peak_dbfs_ - settings_.below_peak_db;
}

int Endpointer::hangover_now() const noexcept {
  const int spoken_ms = phrase_ms() - silence_ms();
  if (spoken_ms >= settings_.phrase_soft_max_ms) return settings_.hangover_soft_ms;
  if (spoken_ms >= settings_.phrase_long_ms) return settings_.hangover_long_ms;
  const double share = static_cast<double>(spoken_ms) / settings_.phrase_long_ms;
  return settings_.hangover_ms - static_cast<int>(share * (settings_.hangover_ms - settings_.hangover_long_ms));
}

void Endpointer::begin() {
  in_phrase_ = true;
  phrase_frames_ = settings_.onset_window_ms / frame_ms;
  voiced_frames_ = std::popcount(recent_);
  silence_frames_ = 0;
}

Endpointer::Event Endpointer::feed(std::span<const std::int16_t> frame) {
  assert(frame.size() == frame_samples);
  double mean = 0;
  for (const std::int16_t sample : frame) mean += sample;
  mean /= static_cast<double>(frame_samples);
  double low = 0;
  double high = 0;
  for (const std::int16_t sample : frame) {
    const double value = sample - mean;
    low += value * value;
    const double bright = sample - 0.95 * previous_sample_;
    high += bright * bright;
    previous_sample_ = sample;
  }
  const double low_db = level_db(low / frame_samples);
  const double high_db = level_db(high / frame_samples);
  low_.add(low_db);
  high_.add(high_db);

  voiced_ = is_voiced(low_db, high_db);
  const int window = settings_.onset_window_ms / frame_ms;
  recent_ = ((recent_ << 1) | (voiced_ ? 1u : 0u)) & ((1u << window) - 1u);
  peak_dbfs_ = std::max(low_db, peak_dbfs_ - peak_decay_db);

  if (!in_phrase_) {
    if (std::popcount(recent_) * frame_ms < settings_.onset_ms) return Event::none;
    begin();
    return Event::begin;
  }
  ++phrase_frames_;
  if (voiced_) ++voiced_frames_;
  // A single frame is a click, not a voice that goes on.
  const bool goes_on = voiced_ && (silence_frames_ == 0 || (recent_ & 0b11u) == 0b11u);
  silence_frames_ = goes_on ? 0 : silence_frames_ + 1;
  if (silence_ms() >= hangover_now() || phrase_ms() >= settings_.phrase_max_ms) return finish();
  return Event::none;
}

Endpointer::Event Endpointer::finish() {
  recent_ = 0;
  if (!in_phrase_) return Event::none;
  in_phrase_ = false;
  peak_dbfs_ = -96;
  return Event::end;
}

}  // namespace fluentgate::worker
