#include "data/audio/log_mel.h"

#include <kiss_fftr.h>

#include <cmath>
#include <memory>
#include <numbers>

#include "base/fail.h"

namespace carousel {
namespace {

constexpr double kFloor = 1e-8;

double mel_of(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double hertz_of(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

// The weight at `hertz` of the triangle with these corners.
double triangle(double hertz, double left, double middle, double right) {
  return std::max(0.0, std::min((hertz - left) / (middle - left), (right - hertz) / (right - middle)));
}

}  // namespace

std::int64_t LogMelSettings::hop_samples() const noexcept {
  return std::max(std::llround(hop * static_cast<double>(sample_rate)), 1LL);
}

LogMel::LogMel(const LogMelSettings& s) {
  const double half = static_cast<double>(s.sample_rate) / 2;
  const bool sensible = s.sample_rate >= 1000 && s.sample_rate <= 1'000'000 && s.window > 0 && s.window <= 1 &&
                        s.hop > 0 && s.hop <= s.window && s.filters >= 1 && s.filters <= 1000 && s.low >= 0 &&
                        s.low < half;
  if (!sensible) {
    fail(Code::kUsage,
         "log-mel features: sample rate {} Hz, window {} s, hop {} s, {} filters from {} Hz; expected 1000 to 1000000 "
         "Hz, a hop of at most a window of at most 1 s, and 1 to 1000 filters from below half the rate",
         s.sample_rate, s.window, s.hop, s.filters, s.low);
  }
  const auto rate = static_cast<double>(s.sample_rate);
  const auto window = std::llround(s.window * rate);
  hop_ = s.hop_samples();
  for (fft_size_ = 2; fft_size_ < 2 * window;) fft_size_ *= 2;
  for (std::int64_t i = 0; i < window; ++i) {
    const double turn = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(window);
    window_.push_back(0.5 - 0.5 * std::cos(turn));
  }
  const double low = mel_of(s.low), step = (mel_of(half) - low) / static_cast<double>(s.filters + 1);
  for (std::int64_t m = 0; m < s.filters; ++m) {
    const auto corner = [&](std::int64_t k) { return hertz_of(low + step * static_cast<double>(m + k)); };
    const double spacing = rate / static_cast<double>(fft_size_);
    Filter filter{.first = static_cast<std::int64_t>(std::ceil(corner(0) / spacing)), .weights = {}};
    for (std::int64_t f = filter.first; f <= fft_size_ / 2 && static_cast<double>(f) * spacing < corner(2); ++f) {
      filter.weights.push_back(triangle(static_cast<double>(f) * spacing, corner(0), corner(1), corner(2)));
    }
    filters_.push_back(std::move(filter));
  }
}

std::int64_t LogMel::frames(std::int64_t samples) const noexcept {
  return samples < std::ssize(window_) ? 0 : 1 + (samples - std::ssize(window_)) / hop_;
}

Tensor LogMel::operator()(std::span<const float> samples) const {
  const std::int64_t T = frames(std::ssize(samples)), M = std::ssize(filters_);
  Tensor features({T, M});
  // A plan has room of its own that a transform writes to, so it is not shared between threads.
  const std::unique_ptr<kiss_fftr_state, void (*)(void*)> plan(
      kiss_fftr_alloc(static_cast<int>(fft_size_), 0, nullptr, nullptr), kiss_fft_free);
  if (!plan) fail(Code::kInternal, "log-mel features: no memory for a Fourier transform of {} samples", fft_size_);
  std::vector<kiss_fft_scalar> frame(static_cast<std::size_t>(fft_size_));
  std::vector<kiss_fft_cpx> spectrum(static_cast<std::size_t>(fft_size_ / 2 + 1));
  for (std::int64_t t = 0; t < T; ++t) {
    for (std::size_t i = 0; i < window_.size(); ++i) {
      frame[i] = static_cast<float>(window_[i] * samples[static_cast<std::size_t>(t * hop_) + i]);
    }
    kiss_fftr(plan.get(), frame.data(), spectrum.data());
    for (std::int64_t m = 0; m < M; ++m) {
      const Filter& filter = filters_[static_cast<std::size_t>(m)];
      double energy = 0;
      for (std::size_t k = 0; k < filter.weights.size(); ++k) {
        const kiss_fft_cpx& x = spectrum[static_cast<std::size_t>(filter.first) + k];
        energy += filter.weights[k] * (static_cast<double>(x.r) * x.r + static_cast<double>(x.i) * x.i);
      }
      features[t * M + m] = static_cast<float>(std::log(std::max(energy, kFloor)));
    }
  }
  return features;
}

}  // namespace carousel
