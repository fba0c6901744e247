// math-inl.h: exp, log, tanh, sigmoid and relu on a vector of floats, once per Highway target.
//
// Include it where HWY_TARGET_INCLUDE is set up, after hwy/foreach_target.h and hwy/highway.h. SimdMath<D> has the same
// functions as ScalarMath (scalar_math.h). exp, tanh and sigmoid are within 2 ulp of the true value for every finite
// float, log within 2 ulp for every positive one; limits at infinity are exact, NaN stays NaN, tanh(-x) = -tanh(x).
// Where the true value is below the smallest normal float (1.18e-38), exp and sigmoid give 0 and tanh gives x.
//
// The common part: y = k ln 2 + r with k an integer and |r| <= ln(2) / 2, so exp(y) = 2^k (1 + s) with
//   s = exp(r) - 1 = r + r^2 q(r),   q of degree 4, fitted to the least largest error of r^2 q(r) / exp(r): 3.3e-9
// ln 2 is split in two (Cody and Waite 1980): k kLn2High is exact even without fused multiply-add.

#if defined(CAROUSEL_KERNELS_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CAROUSEL_KERNELS_MATH_INL_H
#undef CAROUSEL_KERNELS_MATH_INL_H
#else
#define CAROUSEL_KERNELS_MATH_INL_H
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace carousel::kernels {
namespace HWY_NAMESPACE {

template <class D>
struct SimdMath {
  using V = hwy::HWY_NAMESPACE::Vec<D>;

  static HWY_INLINE V constant(float value) { return hwy::HWY_NAMESPACE::Set(D(), value); }

  static HWY_INLINE V exp(V x) {
    namespace hn = hwy::HWY_NAMESPACE;
    const Parts parts = split(x);
    // 2^k by adding k to the exponent of 1 + s, which for k = 128 is below 1: no overflow on the way.
    const V value = hn::BitCast(D(), hn::Add(hn::BitCast(DI(), hn::Add(parts.s, constant(1.0f))), parts.k));
    const V infinity = hn::BitCast(D(), hn::Set(DI(), kInfinityBits));
    const V finite = hn::IfThenElse(hn::Le(x, constant(kExpHigh)), value, hn::Add(x, infinity));  // NaN comes here too
    return hn::IfThenZeroElse(hn::Lt(x, constant(kExpLow)), finite);
  }

  // 1 / (1 + exp(-x)) = 1 / ((1 + 2^k) + 2^k s), where the sum 1 + 2^k and what its rounding lost are both kept.
  static HWY_INLINE V sigmoid(V x) {
    namespace hn = hwy::HWY_NAMESPACE;
    const V one = constant(1.0f);
    const Parts parts = split(hn::IfThenElse(hn::Gt(x, constant(40.0f)), constant(-40.0f), hn::Neg(x)));
    const V scale = power_of_two<0>(parts.k), sum = hn::Add(scale, one), lost = hn::Sub(one, hn::Sub(sum, scale));
    const V value = hn::Div(one, hn::Add(hn::MulAdd(scale, parts.s, lost), sum));
    return hn::IfThenZeroElse(hn::Lt(x, constant(kExpLow)), value);
  }

  // With h = (exp(2 |x|) - 1) / 2 = (2^k - 1) / 2 + 2^(k-1) s, free of cancellation: tanh |x| = h / (1 + h)
  //   = m - m (m / (1 + h)) with m = min(h, 1), where the rounding of 1 + h and of the division weighs little.
  static HWY_INLINE V tanh(V x) {
    namespace hn = hwy::HWY_NAMESPACE;
    const V size = hn::Abs(x), twice = hn::Add(size, size), one = constant(1.0f);
    const Parts parts = split(hn::IfThenElse(hn::Gt(size, constant(10.0f)), constant(20.0f), twice));
    const V scale = power_of_two<-1>(parts.k);
    const V h = hn::MulAdd(scale, parts.s, hn::Sub(scale, constant(0.5f))), m = hn::Min(one, h);
    return hn::CopySignToAbs(hn::NegMulAdd(m, hn::Div(m, hn::Add(one, h)), m), x);
  }

  static HWY_INLINE V relu(V x) {
    namespace hn = hwy::HWY_NAMESPACE;
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(D())), x);
  }

  // value where x > 0, else 0: the derivative of relu times value.
  static HWY_INLINE V where_positive(V x, V value) {
    namespace hn = hwy::HWY_NAMESPACE;
    return hn::IfThenElseZero(hn::Gt(x, hn::Zero(D())), value);
  }

  // x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)):  log x = k ln 2 + f - f^2 / 2 + f^3 p(f)
  static HWY_INLINE V log(V x) {
    namespace hn = hwy::HWY_NAMESPACE;
    const DI di;
    const auto tiny = hn::Lt(x, constant(1.17549435e-38f));  // denormal, or not positive
    const V normal = hn::IfThenElse(tiny, hn::Mul(x, constant(8388608.0f)), x);
    // Subtracting the bits of sqrt(1/2) leaves k in the exponent field, sign and all.
    const auto bits = hn::BitCast(di, normal), root_half = hn::Set(di, 0x3f3504f3);
    const auto k = hn::ShiftRight<23>(hn::Sub(bits, root_half));
    const V f = hn::Sub(hn::BitCast(D(), hn::Sub(bits, hn::ShiftLeft<23>(k))), constant(1.0f));
    const V exponent = hn::Sub(hn::ConvertTo(D(), k), hn::IfThenElseZero(tiny, constant(23.0f)));
    V p = constant(-0.0766910017f);
    p = hn::MulAdd(p, f, constant(0.127653271f));
    p = hn::MulAdd(p, f, constant(-0.131549433f));
    p = hn::MulAdd(p, f, constant(0.142012864f));
    p = hn::MulAdd(p, f, constant(-0.166233972f));
    p = hn::MulAdd(p, f, constant(0.20001255f));
    p = hn::MulAdd(p, f, constant(-0.250008225f));
    p = hn::MulAdd(p, f, constant(0.333333313f));
    const V square = hn::Mul(f, f);
    const V low =
        hn::MulAdd(hn::Mul(square, f), p, hn::MulAdd(square, constant(-0.5f), hn::Mul(exponent, constant(kLn2Low))));
    V value = hn::MulAdd(exponent, constant(kLn2High), hn::Add(f, low));
    value = hn::IfThenElse(hn::Eq(x, hn::BitCast(D(), hn::Set(di, kInfinityBits))), x, value);
    value = hn::IfThenElse(hn::Eq(x, hn::Zero(D())), hn::BitCast(D(), hn::Set(di, -0x00800000)), value);
    return hn::IfThenElse(hn::Ge(x, hn::Zero(D())), value, hn::BitCast(D(), hn::Set(di, 0x7fc00000)));
  }

 private:
  using DI = hwy::HWY_NAMESPACE::RebindToSigned<D>;
  using VI = hwy::HWY_NAMESPACE::Vec<DI>;

  static constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  static constexpr float kExpHigh = 88.7228317f;  // the largest float whose exp is finite
  static constexpr float kExpLow = -87.3365402f;  // the smallest float whose exp is normal

  static constexpr int kInfinityBits = 0x7f800000;

  struct Parts {
    VI k;  // the integer, moved to the exponent field
    V s;   // exp(r) - 1
  };

  static HWY_INLINE Parts split(V y) {
    namespace hn = hwy::HWY_NAMESPACE;
    // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
    const V magic = constant(12582912.0f);
    const V shifted = hn::MulAdd(y, constant(1.44269504f), magic), k = hn::Sub(shifted, magic);
    const V r = hn::NegMulAdd(k, constant(kLn2Low), hn::NegMulAdd(k, constant(kLn2High), y));
    V q = constant(0.00138383231f);
    q = hn::MulAdd(q, r, constant(0.00836916547f));
    q = hn::MulAdd(q, r, constant(0.0416681021f));
    q = hn::MulAdd(q, r, constant(0.166665167f));
    q = hn::MulAdd(q, r, constant(0.49999994f));
    return {hn::ShiftLeft<23>(hn::BitCast(DI(), shifted)), hn::MulAdd(hn::Mul(r, r), q, r)};
  }

  // 2^(k + kMore)
  template <int kMore>
  static HWY_INLINE V power_of_two(VI k) {
    namespace hn = hwy::HWY_NAMESPACE;
    return hn::BitCast(D(), hn::Add(k, hn::Set(DI(), (127 + kMore) << 23)));
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace carousel::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
