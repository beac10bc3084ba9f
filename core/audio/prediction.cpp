#include "core/audio/prediction.hpp"

#include <algorithm>
#include <cmath>

namespace fluentgate::audio {

namespace {

constexpr std::size_t order_max = 32;
constexpr std::size_t past_max = 768;  // samples that are looked at

// Coefficients c of x[n] = sum of c[i] * x[n - 1 - i].
std::vector<double> burg(std::span<const double> x, std::size_t order) {
  std::vector<double> a(order + 1, 0.0), before;
  a[0] = 1;
  std::vector<double> forward(x.begin(), x.end()), backward(x.begin(), x.end());
  for (std::size_t k = 0; k < order; ++k) {
    double product = 0, energy = 0;
    for (std::size_t n = k + 1; n < x.size(); ++n) {
      product += forward[n] * backward[n - 1];
      energy += forward[n] * forward[n] + backward[n - 1] * backward[n - 1];
    }
    if (energy < 1e-3) break;  // far below half a step of 16 bits: all is explained
    const double reflection = -2 * product / energy;
    before = a;
    for (std::size_t i = 1; i <= k + 1; ++i) a[i] = before[i] + reflection * before[k + 1 - i];
    for (std::size_t n = x.size() - 1; n > k; --n) {
      const double was = forward[n];
      forward[n] = was + reflection * backward[n - 1];
      backward[n] = backward[n - 1] + reflection * was;
    }
  }
  std::vector<double> coefficients(order);
  for (std::size_t i = 0; i < order; ++i) coefficients[i] = -a[i + 1];
  return coefficients;
}

}  // namespace

void append_prediction(std::span<const std::int16_t> past, std::size_t count, std::vector<std::int16_t>& out) {
  past = past.last(std::min(past.size(), past_max));
  const std::size_t order = std::min(order_max, past.size() / 3);
  if (order == 0) {
    out.insert(out.end(), count, std::int16_t{0});
    return;
  }
  std::vector<double> sound(past.begin(), past.end());
  const std::vector<double> coefficients = burg(sound, order);
  sound.reserve(sound.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    double next = 0;
    for (std::size_t k = 0; k < order; ++k) next += coefficients[k] * sound[sound.size() - 1 - k];
    next = std::clamp(next, -32768.0, 32767.0);
    sound.push_back(next);
    out.push_back(static_cast<std::int16_t>(std::lround(next)));
  }
}

}  // namespace fluentgate::audio
