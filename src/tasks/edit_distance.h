// edit_distance.h: how many labels are wrong (Levenshtein 1966).
#pragma once

#include <cstdint>
#include <span>

namespace carousel {

// The fewest labels to put in, leave out or replace to make one of the other.
std::int64_t edit_distance(std::span<const std::int32_t> a, std::span<const std::int32_t> b);

}  // namespace carousel
