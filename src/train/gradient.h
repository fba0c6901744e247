// gradient.h: what training asks of all gradients together.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "carousel/autograd.h"

namespace carousel {

// Square root of the sum of the squares of every element of every gradient, in double and in a fixed order; NaN or
// infinite exactly if an element is.
double gradient_norm(const std::vector<Parameter*>& parameters);

// Scales all gradients by min(1, max_norm / (norm + 1e-6)), PyTorch's clipping; `norm` is gradient_norm(parameters).
// True if that changed them.
bool scale_to_norm(const std::vector<Parameter*>& parameters, double norm, double max_norm);

struct NonFinite {
  const Parameter* parameter;
  std::int64_t element;
  float value;
};
// The first NaN or infinity in the gradients, in the order of the parameters.
std::optional<NonFinite> find_non_finite_gradient(const std::vector<Parameter*>& parameters);

}  // namespace carousel
