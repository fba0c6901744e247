// registry.cpp: the list of cells, put together once, and those given as expressions, put together when first named.
#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/fail.h"
#include "cells/tables.h"

namespace carousel {
namespace {

// What a Cell borrows.
struct ExpressionCell {
  std::string name;
  CellProgram program;
  Cell cell;
};

// Cells are never taken back: others hold references to them.
const Cell& expression_cell(std::string_view name) {
  if constexpr (kExpressionShapes == 0) {
    fail(Code::kUsage, "cell '{}' is an expression: this library was built for inference only and has none", name);
  }
  static std::mutex mutex;
  static std::map<std::string_view, std::unique_ptr<ExpressionCell>> known;
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(name); found != known.end()) return found->second->cell;
  auto made = std::make_unique<ExpressionCell>();
  made->name = name;
  const std::string_view text = std::string_view(made->name).substr(kExpressionPrefix.size());
  made->program = parse_cell_program(text);
  const std::size_t shape = expression_shape(made->program);
  const SimdCell& simd = simd_expressions()[shape];
  made->cell = reference_expressions()[shape];
  made->cell.float_steps = simd.steps;
  made->cell.stream_finish = simd.stream_finish;
  made->cell.name = made->name;
  made->cell.equations = text;
  made->cell.forget_gates = made->cell.keep_gates = made->program.forget_gates;
  made->cell.program = &made->program;
  const std::string_view key = made->name;
  return known.emplace(key, std::move(made)).first->second->cell;
}

}  // namespace

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
  if (name.starts_with(kExpressionPrefix)) return expression_cell(name);
  for (const Cell& cell : all_cells()) {
    if (cell.name == name) return cell;
  }
  std::string known;
  for (const Cell& cell : all_cells()) known += (known.empty() ? "" : ", ") + std::string(cell.name);
  fail(Code::kUsage, "unknown cell '{}': known cells are {}", name, known);
}

}  // namespace carousel
