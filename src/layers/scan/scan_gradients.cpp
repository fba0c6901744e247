// scan_gradients.cpp: from the gradients of all steps to those of weights, biases, inputs and states (step 4 of
// scan.h).
#include <algorithm>

#include "base/thread_pool.h"
#include "kernels/gemm.h"
#include "kernels/reduce.h"
#include "layers/scan/scan_backward.h"

namespace carousel::detail {
namespace {

using kernels::Op;

// Columns first .. first + columns - 1 of a matrix [rows, row length].
template <class T>
struct Columns {
  const T* data;
  std::int64_t columns, ld;
};

// dW [left columns, right columns] at row `first` of the target = left^T right; further chunks add to it.
template <class T>
void weight_gradient(const GradientTarget<T>& target, std::int64_t first, std::int64_t rows, const Columns<T>& left,
                     const Columns<T>& right) {
  if (!target) return;
  kernels::gemm<T>({.op_a = Op::kTransposed,
                    .m = left.columns,
                    .n = right.columns,
                    .k = rows,
                    .a = left.data,
                    .lda = left.ld,
                    .b = right.data,
                    .ldb = right.ld,
                    .beta = target.beta,
                    .c = target.data + first * right.columns,
                    .ldc = right.columns});
}

template <class T>
void bias_gradient(GradientTarget<T>& target, std::int64_t rows, const Columns<T>& gradient) {
  if (!target) return;
  kernels::column_sums<T>(rows, gradient.columns, gradient.data, gradient.ld, target.beta, target.data);
  target.beta = T(1);
}

// Adds the rows of the chunk's da [rows, width] that share a row of x. Each task owns a block of columns and goes
// through the rows in order, so the sums have one order.
template <class T>
void gather_by_index(const BackwardLoop<T>& loop, const Chunk& chunk) {
  const std::int64_t width = loop.op->gate_width();
  constexpr std::int64_t kBlock = 64;
  parallel_for((width + kBlock - 1) / kBlock, [&](std::int64_t block) {
    const std::int64_t begin = block * kBlock, end = std::min(width, begin + kBlock);
    for (std::int64_t r = 0; r < chunk.rows; ++r) {
      T* to = loop.dtable + loop.op->row_index[static_cast<std::size_t>(chunk.first_row + r)] * width;
      const T* from = loop.direction->a + r * width;
      for (std::int64_t j = begin; j < end; ++j) to[j] += from[j];
    }
  });
}

// dW_ih and dx from the gradient da [rows, G H] of the products of x's rows from `first` on.
template <class T>
void input_gradients(ScanOp<T>& op, ScanDirection<T>& direction, ScanTargets<T>& targets, const Chunk& rows,
                     const T* da) {
  const BasicVariable<T>& weight = direction.weights.weight_ih;
  const std::int64_t width = op.gate_width(), C = op.x.shape()[1];
  weight_gradient<T>(targets.weight_ih, 0, rows.rows, {da, width, width},
                     {op.x.value().data + rows.first_row * C, C, C});
  targets.weight_ih.beta = T(1);
  if (!targets.x) return;
  kernels::gemm<T>({.m = rows.rows,
                    .n = C,
                    .k = width,
                    .a = da,
                    .lda = width,
                    .b = weight.value().data,
                    .ldb = C,
                    .beta = targets.x.beta,
                    .c = targets.x.data + rows.first_row * C,
                    .ldc = C});
}

// Of W_hh: the rows of the first gates with what entered their product, those of the inner gates with theirs.
template <class T>
void recurrent_gradients(const BackwardLoop<T>& loop, GradientTarget<T>& target, std::int64_t rows) {
  const ScanOp<T>& op = *loop.op;
  const ScanDirection<T>& direction = *loop.direction;
  const std::int64_t width = op.gate_width(), Q = op.recurrent_size(), H = op.hidden_size;
  const T* d = loop.dproduct();
  const std::int64_t first = op.first_width(), inner = op.inner_width();
  if (first > 0) weight_gradient<T>(target, 0, rows, {d, first, width}, {direction.recurrent_input, Q, Q});
  if (inner > 0) weight_gradient<T>(target, first, rows, {d + first, inner, width}, {direction.inner, H, H});
  target.beta = T(1);
}

}  // namespace

template <class T>
ScanTargets<T> claim_targets(ScanOp<T>& op, ScanDirection<T>& direction) {
  const auto claim = [](const BasicVariable<T>& variable) {
    return variable ? variable.node()->claim_gradient() : GradientTarget<T>{nullptr, T(0)};
  };
  const ScanWeights<T>& w = direction.weights;
  ScanTargets<T> targets{.weight_ih = claim(w.weight_ih),
                         .weight_hh = claim(w.weight_hh),
                         .weight_hr = claim(w.weight_hr),
                         .weight_ph = claim(w.weight_ph),
                         .bias_ih = claim(w.bias_ih),
                         .bias_hh = claim(w.bias_hh),
                         .bias_hr = claim(w.bias_hr),
                         .x = direction.first ? claim(op.x) : GradientTarget<T>{nullptr, T(0)},
                         .initial = {}};
  for (int k = 0; k < op.cell->state_count(); ++k) targets.initial[k] = claim(w.initial[k]);
  // The directions meet a row of x in different chunks, so neither can be the first to write all of them.
  if (targets.x && targets.x.beta == T(0) && op.direction_count == 2 && op.chunks > 1) {
    std::fill_n(targets.x.data, op.x.value().elements(), T(0));
    targets.x.beta = T(1);
  }
  return targets;
}

template <class T>
T* claim_lower(ScanOp<T>& op) {
  if (!op.cell->lower) return nullptr;
  const GradientTarget<T> target = op.lower.node()->claim_gradient();
  if (target && target.beta == T(0)) std::fill_n(target.data, op.lower.value().elements(), T(0));
  return target.data;
}

template <class T>
void chunk_gradients(const BackwardLoop<T>& loop, ScanTargets<T>& targets, const Chunk& chunk) {
  ScanOp<T>& op = *loop.op;
  ScanDirection<T>& direction = *loop.direction;
  const std::int64_t R = chunk.rows, width = op.gate_width(), P = op.output_size, H = op.hidden_size;
  const T* da = direction.a;
  recurrent_gradients(loop, targets.weight_hh, R);
  if (op.projected) {
    weight_gradient<T>(targets.weight_hr, 0, R, {loop.doutput, P, P}, {direction.unprojected, H, H});
    targets.weight_hr.beta = T(1);
    bias_gradient<T>(targets.bias_hr, R, {loop.doutput, P, P});
  }
  if (!op.cell->normalised) {
    bias_gradient<T>(targets.bias_ih, R, {da, width, width});
    bias_gradient<T>(targets.bias_hh, R, {loop.dproduct(), op.first_width() + op.inner_width(), width});
  }
  if (loop.dtable) {
    gather_by_index(loop, chunk);
  } else if (direction.first) {
    input_gradients(op, direction, targets, chunk, da);
  }
}

template <class T>
void finish_gradients(const BackwardLoop<T>& loop, ScanTargets<T>& targets) {
  ScanOp<T>& op = *loop.op;
  if (loop.dtable) {
    const T* da = loop.dtable;
    input_gradients(op, *loop.direction, targets, {0, 0, 0, op.x.shape()[0]}, da);
  }
  if (loop.dunit_weights) {
    const std::int64_t N = op.layout->samples(), H = op.hidden_size, width = op.cell->unit_weight_count() * H;
    const std::int64_t biases = op.gate_width(), ld = op.cell->unit_gradient_count() * H;
    bias_gradient<T>(targets.weight_ph, N, {loop.dunit_weights, width, ld});
    if (op.cell->normalised) {
      bias_gradient<T>(targets.bias_ih, N, {loop.dunit_weights + width, biases, ld});
      bias_gradient<T>(targets.bias_hh, N, {loop.dunit_weights + width + biases, biases, ld});
    }
  }
  for (int k = 0; k < op.cell->state_count(); ++k) {
    const GradientTarget<T>& target = targets.initial[k];
    if (target) from_sorted(*op.layout, op.state_width(k), loop.dstate[k], target.beta, target.data);
  }
}

#define CAROUSEL_INSTANTIATE(T)                                                         \
  template ScanTargets<T> claim_targets(ScanOp<T>&, ScanDirection<T>&);                 \
  template T* claim_lower(ScanOp<T>&);                                                  \
  template void chunk_gradients(const BackwardLoop<T>&, ScanTargets<T>&, const Chunk&); \
  template void finish_gradients(const BackwardLoop<T>&, ScanTargets<T>&);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel::detail
