#include "train/gradient.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "carousel/optim.h"
#include "kernels/reduce.h"

namespace carousel {

double gradient_norm(const std::vector<Parameter*>& parameters) {
  double squares = 0;
  for (const Parameter* parameter : parameters) squares += kernels::sum_of_squares(parameter->gradient.span());
  return std::sqrt(squares);
}

bool scale_to_norm(const std::vector<Parameter*>& parameters, double norm, double max_norm) {
  const double factor = max_norm / (norm + 1e-6);
  if (!std::isfinite(norm) || factor >= 1) return false;
  for (Parameter* parameter : parameters) kernels::scale(parameter->gradient.span(), static_cast<float>(factor));
  return true;
}

std::optional<NonFinite> find_non_finite_gradient(const std::vector<Parameter*>& parameters) {
  for (const Parameter* parameter : parameters) {
    const std::int64_t element = kernels::first_non_finite(std::span<const float>(parameter->gradient.span()));
    if (element >= 0) return NonFinite{parameter, element, parameter->gradient[element]};
  }
  return std::nullopt;
}

double clip_grad_norm(const std::vector<Parameter*>& parameters, double max_norm) {
  if (!(max_norm > 0)) fail(Code::kUsage, "clip_grad_norm: max_norm is {}, expected more than 0", max_norm);
  const double norm = gradient_norm(parameters);
  scale_to_norm(parameters, norm, max_norm);
  return norm;
}

bool clip_grad_value(const std::vector<Parameter*>& parameters, double max_value) {
  if (!(max_value > 0)) fail(Code::kUsage, "clip_grad_value: max_value is {}, expected more than 0", max_value);
  const auto limit = static_cast<float>(max_value);
  bool any = false;
  for (Parameter* parameter : parameters) {
    for (float& g : parameter->gradient.span()) {
      any |= std::abs(g) > limit;
      g = std::clamp(g, -limit, limit);
    }
  }
  return any;
}

}  // namespace carousel
