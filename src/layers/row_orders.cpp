#include "layers/row_orders.h"

namespace carousel {

RowOrders row_orders(Arena& arena, const SequenceLayout& layout) {
  const std::int64_t N = layout.samples(), rows = layout.rows();
  auto* lengths = arena.allocate<std::int64_t>(N);
  auto* by_sample = arena.allocate<std::int64_t>(rows);
  auto* back = arena.allocate<std::int64_t>(rows);
  std::int64_t place = 0;
  for (std::int64_t k = 0; k < N; ++k) {
    lengths[k] = layout.length(k);
    for (std::int64_t t = 0; t < lengths[k]; ++t, ++place) {
      by_sample[place] = layout.offset(t) + k;
      back[by_sample[place]] = place;
    }
  }
  const auto count = static_cast<std::size_t>(rows);
  return {{lengths, static_cast<std::size_t>(N)}, {by_sample, count}, {back, count}};
}

}  // namespace carousel
