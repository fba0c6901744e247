// log_mel.h: sound as a sequence of log-mel features, the energies of a few bands of frequencies every 10 ms.
//
//   frame t    samples t hop .. t hop + window - 1, times a Hann window (periodic: 0.5 - 0.5 cos(2 pi i / window)),
//              zeros behind them up to the FFT's size, the power of two of at least two windows
//   power      |FFT|^2 of each of its size / 2 + 1 frequencies
//   mel        triangles of height 1 whose corners are evenly spaced in mel, m(f) = 2595 log10(1 + f / 700), the
//              formula of HTK, from `low` Hz to half the sample rate; a weight is that of the frequency in Hz
//   feature    log(max(sum of weight * power, 1e-8))
//
// Full scale is 1. There is no padding: a recording of fewer samples than a window has no frame, and what is left
// behind the last whole window is not looked at (less than a hop).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/tensor.h"

namespace carousel {

struct LogMelSettings {
  std::int64_t sample_rate = 0;  // Hz
  double window = 0.025;         // seconds
  double hop = 0.01;             // seconds from frame to frame
  std::int64_t filters = 40;     // features of a frame
  double low = 20;               // Hz, where the lowest filter begins

  std::int64_t hop_samples() const noexcept;  // from frame to frame: hop rounded to whole samples, at least one
};

// Holds the window and the filters; may be used by many threads at once.
class LogMel {
 public:
  explicit LogMel(const LogMelSettings& settings);  // throws Error{kUsage} for settings that make no sense

  std::int64_t frames(std::int64_t samples) const noexcept;
  Tensor operator()(std::span<const float> samples) const;  // [frames, filters]

 private:
  struct Filter {
    std::int64_t first = 0;       // the first frequency that counts
    std::vector<double> weights;  // of it and those behind it
  };
  std::int64_t hop_ = 0, fft_size_ = 0;
  std::vector<double> window_;
  std::vector<Filter> filters_;
};

}  // namespace carousel
