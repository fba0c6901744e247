// float_error.h: the distance of a float from a true value, in units in the last place of the true value.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace carousel::testing {

// |got - expected| in ulps. One ulp is the gap between floats at `expected`, at least that of the smallest normal
// float. Infinite if one is NaN and the other not, or if only one is infinite after rounding to float.
inline double float_error(float got, double expected) {
  const auto rounded = static_cast<float>(expected);
  if (std::isnan(got) || std::isnan(rounded)) {
    return std::isnan(got) && std::isnan(rounded) ? 0 : std::numeric_limits<double>::infinity();
  }
  if (std::isinf(got) || std::isinf(rounded)) return got == rounded ? 0 : std::numeric_limits<double>::infinity();
  // 2^(e - 23), by writing the exponent field; e is that of `expected`, at least -126.
  const std::uint64_t field = std::bit_cast<std::uint64_t>(std::abs(expected)) >> 52;
  const auto ulp = std::bit_cast<double>((std::max<std::uint64_t>(field, 1023 - 126) - 23) << 52);
  return std::abs(static_cast<double>(got) - expected) / ulp;
}

}  // namespace carousel::testing
