// rows-inl.h: runs the pointwise mathematics of a cell over the rows of a batch, for any lane type.
//
// Included inside a namespace, once per instruction set (cells_simd.cpp) and once for the reference
// (cells_reference.cpp), before the headers of the cells: no include guard. `Lanes` says what one value is: its type V,
// its mathematics M, how many units it covers, and how to load and store it.

#include "cells/values-inl.h"

template <class C, class Lanes, class T>
inline void forward_units(const StepForward<T>& s, std::int64_t row, std::int64_t unit, const Lanes& lanes) {
  using V = typename Lanes::V;
  constexpr int G = static_cast<int>(C::kGates.size()), S = static_cast<int>(C::kStates.size());
  const std::int64_t H = s.hidden_size, at = row * H + unit;
  T* a = s.a + row * G * H + unit;
  CellForward<V> v;
  for (int k = 0; k < G; ++k) {
    v.a[k] = lanes.load(a + k * H);
    if (s.bias_a) v.a[k] = v.a[k] + lanes.load(s.bias_a + k * H + unit);
    if constexpr (C::kSplitGates) {
      v.q[k] = lanes.load(s.q + row * G * H + k * H + unit);
      if (s.bias_q) v.q[k] = v.q[k] + lanes.load(s.bias_q + k * H + unit);
    }
  }
  for (int k = 0; k < S; ++k) v.previous[k] = s.previous[k] ? lanes.load(s.previous[k] + at) : Lanes::M::constant(0);
  C::template step<typename Lanes::M, V>(v);
  if (s.save) {
    for (int k = 0; k < G; ++k) lanes.store(v.gate[k], a + k * H);
    for (int k = 0; k < C::kExtras; ++k) lanes.store(v.extra[k], s.extra[k] + at);
    for (int k = 0; k < S; ++k) {
      if (s.saved_previous[k]) lanes.store(v.previous[k], s.saved_previous[k] + at);
    }
  }
  for (int k = 0; k < S; ++k) lanes.store(v.next[k], s.next[k] + at);
  if (s.output) lanes.store(v.next[0], s.output + row * s.ld_output + unit);
}

template <class C, class Lanes, class T>
inline void backward_units(const StepBackward<T>& s, std::int64_t row, std::int64_t unit, const Lanes& lanes) {
  using V = typename Lanes::V;
  constexpr int G = static_cast<int>(C::kGates.size()), S = static_cast<int>(C::kStates.size());
  const std::int64_t H = s.hidden_size, at = row * H + unit;
  T* a = s.a + row * G * H + unit;
  CellBackward<V> v;
  for (int k = 0; k < G; ++k) v.gate[k] = lanes.load(a + k * H);
  for (int k = 0; k < C::kExtras; ++k) v.extra[k] = lanes.load(s.extra[k] + at);
  for (int k = 0; k < S; ++k) {
    v.previous[k] = s.previous[k] ? lanes.load(s.previous[k] + at) : Lanes::M::constant(0);
    v.dnext[k] = lanes.load(s.dstate[k] + at);
  }
  if (s.doutput) v.dnext[0] = v.dnext[0] + lanes.load(s.doutput + row * s.ld_output + unit);
  C::template step_backward<typename Lanes::M, V>(v);
  for (int k = 0; k < G; ++k) {
    lanes.store(v.da[k], a + k * H);
    if constexpr (C::kSplitGates) lanes.store(v.dq[k], s.dq + row * G * H + k * H + unit);
  }
  for (int k = 0; k < S; ++k) lanes.store(v.dprevious[k], s.dstate[k] + at);
}
