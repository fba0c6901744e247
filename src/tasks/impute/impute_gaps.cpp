#include "tasks/impute/impute_gaps.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace carousel {
namespace {

bool all_missing(const Series& series, std::int64_t row, std::int64_t targets) {
  for (std::int64_t c = 0; c < targets; ++c) {
    if (!std::isnan(series.at(row, c))) return false;
  }
  return true;
}

// Those of one column; of gaps of all targets only the first column has them.
void add_gaps(const Series& series, const Range& rows, std::int64_t column, std::int64_t targets,
              std::vector<Gap>& gaps) {
  std::int64_t known = -1;  // the last known row; none yet
  for (std::int64_t t = rows.begin; t < rows.end; ++t) {
    if (std::isnan(series.at(t, column))) continue;
    const std::int64_t length = t - known - 1;
    if (known >= 0 && length > 0) {
      bool all = targets > 1;
      for (std::int64_t gap = known + 1; all && gap < t; ++gap) all = all_missing(series, gap, targets);
      if (!all || column == 0) gaps.push_back({length, all});
    }
    known = t;
  }
}

// The numbers of one draw.
class Draw {
 public:
  Draw(const RandomKey& key, std::int64_t number) : key_(key), first_(8 * static_cast<std::uint64_t>(number)) {}
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(uniform_below(key_, first_ + used_++, static_cast<std::uint64_t>(bound)));
  }
  // 1, 2 ... with this mean.
  std::int64_t geometric(double mean) {
    constexpr double kSteps = 1 << 24;
    const double u = (static_cast<double>(below(1 << 24)) + 0.5) / kSteps;
    return 1 + static_cast<std::int64_t>(std::log(u) / std::log(1 - 1 / mean));
  }

 private:
  RandomKey key_;
  std::uint64_t first_, used_ = 0;
};

Gap draw_gap(const HidingRule& rule, Draw& draw) {
  constexpr double kMeanLength = 8;
  Gap gap{0, rule.targets > 1 && draw.below(2) == 0};
  if (!rule.gaps.empty()) gap = rule.gaps[static_cast<std::size_t>(draw.below(std::ssize(rule.gaps)))];
  if (rule.gaps.empty()) gap.length = draw.geometric(kMeanLength);
  if (rule.gap_length > 0) gap.length = rule.gap_length;
  return gap;
}

}  // namespace

std::vector<Gap> find_gaps(std::span<const Series> series, std::span<const SeriesSplit> splits, std::int64_t targets) {
  std::vector<Gap> all, some;
  for (std::size_t k = 0; k < series.size(); ++k) {
    for (std::int64_t c = 0; c < targets; ++c) add_gaps(series[k], splits[k].train, c, targets, all);
  }
  constexpr std::size_t kMost = 1000;
  const std::size_t count = std::min(all.size(), kMost);
  for (std::size_t k = 0; k < count; ++k) some.push_back(all[k * all.size() / count]);
  return some;
}

void hide_values(const HidingRule& rule, const Range& rows, const RandomKey& key, std::int64_t number, Series& series,
                 std::vector<ValueAt>& places) {
  const auto begin = static_cast<std::ptrdiff_t>(places.size());
  std::int64_t known = 0, hidden = 0;
  for (std::int64_t t = rows.begin; t < rows.end; ++t) {
    for (std::int64_t c = 0; c < rule.targets; ++c) known += std::isnan(series.at(t, c)) ? 0 : 1;
  }
  if (known < 2) return;
  const auto wanted = std::clamp<std::int64_t>(std::llround(rule.share * static_cast<double>(known)), 1, known - 1);
  const std::int64_t most = std::max<std::int64_t>(rows.size() / 4, 1);
  std::int64_t singles = 0;
  for (std::int64_t n = 0; hidden < wanted; ++n) {
    Draw draw(key, n);
    const bool single = rule.gap_length == 0 && 2 * singles <= hidden;
    const Gap gap = single ? Gap() : draw_gap(rule, draw);
    const std::int64_t column = draw.below(rule.targets), first = rows.begin + draw.below(rows.size());
    const std::int64_t end = std::min(first + std::min(gap.length, most), rows.end);
    for (std::int64_t t = first; t < end; ++t) {
      for (std::int64_t c = 0; c < rule.targets; ++c) {
        double& value = series.values[static_cast<std::size_t>(t * series.column_count() + c)];
        if ((!gap.all_targets && c != column) || std::isnan(value) || hidden == known - 1) continue;
        value = std::numeric_limits<double>::quiet_NaN();
        places.push_back({number, t, c});
        ++hidden;
        singles += single ? 1 : 0;
      }
    }
  }
  std::sort(places.begin() + begin, places.end(),
            [](const ValueAt& a, const ValueAt& b) { return std::tie(a.row, a.target) < std::tie(b.row, b.target); });
}

}  // namespace carousel
