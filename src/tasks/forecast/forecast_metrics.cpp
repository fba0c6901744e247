#include "tasks/forecast/forecast_metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/fail.h"

namespace carousel {

double pinball(double quantile, double actual, double level) noexcept {
  const double error = actual - quantile;
  return std::max(level * error, (level - 1) * error);
}

double quantile_at(std::span<const double> levels, std::span<const double> quantiles, double level) noexcept {
  const auto above = std::ranges::upper_bound(levels, level);
  if (above == levels.begin()) return quantiles.front();
  if (above == levels.end()) return quantiles.back();
  const auto k = static_cast<std::size_t>(above - levels.begin());
  const double share = (level - levels[k - 1]) / (levels[k] - levels[k - 1]);
  return quantiles[k - 1] + share * (quantiles[k] - quantiles[k - 1]);
}

namespace {

// Twice the integral of the pinball loss over the levels a .. b, between which the quantile goes straight from qa to qb
// and stays on one side of the actual value: a polynomial of degree 2, for which Simpson's rule is exact.
double straight_piece(double a, double b, double qa, double qb, double actual) noexcept {
  const double middle = pinball((qa + qb) / 2, actual, (a + b) / 2);
  return (b - a) / 3 * (pinball(qa, actual, a) + 4 * middle + pinball(qb, actual, b));
}

}  // namespace

double crps_from_quantiles(std::span<const double> levels, std::span<const double> quantiles, double actual) noexcept {
  double from = 0, low = quantiles.front(), total = 0;
  for (std::size_t k = 0; k <= levels.size(); ++k) {
    const bool last = k == levels.size();
    const double to = last ? 1 : levels[k], high = last ? quantiles.back() : quantiles[k];
    if (low < actual && actual < high) {
      const double crossing = from + (to - from) * (actual - low) / (high - low);
      total += straight_piece(from, crossing, low, actual, actual) + straight_piece(crossing, to, actual, high, actual);
    } else {
      total += straight_piece(from, to, low, high, actual);
    }
    from = to;
    low = high;
  }
  return total;
}

std::vector<double> parse_levels(const std::vector<std::string>& texts, const std::string& option) {
  std::vector<double> levels;
  for (const std::string& text : texts) {
    double level = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
    const bool number = error == std::errc() && end == text.data() + text.size();
    if (!number || !(level > 0 && level < 1) || (!levels.empty() && level <= levels.back())) {
      fail(Code::kUsage, "{} {}: '{}' was not expected; give levels between 0 and 1 in rising order, as 0.1,0.5,0.9",
           option, fmt::join(texts, ","), text);
    }
    levels.push_back(level);
  }
  return levels;
}

}  // namespace carousel
