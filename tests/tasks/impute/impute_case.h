// impute_case.h: series by hand for the tests of imputation.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "data/series/series.h"

namespace carousel {

inline const double kNone = std::nan("");

// `count` numbers of mean 0 and deviation 1; each stream has others.
inline std::vector<double> normal_numbers(std::size_t count, std::uint64_t stream) {
  std::vector<double> numbers(count);
  fill_normal({23, Purpose::kTest, stream}, 0.0, 1.0, std::span<double>(numbers));
  return numbers;
}

// Values row by row.
inline Series series_of(std::vector<std::string> columns, std::vector<double> values) {
  Series series;
  series.columns = std::move(columns);
  series.values = std::move(values);
  return series;
}

}  // namespace carousel
