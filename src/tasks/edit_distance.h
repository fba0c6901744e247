// edit_distance.h: how many tokens are wrong (Levenshtein 1966).
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace carousel {

// The fewest tokens to put in, leave out or replace to make one of the other.
std::int64_t edit_distance(std::span<const std::int32_t> a, std::span<const std::int32_t> b);
std::int64_t edit_distance(std::span<const std::string> a, std::span<const std::string> b);

}  // namespace carousel
