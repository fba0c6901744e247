// scan_backward.cpp: the backward loop of a scan (step 3 of scan.h).
#include "layers/scan/scan_backward.h"

#include <algorithm>

#include "base/thread_pool.h"
#include "kernels/packed_matrix.h"

namespace carousel::detail {

// The whole gradient of each state: the share k of it passes the step by, the rest goes through.
template <class T>
void BackwardLoop<T>::zone_out(SampleRange range, std::int64_t t) const noexcept {
  const std::int64_t rows = range.count(*op->layout, t), row = range.first_row(*op->layout, t), begin = range.begin;
  shares.draw(t, begin, rows);
  const auto add = [&](int k, const T* from, std::int64_t ld) {
    const std::int64_t width = op->state_width(k);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t j = 0; j < width; ++j) dstate[k][(begin + r) * width + j] += from[r * ld + j];
    }
  };
  for (int k = 0; k < op->cell->state_count(); ++k) {
    const T* share = shares.at(k, begin);
    if (!share) continue;
    const std::int64_t width = op->state_width(k), ld = k == 0 ? op->shape()[1] : op->lower_width();
    if (k == 0 && op->gradient) add(k, op->gradient + row * ld + direction->column, ld);
    if (k == 1 && op->upper && op->upper->gradient) {
      add(k, op->upper->gradient + row * ld + (direction->reverse ? op->hidden_size : 0), ld);
    }
    T *ds = dstate[k] + begin * width, *kept = dkept[k] + begin * width;
    for (std::int64_t j = 0; j < rows * width; ++j) {
      kept[j] = share[j] * ds[j];
      ds[j] *= T(1) - share[j];
    }
  }
}

template <class T>
void BackwardLoop<T>::add_kept(SampleRange range, std::int64_t t) const noexcept {
  const std::int64_t rows = range.count(*op->layout, t);
  for (int k = 0; k < op->cell->state_count(); ++k) {
    if (!shares.holds(k)) continue;
    const std::int64_t first = range.begin * op->state_width(k), size = rows * op->state_width(k);
    for (std::int64_t j = first; j < first + size; ++j) dstate[k][j] += dkept[k][j];
  }
}

// With projection: dh = d output + d recurrent, kept for dW_hr; the cell's own gradient is dh W_hr.
template <class T>
void BackwardLoop<T>::project_back(StepBackward<T>& s, std::int64_t row, std::int64_t local,
                                   std::int64_t begin) const noexcept {
  const std::int64_t P = op->output_size, H = op->hidden_size;
  T* total = doutput + local * P;
  std::copy_n(dstate[0] + begin * P, s.rows * P, total);
  for (std::int64_t k = 0; s.doutput && k < s.rows; ++k) {
    for (std::int64_t j = 0; j < P; ++j) total[k * P + j] += s.doutput[k * s.ld_output + j];
  }
  s.doutput = nullptr;
  if (op->cell->output_layer) output_back(s.rows, row, local, begin, total);
  s.dstate[0] = dunprojected + begin * H;
  kernels::multiply_packed<T>(s.rows, H, P, total, P, packed_hr, T(0), s.dstate[0], H);
}

// y goes into s as well: its gradient takes that of s, and then passes g. Of y before the step nothing is left, of s
// what has not decayed.
template <class T>
void BackwardLoop<T>::output_back(std::int64_t rows, std::int64_t row, std::int64_t local, std::int64_t begin,
                                  T* dy) const noexcept {
  const std::int64_t P = op->output_size, ld = direction->made ? P : op->shape()[1];
  const T* y = direction->made ? direction->made + local * P : op->data() + row * ld + direction->column;
  const T decay = static_cast<T>(op->output.decay);
  T* ds = dstate[1] + begin * P;
  for (std::int64_t k = 0; k < rows; ++k) {
    for (std::int64_t j = 0; j < P; ++j) dy[k * P + j] += ds[k * P + j];
    output_backward<T>(op->output, P, y + k * ld, dy + k * P);
  }
  for (std::int64_t j = 0; j < rows * P; ++j) ds[j] *= decay;
  std::fill_n(dstate[0] + begin * P, rows * P, T(0));
}

// Of the states that enter the recurrent product: the direct part (already there; none of a projected h) plus dq R.
template <class T>
void BackwardLoop<T>::add_recurrent(std::int64_t rows, const T* dproduct, std::int64_t begin) const noexcept {
  const std::int64_t P = op->output_size, Q = op->recurrent_size(), width = op->gate_width(), k = op->first_width();
  const T beta = op->projected ? T(0) : T(1);
  if (!drecurrent) {
    kernels::multiply_packed<T>(rows, P, k, dproduct, width, packed_hh, beta, dstate[0] + begin * P, P);
    return;
  }
  T* product = drecurrent + begin * Q;
  kernels::multiply_packed<T>(rows, Q, k, dproduct, width, packed_hh, T(0), product, Q);
  if (direction->mask) apply_mask(rows, P, direction->mask + begin * P, product, Q);
  std::int64_t column = 0;
  for (const int state : op->cell->recurrent_states) {
    const std::int64_t size = op->state_width(state);
    for (std::int64_t r = 0; r < rows; ++r) {
      T* to = dstate[state] + (begin + r) * size;
      const T* from = product + r * Q + column;
      const bool fresh = op->projected && state == 0;
      for (std::int64_t j = 0; j < size; ++j) to[j] = fresh ? from[j] : to[j] + from[j];
    }
    column += size;
  }
}

// Through the product of the inner gates and what made its input.
template <class T>
void BackwardLoop<T>::step_inner_back(StepBackward<T>& s, std::int64_t begin) const noexcept {
  const std::int64_t H = op->hidden_size;
  T* gradient = dinner + begin * H;
  kernels::multiply_packed<T>(s.rows, H, op->inner_width(), s.a + op->first_width(), op->gate_width(), packed_inner,
                              T(0), gradient, H);
  if (direction->mask) apply_mask(s.rows, H, direction->mask + begin * H, gradient, H);
  s.dinner = gradient;
  op->cell->template steps<T>().step_inner_backward(s);
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
  s.program = cell.program;
  if (direction->weights.weight_ph) s.unit_weights = direction->weights.weight_ph.value().data;
  if (dunit_weights) s.dunit_weights = dunit_weights + begin * cell.unit_gradient_count() * H;
  if (cell.normalised) {
    s.normal = direction->normal + local * cell.normal_count() * H;
    s.scale = direction->scale + local * kNormalisedRows;
  }
  for (int k = 0; k < cell.extras; ++k) s.extra[k] = direction->extra[k] + local * H;
  for (int k = 0; k < cell.state_count(); ++k) {
    if (direction->previous[k]) s.previous[k] = direction->previous[k] + local * op->state_width(k);
    s.dstate[k] = dstate[k] + begin * op->state_width(k);
  }
  s.ld_output = op->shape()[1];
  if (op->gradient && direction->last && !shares.holds(0))
    s.doutput = op->gradient + row * s.ld_output + direction->column;
  s.ld_lower = op->lower_width();
  const std::int64_t lower_at = row * s.ld_lower + (direction->reverse ? H : 0);
  if (cell.lower) s.lower = op->lower.value().data + lower_at;
  if (dlower) s.dlower = dlower + lower_at;
  if (op->upper && op->upper->gradient && !shares.holds(1)) s.dupper = op->upper->gradient + lower_at;
  if (op->projected) project_back(s, row, local, begin);
  if (dgate) s.dgate = dgate + begin * op->first_width();
  cell.steps<T>().step_backward(s);
  if (packed_inner) step_inner_back(s, begin);
  if (packed_hh) add_recurrent(rows, s.dq, begin);
}

// Between two chunks of truncated back-propagation no gradient of the state passes; an initial state still gets its
// own.
template <class T>
void BackwardLoop<T>::cut_gradient(SampleRange range, std::int64_t t) const noexcept {
  const std::int64_t border =
      direction->reverse ? t + 1 : t;  // the chunks meet between the steps border - 1 and border
  if (op->bptt == 0 || border == 0 || border % op->bptt != 0) return;
  const std::int64_t end = range.begin + range.count(*op->layout, t);
  for (std::int64_t row = range.begin; row < end; ++row) {
    if (direction->reverse && op->layout->length(row) <= border) continue;  // starts here
    for (int k = 0; k < op->cell->state_count(); ++k) {
      const std::int64_t width = op->state_width(k);
      std::fill_n(dstate[k] + row * width, width, T(0));
    }
  }
}

namespace {

// weight [k, n], packed.
template <class T>
const T* pack_plain(ScanOp<T>& op, const T* weight, std::int64_t k, std::int64_t n) {
  T* packed = op.tape->arena().template allocate<T>(kernels::packed_size(k, n));
  kernels::pack<T>(kernels::Op::kPlain, k, n, weight, n, packed);
  return packed;
}

// The running gradients of the states of a direction.
template <class T>
void prepare_gradients(ScanOp<T>& op, ScanDirection<T>& direction, BackwardLoop<T>& loop) {
  Arena& arena = op.tape->arena();
  for (int k = 0; k < op.cell->state_count(); ++k) {
    const std::int64_t size = op.layout->samples() * op.state_width(k);
    loop.dstate[k] = arena.allocate<T>(size);
    const T* dfinal = direction.final[k]->gradient;
    if (dfinal) {
      to_sorted(*op.layout, op.state_width(k), dfinal, loop.dstate[k]);
    } else {
      std::fill_n(loop.dstate[k], size, T(0));
    }
    if (op.zoneout.of(k) > 0) loop.dkept[k] = arena.allocate<T>(size);
  }
  loop.shares = op.zoneout_shares(direction);
}

template <class T>
BackwardLoop<T> prepare_cell_backward(ScanOp<T>& op, ScanDirection<T>& direction) {
  Arena& arena = op.tape->arena();
  const std::int64_t N = op.layout->samples(), R = op.largest_chunk();
  const std::int64_t H = op.hidden_size, P = op.output_size, width = op.gate_width();
  BackwardLoop<T> loop;
  loop.op = &op;
  loop.direction = &direction;
  const ScanWeights<T>& w = direction.weights;
  if (op.cell->first_gates() > 0) {
    const std::int64_t Q = op.recurrent_size();
    loop.packed_hh = pack_plain(op, w.weight_hh.value().data, op.first_width(), Q);
    if (direction.mask || !op.cell->only_h()) loop.drecurrent = arena.allocate<T>(N * Q);
  }
  if (op.cell->inner_gates > 0) {
    loop.packed_inner = pack_plain(op, w.weight_hh.value().data + op.first_width() * H, op.inner_width(), H);
    loop.dgate = arena.allocate<T>(N * op.first_width());
    loop.dinner = arena.allocate<T>(N * H);
  }
  if (const std::int64_t size = N * op.cell->unit_gradient_count() * H; size > 0) {
    loop.dunit_weights = arena.allocate<T>(size);
    std::fill_n(loop.dunit_weights, size, T(0));
  }
  if (op.projected) {
    loop.packed_hr = pack_plain(op, w.weight_hr.value().data, P, H);
    loop.doutput = arena.allocate<T>(R * P);
    loop.dunprojected = arena.allocate<T>(N * H);
  }
  if (op.cell->split_gates) loop.dq = arena.allocate<T>(R * width);
  if (!op.row_index.empty() && direction.first) {
    loop.dtable = arena.allocate<T>(op.x.shape()[0] * width);
    std::fill_n(loop.dtable, op.x.shape()[0] * width, T(0));
  }
  return loop;
}

template <class T>
std::span<BackwardLoop<T>> prepare_backward(ScanOp<T>& op) {
  const std::span<BackwardLoop<T>> loops = make_array<BackwardLoop<T>>(op.tape->arena(), std::ssize(op.directions));
  for (std::size_t k = 0; k < loops.size(); ++k) {
    loops[k] = prepare_cell_backward(op, op.directions[k]);
    if (op.directions[k].first) {
      prepare_gradients(op, op.directions[k], loops[k]);
      continue;
    }
    std::copy_n(loops[k - 1].dstate, kMaxStates, loops[k].dstate);
    loops[k].shares = loops[k - 1].shares;
  }
  return loops;
}

// All steps of a chunk for some samples; cells: those of one direction.
template <class T>
void run_backward(std::span<const BackwardLoop<T>> cells, SampleRange range, const Chunk& chunk) noexcept {
  const BackwardLoop<T>& first = cells[0];
  const std::int64_t steps = chunk.end - chunk.begin;
  for (std::int64_t k = 0; k < steps; ++k) {
    const std::int64_t t = first.direction->reverse ? chunk.begin + k : chunk.end - 1 - k;
    if (first.shares.active()) first.zone_out(range, t);
    for (std::size_t c = cells.size(); c-- > 0;) cells[c].step(range, t, chunk.first_row);
    if (first.shares.active()) first.add_kept(range, t);
    first.cut_gradient(range, t);
  }
}

template <class T>
void restore_checkpoint(const ForwardLoop<T>& loop, std::int64_t position) {
  for (int k = 0; k < loop.op->cell->state_count() && loop.direction->checkpoint[k]; ++k) {
    const std::int64_t size = loop.op->layout->samples() * loop.op->state_width(k);
    std::copy_n(loop.direction->checkpoint[k] + position * size, size, loop.state[k]);
  }
}

}  // namespace

template <class T>
bool ScanOp<T>::reached() const noexcept {
  bool any = this->gradient != nullptr || (upper && upper->gradient);
  for (const ScanDirection<T>& direction : directions) {
    for (const auto* final : direction.final) any = any || (final && final->gradient);
  }
  return any;
}

template <class T>
void ScanOp<T>::backward() {
  if constexpr (kTraining) {
    Arena& arena = this->tape->arena();
    const auto targets = make_array<ScanTargets<T>>(arena, std::ssize(directions));
    for (std::size_t k = 0; k < targets.size(); ++k) targets[k] = claim_targets(*this, directions[k]);
    T* dlower = claim_lower(*this);
    const Arena::Mark mark = arena.mark();  // all that follows is needed here only
    std::span<const ForwardLoop<T>> again;
    if (chunks > 1) {
      for (ScanDirection<T>& direction : directions) allocate_chunk(*this, direction, true);
      again = prepare_forward(*this, true);
    }
    const std::span<BackwardLoop<T>> loops = prepare_backward(*this);
    for (BackwardLoop<T>& loop : loops) loop.dlower = dlower;
    SampleRange ranges[kMaxParts];
    const int parts = split_samples(*layout, direction_count, ranges);
    const auto K = static_cast<std::size_t>(transitions);
    for (std::int64_t position = chunks - 1; position >= 0; --position) {
      for (const ForwardLoop<T>& loop : again) restore_checkpoint(loop, position);
      if (chunks > 1) run_chunk(*this, again, position);
      parallel_for(parts * direction_count, [&](std::int64_t task) {
        const std::span<const BackwardLoop<T>> cells = loops.subspan(static_cast<std::size_t>(task / parts) * K, K);
        run_backward(cells, ranges[task % parts], chunk_at(*this, *cells[0].direction, position));
      });
      for (std::size_t k = 0; k < loops.size(); ++k) {
        chunk_gradients(loops[k], targets[k], chunk_at(*this, directions[k], position));
      }
    }
    for (std::size_t k = 0; k < loops.size(); ++k) finish_gradients(loops[k], targets[k]);
    arena.rewind(mark);
  }
}

#define CAROUSEL_INSTANTIATE(T)                      \
  template bool ScanOp<T>::reached() const noexcept; \
  template void ScanOp<T>::backward();
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel::detail
