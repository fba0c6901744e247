// matrix_scan_backward.cpp: the backward pass of a scan with a matrix memory (steps 3 and 4 of matrix_scan.h).
#include <algorithm>
#include <cmath>

#include "kernels/gemm.h"
#include "kernels/reduce.h"
#include "layers/scan/matrix_scan.h"

namespace carousel::detail {
namespace {

template <class T>
struct MatrixTargets {
  GradientTarget<T> weight_ih, bias_ih, x, initial[4];
};

template <class T>
MatrixTargets<T> claim_matrix_targets(const MatrixScanOp<T>& op, const MatrixDirection<T>& direction) {
  const auto claim = [](const BasicVariable<T>& variable) {
    return variable ? variable.node()->claim_gradient() : GradientTarget<T>{nullptr, T(0)};
  };
  const ScanWeights<T>& w = direction.weights;
  MatrixTargets<T> targets{claim(w.weight_ih), claim(w.bias_ih), claim(op.x), {}};
  for (int k = 0; k < 4; ++k) targets.initial[k] = claim(w.initial[k]);
  // The directions meet a row of x in different blocks, so neither can be the first to write all of them.
  if (targets.x && targets.x.beta == T(0) && op.direction_count == 2 && op.blocks > 1) {
    std::fill_n(targets.x.data, op.x.value().elements(), T(0));
    targets.x.beta = T(1);
  }
  return targets;
}

// The gradients of the final states.
template <class T>
void begin_gradients(const MatrixItem<T>& item) {
  const MatrixScanOp<T>& op = item.op;
  const MatrixDirection<T>& direction = item.direction;
  const std::int64_t H = op.hidden_size, d = op.head_size(), at = item.sample * op.heads + item.head;
  const std::int64_t passed = op.grid.chunks(op.layout->length(item.sample));
  T *dmemory = direction.dmemory + at * op.memory_size(), *dfinal[4];
  for (int k = 0; k < 4; ++k) dfinal[k] = direction.final[k]->gradient;
  std::fill_n(dmemory, op.memory_size(), T(0));
  if (dfinal[1]) std::copy_n(item.in_state(dfinal[1], H * d), d * d, dmemory);
  if (dfinal[2]) std::copy_n(item.in_state(dfinal[2], H), d, dmemory + d * d);
  T mass = 0;
  const T* memory = item.memory(passed);
  for (std::int64_t j = 0; (dfinal[1] || dfinal[2]) && j < op.memory_size(); ++j) mass += dmemory[j] * memory[j];
  direction.mass[at] = mass;
  direction.dm[at] = dfinal[3] ? *item.in_state(dfinal[3], op.heads) : T(0);
}

// Between two chunks of truncated back-propagation no gradient of the state passes; an initial state still gets its
// own.
template <class T>
bool cuts_gradient(const MatrixItem<T>& item, std::int64_t chunk) {
  if (!item.direction.reverse) return item.op.grid.cut_before(chunk);
  const std::int64_t after = chunk + 1;
  return after < item.op.grid.chunks(item.op.layout->length(item.sample)) && item.op.grid.cut_before(after);
}

// The gradient of h, as the output and as the final state of the last step.
template <class T>
void gather_output_gradient(const MatrixItem<T>& item, std::int64_t index, bool last, MatrixChunk<T>& chunk) {
  const MatrixScanOp<T>& op = item.op;
  const std::int64_t d = op.head_size(), ld = op.shape()[1];
  const std::int64_t column = (item.direction.reverse ? op.hidden_size : 0) + item.head * d;
  std::fill_n(chunk.h, chunk.steps * d, T(0));
  for (std::int64_t t = 0; op.gradient && t < chunk.steps; ++t) {
    std::copy_n(op.gradient + item.row(index, t) * ld + column, d, chunk.h + t * d);
  }
  T* dfinal = item.direction.final[0]->gradient;
  if (!last || !dfinal) return;
  const T* own = item.in_state(dfinal, op.hidden_size);
  for (std::int64_t j = 0; j < d; ++j) chunk.h[(chunk.steps - 1) * d + j] += own[j];
}

template <class T>
void scatter_gradients(const MatrixItem<T>& item, std::int64_t index, std::int64_t first_row,
                       const MatrixChunk<T>& chunk) {
  const MatrixScanOp<T>& op = item.op;
  const std::int64_t H = op.hidden_size, d = op.head_size(), at = item.head * d;
  for (std::int64_t t = 0; t < chunk.steps; ++t) {
    T* da = item.direction.da + (item.row(index, t) - first_row) * op.width();
    std::copy_n(chunk.q + t * d, d, da + at);
    std::copy_n(chunk.k + t * d, d, da + H + at);
    std::copy_n(chunk.v + t * (d + 1), d, da + 2 * H + at);
    std::copy_n(chunk.o + t * d, d, da + 3 * H + at);
    da[4 * H + item.head] = chunk.i[t];
    da[4 * H + op.heads + item.head] = chunk.f[t];
  }
}

template <class T>
void run_item_back(const MatrixItem<T>& item, std::int64_t block, MatrixChunk<T>& chunk) {
  const MatrixScanOp<T>& op = item.op;
  const MatrixDirection<T>& direction = item.direction;
  const std::int64_t at = item.sample * op.heads + item.head, first_row = op.block(block).first_row;
  const std::int64_t count = op.grid.chunks(op.layout->length(item.sample));
  MatrixGradient<T> gradient{direction.dmemory + at * op.memory_size(), direction.mass[at], direction.dm[at]};
  item.for_each_chunk(block, true, [&](std::int64_t index, std::int64_t passed) {
    item.gather(index, first_row, chunk);
    gather_output_gradient(item, index, passed + 1 == count, chunk);
    chunk.m = item.m(passed);
    chunk.backward(item.memory(passed), gradient);
    scatter_gradients(item, index, first_row, chunk);
    if (!cuts_gradient(item, index)) return;
    std::fill_n(gradient.memory, op.memory_size(), T(0));
    gradient.mass = gradient.m = 0;
  });
  direction.mass[at] = gradient.mass;
  direction.dm[at] = gradient.m;
}

// Adds the rows of the block's da that share a row of x. Each task owns a block of columns and goes through the rows in
// order, so the sums have one order.
template <class T>
void add_by_index(const MatrixScanOp<T>& op, const Chunk& rows, const T* da, T* table) {
  constexpr std::int64_t kColumns = 64;
  parallel_for((op.width() + kColumns - 1) / kColumns, [&](std::int64_t part) {
    const std::int64_t begin = part * kColumns, end = std::min(op.width(), begin + kColumns);
    for (std::int64_t r = 0; r < rows.rows; ++r) {
      T* to = table + op.row_index[static_cast<std::size_t>(rows.first_row + r)] * op.width();
      for (std::int64_t j = begin; j < end; ++j) to[j] += da[r * op.width() + j];
    }
  });
}

// dW_ih and dx from the gradient da [rows, W] of the products of x's rows from `first` on.
template <class T>
void product_gradients(const MatrixScanOp<T>& op, const MatrixDirection<T>& direction, MatrixTargets<T>& targets,
                       const Chunk& rows, const T* da) {
  const std::int64_t C = op.x.shape()[1], width = op.width();
  if (targets.weight_ih) {
    kernels::gemm<T>({.op_a = kernels::Op::kTransposed,
                      .m = width,
                      .n = C,
                      .k = rows.rows,
                      .a = da,
                      .lda = width,
                      .b = op.x.value().data + rows.first_row * C,
                      .ldb = C,
                      .beta = targets.weight_ih.beta,
                      .c = targets.weight_ih.data,
                      .ldc = C});
    targets.weight_ih.beta = T(1);
  }
  if (!targets.x) return;
  kernels::gemm<T>({.m = rows.rows,
                    .n = C,
                    .k = width,
                    .a = da,
                    .lda = width,
                    .b = direction.weights.weight_ih.value().data,
                    .ldb = C,
                    .beta = targets.x.beta,
                    .c = targets.x.data + rows.first_row * C,
                    .ldc = C});
}

// What a block adds to the gradients of weights, bias and x. table [distinct, W]: only with row_index.
template <class T>
void block_gradients(const MatrixScanOp<T>& op, const MatrixDirection<T>& direction, MatrixTargets<T>& targets,
                     const Chunk& rows, T* table) {
  const std::int64_t H = op.hidden_size, width = op.width();
  T* da = direction.da;
  if (targets.bias_ih) {
    kernels::column_sums<T>(rows.rows, width, da, width, targets.bias_ih.beta, targets.bias_ih.data);
    targets.bias_ih.beta = T(1);
  }
  const T scale = T(1) / std::sqrt(static_cast<T>(op.head_size()));  // of W x in k, which the bias has not
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    for (std::int64_t j = H; j < 2 * H; ++j) da[r * width + j] *= scale;
  }
  if (table) return add_by_index(op, rows, da, table);
  product_gradients(op, direction, targets, rows, da);
}

template <class T>
void initial_gradients(const MatrixScanOp<T>& op, const MatrixDirection<T>& direction,
                       const MatrixTargets<T>& targets) {
  const std::int64_t H = op.hidden_size, d = op.head_size();
  for (std::int64_t sample = 0; sample < op.layout->samples(); ++sample) {
    for (std::int64_t head = 0; head < op.heads; ++head) {
      const MatrixItem<T> item{op, direction, sample, head};
      const std::int64_t at = sample * op.heads + head;
      const auto send = [&](int state, std::int64_t count, std::int64_t width, const T* from) {
        const GradientTarget<T>& target = targets.initial[state];
        if (!target) return;
        T* to = item.in_state(target.data, width);
        for (std::int64_t j = 0; j < count; ++j) {
          to[j] = (target.beta == T(0) ? T(0) : to[j]) + (from ? from[j] : T(0));
        }
      };
      T* dfinal = direction.final[0]->gradient;  // an initial h counts only where there is no step
      const bool passes = dfinal && op.layout->length(sample) == 0;
      const T* dmemory = direction.dmemory + at * op.memory_size();
      send(0, d, H, passes ? item.in_state(dfinal, H) : nullptr);
      send(1, d * d, H * d, dmemory);
      send(2, d, H, dmemory + d * d);
      send(3, 1, op.heads, direction.dm + at);
    }
  }
}

template <class T>
void allocate_gradients(MatrixScanOp<T>& op, MatrixDirection<T>& direction) {
  Arena& arena = op.tape->arena();
  const std::int64_t items = op.layout->samples() * op.heads;
  if (op.row_index.empty()) {
    if (op.blocks > 1) direction.a = arena.allocate<T>(op.block(0).rows * op.width());
    direction.da = direction.a;
  } else {
    direction.da = arena.allocate<T>(op.block(0).rows * op.width());
  }
  direction.dmemory = arena.allocate<T>(items * op.memory_size());
  direction.mass = arena.allocate<T>(items);
  direction.dm = arena.allocate<T>(items);
  for (std::int64_t k = 0; k < items; ++k) {
    begin_gradients(MatrixItem<T>{op, direction, k / op.heads, k % op.heads});
  }
}

}  // namespace

template <class T>
bool MatrixScanOp<T>::reached() const noexcept {
  bool any = this->gradient != nullptr;
  for (int d = 0; d < direction_count; ++d) {
    for (const auto* final : directions[d].final) any = any || final->gradient;
  }
  return any;
}

template <class T>
void MatrixScanOp<T>::backward() {
  MatrixTargets<T> targets[2];
  T* tables[2] = {};
  for (int d = 0; d < direction_count; ++d) targets[d] = claim_matrix_targets(*this, directions[d]);
  Arena& arena = this->tape->arena();
  const Arena::Mark mark = arena.mark();  // all that follows is needed here only
  const bool folded = !row_index.empty();
  for (int d = 0; d < direction_count; ++d) {
    allocate_gradients(*this, directions[d]);
    if (!folded) continue;
    tables[d] = arena.allocate<T>(x.shape()[0] * width());
    std::fill_n(tables[d], x.shape()[0] * width(), T(0));
  }
  const std::int64_t parts = matrix_parts(layout->samples() * direction_count * heads);
  T* workspaces = arena.allocate<T>(parts * MatrixChunk<T>::workspace_size(head_size(), true));
  for (std::int64_t position = blocks - 1; position >= 0; --position) {
    for (int d = 0; d < direction_count && !folded && blocks > 1; ++d) {
      project_block(*this, directions[d], block_at(directions[d], position));
    }
    for_each_item(*this, true, workspaces, [&](const MatrixItem<T>& item, MatrixChunk<T>& chunk) {
      run_item_back(item, block_at(item.direction, position), chunk);
    });
    for (int d = 0; d < direction_count; ++d) {
      block_gradients(*this, directions[d], targets[d], block(block_at(directions[d], position)), tables[d]);
    }
  }
  for (int d = 0; d < direction_count; ++d) {
    if (folded) product_gradients<T>(*this, directions[d], targets[d], {0, 0, 0, x.shape()[0]}, tables[d]);
    initial_gradients(*this, directions[d], targets[d]);
  }
  arena.rewind(mark);
}

#define CAROUSEL_INSTANTIATE(T)                            \
  template bool MatrixScanOp<T>::reached() const noexcept; \
  template void MatrixScanOp<T>::backward();
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel::detail
