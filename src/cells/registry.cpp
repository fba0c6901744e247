// registry.cpp: the list of cells, put together once.
#include <algorithm>
#include <string>
#include <vector>

#include "base/fail.h"
#include "cells/tables.h"

namespace carousel {

std::span<const Cell> all_cells() {
  static const std::vector<Cell> cells = [] {
    std::vector<Cell> list(reference_cells().begin(), reference_cells().end());
    for (std::size_t k = 0; k < list.size(); ++k) {
      const SimdCell& simd = simd_cells()[k];
      list[k].float_steps = simd.steps;
      list[k].stream_finish = simd.stream_finish;
      list[k].stream_finish_inner = simd.stream_finish_inner;
    }
    return list;
  }();
  return cells;
}

const Cell& cell_of_layer(const Cell& cell, std::int64_t layer) {
  return layer > 0 || cell.lowest_layer.empty() ? cell : find_cell(cell.lowest_layer);
}

const Cell& find_cell(std::string_view name) {
  for (const Cell& cell : all_cells()) {
    if (cell.name == name) return cell;
  }
  std::string known;
  for (const Cell& cell : all_cells()) known += (known.empty() ? "" : ", ") + std::string(cell.name);
  fail(Code::kUsage, "unknown cell '{}': known cells are {}", name, known);
}

}  // namespace carousel
