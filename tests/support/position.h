// position.h: "[1, 0, 2]" for an element of a tensor: its place in row-major order, axis by axis.
#pragma once

#include <cstdint>
#include <string>

#include "carousel/tensor.h"

namespace carousel {

inline std::string position(const Shape& shape, std::int64_t element) {
  std::string text;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    text = std::to_string(element % shape[axis]) + (text.empty() ? "" : ", ") + text;
    element /= shape[axis];
  }
  return "[" + text + "]";
}

}  // namespace carousel
