// scalar_math.h: the maths that pointwise formulas are written in, for one float or double at a time.
//
// A formula is a template over a maths provider M and a value type V. ScalarMath<T> with V = T is the definition;
// SimdMath<D> of math-inl.h, which has the same functions, with V = Vec<D> is the speed. Formulas use + - * and these.
#pragma once

#include <cmath>

namespace carousel::kernels {

template <class T>
struct ScalarMath {
  using V = T;
  static V constant(float value) { return static_cast<T>(value); }
  static V exp(V x) { return std::exp(x); }
  static V log(V x) { return std::log(x); }
  static V tanh(V x) { return std::tanh(x); }
  static V sigmoid(V x) { return T{1} / (T{1} + std::exp(-x)); }
  static V relu(V x) { return x < T{0} ? T{0} : x; }                         // NaN stays NaN
  static V where_positive(V x, V value) { return x > T{0} ? value : T{0}; }  // derivative of relu times value
};

}  // namespace carousel::kernels
