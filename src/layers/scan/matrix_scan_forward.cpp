// matrix_scan_forward.cpp: the forward pass of a scan with a matrix memory (steps 1 and 2 of matrix_scan.h).
#include <algorithm>
#include <cmath>

#include "kernels/gemm.h"
#include "layers/scan/matrix_scan.h"

namespace carousel::detail {

template <class T>
std::int64_t MatrixItem<T>::row(std::int64_t chunk, std::int64_t step) const noexcept {
  const std::int64_t begin = op.grid.begin(chunk);
  const std::int64_t end = std::min(op.grid.begin(chunk + 1), op.layout->length(sample));
  return op.layout->offset(direction.reverse ? end - 1 - step : begin + step) + sample;
}

template <class T>
T* MatrixItem<T>::memory(std::int64_t passed) const noexcept {
  return direction.memory + (op.slot(sample, passed) * op.heads + head) * op.memory_size();
}

template <class T>
T& MatrixItem<T>::m(std::int64_t passed) const noexcept {
  return direction.m[op.slot(sample, passed) * op.heads + head];
}

template <class T>
void MatrixItem<T>::gather(std::int64_t chunk, std::int64_t first_row, MatrixChunk<T>& to) const {
  const std::int64_t H = op.hidden_size, d = op.head_size(), at = head * d;
  const T* bias = direction.weights.bias_ih ? direction.weights.bias_ih.value().data : nullptr;
  const T scale = T(1) / std::sqrt(static_cast<T>(d));
  const auto copy = [&](const T* a, std::int64_t column, T* out) {
    for (std::int64_t j = 0; j < d; ++j) out[j] = a[column + j] + (bias ? bias[column + j] : T(0));
  };
  to.steps = std::min(op.grid.begin(chunk + 1), op.layout->length(sample)) - op.grid.begin(chunk);
  for (std::int64_t t = 0; t < to.steps; ++t) {
    const std::int64_t packed = row(chunk, t);
    const T* a = direction.a + op.width() * (op.row_index.empty() ? packed - first_row
                                                                  : op.row_index[static_cast<std::size_t>(packed)]);
    copy(a, at, to.q + t * d);
    for (std::int64_t j = 0; j < d; ++j) {
      to.k[t * d + j] = a[H + at + j] * scale + (bias ? bias[H + at + j] : T(0));
    }
    copy(a, 2 * H + at, to.v + t * (d + 1));
    copy(a, 3 * H + at, to.o + t * d);
    to.i[t] = a[4 * H + head] + (bias ? bias[4 * H + head] : T(0));
    to.f[t] = a[4 * H + op.heads + head] + (bias ? bias[4 * H + op.heads + head] : T(0));
  }
}

template <class T>
void project_block(const MatrixScanOp<T>& op, MatrixDirection<T>& direction, std::int64_t block) {
  const Chunk steps = op.block(block);
  const bool folded = !op.row_index.empty();
  const std::int64_t C = op.x.shape()[1], width = op.width();
  kernels::gemm<T>({.op_b = kernels::Op::kTransposed,
                    .m = folded ? op.x.shape()[0] : steps.rows,
                    .n = width,
                    .k = C,
                    .a = op.x.value().data + (folded ? 0 : steps.first_row * C),
                    .lda = C,
                    .b = direction.weights.weight_ih.value().data,
                    .ldb = C,
                    .c = direction.a,
                    .ldc = width});
}

namespace {

// States in the first slot of every sample; h, which no step reads, goes straight to the final ones.
template <class T>
void begin_states(const MatrixScanOp<T>& op, const MatrixDirection<T>& direction) {
  const std::int64_t H = op.hidden_size, d = op.head_size();
  const auto& initial = direction.weights.initial;
  T* h = direction.final[0]->data();
  std::fill_n(h, op.layout->samples() * H, T(0));
  if (initial[0]) std::copy_n(initial[0].value().data, op.layout->samples() * H, h);
  for (std::int64_t sample = 0; sample < op.layout->samples(); ++sample) {
    for (std::int64_t head = 0; head < op.heads; ++head) {
      const MatrixItem<T> item{op, direction, sample, head};
      T* memory = item.memory(0);
      const auto fill = [&](int state, std::int64_t count, std::int64_t width, T* to) {
        std::fill_n(to, count, T(0));
        if (initial[state]) std::copy_n(item.in_state(initial[state].value().data, width), count, to);
      };
      fill(1, d * d, H * d, memory);
      fill(2, d, H, memory + d * d);
      fill(3, 1, op.heads, &item.m(0));
    }
  }
}

template <class T>
void end_states(const MatrixScanOp<T>& op, const MatrixDirection<T>& direction) {
  const std::int64_t H = op.hidden_size, d = op.head_size();
  for (std::int64_t sample = 0; sample < op.layout->samples(); ++sample) {
    const std::int64_t passed = op.grid.chunks(op.layout->length(sample));
    for (std::int64_t head = 0; head < op.heads; ++head) {
      const MatrixItem<T> item{op, direction, sample, head};
      std::copy_n(item.memory(passed), d * d, item.in_state(direction.final[1]->data(), H * d));
      std::copy_n(item.memory(passed) + d * d, d, item.in_state(direction.final[2]->data(), H));
      *item.in_state(direction.final[3]->data(), op.heads) = item.m(passed);
    }
  }
}

template <class T>
void run_item(const MatrixItem<T>& item, std::int64_t block, MatrixChunk<T>& chunk) {
  const MatrixScanOp<T>& op = item.op;
  const std::int64_t d = op.head_size(), first_row = op.block(block).first_row, ld = op.shape()[1];
  const std::int64_t column = (item.direction.reverse ? op.hidden_size : 0) + item.head * d;
  item.for_each_chunk(block, false, [&](std::int64_t index, std::int64_t passed) {
    item.gather(index, first_row, chunk);
    chunk.m = item.m(passed);
    chunk.forward(item.memory(passed), item.memory(passed + 1));
    item.m(passed + 1) = chunk.m;
    for (std::int64_t t = 0; t < chunk.steps; ++t) {
      std::copy_n(chunk.h + t * d, d, op.data() + item.row(index, t) * ld + column);
    }
    std::copy_n(chunk.h + (chunk.steps - 1) * d, d, item.in_state(item.direction.final[0]->data(), op.hidden_size));
  });
}

template <class T>
void allocate_states(MatrixScanOp<T>& op) {
  Arena& arena = op.tape->arena();
  const std::int64_t N = op.layout->samples();
  op.first_slot = arena.allocate<std::int64_t>(N);
  std::int64_t slots = 0;
  for (std::int64_t sample = 0; sample < N; ++sample) {
    op.first_slot[sample] = slots;
    slots += 1 + (op.needs_gradient ? op.grid.chunks(op.layout->length(sample)) : 0);
  }
  for (int d = 0; d < op.direction_count; ++d) {
    op.directions[d].memory = arena.allocate<T>(slots * op.heads * op.memory_size());
    op.directions[d].m = arena.allocate<T>(slots * op.heads);
  }
}

}  // namespace

template <class T>
void MatrixScanOp<T>::forward() {
  Arena& arena = this->tape->arena();
  const bool folded = !row_index.empty(), keeps_products = this->needs_gradient && (folded || blocks == 1);
  const Arena::Mark before = arena.mark();
  allocate_states(*this);
  const auto allocate_products = [&] {
    for (int d = 0; d < direction_count; ++d) {
      directions[d].a = arena.allocate<T>((folded ? x.shape()[0] : block(0).rows) * width());
    }
  };
  if (keeps_products) allocate_products();
  const Arena::Mark kept = this->needs_gradient ? arena.mark() : before;
  if (!keeps_products) allocate_products();
  const std::int64_t parts = matrix_parts(layout->samples() * direction_count * heads);
  T* workspaces = arena.allocate<T>(parts * MatrixChunk<T>::workspace_size(head_size(), false));
  for (int d = 0; d < direction_count; ++d) begin_states(*this, directions[d]);
  for (std::int64_t position = 0; position < blocks; ++position) {
    for (int d = 0; d < direction_count && (position == 0 || !folded); ++d) {
      project_block(*this, directions[d], block_at(directions[d], position));
    }
    for_each_item(*this, false, workspaces, [&](const MatrixItem<T>& item, MatrixChunk<T>& chunk) {
      run_item(item, block_at(item.direction, position), chunk);
    });
  }
  for (int d = 0; d < direction_count; ++d) end_states(*this, directions[d]);
  arena.rewind(kept);
}

#define CAROUSEL_INSTANTIATE(T)             \
  template struct MatrixItem<T>;            \
  template void MatrixScanOp<T>::forward(); \
  template void project_block(const MatrixScanOp<T>&, MatrixDirection<T>&, std::int64_t);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel::detail
