// validation.h: how good the weights of an epoch are.
#pragma once

#include <string>

namespace carousel {

// An epoch is better than another if its value is, or if the values are equal and its loss is smaller: a coarse metric
// may stay the same (no output right yet) while the model learns. A value that is not finite is never better; a loss of
// NaN counts as the largest.
struct Validation {
  double loss = 0;
  std::string metric;  // the name of what early stopping watches
  double value = 0;    // its value
  bool higher_is_better = false;
};

}  // namespace carousel
