// expect_near.h: compares two tensors element by element and says which tensor, which element and both values.
//
// An element passes if |got - expected| <= tolerance * (1 + |expected|); NaN passes nowhere, and the shapes must be
// equal. Takes tensors, views, spans and vectors in any mixture; a span counts as a tensor of rank 1.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carousel/tensor.h"
#include "tests/support/position.h"

namespace carousel {

namespace near_detail {

template <class T>
View<const T> as_view(View<T> view) {
  return {view.data, view.shape};
}
template <class T>
View<const T> as_view(const BasicTensor<T>& tensor) {
  return tensor.view();
}
template <class T>
View<const T> as_view(std::span<T> span) {
  return {span.data(), Shape{static_cast<std::int64_t>(span.size())}};
}
template <class T>
View<const T> as_view(const std::vector<T>& vector) {
  return as_view(std::span(vector));
}

}  // namespace near_detail

template <class A, class B>
void expect_near(const A& got_values, const B& expected_values, double tolerance, std::string_view name) {
  constexpr int kMaxReported = 5;
  const auto got = near_detail::as_view(got_values);
  const auto expected = near_detail::as_view(expected_values);
  if (got.shape != expected.shape) {
    ADD_FAILURE() << name << ": got shape " << got.shape.to_string() << ", expected " << expected.shape.to_string();
    return;
  }
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < got.elements(); ++i) {
    const auto a = static_cast<double>(got.data[i]), b = static_cast<double>(expected.data[i]);
    if (std::abs(a - b) <= tolerance * (1.0 + std::abs(b))) continue;
    if (++wrong <= kMaxReported) {
      ADD_FAILURE() << name << position(got.shape, i) << ": got " << ::testing::PrintToString(got.data[i])
                    << ", expected " << ::testing::PrintToString(expected.data[i]) << ", differ by " << std::abs(a - b)
                    << ", tolerance " << tolerance * (1.0 + std::abs(b));
    }
  }
  if (wrong > kMaxReported) ADD_FAILURE() << name << ": " << wrong << " of " << got.elements() << " elements differ";
}

}  // namespace carousel
