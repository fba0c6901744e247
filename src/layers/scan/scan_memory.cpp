#include "layers/scan/scan_memory.h"

#include <algorithm>

#include "kernels/packed_matrix.h"
#include "layers/scan/matrix_scan.h"

namespace carousel {
namespace {

using kernels::packed_size;

// The same terms as the functions that allocate: prepare_forward(), allocate_chunk(), prepare_backward(). cell_...():
// of each of K cells of a step; the others are of one direction.
struct ScanCounts {
  const Cell& cell;
  const ScanSizes& s;
  std::int64_t chunk_steps = detail::chunk_steps(s.time_steps, s.samples, s.training, s.checkpoint_steps);
  std::int64_t chunks = (s.time_steps + chunk_steps - 1) / chunk_steps;
  std::int64_t R = std::min(chunk_steps * s.samples, s.rows), N = s.samples;
  std::int64_t H = s.hidden_size, P = s.proj_size > 0 ? s.proj_size : H, width = cell.gate_count() * H;
  std::int64_t first = cell.first_gates() * H, inner = cell.inner_gates * H;
  bool projected = s.proj_size > 0 || cell.output_layer, product = first > 0;
  CellSizes sizes{.hidden_size = H, .output_size = P};
  std::int64_t Q = cell.recurrent_size(sizes);

  std::int64_t states() const {
    std::int64_t floats = 0;
    for (int k = 0; k < cell.state_count(); ++k) floats += N * cell.state_width(k, sizes);
    return floats;
  }

  // Beside the states that units may keep stands what the step makes of them, and k (layers/scan/zoneout.h).
  std::int64_t zoneout() const {
    std::int64_t floats = s.zoneout ? 2 * N * P : 0;
    for (int k = 1; s.zoneout_memory && k < cell.state_count(); ++k) {
      floats += (k == 1 ? 2 : 1) * N * cell.state_width(k, sizes);
    }
    return floats;
  }

  std::int64_t cell_forward(bool save) const {
    std::int64_t floats = 0;
    if (product) floats += packed_size(Q, first) + (!save && (s.masked || !cell.only_h()) ? N * Q : 0);
    if (inner > 0) floats += packed_size(H, inner) + (save ? 0 : N * H);
    if (projected) floats += packed_size(H, P) + (save ? 0 : N * H);
    return floats + (cell.split_gates ? N * width : 0);
  }

  // Of one row: what is normalised.
  std::int64_t normals() const { return cell.normalised ? cell.normal_count() * H + kNormalisedRows : 0; }

  std::int64_t cell_chunk(bool save) const {
    std::int64_t floats = R * width + (save ? R : N) * normals();
    if (!save) return floats;
    if (product && (s.masked || projected || !cell.only_h())) floats += R * Q;
    if (inner > 0) floats += R * H;
    if (cell.output_layer && s.zoneout) floats += R * P;
    floats += R * H * (cell.extras + (cell.output_layer ? 0 : cell.state_count() - 1));
    return floats + R * (projected ? H : P);
  }

  std::int64_t cell_backward() const {
    std::int64_t floats = 0;
    if (product) floats += packed_size(first, Q) + (s.masked || !cell.only_h() ? N * Q : 0);
    if (inner > 0) floats += packed_size(inner, H) + N * (first + H);
    floats += N * cell.unit_gradient_count() * H;
    if (projected) floats += packed_size(P, H) + R * P + N * H;
    return floats + (cell.split_gates ? R * width : 0);
  }

  std::int64_t shared() const { return s.distinct_rows * width + states() + zoneout(); }
  std::int64_t forward(bool save) const { return shared() + s.transitions * cell_forward(save); }
  std::int64_t chunk(bool save) const { return s.transitions * cell_chunk(save); }
  std::int64_t backward() const { return shared() + s.transitions * cell_backward(); }
};

// The same terms as matrix_scan() and the passes of MatrixScanOp, without a short `bptt`, which has more chunks.
ScanMemory matrix_scan_memory(const ScanSizes& s) {
  constexpr std::int64_t kChunk = detail::kMatrixChunk;
  const std::int64_t H = s.hidden_size, d = H / s.heads, memory = s.heads * (d + 1) * d, N = s.samples;
  const std::int64_t width = 4 * H + 2 * s.heads, parts = detail::matrix_parts(N * s.directions * s.heads);
  const std::int64_t steps = detail::chunk_steps(s.time_steps, N, s.training, s.checkpoint_steps);
  const std::int64_t block_steps = (steps + kChunk - 1) / kChunk * kChunk, rows = std::min(block_steps * N, s.rows);
  const std::int64_t mean_length = (s.rows + N - 1) / std::max<std::int64_t>(N, 1);
  const std::int64_t slots = N * (1 + (s.training ? (mean_length + kChunk - 1) / kChunk : 0));
  const std::int64_t states = slots * (memory + s.heads) + 2 * N;
  const std::int64_t products = (s.distinct_rows > 0 ? s.distinct_rows : rows) * width;
  ScanMemory result{.kept = N * (2 * H + H * d + s.heads), .work = 0};
  const bool keeps_products = s.training && (s.distinct_rows > 0 || steps >= s.time_steps);
  (s.training ? result.kept : result.work) += states;
  (keeps_products ? result.kept : result.work) += products;
  if (s.training) result.work += N * (memory + 2 * s.heads);
  if (s.training && s.distinct_rows > 0) result.work += rows * width + products;
  result.kept *= s.directions;
  result.work *= s.directions;
  result.work += parts * detail::MatrixChunk<float>::workspace_size(d, s.training);
  return result;
}

}  // namespace

ScanMemory scan_memory(const Cell& cell, const ScanSizes& sizes) {
  if (cell.has_matrix()) return matrix_scan_memory(sizes);
  const ScanCounts count{cell, sizes};
  ScanMemory memory;
  memory.kept = count.states() + count.width + (sizes.masked ? 2 * count.N * count.P : 0);
  if (!sizes.training) {
    memory.work = count.forward(false) + count.chunk(false);
  } else if (count.chunks == 1) {
    memory.kept += count.chunk(true);
    memory.work = count.backward();
  } else {
    memory.kept += count.chunks * count.states();
    memory.work = count.backward() + count.forward(true) + count.chunk(true);
  }
  memory.kept *= sizes.directions;
  memory.work *= sizes.directions;
  return memory;
}

}  // namespace carousel
