#include "kernels/gemm.h"

#include <algorithm>
#include <vector>

#include "base/aligned.h"
#include "base/thread_pool.h"
#include "kernels/gemm_float.h"

namespace carousel::kernels {
namespace {

// Every block packs what it needs of A and B again, so they are few and large: one for each thread, none of less than
// kBlockFlops. No block is thinner than this; its sides are multiples of kStep.
constexpr double kBlockFlops = 2e6;
constexpr std::int64_t kBlockRows = 32, kBlockColumns = 64, kStep = 16;

// How C is cut: row_parts x column_parts blocks of rows x columns (the last ones may be smaller).
struct Blocks {
  std::int64_t row_parts = 1, column_parts = 1;
  std::int64_t rows = 0, columns = 0;
};

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Halves the longer side until the blocks are small or many enough. No bit of C depends on it.
Blocks cut(std::int64_t m, std::int64_t n, std::int64_t k) {
  const double flops = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  Blocks blocks{1, 1, m, n};
  for (std::int64_t count = 2; count < 2 * threads(); count *= 2) {
    if (flops < kBlockFlops * static_cast<double>(count)) break;
    const bool can_cut_rows = blocks.rows >= 2 * kBlockRows, can_cut_columns = blocks.columns >= 2 * kBlockColumns;
    if (!can_cut_rows && !can_cut_columns) break;
    if (can_cut_rows && (!can_cut_columns || blocks.rows >= blocks.columns)) {
      blocks.rows = divide_up(blocks.rows, 2 * kStep) * kStep;
    } else {
      blocks.columns = divide_up(blocks.columns, 2 * kStep) * kStep;
    }
  }
  blocks.row_parts = divide_up(m, blocks.rows);
  blocks.column_parts = divide_up(n, blocks.columns);
  return blocks;
}

template <class T>
const T* at(Op op, const T* matrix, std::int64_t ld, std::int64_t row, std::int64_t column) {
  return matrix + (op == Op::kPlain ? row * ld + column : column * ld + row);
}

// Belongs to the thread that asks for a product and is kept, so that the same product again allocates nothing.
float* workspace(std::int64_t floats) {
  thread_local std::vector<float, AlignedAllocator<float>> buffer;
  if (std::ssize(buffer) < floats) buffer.resize(static_cast<std::size_t>(floats));
  return buffer.data();
}

void multiply(const Gemm<float>& p, float* room) { gemm_float(p, room); }
std::int64_t room_of(const Gemm<float>& p) { return gemm_float_workspace(p); }
std::int64_t room_of(const Gemm<double>&) { return 0; }

void multiply(const Gemm<double>& p, float*) {
  scale_rows(p);
  for (std::int64_t i = 0; i < p.m; ++i) {
    double* row = p.c + i * p.ldc;
    if (p.op_b == Op::kPlain) {
      for (std::int64_t l = 0; l < p.k; ++l) {
        const double a = *at(p.op_a, p.a, p.lda, i, l);
        const double* b = p.b + l * p.ldb;
        for (std::int64_t j = 0; j < p.n; ++j) row[j] += a * b[j];
      }
      continue;
    }
    for (std::int64_t j = 0; j < p.n; ++j) {
      const double* b = p.b + j * p.ldb;
      double sum = 0;
      for (std::int64_t l = 0; l < p.k; ++l) sum += *at(p.op_a, p.a, p.lda, i, l) * b[l];
      row[j] += sum;
    }
  }
}

}  // namespace

template <class T>
void scale_rows(const Gemm<T>& p) noexcept {
  for (std::int64_t i = 0; i < p.m; ++i) {
    T* row = p.c + i * p.ldc;
    if (p.beta == T{0}) {
      std::fill(row, row + p.n, T{0});
    } else if (p.beta != T{1}) {
      for (std::int64_t j = 0; j < p.n; ++j) row[j] *= p.beta;
    }
  }
}

namespace {

// A product with sizes that may be 0, in the room that it needs.
template <class T>
void multiply_any(const Gemm<T>& product, float* room) {
  if (product.m == 0 || product.n == 0) return;
  if (product.k == 0) return scale_rows(product);
  multiply(product, room);
}

}  // namespace

template <class T>
void gemm_on_this_thread(const Gemm<T>& product) {
  multiply_any(product, workspace(room_of(product)));
}

template <class T>
void gemm_batch(std::span<const Gemm<T>> products) {
  std::int64_t room = 0;
  double flops = 0;
  for (const Gemm<T>& p : products) {
    room = std::max(room, room_of(p));
    flops += 2.0 * static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
  }
  const auto count = std::ssize(products);
  const auto worth = static_cast<std::int64_t>(std::min(flops / kBlockFlops, 1e6));
  const std::int64_t tasks = std::clamp<std::int64_t>(std::min(worth, count), 1, threads());
  float* rooms = workspace(tasks * room);
  parallel_for(tasks, [&](std::int64_t task) {
    for (std::int64_t k = task; k < count; k += tasks)
      multiply_any(products[static_cast<std::size_t>(k)], rooms + task * room);
  });
}

template <class T>
void gemm(const Gemm<T>& product) {
  if (product.m == 0 || product.n == 0) return;
  const Blocks blocks = cut(product.m, product.n, product.k);
  if (blocks.row_parts * blocks.column_parts == 1) return gemm_on_this_thread(product);
  if (product.k == 0) return scale_rows(product);
  const auto block_of = [&](std::int64_t index) {
    const std::int64_t row = index / blocks.column_parts * blocks.rows;
    const std::int64_t column = index % blocks.column_parts * blocks.columns;
    Gemm<T> block = product;
    block.m = std::min(blocks.rows, product.m - row);
    block.n = std::min(blocks.columns, product.n - column);
    block.a = at(product.op_a, product.a, product.lda, row, 0);
    block.b = at(product.op_b, product.b, product.ldb, 0, column);
    block.c = product.c + row * product.ldc + column;
    return block;
  };
  const std::int64_t count = blocks.row_parts * blocks.column_parts;
  std::int64_t room = 0;
  for (std::int64_t index = 0; index < count; ++index) room = std::max(room, room_of(block_of(index)));
  float* rooms = workspace(count * room);
  parallel_for(count, [&](std::int64_t index) { multiply(block_of(index), rooms + index * room); });
}

template void scale_rows(const Gemm<float>&) noexcept;
template void gemm_on_this_thread(const Gemm<float>&);
template void gemm_on_this_thread(const Gemm<double>&);
template void gemm_batch(std::span<const Gemm<float>>);
template void gemm_batch(std::span<const Gemm<double>>);
template void gemm(const Gemm<float>&);
template void gemm(const Gemm<double>&);

}  // namespace carousel::kernels
