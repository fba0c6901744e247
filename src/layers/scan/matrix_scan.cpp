// matrix_scan.cpp: checks the input of a scan with a matrix memory and puts it on the tape.
#include "layers/scan/matrix_scan.h"

#include <algorithm>

namespace carousel::detail {

std::int64_t MatrixGrid::chunks(std::int64_t length) const noexcept {
  return length / segment * per_segment() + (length % segment + kMatrixChunk - 1) / kMatrixChunk;
}

std::int64_t MatrixGrid::begin(std::int64_t chunk) const noexcept {
  return chunk / per_segment() * segment + chunk % per_segment() * kMatrixChunk;
}

std::int64_t matrix_parts(std::int64_t items) noexcept { return std::min<std::int64_t>(items, threads()); }

template <class T>
Chunk MatrixScanOp<T>::block(std::int64_t index) const noexcept {
  const auto step = [&](std::int64_t at) { return std::min(grid.begin(at * block_chunks), layout->longest()); };
  const std::int64_t begin = step(index), end = step(index + 1);
  return {begin, end, layout->offset(begin), layout->offset(end) - layout->offset(begin)};
}

namespace {

template <class T>
void check_matrix_weights(const MatrixScanOp<T>& op, const ScanWeights<T>& w) {
  const Cell& cell = *op.cell;
  check_shape("weight_ih", w.weight_ih, {op.width(), op.x.shape()[1]});
  if (w.bias_ih) check_shape("bias_ih", w.bias_ih, {op.width()});
  if (w.weight_hh || w.bias_hh)
    fail(Code::kUsage, "cell '{}' has no recurrent product: leave weight_hh out", cell.name);
  if (w.weight_hr) fail(Code::kUsage, "cell '{}' has no projection: leave weight_hr out", cell.name);
  for (int k = 0; k < cell.state_count(); ++k) {
    const Shape shape{op.layout->samples(), cell.state_width(k, {op.hidden_size, op.hidden_size, op.heads})};
    if (w.initial[k]) check_shape("initial state", w.initial[k], shape);
  }
}

std::int64_t hidden_size_of(std::int64_t rows, std::int64_t heads) {
  const std::int64_t hidden_size = (rows - 2 * heads) / 4;
  if (heads < 1 || hidden_size < heads || hidden_size % heads != 0 || 4 * hidden_size + 2 * heads != rows) {
    fail(Code::kUsage, "weight_ih has {} rows, expected 4 H + 2 heads for {} heads of one size", rows, heads);
  }
  return hidden_size;
}

template <class T>
void set_grid(MatrixScanOp<T>& op, const ScanInput<T>& input) {
  const std::int64_t longest = std::max<std::int64_t>(op.layout->longest(), 1);
  op.grid.segment = input.bptt > 0 ? std::min(input.bptt, longest) : longest;
  const std::int64_t all = std::max<std::int64_t>(op.grid.chunks(longest), 1);
  const std::int64_t steps = chunk_steps(longest, op.layout->samples(), op.needs_gradient, input.checkpoint_steps);
  op.block_chunks = std::min((steps + kMatrixChunk - 1) / kMatrixChunk, all);
  if (steps >= longest) op.block_chunks = all;
  op.blocks = (all + op.block_chunks - 1) / op.block_chunks;
}

}  // namespace

template <class T>
ScanOutput<T> matrix_scan(const ScanInput<T>& input, bool needs_gradient) {
  const SequenceLayout& layout = *input.layout;
  const Cell& cell = *input.cell;
  const auto D = std::ssize(input.directions);
  const std::int64_t heads = input.heads, H = hidden_size_of(input.directions[0].weight_ih.shape()[0], heads);
  Tape<T>& tape = input.x.tape();
  auto* op = tape.template record<MatrixScanOp<T>>({layout.rows(), D * H}, needs_gradient);
  op->cell = &cell;
  op->layout = &layout;
  op->x = input.x;
  op->row_index = input.row_index;
  op->direction_count = static_cast<int>(D);
  op->hidden_size = H;
  op->heads = heads;
  set_grid(*op, input);
  ScanOutput<T> result;
  result.output = BasicVariable<T>(op);
  for (std::int64_t d = 0; d < D; ++d) {
    MatrixDirection<T>& direction = op->directions[d];
    direction.weights = input.directions[static_cast<std::size_t>(d)];
    direction.reverse = d == 1;
    check_matrix_weights(*op, direction.weights);
    for (int k = 0; k < cell.state_count(); ++k) {
      const Shape shape{layout.samples(), cell.state_width(k, {H, H, heads})};
      direction.final[k] = tape.template record<FinalStateNode<T>>(shape, op->needs_gradient);
      result.final[d][k] = BasicVariable<T>(direction.final[k]);
    }
  }
  op->forward();
  return result;
}

#define CAROUSEL_INSTANTIATE(T)                                       \
  template Chunk MatrixScanOp<T>::block(std::int64_t) const noexcept; \
  template ScanOutput<T> matrix_scan(const ScanInput<T>&, bool);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel::detail
