// impute_gaps.h: values that are known and are hidden, to be learnt from or to score at: where, and how many together.
//
// What is drawn is a pure function of the key: half of the values are hidden one by one, half in gaps. A gap is as long
// as one of the gaps of the training parts, drawn with equal chances; where those have none, its length is geometric.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "data/series/series_split.h"

namespace carousel {

// Rows next to one another in which a target is missing, or all targets are.
struct Gap {
  std::int64_t length = 1;
  bool all_targets = false;
};

// A value of a series among others; `target` counts the columns, of which the targets are the first.
struct ValueAt {
  std::int64_t series = 0, row = 0, target = 0;
};

// The gaps of the training parts that lie between known values, of many every few. REQUIRES: as many splits as series.
std::vector<Gap> find_gaps(std::span<const Series> series, std::span<const SeriesSplit> splits, std::int64_t targets);

struct HidingRule {
  double share = 0.1;           // of the known values
  std::int64_t gap_length = 0;  // of every draw; 0: as above
  std::vector<Gap> gaps;        // to draw from
  std::int64_t targets = 1;
};

// Hides about so many known targets of the rows: they become missing, and their places, ordered by row and target, are
// added to `places` as of the series with this number. A gap is at most a quarter as long as `rows`. At least one value
// of two or more is hidden, and at least one stays.
void hide_values(const HidingRule& rule, const Range& rows, const RandomKey& key, std::int64_t number, Series& series,
                 std::vector<ValueAt>& places);

}  // namespace carousel
