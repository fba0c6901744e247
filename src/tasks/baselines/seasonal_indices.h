// seasonal_indices.h: the season of a series by classical decomposition.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

enum class SeasonKind { kNone, kAdditive, kMultiplicative };

// The index of each phase, the first being that of values[0]: each value minus (multiplicative: over) its centred
// moving average of a season, averaged by phase, the mean of the indices made 0 (1). REQUIRES: season > 1, at least two
// seasons of values; kind is not kNone.
std::vector<double> seasonal_indices(std::span<const double> values, std::int64_t season, SeasonKind kind);

}  // namespace carousel
