// stream_simd.cpp: one step of every cell at batch 1, compiled once per instruction set. See stream_layer.h for the
// order of the weights.
//
// Inputs are taken two by two into two sums a gate, so that a cell of four gates has eight chains of multiply-adds
// under way: what the latency of one needs to be hidden.
#include "cells/stream_simd.h"

#include "cells/stream_layer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cells/stream_simd.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h stands first: it includes this file again for every instruction set.
#include "hwy/highway.h"
#include "kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace carousel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#include "cells/rows-inl.h"

// The cells use what stands above, and this list is made from cells.def.
#include "cell_includes.inc"

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
using M = kernels::HWY_NAMESPACE::SimdMath<D>;

// Sums of products of pairs of inputs with G gates of weights; `at` walks over the weights.
template <int G>
struct FloatSums {
  V even[G], odd[G];

  HWY_INLINE FloatSums() {
    for (int g = 0; g < G; ++g) even[g] = odd[g] = hn::Zero(D());
  }
  HWY_INLINE V total(int g) const { return hn::Add(even[g], odd[g]); }
};

template <int G>
HWY_INLINE void add_f32(FloatSums<G>& sums, const float* in, std::int64_t pairs, const std::byte*& at) {
  const D d;
  const std::int64_t L = static_cast<std::int64_t>(hn::Lanes(d));
  const float* w = reinterpret_cast<const float*>(at);
  for (const float* end = in + 2 * pairs; in != end; in += 2, w += 2 * G * L) {
    const V first = hn::Set(d, in[0]), second = hn::Set(d, in[1]);
    for (int g = 0; g < G; ++g) {
      sums.even[g] = hn::MulAdd(first, hn::LoadU(d, w + 2 * g * L), sums.even[g]);
      sums.odd[g] = hn::MulAdd(second, hn::LoadU(d, w + (2 * g + 1) * L), sums.odd[g]);
    }
  }
  at = reinterpret_cast<const std::byte*>(w);
}

// The two bf16 numbers of a 32-bit lane are the upper halves of two floats.
template <int G>
HWY_INLINE void add_bf16(FloatSums<G>& sums, const float* in, std::int64_t pairs, const std::byte*& at) {
  const D d;
  const hn::RebindToUnsigned<D> du;
  const std::int64_t L = static_cast<std::int64_t>(hn::Lanes(d));
  const auto upper = hn::Set(du, 0xffff0000U);
  const std::uint32_t* w = reinterpret_cast<const std::uint32_t*>(at);
  for (const float* end = in + 2 * pairs; in != end; in += 2, w += G * L) {
    const V first = hn::Set(d, in[0]), second = hn::Set(d, in[1]);
    for (int g = 0; g < G; ++g) {
      const auto both = hn::LoadU(du, w + g * L);
      sums.even[g] = hn::MulAdd(first, hn::BitCast(d, hn::ShiftLeft<16>(both)), sums.even[g]);
      sums.odd[g] = hn::MulAdd(second, hn::BitCast(d, hn::And(both, upper)), sums.odd[g]);
    }
  }
  at = reinterpret_cast<const std::byte*>(w);
}

// The exact integer sums of one side.
#if HWY_TARGET == HWY_SCALAR
template <int G>
HWY_INLINE void sum_int8(const std::int16_t* in, std::int64_t pairs, const std::byte*& at, V (&sums)[G]) {
  std::int32_t whole[G] = {};
  const std::int8_t* w = reinterpret_cast<const std::int8_t*>(at);
  for (const std::int16_t* end = in + 2 * pairs; in != end; in += 2, w += 2 * G) {
    for (int g = 0; g < G; ++g) whole[g] += in[0] * w[2 * g] + in[1] * w[2 * g + 1];
  }
  at = reinterpret_cast<const std::byte*>(w);
  for (int g = 0; g < G; ++g) sums[g] = hn::Set(D(), static_cast<float>(whole[g]));
}
#else
template <int G>
HWY_INLINE void sum_int8(const std::int16_t* in, std::int64_t pairs, const std::byte*& at, V (&sums)[G]) {
  const hn::RebindToSigned<D> di;
  const hn::Repartition<std::int16_t, D> d16;
  const hn::Rebind<std::int8_t, decltype(d16)> d8;
  const std::int64_t L = static_cast<std::int64_t>(hn::Lanes(D()));
  hn::Vec<decltype(di)> low[G], high[G];
  for (int g = 0; g < G; ++g) low[g] = high[g] = hn::Zero(di);
  const std::int8_t* w = reinterpret_cast<const std::int8_t*>(at);
  for (const std::int16_t* end = in + 2 * pairs; in != end; in += 2, w += 2 * G * L) {
    std::int32_t both;
    __builtin_memcpy(&both, in, sizeof both);
    const auto inputs = hn::BitCast(d16, hn::Set(di, both));
    for (int g = 0; g < G; ++g) {
      const auto weights = hn::PromoteTo(d16, hn::LoadU(d8, w + 2 * g * L));
      low[g] = hn::ReorderWidenMulAccumulate(di, inputs, weights, low[g], high[g]);
    }
  }
  at = reinterpret_cast<const std::byte*>(w);
  for (int g = 0; g < G; ++g) sums[g] = hn::ConvertTo(D(), hn::RearrangeToOddPlusEven(low[g], high[g]));
}
#endif

// sums + integer sums, turned into floats by the scale of the inputs and that of each unit's weights.
template <int G>
HWY_INLINE void add_int8(V (&sums)[G], const std::int16_t* in, std::int64_t pairs, float scale, const float* scales,
                         const std::byte*& at) {
  const D d;
  V whole[G];
  sum_int8<G>(in, pairs, at, whole);
  const V input_scale = hn::Set(d, scale);
  for (int g = 0; g < G; ++g) {
    const V weight_scale = hn::LoadU(d, scales + g * static_cast<std::int64_t>(hn::Lanes(d)));
    sums[g] = hn::MulAdd(whole[g], hn::Mul(input_scale, weight_scale), sums[g]);
  }
}

// What the products give a cell: v.a (and v.q where the gates are split), biases included.
template <class C, WeightFormat kFormat>
HWY_INLINE void multiply(const StreamStep& s, const std::byte* panel, CellForward<V>& v) {
  constexpr int G = static_cast<int>(C::kGates.size());
  const D d;
  const std::int64_t L = static_cast<std::int64_t>(hn::Lanes(d));
  const float* bias = reinterpret_cast<const float*>(panel);
  const float* after_bias = bias + (C::kSplitGates ? 2 : 1) * G * L;
  if constexpr (kFormat == WeightFormat::kInt8) {
    const auto* x = static_cast<const std::int16_t*>(s.x);
    const auto* h = static_cast<const std::int16_t*>(s.h);
    V a[G], q[G];
    for (int g = 0; g < G; ++g) a[g] = hn::LoadU(d, bias + g * L);
    const std::byte* at = reinterpret_cast<const std::byte*>(after_bias + 2 * G * L);
    add_int8<G>(a, x, s.input_pairs, s.x_scale, after_bias, at);
    if constexpr (C::kSplitGates) {
      for (int g = 0; g < G; ++g) q[g] = hn::LoadU(d, bias + (G + g) * L);
      add_int8<G>(q, h, s.recurrent_pairs, s.h_scale, after_bias + G * L, at);
      for (int g = 0; g < G; ++g) v.q[g] = q[g];
    } else {
      add_int8<G>(a, h, s.recurrent_pairs, s.h_scale, after_bias + G * L, at);
    }
    for (int g = 0; g < G; ++g) v.a[g] = a[g];
  } else {
    const auto add = [](FloatSums<G>& sums, const void* in, std::int64_t pairs, const std::byte*& at) HWY_ATTR {
      if constexpr (kFormat == WeightFormat::kBf16) {
        add_bf16<G>(sums, static_cast<const float*>(in), pairs, at);
      } else {
        add_f32<G>(sums, static_cast<const float*>(in), pairs, at);
      }
    };
    const std::byte* at = reinterpret_cast<const std::byte*>(after_bias);
    FloatSums<G> sums;
    add(sums, s.x, s.input_pairs, at);
    if constexpr (C::kSplitGates) {
      FloatSums<G> recurrent;
      add(recurrent, s.h, s.recurrent_pairs, at);
      for (int g = 0; g < G; ++g) v.q[g] = hn::Add(recurrent.total(g), hn::LoadU(d, bias + (G + g) * L));
    } else {
      add(sums, s.h, s.recurrent_pairs, at);
    }
    for (int g = 0; g < G; ++g) v.a[g] = hn::Add(sums.total(g), hn::LoadU(d, bias + g * L));
  }
}

template <class C, WeightFormat kFormat>
void run_stream(const StreamStep& s) noexcept {
  constexpr int S = static_cast<int>(C::kStates.size());
  const D d;
  const std::int64_t L = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t p = 0; p < s.panels; ++p) {
    CellForward<V> v;
    multiply<C, kFormat>(s, s.weights + p * s.panel_bytes, v);
    for (int k = 0; k < S; ++k) {
      v.previous[k] = s.previous[k] ? hn::LoadU(d, s.previous[k] + p * L) : hn::Zero(d);
    }
    C::template step<M, V>(v);
    for (int k = 0; k < S; ++k) hn::StoreU(v.next[k], d, s.next[k] + p * L);
  }
}

float to_integers_with_vectors(std::span<const float> values, std::int16_t* integers) {
  constexpr float kLargest = 1023;
  const D d;
  const hn::Rebind<std::int16_t, D> d16;
  const V zero = hn::Zero(d), most = hn::Set(d, kLargest), least = hn::Set(d, -kLargest);
  const float* end = values.data() + values.size();
  V largest = zero, check = zero;  // check: 0, or NaN from a value that is not finite
  for (const float* at = values.data(); at != end; at += hn::Lanes(d)) {
    const V value = hn::LoadU(d, at);
    largest = hn::Max(largest, hn::Abs(value));
    check = hn::MulAdd(value, zero, check);
  }
  const float span = hn::GetLane(hn::MaxOfLanes(d, largest));
  const V factor = hn::Set(d, span > 0 ? kLargest / span : 0.0f);
  for (const float* at = values.data(); at != end; at += hn::Lanes(d), integers += hn::Lanes(d)) {
    const V value = hn::Min(hn::Max(hn::Mul(hn::LoadU(d, at), factor), least), most);
    hn::StoreU(hn::DemoteTo(d16, hn::NearestInt(value)), d16, integers);
  }
  return span / kLargest + hn::GetLane(hn::SumOfLanes(d, check));
}

std::span<const StreamCell> stream_table() {
#define CAROUSEL_CELL(header, Struct)                                                \
  {{run_stream<Struct, WeightFormat::kF32>, run_stream<Struct, WeightFormat::kBf16>, \
    run_stream<Struct, WeightFormat::kInt8>}},
  static const StreamCell kCells[] = {
#include "cells/cells.def"
  };
#undef CAROUSEL_CELL
  return kCells;
}

std::int64_t lanes_of_target() { return static_cast<std::int64_t>(hn::Lanes(D())); }

}  // namespace HWY_NAMESPACE
}  // namespace carousel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace carousel {

HWY_EXPORT(stream_table);
HWY_EXPORT(lanes_of_target);
HWY_EXPORT(to_integers_with_vectors);

std::span<const StreamCell> stream_cells() { return HWY_DYNAMIC_DISPATCH(stream_table)(); }
float to_integers(std::span<const float> values, std::int16_t* integers) noexcept {
  return HWY_DYNAMIC_DISPATCH(to_integers_with_vectors)(values, integers);
}
std::int64_t stream_lanes() { return HWY_DYNAMIC_DISPATCH(lanes_of_target)(); }

}  // namespace carousel
#endif
