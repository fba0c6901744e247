// vectors-inl.h: walks over an array one vector at a time, once per Highway target.
//
// for_each_vector(d, count, f) calls f(lanes, i) for i = 0, n, 2n ... below count, n lanes each. `lanes` loads and
// stores at any alignment and touches no element beyond count; all elements take the same road, so a value does not
// depend on where it stands. f is a lambda marked HWY_ATTR.

#if defined(CAROUSEL_KERNELS_VECTORS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CAROUSEL_KERNELS_VECTORS_INL_H
#undef CAROUSEL_KERNELS_VECTORS_INL_H
#else
#define CAROUSEL_KERNELS_VECTORS_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace carousel::kernels {
namespace HWY_NAMESPACE {

template <class D>
struct WholeVector {
  using T = hwy::HWY_NAMESPACE::TFromD<D>;
  using V = hwy::HWY_NAMESPACE::Vec<D>;
  HWY_INLINE V load(const T* p) const { return hwy::HWY_NAMESPACE::LoadU(D(), p); }
  HWY_INLINE void store(V v, T* p) const { hwy::HWY_NAMESPACE::StoreU(v, D(), p); }
  HWY_INLINE V or_else(V v, V) const { return v; }
};

template <class D>
struct PartOfVector {
  using T = hwy::HWY_NAMESPACE::TFromD<D>;
  using V = hwy::HWY_NAMESPACE::Vec<D>;
  hwy::HWY_NAMESPACE::Mask<D> mask;
  HWY_INLINE V load(const T* p) const { return hwy::HWY_NAMESPACE::MaskedLoad(mask, D(), p); }  // 0 beyond count
  HWY_INLINE void store(V v, T* p) const { hwy::HWY_NAMESPACE::BlendedStore(v, mask, D(), p); }
  // v, but `other` beyond count.
  HWY_INLINE V or_else(V v, V other) const { return hwy::HWY_NAMESPACE::IfThenElse(mask, v, other); }
};

template <class D, class F>
HWY_INLINE void for_each_vector(D d, std::int64_t count, const F& f) {
  const auto lanes = static_cast<std::int64_t>(hwy::HWY_NAMESPACE::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) f(WholeVector<D>(), i);
  if (i < count) f(PartOfVector<D>{hwy::HWY_NAMESPACE::FirstN(d, static_cast<std::size_t>(count - i))}, i);
}

}  // namespace HWY_NAMESPACE
}  // namespace carousel::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
