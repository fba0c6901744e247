// scan_backward.cpp: the backward pass of a scan (steps 3 and 4 of scan.h).
#include <algorithm>

#include "base/thread_pool.h"
#include "kernels/gemm.h"
#include "kernels/packed_matrix.h"
#include "kernels/reduce.h"
#include "layers/scan_op.h"

namespace carousel::detail {
namespace {

using kernels::Op;

template <class T>
struct BackwardLoop {
  ScanOp<T>* op;
  ScanDirection<T>* direction;
  const T* packed_hh;         // W_hh, packed
  const T* packed_hr;         // W_hr, packed; only with projection
  T* dstate[kMaxStates];      // [N, P or H]: running gradients, sorted order
  T* dq = nullptr;            // [R, G H]: gradient of the recurrent product; is `a` unless the gates are split
  T* doutput = nullptr;       // [R, P]: whole gradient of h, only with projection
  T* dunprojected = nullptr;  // [N, H]: only with projection
  T* drecurrent = nullptr;    // [N, P]: only with a mask

  void run(SampleRange range) const noexcept;
  void step(SampleRange range, std::int64_t t) const noexcept;
  void project_back(StepBackward<T>& s, std::int64_t row, std::int64_t begin) const noexcept;
  void add_recurrent(std::int64_t rows, const T* dproduct, std::int64_t begin) const noexcept;
  void cut_gradient(std::int64_t rows, std::int64_t t, std::int64_t begin) const noexcept;
};

template <class T>
void BackwardLoop<T>::run(SampleRange range) const noexcept {
  const std::int64_t steps = op->layout->longest();
  for (std::int64_t k = 0; k < steps; ++k) step(range, direction->reverse ? k : steps - 1 - k);
}

// With projection: dh = d output + d recurrent, kept for dW_hr; the cell's own gradient is dh W_hr.
template <class T>
void BackwardLoop<T>::project_back(StepBackward<T>& s, std::int64_t row, std::int64_t begin) const noexcept {
  const std::int64_t P = op->output_size, H = op->hidden_size;
  T* total = doutput + row * P;
  const T* carried = dstate[0] + begin * P;
  for (std::int64_t k = 0; k < s.rows; ++k) {
    for (std::int64_t j = 0; j < P; ++j) total[k * P + j] = carried[k * P + j] + s.doutput[k * s.ld_output + j];
  }
  s.doutput = nullptr;
  s.dstate[0] = dunprojected + begin * H;
  kernels::multiply_packed<T>(s.rows, H, P, total, P, packed_hr, T(0), s.dstate[0], H);
}

// dh of the step before: the direct part (already there; none with projection) plus dq R, masked if there is a mask.
template <class T>
void BackwardLoop<T>::add_recurrent(std::int64_t rows, const T* dproduct, std::int64_t begin) const noexcept {
  const std::int64_t P = op->output_size, width = op->gate_width();
  T* dh = dstate[0] + begin * P;
  const T beta = op->projected ? T(0) : T(1);
  if (!direction->mask) {
    kernels::multiply_packed<T>(rows, P, width, dproduct, width, packed_hh, beta, dh, P);
    return;
  }
  T* product = drecurrent + begin * P;
  const T* mask = direction->mask + begin * P;
  kernels::multiply_packed<T>(rows, P, width, dproduct, width, packed_hh, T(0), product, P);
  for (std::int64_t j = 0; j < rows * P; ++j) dh[j] = (op->projected ? T(0) : dh[j]) + product[j] * mask[j];
}

template <class T>
void BackwardLoop<T>::step(SampleRange range, std::int64_t t) const noexcept {
  const Cell& cell = *op->cell;
  const std::int64_t rows = range.count(*op->layout, t), row = range.first_row(*op->layout, t);
  if (rows == 0) return;
  const std::int64_t H = op->hidden_size, width = op->gate_width(), begin = range.begin;

  StepBackward<T> s;
  s.rows = rows;
  s.hidden_size = H;
  s.a = direction->a + row * width;
  s.dq = dq + row * width;
  for (int k = 0; k < cell.extras; ++k) s.extra[k] = direction->extra[k] + row * H;
  for (int k = 0; k < cell.state_count(); ++k) {
    if (direction->previous[k]) s.previous[k] = direction->previous[k] + row * op->state_width(k);
    s.dstate[k] = dstate[k] + begin * op->state_width(k);
  }
  s.ld_output = op->shape()[1];
  s.doutput = op->gradient + row * s.ld_output + direction->column;
  if (op->projected) project_back(s, row, begin);
  cell.step_backward(s);
  add_recurrent(rows, s.dq, begin);
  cut_gradient(rows, t, begin);
}

// Between two chunks of truncated back-propagation no gradient of the state passes; an initial state still gets its
// own.
template <class T>
void BackwardLoop<T>::cut_gradient(std::int64_t rows, std::int64_t t, std::int64_t begin) const noexcept {
  const std::int64_t border =
      direction->reverse ? t + 1 : t;  // the chunks meet between the steps border - 1 and border
  if (op->bptt == 0 || border == 0 || border % op->bptt != 0) return;
  for (std::int64_t row = begin; row < begin + rows; ++row) {
    if (direction->reverse && op->layout->length(row) <= border) continue;  // starts here
    for (int k = 0; k < op->cell->state_count(); ++k) {
      const std::int64_t width = op->state_width(k);
      std::fill_n(dstate[k] + row * width, width, T(0));
    }
  }
}

template <class T>
BackwardLoop<T> prepare_loop(ScanOp<T>& op, ScanDirection<T>& direction) {
  Arena& arena = op.tape->arena();
  const std::int64_t N = op.layout->samples(), R = op.layout->rows();
  const std::int64_t H = op.hidden_size, P = op.output_size, width = op.gate_width();
  BackwardLoop<T> loop{.op = &op, .direction = &direction, .packed_hh = nullptr, .packed_hr = nullptr, .dstate = {}};
  T* packed = arena.allocate<T>(kernels::packed_size(width, P));
  kernels::pack<T>(Op::kPlain, width, P, direction.weights.weight_hh.value().data, P, packed);
  loop.packed_hh = packed;
  if (op.projected) {
    T* packed_hr = arena.allocate<T>(kernels::packed_size(P, H));
    kernels::pack<T>(Op::kPlain, P, H, direction.weights.weight_hr.value().data, H, packed_hr);
    loop.packed_hr = packed_hr;
    loop.doutput = arena.allocate<T>(R * P);
    loop.dunprojected = arena.allocate<T>(N * H);
  }
  loop.dq = op.cell->split_gates ? arena.allocate<T>(R * width) : direction.a;
  if (direction.mask) loop.drecurrent = arena.allocate<T>(N * P);
  for (int k = 0; k < op.cell->state_count(); ++k) {
    loop.dstate[k] = arena.allocate<T>(N * op.state_width(k));
    const T* dfinal = direction.final[k]->gradient;
    if (dfinal) {
      to_sorted(*op.layout, op.state_width(k), dfinal, loop.dstate[k]);
    } else {
      std::fill_n(loop.dstate[k], N * op.state_width(k), T(0));
    }
  }
  return loop;
}

// dW [m, n] = left^T right for left [rows, m], right [rows, n].
template <class T>
void weight_gradient(const BasicVariable<T>& weight, std::int64_t rows, const T* left, const T* right) {
  const GradientTarget<T> target = weight.node()->claim_gradient();
  if (!target) return;
  const std::int64_t m = weight.shape()[0], n = weight.shape()[1];
  kernels::gemm<T>({.op_a = Op::kTransposed,
                    .m = m,
                    .n = n,
                    .k = rows,
                    .a = left,
                    .lda = m,
                    .b = right,
                    .ldb = n,
                    .beta = target.beta,
                    .c = target.data,
                    .ldc = n});
}

template <class T>
void bias_gradient(const BasicVariable<T>& bias, std::int64_t rows, const T* gradient) {
  if (!bias) return;
  const GradientTarget<T> target = bias.node()->claim_gradient();
  if (!target) return;
  kernels::column_sums<T>(rows, bias.shape()[0], gradient, bias.shape()[0], target.beta, target.data);
}

// Sums the rows of da [R, width] that share an input row: [distinct, width]. Each task owns a block of columns and
// goes through the rows in order, so the sums have one order.
template <class T>
T* gather_by_index(ScanOp<T>& op, const T* da) {
  const std::int64_t width = op.gate_width(), distinct = op.x.shape()[0];
  constexpr std::int64_t kBlock = 64;
  T* sums = op.tape->arena().template allocate<T>(distinct * width);
  std::fill_n(sums, distinct * width, T(0));
  parallel_for((width + kBlock - 1) / kBlock, [&](std::int64_t block) {
    const std::int64_t begin = block * kBlock, end = std::min(width, begin + kBlock);
    for (std::size_t r = 0; r < op.row_index.size(); ++r) {
      T* to = sums + op.row_index[r] * width;
      const T* from = da + static_cast<std::int64_t>(r) * width;
      for (std::int64_t j = begin; j < end; ++j) to[j] += from[j];
    }
  });
  return sums;
}

template <class T>
void weight_gradients(ScanOp<T>& op, ScanDirection<T>& direction, const BackwardLoop<T>& loop) {
  const ScanWeights<T>& w = direction.weights;
  const std::int64_t R = op.layout->rows(), width = op.gate_width(), C = op.x.shape()[1];
  weight_gradient(w.weight_hh, R, static_cast<const T*>(loop.dq), static_cast<const T*>(direction.recurrent_input));
  if (op.projected) {
    weight_gradient(w.weight_hr, R, static_cast<const T*>(loop.doutput), static_cast<const T*>(direction.unprojected));
  }
  bias_gradient(w.bias_ih, R, static_cast<const T*>(direction.a));
  bias_gradient(w.bias_hh, R, static_cast<const T*>(loop.dq));
  const T* da = op.row_index.empty() ? direction.a : gather_by_index<T>(op, direction.a);
  const std::int64_t rows = op.x.shape()[0];
  weight_gradient(w.weight_ih, rows, da, op.x.value().data);
  if (const GradientTarget<T> dx = op.x.node()->claim_gradient()) {
    kernels::gemm<T>({.m = rows,
                      .n = C,
                      .k = width,
                      .a = da,
                      .lda = width,
                      .b = w.weight_ih.value().data,
                      .ldb = C,
                      .beta = dx.beta,
                      .c = dx.data,
                      .ldc = C});
  }
  for (int k = 0; k < op.cell->state_count(); ++k) {
    if (!w.initial[k]) continue;
    const GradientTarget<T> target = w.initial[k].node()->claim_gradient();
    if (target) from_sorted(*op.layout, op.state_width(k), loop.dstate[k], target.beta, target.data);
  }
}

}  // namespace

template <class T>
void ScanOp<T>::backward() {
  BackwardLoop<T> loops[2];
  for (int d = 0; d < direction_count; ++d) loops[d] = prepare_loop(*this, directions[d]);
  SampleRange ranges[kMaxParts];
  const int parts = split_samples(*layout, direction_count, ranges);
  parallel_for(parts * direction_count, [&](std::int64_t task) { loops[task / parts].run(ranges[task % parts]); });
  for (int d = 0; d < direction_count; ++d) weight_gradients(*this, directions[d], loops[d]);
}

template void ScanOp<float>::backward();
template void ScanOp<double>::backward();

}  // namespace carousel::detail
