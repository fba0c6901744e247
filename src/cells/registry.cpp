// registry.cpp: the list of cells, put together once.
#include <algorithm>
#include <string>
#include <vector>

#include "base/fail.h"
#include "cells/stream_simd.h"
#include "cells/tables.h"

namespace carousel {

std::span<const Cell> all_cells() {
  static const std::vector<Cell> cells = [] {
    std::vector<Cell> list(reference_cells().begin(), reference_cells().end());
    for (std::size_t k = 0; k < list.size(); ++k) {
      list[k].step_float = simd_cells()[k].step;
      list[k].step_backward_float = simd_cells()[k].step_backward;
      std::ranges::copy(stream_cells()[k].formats, list[k].stream_step);
    }
    return list;
  }();
  return cells;
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
