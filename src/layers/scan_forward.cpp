// scan_forward.cpp: the forward pass of a scan (steps 1 and 2 of scan.h).
#include <algorithm>

#include "base/thread_pool.h"
#include "kernels/gemm.h"
#include "kernels/packed_matrix.h"
#include "layers/scan_op.h"

namespace carousel::detail {

int split_samples(const SequenceLayout& layout, int directions, SampleRange (&ranges)[kMaxParts]) {
  constexpr std::int64_t kFewest = 4;  // fewer samples than this cost more than they win
  const std::int64_t samples = layout.samples();
  const std::int64_t wanted = std::min<std::int64_t>((threads() + directions - 1) / directions, samples / kFewest);
  const int parts = static_cast<int>(std::clamp<std::int64_t>(wanted, 1, kMaxParts));
  std::int64_t sample = 0, rows = 0;
  for (int p = 0; p < parts; ++p) {
    ranges[p].begin = sample;
    const std::int64_t target = layout.rows() * (p + 1) / parts;
    while (sample < samples && (p + 1 == parts || rows < target)) rows += layout.length(sample++);
    ranges[p].end = sample;
  }
  return parts;
}

namespace {

// Everything that a direction's loop shares between its tasks. [N, ...] buffers are in sorted order.
template <class T>
struct ForwardLoop {
  ScanOp<T>* op;
  ScanDirection<T>* direction;
  const T* packed_hh;        // W_hh^T, packed
  const T* packed_hr;        // W_hr^T, packed; only with projection
  T* state[kMaxStates];      // [N, P or H]: the running states
  T* q = nullptr;            // [N, G H]: recurrent product, only with split gates
  T* unprojected = nullptr;  // [N, H]: output before the projection when nothing is saved
  bool save;

  void run(SampleRange range) const noexcept;
  void step(SampleRange range, std::int64_t t) const noexcept;
  const T* recurrent_input(std::int64_t rows, std::int64_t row, std::int64_t begin) const noexcept;
};

template <class T>
void ForwardLoop<T>::run(SampleRange range) const noexcept {
  const std::int64_t steps = op->layout->longest();
  for (std::int64_t k = 0; k < steps; ++k) step(range, direction->reverse ? steps - 1 - k : k);
}

// The h that enters the recurrent product of these rows; keeps a copy where the backward pass needs one of its own.
template <class T>
const T* ForwardLoop<T>::recurrent_input(std::int64_t rows, std::int64_t row, std::int64_t begin) const noexcept {
  const std::int64_t width = op->output_size;
  const T* h = state[0] + begin * width;
  T* kept = direction->recurrent_input + row * width;
  if (direction->mask) {
    const T* mask = direction->mask + begin * width;
    for (std::int64_t j = 0; j < rows * width; ++j) kept[j] = h[j] * mask[j];
    return kept;
  }
  if (save && op->projected) std::copy_n(h, rows * width, kept);  // else the cell's own step keeps it
  return h;
}

template <class T>
void ForwardLoop<T>::step(SampleRange range, std::int64_t t) const noexcept {
  const Cell& cell = *op->cell;
  const std::int64_t rows = range.count(*op->layout, t), row = range.first_row(*op->layout, t);
  if (rows == 0) return;
  const std::int64_t H = op->hidden_size, P = op->output_size, width = op->gate_width(), begin = range.begin;
  T* output = op->data() + row * op->shape()[1] + direction->column;

  StepForward<T> s;
  s.rows = rows;
  s.hidden_size = H;
  s.a = direction->a + row * width;
  s.bias_a = direction->bias_a;
  s.bias_q = direction->bias_q;
  s.save = save;
  T* product = cell.split_gates ? q + begin * width : s.a;
  kernels::multiply_packed<T>(rows, width, P, recurrent_input(rows, row, begin), P, packed_hh,
                              cell.split_gates ? T(0) : T(1), product, width);
  s.q = cell.split_gates ? product : nullptr;
  for (int k = 0; k < cell.state_count(); ++k) {
    T* here = state[k] + begin * op->state_width(k);
    s.next[k] = here;
    s.previous[k] = here;
    if (save) s.saved_previous[k] = direction->previous[k] + row * op->state_width(k);
  }
  for (int k = 0; save && k < cell.extras; ++k) s.extra[k] = direction->extra[k] + row * H;
  if (!op->projected) {
    s.output = output;
    s.ld_output = op->shape()[1];
    cell.step(s);
    return;
  }
  s.previous[0] = nullptr;
  s.saved_previous[0] = nullptr;
  s.next[0] = save ? direction->unprojected + row * H : unprojected + begin * H;
  cell.step(s);
  T* h = state[0] + begin * P;
  kernels::multiply_packed<T>(rows, P, H, s.next[0], H, packed_hr, T(0), h, P);
  for (std::int64_t k = 0; k < rows; ++k) std::copy_n(h + k * P, P, output + k * op->shape()[1]);
}

// A = x W_ih^T for all steps, [R, G H]. With row_index once per distinct row of x.
template <class T>
void project_input(ScanOp<T>& op, ScanDirection<T>& direction) {
  const std::int64_t width = op.gate_width(), C = op.x.shape()[1], products = op.x.shape()[0];
  Arena& arena = op.tape->arena();
  const Arena::Mark mark = arena.mark();
  T* target = op.row_index.empty() ? direction.a : arena.allocate<T>(products * width);
  kernels::gemm<T>({.op_b = kernels::Op::kTransposed,
                    .m = products,
                    .n = width,
                    .k = C,
                    .a = op.x.value().data,
                    .lda = C,
                    .b = direction.weights.weight_ih.value().data,
                    .ldb = C,
                    .c = target,
                    .ldc = width});
  if (op.row_index.empty()) return;
  for (std::size_t r = 0; r < op.row_index.size(); ++r) {
    std::copy_n(target + op.row_index[r] * width, width, direction.a + static_cast<std::int64_t>(r) * width);
  }
  arena.rewind(mark);
}

template <class T>
void prepare_biases(ScanOp<T>& op, ScanDirection<T>& direction) {
  if (!direction.weights.bias_ih) return;
  const T* ih = direction.weights.bias_ih.value().data;
  const T* hh = direction.weights.bias_hh.value().data;
  if (op.cell->split_gates) {
    direction.bias_a = ih;
    direction.bias_q = hh;
    return;
  }
  T* sum = op.tape->arena().template allocate<T>(op.gate_width());
  for (std::int64_t j = 0; j < op.gate_width(); ++j) sum[j] = ih[j] + hh[j];
  direction.bias_a = sum;
}

// What the backward pass will read.
template <class T>
void allocate_saved(ScanOp<T>& op, ScanDirection<T>& direction) {
  Arena& arena = op.tape->arena();
  const std::int64_t rows = op.layout->rows(), H = op.hidden_size, P = op.output_size;
  for (int k = 0; k < op.cell->extras; ++k) direction.extra[k] = arena.allocate<T>(rows * H);
  for (int k = op.projected ? 1 : 0; k < op.cell->state_count(); ++k) {
    direction.previous[k] = arena.allocate<T>(rows * op.state_width(k));
  }
  const bool own = direction.mask || op.projected;
  direction.recurrent_input = own ? arena.allocate<T>(rows * P) : direction.previous[0];
  if (op.projected) direction.unprojected = arena.allocate<T>(rows * H);
}

template <class T>
ForwardLoop<T> prepare_loop(ScanOp<T>& op, ScanDirection<T>& direction, bool save) {
  Arena& arena = op.tape->arena();
  const std::int64_t N = op.layout->samples(), H = op.hidden_size, P = op.output_size, width = op.gate_width();
  ForwardLoop<T> loop{
      .op = &op, .direction = &direction, .packed_hh = nullptr, .packed_hr = nullptr, .state = {}, .save = save};
  T* packed = arena.allocate<T>(kernels::packed_size(P, width));
  kernels::pack<T>(kernels::Op::kTransposed, P, width, direction.weights.weight_hh.value().data, P, packed);
  loop.packed_hh = packed;
  if (op.projected) {
    T* packed_hr = arena.allocate<T>(kernels::packed_size(H, P));
    kernels::pack<T>(kernels::Op::kTransposed, H, P, direction.weights.weight_hr.value().data, H, packed_hr);
    loop.packed_hr = packed_hr;
    if (!save) loop.unprojected = arena.allocate<T>(N * H);
  }
  if (op.cell->split_gates) loop.q = arena.allocate<T>(N * width);
  for (int k = 0; k < op.cell->state_count(); ++k) {
    loop.state[k] = arena.allocate<T>(N * op.state_width(k));
    if (direction.weights.initial[k]) {
      to_sorted(*op.layout, op.state_width(k), direction.weights.initial[k].value().data, loop.state[k]);
    } else {
      std::fill_n(loop.state[k], N * op.state_width(k), T(0));
    }
  }
  return loop;
}

}  // namespace

template <class T>
void ScanOp<T>::forward() {
  Arena& arena = this->tape->arena();
  const bool save = this->needs_gradient;
  const Arena::Mark before = arena.mark();
  for (int d = 0; d < direction_count; ++d) {
    directions[d].a = arena.allocate<T>(layout->rows() * gate_width());
    prepare_biases(*this, directions[d]);
    if (save) allocate_saved(*this, directions[d]);
    if (!save && directions[d].mask) directions[d].recurrent_input = arena.allocate<T>(layout->rows() * output_size);
  }
  const Arena::Mark kept = save ? arena.mark() : before;
  ForwardLoop<T> loops[2];
  for (int d = 0; d < direction_count; ++d) {
    project_input(*this, directions[d]);
    loops[d] = prepare_loop(*this, directions[d], save);
  }
  SampleRange ranges[kMaxParts];
  const int parts = split_samples(*layout, direction_count, ranges);
  parallel_for(parts * direction_count, [&](std::int64_t task) { loops[task / parts].run(ranges[task % parts]); });
  for (int d = 0; d < direction_count; ++d) {
    for (int k = 0; k < cell->state_count(); ++k) {
      from_sorted(*layout, state_width(k), loops[d].state[k], T(0), directions[d].final[k]->data());
    }
  }
  arena.rewind(kept);
}

template void ScanOp<float>::forward();
template void ScanOp<double>::forward();

}  // namespace carousel::detail
