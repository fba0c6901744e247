// stream_int8-inl.h: what a step in int8 does otherwise: inputs rounded to integers, and exact sums of their products.
//
// Included by stream_simd.cpp inside its namespace, once per instruction set, after D, V and TileInput: no include
// guard.

// values = scale integers, |integer| <= 1023; returns the scale, which is NaN if a value is not finite.
HWY_INLINE float to_integers(const float* values, std::int64_t size, std::int16_t* integers) {
  constexpr float kLargest = 1023;
  const D d;
  const hn::Rebind<std::int16_t, D> d16;
  const V zero = hn::Zero(d), most = hn::Set(d, kLargest), least = hn::Set(d, -kLargest);
  V largest = zero, check = zero;  // check: 0, or NaN from a value that is not finite
  kernels::HWY_NAMESPACE::for_each_vector(d, size, [&](const auto& lanes, std::int64_t k) HWY_ATTR {
    const V value = lanes.load(values + k);
    largest = hn::Max(largest, hn::Abs(value));
    check = hn::MulAdd(value, zero, check);
  });
  const V span = hn::MaxOfLanes(d, largest);
  const V factor = hn::IfThenElseZero(hn::Gt(span, zero), hn::Div(most, span));  // no branch: data decides nothing
  kernels::HWY_NAMESPACE::for_each_vector(d, size, [&](const auto& lanes, std::int64_t k) HWY_ATTR {
    const V value = hn::Min(hn::Max(hn::Mul(lanes.load(values + k), factor), least), most);
    hn::StoreU(hn::DemoteTo(d16, hn::NearestInt(value)), d16, integers + k);
  });
  integers[size] = 0;  // the second of the last pair, where the size is odd
  return hn::GetLane(span) / kLargest + hn::GetLane(hn::SumOfLanes(d, check));
}

HWY_INLINE void round_rows(const float* const* rows, int count, std::int64_t size, const StreamIntegers& to) {
  for (int r = 0; r < count; ++r) to.scales[r] = to_integers(rows[r], size, to.values + r * to.stride);
}

// The exact integer sums of one side, as floats. in.size is even; the weights of the next pair stand `bytes` on.
#if HWY_TARGET == HWY_SCALAR
template <int R, int N>
HWY_INLINE void sum_int8(const TileInput<std::int16_t, R>& in, const std::byte* weights, std::int64_t bytes,
                         V (&sums)[R][N]) {
  std::int32_t whole[R][N] = {};
  const std::int8_t* w = reinterpret_cast<const std::int8_t*>(weights);
  for (std::int64_t k = 0; k < in.size; k += 2, w += bytes) {
    for (int r = 0; r < R; ++r) {
      const std::int16_t* x = in.rows[r] + k;
      for (int g = 0; g < N; ++g) whole[r][g] += x[0] * w[2 * g] + x[1] * w[2 * g + 1];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int g = 0; g < N; ++g) sums[r][g] = hn::Set(D(), static_cast<float>(whole[r][g]));
  }
}
#else
using D16 = hn::Repartition<std::int16_t, D>;
using DI = hn::RebindToSigned<D>;
using VI = hn::Vec<DI>;

// sum + a b added up by pairs of lanes. Where that takes two vectors of sums, `other` is the second one.
HWY_INLINE VI add_pairs(hn::Vec<D16> a, hn::Vec<D16> b, VI sum, VI& other) {
#if HWY_TARGET == HWY_AVX3_DL
  (void)other;
  asm("vpdpwssd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
  return sum;
#else
  return hn::ReorderWidenMulAccumulate(DI(), a, b, sum, other);
#endif
}

// Sums of R rows with N gates, kChains for each: pair k of the inputs goes to sum k % kChains. VNNI's instruction takes
// four or five cycles, so there must be as many sums as it takes to have one start in every cycle.
template <int R, int N>
struct IntegerSums {
#if HWY_TARGET == HWY_AVX3_DL
  static constexpr int kChains = R * N <= 2 ? 4 : R * N <= 6 ? 2 : 1;
#else
  static constexpr int kChains = 1;
#endif
  VI low[R][N][kChains], high[R][N][kChains];
};

// kCount pairs of inputs from `k` on, one to each of the first kCount chains.
template <int kCount, int R, int N>
HWY_INLINE void add_int8(const TileInput<std::int16_t, R>& in, std::int64_t k, const std::int8_t* weights,
                         std::int64_t bytes, IntegerSums<R, N>& sums) {
  const hn::Rebind<std::int8_t, D16> d8;
  const std::int64_t L = static_cast<std::int64_t>(hn::Lanes(D()));
  for (int c = 0; c < kCount; ++c, k += 2, weights += bytes) {
    hn::Vec<D16> column[N];
    for (int g = 0; g < N; ++g) column[g] = hn::PromoteTo(D16(), hn::LoadU(d8, weights + 2 * g * L));
    for (int r = 0; r < R; ++r) {
      std::int32_t both;
      __builtin_memcpy(&both, in.rows[r] + k, sizeof both);
      const auto inputs = hn::BitCast(D16(), hn::Set(DI(), both));
      for (int g = 0; g < N; ++g) {
        sums.low[r][g][c] = add_pairs(inputs, column[g], sums.low[r][g][c], sums.high[r][g][c]);
      }
    }
  }
}

template <int R, int N>
HWY_INLINE void sum_int8(const TileInput<std::int16_t, R>& in, const std::byte* weights, std::int64_t bytes,
                         V (&total)[R][N]) {
  using Sums = IntegerSums<R, N>;
  Sums sums;
  for (int r = 0; r < R; ++r) {
    for (int g = 0; g < N; ++g) {
      for (int c = 0; c < Sums::kChains; ++c) sums.low[r][g][c] = sums.high[r][g][c] = hn::Zero(DI());
    }
  }
  const std::int8_t* w = reinterpret_cast<const std::int8_t*>(weights);
  std::int64_t k = 0;
  for (; k + 2 * Sums::kChains <= in.size; k += 2 * Sums::kChains, w += Sums::kChains * bytes) {
    add_int8<Sums::kChains>(in, k, w, bytes, sums);
  }
  for (; k < in.size; k += 2, w += bytes) add_int8<1>(in, k, w, bytes, sums);
  for (int r = 0; r < R; ++r) {
    for (int g = 0; g < N; ++g) {
      VI whole = hn::RearrangeToOddPlusEven(sums.low[r][g][0], sums.high[r][g][0]);
      for (int c = 1; c < Sums::kChains; ++c) whole = hn::Add(whole, sums.low[r][g][c]);
      total[r][g] = hn::ConvertTo(D(), whole);
    }
  }
}
#endif
