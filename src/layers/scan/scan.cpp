// scan.cpp: checks the input of a scan and puts it on the tape.
#include "layers/scan/scan.h"

#include <algorithm>

#include "layers/scan/matrix_scan.h"

namespace carousel {
namespace detail {

std::int64_t SampleRange::count(const SequenceLayout& layout, std::int64_t step) const noexcept {
  return std::clamp<std::int64_t>(layout.batch_size(step) - begin, 0, end - begin);
}

std::int64_t SampleRange::first_row(const SequenceLayout& layout, std::int64_t step) const noexcept {
  return layout.offset(step) + begin;
}

std::int64_t chunk_steps(std::int64_t longest, std::int64_t samples, bool needs_gradient,
                         std::int64_t checkpoint_steps) noexcept {
  constexpr std::int64_t kInferenceRows = 4096;  // nothing is kept: no more than the products make use of
  const std::int64_t all = std::max<std::int64_t>(longest, 1);
  if (needs_gradient) return checkpoint_steps == 0 ? all : std::min(checkpoint_steps, all);
  return std::clamp<std::int64_t>(kInferenceRows / std::max<std::int64_t>(samples, 1), 1, all);
}

template <class T>
void to_sorted(const SequenceLayout& layout, std::int64_t width, const T* original, T* sorted) {
  for (std::int64_t k = 0; k < layout.samples(); ++k) {
    std::copy_n(original + layout.sample(k) * width, width, sorted + k * width);
  }
}

template <class T>
void from_sorted(const SequenceLayout& layout, std::int64_t width, const T* sorted, T beta, T* original) {
  for (std::int64_t k = 0; k < layout.samples(); ++k) {
    const T* from = sorted + k * width;
    T* to = original + layout.sample(k) * width;
    for (std::int64_t j = 0; j < width; ++j) to[j] = beta == T(0) ? from[j] : to[j] + from[j];
  }
}

}  // namespace detail

namespace {

using detail::check_shape;
using detail::ScanOp;

// What only the first cell of a step has.
template <class T>
void check_input_weights(const ScanOp<T>& op, const ScanWeights<T>& w, bool first) {
  const std::int64_t recurrent = op.cell->recurrent_gates() * op.hidden_size;
  if (first) {
    check_shape("weight_ih", w.weight_ih, {op.gate_width(), op.x.shape()[1]});
    if (recurrent > 0 && bool(w.bias_ih) != bool(w.bias_hh))
      fail(Code::kUsage, "bias_ih and bias_hh: give both or neither");
    if (w.bias_ih) check_shape("bias_ih", w.bias_ih, {op.gate_width()});
  }
  bool initial = false;
  for (int k = 0; k < op.cell->state_count(); ++k) {
    if (w.initial[k]) check_shape("initial state", w.initial[k], {op.layout->samples(), op.state_width(k)});
    initial = initial || w.initial[k];
  }
  if (!first && (w.weight_ih || w.bias_ih || initial)) {
    fail(Code::kUsage, "a later cell of a step reads no x: leave weight_ih, bias_ih and initial states out");
  }
}

template <class T>
void check_weights(const ScanOp<T>& op, const ScanWeights<T>& w) {
  const std::int64_t recurrent = op.cell->recurrent_gates() * op.hidden_size;
  if (recurrent > 0) check_shape("weight_hh", w.weight_hh, {recurrent, op.recurrent_size()});
  if (w.bias_hh) check_shape("bias_hh", w.bias_hh, {recurrent});
  if (op.cell->unit_weight_count() > 0)
    check_shape("weight_ph", w.weight_ph, {op.cell->unit_weight_count() * op.hidden_size});
  if (op.projected) {
    check_shape("weight_hr", w.weight_hr, {op.output_size, op.hidden_size});
    if (!op.cell->projection) fail(Code::kUsage, "cell '{}' has no projection: leave weight_hr out", op.cell->name);
  }
  if (op.cell->output_layer && !op.projected) fail(Code::kUsage, "cell '{}' needs a weight_hr", op.cell->name);
  if (w.bias_hr) check_shape("bias_hr", w.bias_hr, {op.output_size});
}

template <class T>
bool needs_gradient(const ScanInput<T>& input) {
  bool any = input.x.node()->needs_gradient || (input.lower && input.lower.node()->needs_gradient);
  for (const ScanWeights<T>& w : input.directions) {
    for (const auto* v : {&w.weight_ih, &w.weight_hh, &w.bias_ih, &w.bias_hh, &w.weight_hr, &w.bias_hr, &w.weight_ph}) {
      any = any || (*v && v->node()->needs_gradient);
    }
    for (const auto& v : w.initial) any = any || (v && v.node()->needs_gradient);
  }
  return any;
}

template <class T>
void check_rows(const ScanInput<T>& input) {
  const std::int64_t rows = input.layout->rows();
  if (input.x.shape().rank() != 2)
    fail(Code::kUsage, "x has shape {}, expected [rows, input_size]", input.x.shape().to_string());
  const std::int64_t got = input.row_index.empty() ? input.x.shape()[0] : std::ssize(input.row_index);
  if (got != rows) fail(Code::kUsage, "x has {} rows, expected {}: the sum of the lengths", got, rows);
}

template <class T>
void check_input(const ScanOp<T>& op, const ScanInput<T>& input) {
  for (std::size_t k = 0; k < input.directions.size(); ++k) {
    check_input_weights(op, input.directions[k], k % static_cast<std::size_t>(input.transitions) == 0);
    check_weights(op, input.directions[k]);
  }
  if (op.cell->lower) check_shape("lower", input.lower, {op.layout->rows(), op.lower_width()});
}

// The cells of all directions on the tape.
template <class T>
void add_cells(ScanOp<T>& op, const ScanInput<T>& input) {
  Arena& arena = op.tape->arena();
  op.directions = detail::make_array<detail::ScanDirection<T>>(arena, std::ssize(input.directions));
  for (std::size_t k = 0; k < op.directions.size(); ++k) {
    detail::ScanDirection<T>& cell = op.directions[k];
    const auto d = static_cast<std::int64_t>(k) / op.transitions, own = static_cast<std::int64_t>(k) % op.transitions;
    cell.weights = input.directions[k];
    cell.reverse = d == 1;
    cell.first = own == 0;
    cell.last = own + 1 == op.transitions;
    cell.column = d * op.output_size;
    if (!cell.first) {
      cell.mask = op.directions[k - 1].mask;
    } else if (input.recurrent_mask[d]) {
      T* sorted = arena.allocate<T>(op.layout->samples() * op.output_size);
      detail::to_sorted(*op.layout, op.output_size, input.recurrent_mask[d], sorted);
      cell.mask = sorted;
    }
  }
}

}  // namespace

void check_transitions(const Cell& cell, std::int64_t transitions) {
  if (transitions < 1) fail(Code::kUsage, "{}: transitions is {}, expected at least 1", cell.name, transitions);
  const bool own_states_only = !cell.lower && !cell.entry && !cell.output_layer && !cell.fixed_unit_weights;
  if (transitions == 1 || (own_states_only && cell.input_gates == 0 && !cell.has_matrix())) return;
  fail(Code::kUsage, "cell '{}' takes more into a step than x and what all its gates see: leave transitions out",
       cell.name);
}

template <class T>
ScanOutput<T> scan(const ScanInput<T>& input) {
  check_transitions(*input.cell, input.transitions);
  const std::int64_t K = input.transitions, count = std::ssize(input.directions) / K;
  if ((count != 1 && count != 2) || count * K != std::ssize(input.directions)) {
    fail(Code::kUsage, "a scan has 1 or 2 directions of {} cells each, got {} cells", K, input.directions.size());
  }
  check_rows(input);
  check_zoneout(*input.cell, input.zoneout);
  if (input.cell->has_matrix()) return detail::matrix_scan(input, needs_gradient(input));
  const ScanWeights<T>& first = input.directions[0];
  const std::int64_t hidden_size = first.weight_ih.shape()[0] / input.cell->gate_count();
  const std::int64_t output_size = first.weight_hr ? first.weight_hr.shape()[0] : hidden_size;
  const SequenceLayout& layout = *input.layout;

  Tape<T>& tape = input.x.tape();
  auto* op = tape.template record<ScanOp<T>>({layout.rows(), count * output_size}, needs_gradient(input));
  op->cell = input.cell;
  op->layout = input.layout;
  op->x = input.x;
  op->lower = input.lower;
  op->row_index = input.row_index;
  op->bptt = input.bptt;
  op->chunk_steps = detail::chunk_steps(layout.longest(), layout.samples(), op->needs_gradient, input.checkpoint_steps);
  op->chunks = std::max<std::int64_t>((layout.longest() + op->chunk_steps - 1) / op->chunk_steps, 1);
  op->direction_count = static_cast<int>(count);
  op->transitions = K;
  op->hidden_size = hidden_size;
  op->output_size = output_size;
  op->projected = bool(first.weight_hr);
  op->output = input.output;
  op->zoneout = input.zoneout;
  check_input(*op, input);
  if (op->needs_gradient && !kTraining)
    fail(Code::kUsage, "this library was built for inference only: no gradient passes a recurrent layer");

  ScanOutput<T> result;
  result.output = BasicVariable<T>(op);
  if (input.upper) {
    op->upper = tape.template record<detail::UpperNode<T>>({layout.rows(), op->lower_width()}, op->needs_gradient);
    result.upper = BasicVariable<T>(op->upper);
  }
  add_cells(*op, input);
  for (std::int64_t d = 0; d < count; ++d) {
    for (int k = 0; k < input.cell->state_count(); ++k) {
      auto* final =
          tape.template record<detail::FinalStateNode<T>>({layout.samples(), op->state_width(k)}, op->needs_gradient);
      op->directions[static_cast<std::size_t>(d * K)].final[k] = final;
      result.final[d][k] = BasicVariable<T>(final);
    }
  }
  op->forward();
  return result;
}

#define CAROUSEL_INSTANTIATE(T)                                                       \
  template ScanOutput<T> scan(const ScanInput<T>&);                                   \
  template void detail::to_sorted(const SequenceLayout&, std::int64_t, const T*, T*); \
  template void detail::from_sorted(const SequenceLayout&, std::int64_t, const T*, T, T*);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel
