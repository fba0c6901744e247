// scan_prepare.cpp: what stands ready before the first step of a scan: packed weights, biases, buffers, states.
#include <algorithm>

#include "kernels/gemm.h"
#include "kernels/packed_matrix.h"
#include "layers/scan/scan_op.h"

namespace carousel::detail {

template <class T>
void multiply_input(const ScanOp<T>& op, const ScanDirection<T>& direction, std::int64_t first, std::int64_t rows,
                    T* products) {
  const std::int64_t width = op.gate_width(), C = op.x.shape()[1];
  kernels::gemm<T>({.op_b = kernels::Op::kTransposed,
                    .m = rows,
                    .n = width,
                    .k = C,
                    .a = op.x.value().data + first * C,
                    .lda = C,
                    .b = direction.weights.weight_ih.value().data,
                    .ldb = C,
                    .c = products,
                    .ldc = width});
}

template <class T>
void prepare_biases(ScanOp<T>& op, ScanDirection<T>& direction) {
  const T* ih = direction.weights.bias_ih ? direction.weights.bias_ih.value().data : nullptr;
  const T* hh = direction.weights.bias_hh ? direction.weights.bias_hh.value().data : nullptr;
  if (op.cell->split_gates || !ih) {
    direction.bias_a = op.cell->split_gates ? ih : hh;
    direction.bias_q = hh;
    return;
  }
  const std::int64_t recurrent = hh ? op.cell->recurrent_gates() * op.hidden_size : 0;
  T* sum = op.tape->arena().template allocate<T>(op.gate_width());
  for (std::int64_t j = 0; j < op.gate_width(); ++j) sum[j] = j < recurrent ? ih[j] + hh[j] : ih[j];
  direction.bias_a = sum;
}

namespace {

// The transpose of weight [n, k], packed.
template <class T>
const T* pack_weights(ScanOp<T>& op, const T* weight, std::int64_t k, std::int64_t n) {
  T* packed = op.tape->arena().template allocate<T>(kernels::packed_size(k, n));
  kernels::pack<T>(kernels::Op::kTransposed, k, n, weight, k, packed);
  return packed;
}

// The running states of a direction.
template <class T>
void prepare_states(ScanOp<T>& op, ScanDirection<T>& direction, ForwardLoop<T>& loop) {
  Arena& arena = op.tape->arena();
  for (int k = 0; k < op.cell->state_count(); ++k) {
    const std::int64_t size = op.layout->samples() * op.state_width(k);
    loop.state[k] = arena.allocate<T>(size);
    if (direction.weights.initial[k]) {
      to_sorted(*op.layout, op.state_width(k), direction.weights.initial[k].value().data, loop.state[k]);
    } else {
      std::fill_n(loop.state[k], size, T(0));
    }
    loop.next[k] = op.zoneout.of(k) > 0 ? arena.allocate<T>(size) : loop.state[k];
  }
  loop.shares = op.zoneout_shares(direction);
}

template <class T>
ForwardLoop<T> prepare_cell(ScanOp<T>& op, ScanDirection<T>& direction, bool save) {
  Arena& arena = op.tape->arena();
  const std::int64_t N = op.layout->samples(), H = op.hidden_size, P = op.output_size, width = op.gate_width();
  ForwardLoop<T> loop;
  loop.op = &op;
  loop.direction = &direction;
  loop.save = save;
  if (!op.row_index.empty() && direction.first) {
    T* table = arena.allocate<T>(op.x.shape()[0] * width);
    multiply_input(op, direction, 0, op.x.shape()[0], table);
    loop.table = table;
  }
  const ScanWeights<T>& w = direction.weights;
  if (w.weight_ph) loop.unit_weights = w.weight_ph.value().data;
  if (op.cell->first_gates() > 0) {
    const std::int64_t Q = op.recurrent_size();
    loop.packed_hh = pack_weights(op, w.weight_hh.value().data, Q, op.first_width());
    if (!save && (direction.mask || !op.cell->only_h())) loop.gathered = arena.allocate<T>(N * Q);
  }
  if (op.cell->inner_gates > 0) {
    loop.packed_inner = pack_weights(op, w.weight_hh.value().data + op.first_width() * H, H, op.inner_width());
    if (!save) loop.inner = arena.allocate<T>(N * H);
  }
  if (op.projected) {
    loop.packed_hr = pack_weights(op, w.weight_hr.value().data, H, P);
    if (!save) loop.unprojected = arena.allocate<T>(N * H);
  }
  if (op.cell->split_gates) loop.q = arena.allocate<T>(N * width);
  return loop;
}

}  // namespace

template <class T>
void allocate_chunk(ScanOp<T>& op, ScanDirection<T>& direction, bool save) {
  Arena& arena = op.tape->arena();
  const std::int64_t rows = op.largest_chunk(), H = op.hidden_size;
  direction.a = arena.allocate<T>(rows * op.gate_width());
  if (op.cell->normalised) {
    const std::int64_t kept = save ? rows : op.layout->samples();
    direction.normal = arena.allocate<T>(kept * op.cell->normal_count() * H);
    direction.scale = arena.allocate<T>(kept * kNormalisedRows);
  }
  const bool recurrent = op.cell->first_gates() > 0, copies = direction.mask || op.projected || !op.cell->only_h();
  if (save && recurrent && copies) direction.recurrent_input = arena.allocate<T>(rows * op.recurrent_size());
  if (!save) return;
  if (op.cell->inner_gates > 0) direction.inner = arena.allocate<T>(rows * H);
  for (int k = 0; k < op.cell->extras; ++k) direction.extra[k] = arena.allocate<T>(rows * H);
  for (int k = op.projected ? 1 : 0; k < op.cell->state_count() && !op.cell->output_layer; ++k) {
    direction.previous[k] = arena.allocate<T>(rows * op.state_width(k));
  }
  if (recurrent && !copies) direction.recurrent_input = direction.previous[0];
  if (op.projected) direction.unprojected = arena.allocate<T>(rows * H);
  if (op.cell->output_layer && op.zoneout.output > 0) direction.made = arena.allocate<T>(rows * op.output_size);
}

template <class T>
std::span<ForwardLoop<T>> prepare_forward(ScanOp<T>& op, bool save) {
  const std::span<ForwardLoop<T>> loops = make_array<ForwardLoop<T>>(op.tape->arena(), std::ssize(op.directions));
  for (std::size_t k = 0; k < loops.size(); ++k) {
    loops[k] = prepare_cell(op, op.directions[k], save);
    if (op.directions[k].first) {
      prepare_states(op, op.directions[k], loops[k]);
      continue;
    }
    std::copy_n(loops[k - 1].next, kMaxStates, loops[k].state);
    std::copy_n(loops[k - 1].next, kMaxStates, loops[k].next);
    loops[k].shares = loops[k - 1].shares;
  }
  return loops;
}

#define CAROUSEL_INSTANTIATE(T)                                                                            \
  template void multiply_input(const ScanOp<T>&, const ScanDirection<T>&, std::int64_t, std::int64_t, T*); \
  template void prepare_biases(ScanOp<T>&, ScanDirection<T>&);                                             \
  template void allocate_chunk(ScanOp<T>&, ScanDirection<T>&, bool);                                       \
  template std::span<ForwardLoop<T>> prepare_forward(ScanOp<T>&, bool);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel::detail
