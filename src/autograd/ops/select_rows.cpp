#include "autograd/ops/select_rows.h"

#include "autograd/ops/gather_rows.h"

namespace carousel {

template <class T>
BasicVariable<T> select_rows(BasicVariable<T> x, std::span<const std::int64_t> index) {
  const std::int64_t rows = x.shape().rows();
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (index[i] < -1 || index[i] >= rows) {
      fail(Code::kUsage, "select_rows: index {} names row {} of {}", i, index[i], rows);
    }
  }
  return detail::gather_rows(x, index);
}

template BasicVariable<float> select_rows(BasicVariable<float>, std::span<const std::int64_t>);
template BasicVariable<double> select_rows(BasicVariable<double>, std::span<const std::int64_t>);

}  // namespace carousel
