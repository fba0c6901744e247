// rows-inl.h: runs the pointwise mathematics of a cell over the rows of a batch, for any lane type.
//
// Included inside a namespace, once per instruction set (cells_simd.cpp) and once for the reference
// (cells_reference.cpp), before the headers of the cells: no include guard. `Lanes` says what one value is: its type V,
// its mathematics M, how many units it covers, and how to load and store it.

#include "cells/values-inl.h"

// The numbers of a cell's declaration.
template <class C>
struct Counts {
  static constexpr int G = static_cast<int>(C::kGates.size());
  // Those of a cell with an output layer are none of its pointwise part, which gives out u alone.
  static constexpr int S = C::kOutputLayer ? 1 : static_cast<int>(C::kStates.size());
  static constexpr int U = static_cast<int>(C::kUnitWeights.size());
  static constexpr int kFirst = G - C::kInnerGates - C::kInputGates;  // gates whose product is R h
  // As Cell::normal_count() and, where there are any, unit_gradient_count().
  static constexpr int kNormals = C::kNormalised ? 2 * G + (C::kNormalisedState > 0 ? 1 : 0) : 0;
  static constexpr int kUnitGradients = U + (C::kNormalised ? 2 * G : 0);
};

// Normalised cells: rows before and after the mathematics of single units.
inline constexpr double kNormEpsilon = 1e-5;  // of the paper's own code, PyTorch and Haste

template <class C, class T>
inline void normalise_products(const StepForward<T>& s, std::int64_t row) {
  const std::int64_t width = Counts<C>::G * s.hidden_size;
  T *normal = s.normal + row * Counts<C>::kNormals * s.hidden_size, *scale = s.scale + row * kNormalisedRows;
  scale[0] = kernels::normalise_row(s.a + row * width, width, kNormEpsilon, normal);
  scale[1] = kernels::normalise_row(s.q + row * width, width, kNormEpsilon, normal + width);
}

template <class C, class T>
inline void normalise_state(const StepForward<T>& s, std::int64_t row) {
  const std::int64_t H = s.hidden_size;
  T* normal = s.normal + (row * Counts<C>::kNormals + 2 * Counts<C>::G) * H;
  s.scale[row * kNormalisedRows + 2] =
      kernels::normalise_row(s.next[C::kNormalisedState] + row * H, H, kNormEpsilon, normal);
}

// From the gradients of normalised values times gain, where those of the values themselves are wanted.
template <class C, class T>
inline void products_backward(const StepBackward<T>& s, std::int64_t row) {
  const std::int64_t width = Counts<C>::G * s.hidden_size;
  const T *normal = s.normal + row * Counts<C>::kNormals * s.hidden_size, *scale = s.scale + row * kNormalisedRows;
  kernels::normalise_row_backward(normal, scale[0], width, s.a + row * width);
  kernels::normalise_row_backward(normal + width, scale[1], width, s.dq + row * width);
}

// The gradient of the state stands in the row of dq, which is not used before.
template <class C, class T>
inline void state_backward(const StepBackward<T>& s, std::int64_t row) {
  const std::int64_t H = s.hidden_size;
  const T* normal = s.normal + (row * Counts<C>::kNormals + 2 * Counts<C>::G) * H;
  kernels::normalise_row_backward(normal, s.scale[row * kNormalisedRows + 2], H, s.dq + row * Counts<C>::G * H);
}

template <class C, class Lanes, class T, class Values>
inline void load_units(const T* unit_weights, std::int64_t hidden_size, std::int64_t unit, const Lanes& lanes,
                       Values& v) {
  for (int k = 0; k < Counts<C>::U; ++k) v.unit[k] = lanes.load(unit_weights + k * hidden_size + unit);
}

// A cell given as an expression is the only one that needs its program.
template <class C, class M, class V>
inline void step_units(const CellProgram* program, CellForward<V>& v) {
  if constexpr (requires { C::kProgram; }) {
    C::template step<M, V>(*program, v);
  } else {
    C::template step<M, V>(v);
  }
}

template <class C, class M, class V>
inline void step_units_backward(const CellProgram* program, CellBackward<V>& v) {
  if constexpr (requires { C::kProgram; }) {
    C::template step_backward<M, V>(*program, v);
  } else {
    C::template step_backward<M, V>(v);
  }
}

// The gates of the first product of a cell with inner gates, and what enters the second product.
template <class C, class Lanes, class T>
inline void forward_inner_units(const StepForward<T>& s, std::int64_t row, std::int64_t unit, const Lanes& lanes) {
  using V = typename Lanes::V;
  using N = Counts<C>;
  const std::int64_t H = s.hidden_size, at = row * H + unit;
  T* a = s.a + row * N::G * H + unit;
  CellForward<V> v;
  for (int k = 0; k < N::kFirst; ++k) {
    v.a[k] = lanes.load(a + k * H);
    if (s.bias_a) v.a[k] = v.a[k] + lanes.load(s.bias_a + k * H + unit);
  }
  for (int k = 0; k < N::S; ++k) v.previous[k] = s.previous[k] ? lanes.load(s.previous[k] + at) : Lanes::M::constant(0);
  load_units<C>(s.unit_weights, H, unit, lanes, v);
  C::template step_inner<typename Lanes::M, V>(v);
  for (int k = 0; k < N::kFirst; ++k) lanes.store(v.gate[k], a + k * H);
  lanes.store(v.inner, s.inner + at);
}

template <class C, class Lanes, class T>
inline void forward_units(const StepForward<T>& s, std::int64_t row, std::int64_t unit, const Lanes& lanes) {
  using V = typename Lanes::V;
  using N = Counts<C>;
  constexpr int kGiven = C::kInnerGates > 0 ? N::kFirst : 0;  // gates that step_inner has finished
  const std::int64_t H = s.hidden_size, at = row * H + unit;
  T* a = s.a + row * N::G * H + unit;
  const T* x = C::kNormalised ? s.normal + row * N::kNormals * H + unit : a;
  CellForward<V> v;
  load_units<C>(s.unit_weights, H, unit, lanes, v);
  for (int k = 0; k < kGiven; ++k) v.gate[k] = lanes.load(a + k * H);
  for (int k = kGiven; k < N::G; ++k) {
    v.a[k] = lanes.load(x + k * H);
    if constexpr (C::kNormalised) v.a[k] = v.a[k] * v.unit[k];
    if (s.bias_a) v.a[k] = v.a[k] + lanes.load(s.bias_a + k * H + unit);
    if constexpr (C::kSplitGates) {
      v.q[k] = lanes.load(C::kNormalised ? x + (N::G + k) * H : s.q + row * N::G * H + k * H + unit);
      if constexpr (C::kNormalised) v.q[k] = v.q[k] * v.unit[N::G + k];
      if (s.bias_q) v.q[k] = v.q[k] + lanes.load(s.bias_q + k * H + unit);
    }
  }
  for (int k = 0; k < N::S; ++k) v.previous[k] = s.previous[k] ? lanes.load(s.previous[k] + at) : Lanes::M::constant(0);
  if constexpr (C::kInnerGates > 0) v.inner = lanes.load(s.inner + at);
  if constexpr (C::kLower) v.lower = lanes.load(s.lower + row * s.ld_lower + unit);
  step_units<C, typename Lanes::M>(s.program, v);
  constexpr bool kOutputFollows = C::kNormalisedState > 0;  // from the gates, in output_units()
  for (int k = kGiven; (s.save || kOutputFollows) && k < N::G; ++k) lanes.store(v.gate[k], a + k * H);
  if (s.save) {
    for (int k = 0; !kOutputFollows && k < C::kExtras; ++k) lanes.store(v.extra[k], s.extra[k] + at);
    for (int k = 0; k < N::S; ++k) {
      if (s.saved_previous[k]) lanes.store(v.previous[k], s.saved_previous[k] + at);
    }
  }
  for (int k = kOutputFollows ? 1 : 0; k < N::S; ++k) lanes.store(v.next[k], s.next[k] + at);
  if (s.output && !kOutputFollows) lanes.store(v.next[0], s.output + row * s.ld_output + unit);
  if constexpr (N::S > 1) {
    if (s.upper) lanes.store(v.next[1], s.upper + row * s.ld_lower + unit);
  }
}

// The output of a cell with a normalised state.
template <class C, class Lanes, class T>
inline void output_units(const StepForward<T>& s, std::int64_t row, std::int64_t unit, const Lanes& lanes) {
  using V = typename Lanes::V;
  using N = Counts<C>;
  const std::int64_t H = s.hidden_size, at = row * H + unit;
  CellForward<V> v;
  load_units<C>(s.unit_weights, H, unit, lanes, v);
  for (int k = 0; k < N::G; ++k) v.gate[k] = lanes.load(s.a + (row * N::G + k) * H + unit);
  v.normal = lanes.load(s.normal + (row * N::kNormals + 2 * N::G) * H + unit) * v.unit[2 * N::G] + v.unit[2 * N::G + 1];
  C::template step_output<typename Lanes::M, V>(v);
  for (int k = 0; s.save && k < C::kExtras; ++k) lanes.store(v.extra[k], s.extra[k] + at);
  lanes.store(v.next[0], s.next[0] + at);
  if (s.output) lanes.store(v.next[0], s.output + row * s.ld_output + unit);
}

template <class Lanes, class T>
inline typename Lanes::V output_gradient(const StepBackward<T>& s, std::int64_t row, std::int64_t unit,
                                         const Lanes& lanes) {
  const typename Lanes::V dh = lanes.load(s.dstate[0] + row * s.hidden_size + unit);
  return s.doutput ? dh + lanes.load(s.doutput + row * s.ld_output + unit) : dh;
}

// Adds to what stands at `to`.
template <class Lanes, class T>
inline void add_units(typename Lanes::V value, T* to, const Lanes& lanes) {
  lanes.store(lanes.load(to) + value, to);
}

// Before backward_units(): the gradient of the normalised state, times gain, for state_backward().
template <class C, class Lanes, class T>
inline void output_backward_units(const StepBackward<T>& s, std::int64_t row, std::int64_t unit, const Lanes& lanes) {
  using V = typename Lanes::V;
  using N = Counts<C>;
  const std::int64_t H = s.hidden_size;
  CellBackward<V> v;
  for (int k = 0; k < N::G; ++k) v.gate[k] = lanes.load(s.a + (row * N::G + k) * H + unit);
  for (int k = 0; k < C::kExtras; ++k) v.extra[k] = lanes.load(s.extra[k] + row * H + unit);
  v.dnext[0] = output_gradient(s, row, unit, lanes);
  load_units<C>(s.unit_weights, H, unit, lanes, v);
  C::template step_output_backward<typename Lanes::M, V>(v);
  const V normal = lanes.load(s.normal + (row * N::kNormals + 2 * N::G) * H + unit);
  T* dunit = s.dunit_weights + (row * N::kUnitGradients + 2 * N::G) * H + unit;
  add_units(v.dnormal * normal, dunit, lanes);
  add_units(v.dnormal, dunit + H, lanes);
  lanes.store(v.dnormal * v.unit[2 * N::G], s.dq + row * N::G * H + unit);
}

// Gains and biases get their gradients, and the gradients of the normalised products take the place of da and dq.
template <class C, class Lanes, class T>
inline void gain_gradients(const StepBackward<T>& s, std::int64_t row, std::int64_t unit, const Lanes& lanes,
                           CellBackward<typename Lanes::V>& v) {
  using N = Counts<C>;
  const std::int64_t H = s.hidden_size;
  const T* normal = s.normal + row * N::kNormals * H + unit;
  T *dgain = s.dunit_weights + row * N::kUnitGradients * H + unit, *dbias = dgain + N::U * H;
  for (int k = 0; k < N::G; ++k) {
    add_units(v.da[k] * lanes.load(normal + k * H), dgain + k * H, lanes);
    add_units(v.dq[k] * lanes.load(normal + (N::G + k) * H), dgain + (N::G + k) * H, lanes);
    add_units(v.da[k], dbias + k * H, lanes);
    add_units(v.dq[k], dbias + (N::G + k) * H, lanes);
    v.da[k] = v.da[k] * v.unit[k];
    v.dq[k] = v.dq[k] * v.unit[N::G + k];
  }
}

template <class C, class Lanes, class T>
inline void backward_units(const StepBackward<T>& s, std::int64_t row, std::int64_t unit, const Lanes& lanes) {
  using V = typename Lanes::V;
  using N = Counts<C>;
  constexpr int kGiven = C::kInnerGates > 0 ? N::kFirst : 0;
  const std::int64_t H = s.hidden_size, at = row * H + unit;
  T* a = s.a + row * N::G * H + unit;
  CellBackward<V> v;
  for (int k = 0; k < N::G; ++k) v.gate[k] = lanes.load(a + k * H);
  for (int k = 0; k < C::kExtras; ++k) v.extra[k] = lanes.load(s.extra[k] + at);
  for (int k = 0; k < N::S; ++k) {
    v.previous[k] = s.previous[k] ? lanes.load(s.previous[k] + at) : Lanes::M::constant(0);
    v.dnext[k] = lanes.load(s.dstate[k] + at);
  }
  v.dnext[0] = output_gradient(s, row, unit, lanes);
  if constexpr (C::kNormalisedState > 0) {
    v.dnext[C::kNormalisedState] = v.dnext[C::kNormalisedState] + lanes.load(s.dq + row * N::G * H + unit);
  }
  if constexpr (N::S > 1) {
    if (s.dupper) v.dnext[1] = v.dnext[1] + lanes.load(s.dupper + row * s.ld_lower + unit);
  }
  if constexpr (C::kLower) v.lower = lanes.load(s.lower + row * s.ld_lower + unit);
  load_units<C>(s.unit_weights, H, unit, lanes, v);
  step_units_backward<C, typename Lanes::M>(s.program, v);
  if constexpr (C::kNormalised) gain_gradients<C>(s, row, unit, lanes, v);
  for (int k = 0; k < kGiven; ++k) lanes.store(v.da[k], s.dgate + (row * kGiven + k) * H + unit);
  for (int k = kGiven; k < N::G; ++k) {
    lanes.store(v.da[k], a + k * H);
    if constexpr (C::kSplitGates) lanes.store(v.dq[k], s.dq + row * N::G * H + k * H + unit);
  }
  for (int k = 0; k < N::S; ++k) lanes.store(v.dprevious[k], s.dstate[k] + at);
  if constexpr (C::kLower) {
    if (s.dlower) add_units(v.dlower, s.dlower + row * s.ld_lower + unit, lanes);
  }
  for (int k = 0; k < N::U && !C::kFixedUnitWeights && !C::kNormalised; ++k) {
    add_units(v.dunit[k], s.dunit_weights + (row * N::U + k) * H + unit, lanes);
  }
}

// From the gradient of what entered the second product, and of the finished gates, to that of the first product.
template <class C, class Lanes, class T>
inline void backward_inner_units(const StepBackward<T>& s, std::int64_t row, std::int64_t unit, const Lanes& lanes) {
  using V = typename Lanes::V;
  using N = Counts<C>;
  const std::int64_t H = s.hidden_size, at = row * H + unit;
  T* a = s.a + row * N::G * H + unit;
  CellBackward<V> v;
  for (int k = 0; k < N::kFirst; ++k) {
    v.gate[k] = lanes.load(a + k * H);
    v.da[k] = lanes.load(s.dgate + (row * N::kFirst + k) * H + unit);
  }
  for (int k = 0; k < N::S; ++k) {
    v.previous[k] = s.previous[k] ? lanes.load(s.previous[k] + at) : Lanes::M::constant(0);
    v.dprevious[k] = lanes.load(s.dstate[k] + at);
  }
  v.dinner = lanes.load(s.dinner + at);
  load_units<C>(s.unit_weights, H, unit, lanes, v);
  C::template step_inner_backward<typename Lanes::M, V>(v);
  for (int k = 0; k < N::kFirst; ++k) lanes.store(v.da[k], a + k * H);
  for (int k = 0; k < N::S; ++k) lanes.store(v.dprevious[k], s.dstate[k] + at);
}
