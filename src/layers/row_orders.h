// row_orders.h: packed rows, step after step, and the same rows sample after sample.
#pragma once

#include <cstdint>
#include <span>

#include "base/arena.h"
#include "layers/sequence_layout.h"

namespace carousel {

struct RowOrders {
  std::span<const std::int64_t> lengths;    // of the sorted samples
  std::span<const std::int64_t> by_sample;  // for every row, sample after sample, its packed row
  std::span<const std::int64_t> back;       // for every packed row its place sample after sample
};

// In the arena. Sample after sample in the sorted order of the layout.
RowOrders row_orders(Arena& arena, const SequenceLayout& layout);

}  // namespace carousel
