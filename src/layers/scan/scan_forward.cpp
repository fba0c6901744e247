// scan_forward.cpp: the forward pass of a scan (steps 1 and 2 of scan.h).
#include <algorithm>

#include "base/thread_pool.h"
#include "kernels/packed_matrix.h"
#include "layers/scan/scan_op.h"

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

template <class T>
void apply_mask(std::int64_t rows, std::int64_t width, const T* mask, T* values, std::int64_t ld) noexcept {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t j = 0; j < width; ++j) values[r * ld + j] *= mask[r * width + j];
  }
}

template <class T>
Chunk ScanOp<T>::chunk(std::int64_t index) const noexcept {
  const std::int64_t begin = std::min(index * chunk_steps, layout->longest());
  const std::int64_t end = std::min(begin + chunk_steps, layout->longest());
  return {begin, end, layout->offset(begin), layout->offset(end) - layout->offset(begin)};
}

template <class T>
ZoneoutShares<T> ScanOp<T>::zoneout_shares(const ScanDirection<T>& direction) const {
  Zoneout own = zoneout;
  own.key.step += direction.reverse ? 1 : 0;
  return {this->tape->arena(), own, *layout, output_size, cell->state_count() > 1 ? state_width(1) : 0};
}

// Blends the states before the step and those that it made, and gives out the result.
template <class T>
void ForwardLoop<T>::zone_out(SampleRange range, std::int64_t t) const noexcept {
  const std::int64_t rows = range.count(*op->layout, t), row = range.first_row(*op->layout, t), begin = range.begin;
  shares.draw(t, begin, rows);
  const auto give = [&](int k, T* to, std::int64_t ld) {
    const std::int64_t width = op->state_width(k);
    for (std::int64_t r = 0; r < rows; ++r) std::copy_n(state[k] + (begin + r) * width, width, to + r * ld);
  };
  for (int k = 0; k < op->cell->state_count(); ++k) {
    const T* share = shares.at(k, begin);
    if (!share) continue;
    T* before = state[k] + begin * op->state_width(k);
    const T* made = next[k] + begin * op->state_width(k);
    for (std::int64_t j = 0; j < rows * op->state_width(k); ++j) {
      before[j] = share[j] * before[j] + (T(1) - share[j]) * made[j];
    }
    if (k == 0) give(k, op->data() + row * op->shape()[1] + direction->column, op->shape()[1]);
    const std::int64_t ld = op->lower_width();
    if (k == 1 && op->upper) give(k, op->upper->data() + row * ld + (direction->reverse ? op->hidden_size : 0), ld);
  }
}

// What enters the recurrent product of these rows; keeps a copy where the backward pass needs one of its own.
template <class T>
const T* ForwardLoop<T>::recurrent_input(std::int64_t rows, std::int64_t local, std::int64_t begin) const noexcept {
  const std::int64_t P = op->output_size, Q = op->recurrent_size();
  const T* h = state[0] + begin * P;
  T* kept = gathered ? gathered + begin * Q : direction->recurrent_input + local * Q;
  if (!op->cell->only_h()) {
    std::int64_t column = 0;
    for (const int k : op->cell->recurrent_states) {
      const std::int64_t width = op->state_width(k);
      for (std::int64_t r = 0; r < rows; ++r) std::copy_n(state[k] + (begin + r) * width, width, kept + r * Q + column);
      column += width;
    }
    if (direction->mask) apply_mask(rows, P, direction->mask + begin * P, kept, Q);
    return kept;
  }
  if (direction->mask) {
    std::copy_n(h, rows * P, kept);
    apply_mask(rows, P, direction->mask + begin * P, kept, P);
    return kept;
  }
  if (save && op->projected) std::copy_n(h, rows * P, kept);  // else the cell's own step keeps it
  return h;
}

// Where the range is all there is to do at a time, the threads share each product.
template <class T>
void ForwardLoop<T>::multiply(SampleRange range, const Product& p) const noexcept {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (op->direction_count == 1 && range.begin == 0 && range.end == op->layout->samples())
      return kernels::multiply_packed_on_threads(p.rows, p.n, p.k, p.x, p.k, p.packed, p.beta, p.y, p.ldy);
  }
  kernels::multiply_packed<T>(p.rows, p.n, p.k, p.x, p.k, p.packed, p.beta, p.y, p.ldy);
}

// The second round of a cell with inner gates.
template <class T>
void ForwardLoop<T>::step_inner(StepForward<T>& s, std::int64_t local, SampleRange range) const noexcept {
  const std::int64_t H = op->hidden_size, width = op->gate_width(), begin = range.begin;
  s.inner = save ? direction->inner + local * H : inner + begin * H;
  op->cell->template steps<T>().step_inner(s);
  if (direction->mask) apply_mask(s.rows, H, direction->mask + begin * H, s.inner, H);
  multiply(range, {s.rows, op->inner_width(), H, s.inner, packed_inner, T(1), s.a + op->first_width(), width});
}

template <class T>
void ForwardLoop<T>::step(SampleRange range, std::int64_t t, std::int64_t first_row) const noexcept {
  const Cell& cell = *op->cell;
  const std::int64_t rows = range.count(*op->layout, t), row = range.first_row(*op->layout, t);
  if (rows == 0) return;
  const std::int64_t H = op->hidden_size, P = op->output_size, width = op->gate_width(), begin = range.begin;
  const std::int64_t local = row - first_row;
  T* output = op->data() + row * op->shape()[1] + direction->column;
  const bool gives_output = direction->last && !shares.holds(0);

  StepForward<T> s;
  s.rows = rows;
  s.hidden_size = H;
  s.a = direction->a + local * width;
  s.bias_a = direction->bias_a;
  s.bias_q = direction->bias_q;
  s.unit_weights = unit_weights;
  s.save = save;
  s.program = cell.program;
  if (!direction->first) std::fill_n(s.a, rows * width, T(0));  // in the place of W x
  if (packed_hh) {
    const std::int64_t Q = op->recurrent_size();
    T* product = cell.split_gates ? q + begin * width : s.a;
    multiply(range, {rows, op->first_width(), Q, recurrent_input(rows, local, begin), packed_hh,
                     cell.split_gates ? T(0) : T(1), product, width});
    s.q = cell.split_gates ? product : nullptr;
  }
  for (int k = 0; k < cell.state_count(); ++k) {
    s.next[k] = next[k] + begin * op->state_width(k);
    s.previous[k] = state[k] + begin * op->state_width(k);
    if (save && direction->previous[k]) s.saved_previous[k] = direction->previous[k] + local * op->state_width(k);
  }
  if (cell.normalised) {
    const std::int64_t at = save ? local : begin;
    s.normal = direction->normal + at * cell.normal_count() * H;
    s.scale = direction->scale + at * kNormalisedRows;
  }
  for (int k = 0; save && k < cell.extras; ++k) s.extra[k] = direction->extra[k] + local * H;
  s.ld_lower = op->lower_width();
  const std::int64_t lower_at = row * s.ld_lower + (direction->reverse ? H : 0);
  if (cell.lower) s.lower = op->lower.value().data + lower_at;
  if (op->upper && !shares.holds(1)) s.upper = op->upper->data() + lower_at;
  if (packed_inner) step_inner(s, local, range);
  if (!op->projected) {
    s.output = gives_output ? output : nullptr;
    s.ld_output = op->shape()[1];
    cell.steps<T>().step(s);
    return;
  }
  s.previous[0] = nullptr;
  s.saved_previous[0] = nullptr;
  s.next[0] = save ? direction->unprojected + local * H : unprojected + begin * H;
  cell.steps<T>().step(s);
  T* h = next[0] + begin * P;
  multiply(range, {rows, P, H, s.next[0], packed_hr, T(0), h, P});
  if (cell.output_layer) {
    const BasicVariable<T>& bias = direction->weights.bias_hr;
    T* context = next[1] + begin * P;
    if (shares.holds(1)) std::copy_n(state[1] + begin * P, rows * P, context);
    finish_output<T>(op->output, {rows, P, bias ? bias.value().data : nullptr, h, context});
    if (save && direction->made) std::copy_n(h, rows * P, direction->made + local * P);
  }
  if (!gives_output) return;
  for (std::int64_t k = 0; k < rows; ++k) std::copy_n(h + k * P, P, output + k * op->shape()[1]);
}

namespace {

// A = x W_ih^T of one chunk.
template <class T>
void project_input(const ScanOp<T>& op, const ForwardLoop<T>& loop, const Chunk& chunk) {
  const ScanDirection<T>& direction = *loop.direction;
  if (!loop.table) return multiply_input(op, direction, chunk.first_row, chunk.rows, direction.a);
  const std::int64_t width = op.gate_width();
  for (std::int64_t r = 0; r < chunk.rows; ++r) {
    const std::int64_t entry = op.row_index[static_cast<std::size_t>(chunk.first_row + r)];
    std::copy_n(loop.table + entry * width, width, direction.a + r * width);
  }
}

// All steps of a chunk for some samples; cells: those of one direction.
template <class T>
void run_forward(std::span<const ForwardLoop<T>> cells, SampleRange range, const Chunk& chunk) noexcept {
  const std::int64_t steps = chunk.end - chunk.begin;
  for (std::int64_t k = 0; k < steps; ++k) {
    const std::int64_t t = cells[0].direction->reverse ? chunk.end - 1 - k : chunk.begin + k;
    for (const ForwardLoop<T>& cell : cells) cell.step(range, t, chunk.first_row);
    if (cells[0].shares.active()) cells[0].zone_out(range, t);
  }
}

}  // namespace

template <class T>
void run_chunk(ScanOp<T>& op, std::span<const ForwardLoop<T>> loops, std::int64_t position) {
  for (const ForwardLoop<T>& loop : loops) {
    if (loop.direction->first) project_input(op, loop, chunk_at(op, *loop.direction, position));
  }
  SampleRange ranges[kMaxParts];
  const int parts = split_samples(*op.layout, op.direction_count, ranges);
  const auto K = static_cast<std::size_t>(op.transitions);
  parallel_for(parts * op.direction_count, [&](std::int64_t task) {
    const auto cells = loops.subspan(static_cast<std::size_t>(task / parts) * K, K);
    run_forward(cells, ranges[task % parts], chunk_at(op, *cells[0].direction, position));
  });
}

template <class T>
void ScanOp<T>::forward() {
  Arena& arena = this->tape->arena();
  const std::int64_t N = layout->samples();
  const Arena::Mark before = arena.mark();
  for (ScanDirection<T>& direction : directions) {
    prepare_biases(*this, direction);
    if (keeps_all()) allocate_chunk(*this, direction, true);
    for (int k = 0; this->needs_gradient && chunks > 1 && direction.first && k < cell->state_count(); ++k) {
      direction.checkpoint[k] = arena.allocate<T>(chunks * N * state_width(k));
    }
  }
  const Arena::Mark kept = this->needs_gradient ? arena.mark() : before;
  for (ScanDirection<T>& direction : directions) {
    if (!keeps_all()) allocate_chunk(*this, direction, false);
  }
  const std::span<const ForwardLoop<T>> loops = prepare_forward(*this, keeps_all());
  for (std::int64_t position = 0; position < chunks; ++position) {
    for (const ForwardLoop<T>& loop : loops) {
      for (int k = 0; k < cell->state_count() && loop.direction->checkpoint[k]; ++k) {
        const std::int64_t size = N * state_width(k);
        std::copy_n(loop.state[k], size, loop.direction->checkpoint[k] + position * size);
      }
    }
    run_chunk(*this, loops, position);
  }
  for (const ForwardLoop<T>& loop : loops) {
    for (int k = 0; k < cell->state_count() && loop.direction->first; ++k) {
      from_sorted(*layout, state_width(k), loop.state[k], T(0), loop.direction->final[k]->data());
    }
  }
  arena.rewind(kept);
}

#define CAROUSEL_INSTANTIATE(T)                                                              \
  template Chunk ScanOp<T>::chunk(std::int64_t) const noexcept;                              \
  template ZoneoutShares<T> ScanOp<T>::zoneout_shares(const ScanDirection<T>&) const;        \
  template void ScanOp<T>::forward();                                                        \
  template void apply_mask(std::int64_t, std::int64_t, const T*, T*, std::int64_t) noexcept; \
  template void run_chunk(ScanOp<T>&, std::span<const ForwardLoop<T>>, std::int64_t);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel::detail
