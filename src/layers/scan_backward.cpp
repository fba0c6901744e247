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

// Where the gradients of a direction go. Each is written or added to once per chunk.
template <class T>
struct ScanTargets {
  GradientTarget<T> weight_ih, weight_hh, weight_hr, bias_ih, bias_hh, x, initial[kMaxStates];
};

// R rows of the largest chunk, N samples.
template <class T>
struct BackwardLoop {
  ScanOp<T>* op = nullptr;
  ScanDirection<T>* direction = nullptr;
  const T* packed_hh = nullptr;  // W_hh, packed
  const T* packed_hr = nullptr;  // W_hr, packed; only with projection
  T* dstate[kMaxStates] = {};    // [N, P or H]: running gradients, sorted order
  T* dq = nullptr;               // [R, G H]: gradient of the recurrent product, only with split gates
  T* doutput = nullptr;          // [R, P]: whole gradient of h, only with projection
  T* dunprojected = nullptr;     // [N, H]: only with projection
  T* drecurrent = nullptr;       // [N, P]: only with a mask
  T* dtable = nullptr;           // [distinct, G H]: sums of da over the rows that share a row of x; only with row_index

  T* dproduct() const noexcept { return dq ? dq : direction->a; }  // of the chunk in work
  void run(SampleRange range, const Chunk& chunk) const noexcept;
  void step(SampleRange range, std::int64_t t, std::int64_t first_row) const noexcept;
  void project_back(StepBackward<T>& s, std::int64_t local, std::int64_t begin) const noexcept;
  void add_recurrent(std::int64_t rows, const T* dproduct, std::int64_t begin) const noexcept;
  void cut_gradient(std::int64_t rows, std::int64_t t, std::int64_t begin) const noexcept;
};

template <class T>
void BackwardLoop<T>::run(SampleRange range, const Chunk& chunk) const noexcept {
  const std::int64_t steps = chunk.end - chunk.begin;
  for (std::int64_t k = 0; k < steps; ++k) {
    step(range, direction->reverse ? chunk.begin + k : chunk.end - 1 - k, chunk.first_row);
  }
}

// With projection: dh = d output + d recurrent, kept for dW_hr; the cell's own gradient is dh W_hr.
template <class T>
void BackwardLoop<T>::project_back(StepBackward<T>& s, std::int64_t local, std::int64_t begin) const noexcept {
  const std::int64_t P = op->output_size, H = op->hidden_size;
  T* total = doutput + local * P;
  std::copy_n(dstate[0] + begin * P, s.rows * P, total);
  for (std::int64_t k = 0; s.doutput && k < s.rows; ++k) {
    for (std::int64_t j = 0; j < P; ++j) total[k * P + j] += s.doutput[k * s.ld_output + j];
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
void BackwardLoop<T>::step(SampleRange range, std::int64_t t, std::int64_t first_row) const noexcept {
  const Cell& cell = *op->cell;
  const std::int64_t rows = range.count(*op->layout, t), row = range.first_row(*op->layout, t);
  if (rows == 0) return;
  const std::int64_t H = op->hidden_size, width = op->gate_width(), begin = range.begin;
  const std::int64_t local = row - first_row;

  StepBackward<T> s;
  s.rows = rows;
  s.hidden_size = H;
  s.a = direction->a + local * width;
  s.dq = dproduct() + local * width;
  for (int k = 0; k < cell.extras; ++k) s.extra[k] = direction->extra[k] + local * H;
  for (int k = 0; k < cell.state_count(); ++k) {
    if (direction->previous[k]) s.previous[k] = direction->previous[k] + local * op->state_width(k);
    s.dstate[k] = dstate[k] + begin * op->state_width(k);
  }
  s.ld_output = op->shape()[1];
  if (op->gradient) s.doutput = op->gradient + row * s.ld_output + direction->column;
  if (op->projected) project_back(s, local, begin);
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
BackwardLoop<T> prepare_backward(ScanOp<T>& op, ScanDirection<T>& direction) {
  Arena& arena = op.tape->arena();
  const std::int64_t N = op.layout->samples(), R = op.largest_chunk();
  const std::int64_t H = op.hidden_size, P = op.output_size, width = op.gate_width();
  BackwardLoop<T> loop;
  loop.op = &op;
  loop.direction = &direction;
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
  if (op.cell->split_gates) loop.dq = arena.allocate<T>(R * width);
  if (direction.mask) loop.drecurrent = arena.allocate<T>(N * P);
  if (!op.row_index.empty()) {
    loop.dtable = arena.allocate<T>(op.x.shape()[0] * width);
    std::fill_n(loop.dtable, op.x.shape()[0] * width, T(0));
  }
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

template <class T>
ScanTargets<T> claim_targets(ScanOp<T>& op, ScanDirection<T>& direction) {
  const auto claim = [](const BasicVariable<T>& variable) {
    return variable ? variable.node()->claim_gradient() : GradientTarget<T>{nullptr, T(0)};
  };
  const ScanWeights<T>& w = direction.weights;
  ScanTargets<T> targets{.weight_ih = claim(w.weight_ih),
                         .weight_hh = claim(w.weight_hh),
                         .weight_hr = claim(w.weight_hr),
                         .bias_ih = claim(w.bias_ih),
                         .bias_hh = claim(w.bias_hh),
                         .x = claim(op.x),
                         .initial = {}};
  for (int k = 0; k < op.cell->state_count(); ++k) targets.initial[k] = claim(w.initial[k]);
  // The directions meet a row of x in different chunks, so neither can be the first to write all of them.
  if (targets.x && targets.x.beta == T(0) && op.direction_count == 2 && op.chunks > 1) {
    std::fill_n(targets.x.data, op.x.value().elements(), T(0));
    targets.x.beta = T(1);
  }
  return targets;
}

// dW [m, n] = left^T right for left [rows, m], right [rows, n]; further chunks add to it.
template <class T>
void weight_gradient(GradientTarget<T>& target, const Shape& shape, std::int64_t rows, const T* left, const T* right) {
  if (!target) return;
  kernels::gemm<T>({.op_a = Op::kTransposed,
                    .m = shape[0],
                    .n = shape[1],
                    .k = rows,
                    .a = left,
                    .lda = shape[0],
                    .b = right,
                    .ldb = shape[1],
                    .beta = target.beta,
                    .c = target.data,
                    .ldc = shape[1]});
  target.beta = T(1);
}

template <class T>
void bias_gradient(GradientTarget<T>& target, std::int64_t rows, std::int64_t width, const T* gradient) {
  if (!target) return;
  kernels::column_sums<T>(rows, width, gradient, width, target.beta, target.data);
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
  weight_gradient(targets.weight_ih, weight.shape(), rows.rows, da, op.x.value().data + rows.first_row * C);
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

template <class T>
void chunk_gradients(const BackwardLoop<T>& loop, ScanTargets<T>& targets, const Chunk& chunk) {
  ScanOp<T>& op = *loop.op;
  ScanDirection<T>& direction = *loop.direction;
  const ScanWeights<T>& w = direction.weights;
  const std::int64_t R = chunk.rows, width = op.gate_width();
  const T *da = direction.a, *dproduct = loop.dproduct(), *h = direction.recurrent_input;
  weight_gradient(targets.weight_hh, w.weight_hh.shape(), R, dproduct, h);
  if (op.projected) {
    const T *doutput = loop.doutput, *unprojected = direction.unprojected;
    weight_gradient(targets.weight_hr, w.weight_hr.shape(), R, doutput, unprojected);
  }
  bias_gradient(targets.bias_ih, R, width, da);
  bias_gradient(targets.bias_hh, R, width, dproduct);
  if (loop.dtable) {
    gather_by_index(loop, chunk);
  } else {
    input_gradients(op, direction, targets, chunk, da);
  }
}

// What is left when all chunks are done: the gradients by way of the folded rows, and those of the initial states.
template <class T>
void finish_gradients(const BackwardLoop<T>& loop, ScanTargets<T>& targets) {
  ScanOp<T>& op = *loop.op;
  if (loop.dtable) {
    const T* da = loop.dtable;
    input_gradients(op, *loop.direction, targets, {0, 0, 0, op.x.shape()[0]}, da);
  }
  for (int k = 0; k < op.cell->state_count(); ++k) {
    const GradientTarget<T>& target = targets.initial[k];
    if (target) from_sorted(*op.layout, op.state_width(k), loop.dstate[k], target.beta, target.data);
  }
}

template <class T>
void restore_checkpoint(const ForwardLoop<T>& loop, std::int64_t position) {
  for (int k = 0; k < loop.op->cell->state_count(); ++k) {
    const std::int64_t size = loop.op->layout->samples() * loop.op->state_width(k);
    std::copy_n(loop.direction->checkpoint[k] + position * size, size, loop.state[k]);
  }
}

}  // namespace

template <class T>
bool ScanOp<T>::reached() const noexcept {
  bool any = this->gradient != nullptr;
  for (int d = 0; d < direction_count; ++d) {
    for (int k = 0; k < cell->state_count(); ++k) any = any || directions[d].final[k]->gradient;
  }
  return any;
}

template <class T>
void ScanOp<T>::backward() {
  ScanTargets<T> targets[2];
  for (int d = 0; d < direction_count; ++d) targets[d] = claim_targets(*this, directions[d]);
  Arena& arena = this->tape->arena();
  const Arena::Mark mark = arena.mark();  // all that follows is needed here only
  ForwardLoop<T> again[2];
  BackwardLoop<T> loops[2];
  for (int d = 0; d < direction_count; ++d) {
    if (chunks > 1) {
      allocate_chunk(*this, directions[d], true);
      again[d] = prepare_forward(*this, directions[d], true);
    }
    loops[d] = prepare_backward(*this, directions[d]);
  }
  SampleRange ranges[kMaxParts];
  const int parts = split_samples(*layout, direction_count, ranges);
  for (std::int64_t position = chunks - 1; position >= 0; --position) {
    if (chunks > 1) {
      for (int d = 0; d < direction_count; ++d) restore_checkpoint(again[d], position);
      run_chunk(*this, again, position);
    }
    parallel_for(parts * direction_count, [&](std::int64_t task) {
      const BackwardLoop<T>& loop = loops[task / parts];
      loop.run(ranges[task % parts], chunk_at(*this, *loop.direction, position));
    });
    for (int d = 0; d < direction_count; ++d) {
      chunk_gradients(loops[d], targets[d], chunk_at(*this, directions[d], position));
    }
  }
  for (int d = 0; d < direction_count; ++d) finish_gradients(loops[d], targets[d]);
  arena.rewind(mark);
}

#define CAROUSEL_INSTANTIATE(T)                      \
  template bool ScanOp<T>::reached() const noexcept; \
  template void ScanOp<T>::backward();
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel::detail
