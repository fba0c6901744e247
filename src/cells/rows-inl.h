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
};

template <class C, class Lanes, class T, class Values>
inline void load_units(const T* unit_weights, std::int64_t hidden_size, std::int64_t unit, const Lanes& lanes,
                       Values& v) {
  for (int k = 0; k < Counts<C>::U; ++k) v.unit[k] = lanes.load(unit_weights + k * hidden_size + unit);
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
  CellForward<V> v;
  for (int k = 0; k < kGiven; ++k) v.gate[k] = lanes.load(a + k * H);
  for (int k = kGiven; k < N::G; ++k) {
    v.a[k] = lanes.load(a + k * H);
    if (s.bias_a) v.a[k] = v.a[k] + lanes.load(s.bias_a + k * H + unit);
    if constexpr (C::kSplitGates) {
      v.q[k] = lanes.load(s.q + row * N::G * H + k * H + unit);
      if (s.bias_q) v.q[k] = v.q[k] + lanes.load(s.bias_q + k * H + unit);
    }
  }
  for (int k = 0; k < N::S; ++k) v.previous[k] = s.previous[k] ? lanes.load(s.previous[k] + at) : Lanes::M::constant(0);
  if constexpr (C::kInnerGates > 0) v.inner = lanes.load(s.inner + at);
  if constexpr (C::kLower) v.lower = lanes.load(s.lower + row * s.ld_lower + unit);
  load_units<C>(s.unit_weights, H, unit, lanes, v);
  C::template step<typename Lanes::M, V>(v);
  if (s.save) {
    for (int k = kGiven; k < N::G; ++k) lanes.store(v.gate[k], a + k * H);
    for (int k = 0; k < C::kExtras; ++k) lanes.store(v.extra[k], s.extra[k] + at);
    for (int k = 0; k < N::S; ++k) {
      if (s.saved_previous[k]) lanes.store(v.previous[k], s.saved_previous[k] + at);
    }
  }
  for (int k = 0; k < N::S; ++k) lanes.store(v.next[k], s.next[k] + at);
  if (s.output) lanes.store(v.next[0], s.output + row * s.ld_output + unit);
  if constexpr (N::S > 1) {
    if (s.upper) lanes.store(v.next[1], s.upper + row * s.ld_lower + unit);
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
  if (s.doutput) v.dnext[0] = v.dnext[0] + lanes.load(s.doutput + row * s.ld_output + unit);
  if constexpr (N::S > 1) {
    if (s.dupper) v.dnext[1] = v.dnext[1] + lanes.load(s.dupper + row * s.ld_lower + unit);
  }
  if constexpr (C::kLower) v.lower = lanes.load(s.lower + row * s.ld_lower + unit);
  load_units<C>(s.unit_weights, H, unit, lanes, v);
  C::template step_backward<typename Lanes::M, V>(v);
  for (int k = 0; k < kGiven; ++k) lanes.store(v.da[k], s.dgate + (row * kGiven + k) * H + unit);
  for (int k = kGiven; k < N::G; ++k) {
    lanes.store(v.da[k], a + k * H);
    if constexpr (C::kSplitGates) lanes.store(v.dq[k], s.dq + row * N::G * H + k * H + unit);
  }
  for (int k = 0; k < N::S; ++k) lanes.store(v.dprevious[k], s.dstate[k] + at);
  if constexpr (C::kLower) {
    if (s.dlower) {
      T* to = s.dlower + row * s.ld_lower + unit;
      lanes.store(lanes.load(to) + v.dlower, to);
    }
  }
  for (int k = 0; k < N::U && !C::kFixedUnitWeights; ++k) {
    T* to = s.dunit_weights + (row * N::U + k) * H + unit;
    lanes.store(lanes.load(to) + v.dunit[k], to);
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
