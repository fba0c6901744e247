#include "data/series/season.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <map>

namespace carousel {
namespace {

constexpr std::int64_t kLongest = 1000;      // longest period looked for
constexpr std::int64_t kLookAt = 20000;      // rows looked at: the last ones of the training part
constexpr double kPeriods = 2.5;             // periods that must fit
constexpr double kSuggestedHeight = 0.2;     // r at a period that the time column suggests
constexpr double kSuggestedTolerance = 0.1;  // share of the top by which r there may be lower than beside it
constexpr double kHeight = 0.4;              // r at any other period
constexpr double kProminence = 0.15;         // r minus the valley before it
constexpr double kSlack = 1.5;               // r this many deviations of its noise below the top is on top
constexpr double kCertain = 3;               // deviations of its noise that a peak not suggested must have
constexpr std::int64_t kShortest = 3;        // two alternating steps are no season unless the time column suggests it
// Periods that people live by: taken if the top of the peak is beside one.
constexpr std::array<std::int64_t, 11> kUsual = {7, 12, 24, 48, 52, 96, 132, 144, 168, 336, 365};
constexpr double kNearlyHighest = 0.85;  // a period, not its multiple: the first peak this near to the highest

// The residuals of the least-squares line.
std::vector<double> detrended(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const double middle = (n - 1) / 2;
  double mean = 0, covariance = 0, variance = 0;
  for (double value : values) mean += value / n;
  for (std::size_t t = 0; t < values.size(); ++t) {
    const double distance = static_cast<double>(t) - middle;
    covariance += distance * (values[t] - mean);
    variance += distance * distance;
  }
  const double slope = variance > 0 ? covariance / variance : 0;
  std::vector<double> residuals(values.size());
  for (std::size_t t = 0; t < values.size(); ++t) {
    residuals[t] = values[t] - mean - slope * (static_cast<double>(t) - middle);
  }
  return residuals;
}

// r of `values` values; an r of unrelated values has deviation 1 / sqrt(values) (Bartlett 1946).
struct Autocorrelation {
  std::vector<double> r;
  double noise;
};

// The height of the peak at `lag`, 0 if there is none: r there is as high as around it, up to noise, and stands out
// from the lowest r before it.
double peak_height(const Autocorrelation& series, std::int64_t lag, double tolerance = 0) {
  const std::vector<double>& r = series.r;
  const std::int64_t around = std::max<std::int64_t>(1, lag / 10);
  if (lag < 2 || lag + 1 >= static_cast<std::int64_t>(r.size())) return 0;
  const auto end = std::min(r.begin() + lag + around + 1, r.end());
  const double height = r[static_cast<std::size_t>(lag)];
  const double top = *std::max_element(r.begin() + lag - around, end);
  if (height < top - std::max(kSlack * series.noise, tolerance * top)) return 0;
  const double valley = *std::min_element(r.begin(), r.begin() + lag);
  return height - valley >= kProminence ? height : 0;
}

// The first of the suggested periods with a peak, unless a later one is clearly higher; 1 if none has.
std::int64_t search_suggested(const Autocorrelation& series, std::span<const std::int64_t> suggested) {
  std::int64_t best = 1;
  double to_beat = kSuggestedHeight;
  for (std::int64_t lag : suggested) {
    const double height = peak_height(series, lag, kSuggestedTolerance);
    if (height > to_beat) {
      best = lag;
      to_beat = height / kNearlyHighest;
    }
  }
  return best;
}

// The top of the first peak that is nearly as high as the highest; 1 if none is high enough.
std::int64_t search_all(const Autocorrelation& series) {
  const std::vector<double>& r = series.r;
  const auto size = static_cast<std::int64_t>(r.size());
  std::vector<double> heights(r.size(), 0.0);
  for (std::int64_t lag = kShortest; lag < size; ++lag)
    heights[static_cast<std::size_t>(lag)] = peak_height(series, lag);
  const double highest = *std::max_element(heights.begin(), heights.end());
  if (highest < std::max(kHeight, kCertain * series.noise)) return 1;
  std::int64_t first = kShortest;
  while (heights[static_cast<std::size_t>(first)] < kNearlyHighest * highest) ++first;
  const auto end = r.begin() + std::min(size, first + first / 4 + 1);
  const std::int64_t top = std::max_element(r.begin() + first, end) - r.begin();
  for (std::int64_t usual : kUsual) {
    const bool near = std::abs(usual - top) <= top / 15 && usual < size;
    if (near && r[static_cast<std::size_t>(usual)] >= r[static_cast<std::size_t>(top)] - kSlack * series.noise)
      return usual;
  }
  return top;
}

}  // namespace

std::vector<double> autocorrelation(std::span<const double> values, std::int64_t max_lag) {
  std::vector<double> r(static_cast<std::size_t>(max_lag) + 1, 0.0);
  double mean = 0, power = 0;
  for (double value : values) mean += value / static_cast<double>(values.size());
  std::vector<double> centred;
  for (double value : values) centred.push_back(value - mean);
  for (double value : centred) power += value * value;
  if (!(power > 0)) return r;
  for (std::size_t lag = 0; lag < r.size() && lag < centred.size(); ++lag) {
    double sum = 0;
    for (std::size_t t = lag; t < centred.size(); ++t) sum += centred[t] * centred[t - lag];
    r[lag] = sum / power;
  }
  return r;
}

std::int64_t detect_season(const Series& series, std::int64_t column, const TrainingRange& training) {
  const std::int64_t begin = std::max(training.begin(), training.end() - kLookAt);
  std::vector<double> values;
  for (std::int64_t t = begin; t < training.end(); ++t) {
    const double value = series.at(t, column);
    if (!std::isnan(value)) {
      values.push_back(value);
    } else if (!values.empty()) {
      values.push_back(values.back());
    }
  }
  const auto fitting = static_cast<std::int64_t>(static_cast<double>(values.size()) / kPeriods);
  const std::int64_t max_lag = std::min(fitting, kLongest) + 1;
  if (fitting < 2) return 1;
  const std::vector<std::int64_t> suggested = series.times.natural_seasons();
  const auto search = [&](const std::vector<double>& searched) {
    const Autocorrelation found{autocorrelation(searched, max_lag),
                                1 / std::sqrt(static_cast<double>(searched.size()))};
    const std::int64_t season = search_suggested(found, suggested);
    return season > 1 ? season : search_all(found);
  };
  const std::int64_t season = search(detrended(values));
  if (season > 1) return season;
  std::vector<double> steps;
  for (std::size_t t = 1; t < values.size(); ++t) steps.push_back(values[t] - values[t - 1]);
  return search(steps);
}

std::int64_t detect_season(const Series& series, std::span<const std::int64_t> columns, const TrainingRange& training) {
  std::map<std::int64_t, std::int64_t> votes;
  for (std::int64_t column : columns) ++votes[detect_season(series, column, training)];
  std::int64_t season = 1, most = 0;
  for (const auto& [period, count] : votes) {
    if (count > most) {
      season = period;
      most = count;
    }
  }
  return season;
}

}  // namespace carousel
