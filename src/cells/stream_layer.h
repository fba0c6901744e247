// stream_layer.h: one recurrent layer step by step: its weights packed for that, and one step of one or more sequences.
//
// A step of one sequence reads every weight once and does little else, so the weights lie in memory in the order in
// which a step wants them: for each vector of L units one panel [biases, scales, C + Q inputs two by two, G gates, L
// units]. A step walks a panel with the sums of its gates in registers, finishes the cell, and goes on to the next. A
// cell with inner gates takes two such passes. A cell that needs whole rows, normalised ones or one with a matrix
// memory, gets them when the products of all panels are there. Of several sequences (rows) a few at a time pass over a
// panel, all of them before the next panel: weights come from memory once for all rows, and once for a few from the
// second cache.
//
// Formats of the weights (everything else stays float):
//   f32    as they are
//   bf16   rounded to 8 bits of mantissa, half the memory: to nearest, ties to even
//   int8   w = scale q, q in [-127, 127], a scale per gate and unit, apart for W and R: a quarter of the memory. Inputs
//          x and h are rounded to integers of at most 1023 times a scale that each step takes from its largest |x|,
//          |h|; products and sums are exact in int32.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/aligned.h"
#include "carousel/tensor.h"
#include "cells/cell.h"
#include "cells/output_layer.h"

namespace carousel {

enum class WeightFormat { kF32, kBf16, kInt8 };
inline constexpr std::string_view kWeightFormats[] = {"f32", "bf16", "int8"};

// Throws Error{kUsage} that lists the known ones.
WeightFormat parse_weight_format(std::string_view name);

// One row of weights in int8: w[k] is about scale q[k], q in [-127, 127]; the scale is that of the largest |w|. Returns
// the scale, 0 for a row of zeros (or of numbers so small that the scale would count as zero), infinite or NaN with
// zeros for a row that is not finite. The row scale q[k] gives the same scale and the same q again, so weights may be
// stored so.
float quantise_row(std::span<const float> w, std::int8_t* q) noexcept;

// The most inputs of a layer in int8: 16000 * 127 * 1023 < 2^31, so that sums stay in int32.
inline constexpr std::int64_t kMostInt8Inputs = 16000;

// The nearest bf16 number, ties to even, as the upper half of a float.
inline std::uint16_t bf16_bits(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  // The rounding of a NaN could make it infinite.
  const std::uint32_t rounded = std::isnan(value) ? bits | 0x400000 : bits + 0x7fff + ((bits >> 16) & 1);
  return static_cast<std::uint16_t>(rounded >> 16);
}

// Rows of one call of step(): as many as keep a panel in the second cache beside their inputs while all of them pass.
inline constexpr int kStreamRows = 32;

// The weights of one layer as the model keeps them; borrowed.
struct StreamLayerWeights {
  const Cell* cell = nullptr;
  std::int64_t input_size = 0, output_size = 0, hidden_size = 0;  // C, P (the width of h), H
  std::int64_t heads = 1;
  const float* weight_ih = nullptr;  // [G H, C], or as many rows as Cell::first_row() says
  const float* weight_hh = nullptr;  // [K H, Q] for the K gates with a recurrent product; see layers/scan/scan.h
  const float* bias_ih = nullptr;    // [G H]; null: none
  const float* bias_hh = nullptr;    // [K H]
  const float* weight_ph = nullptr;  // [U, H]: unit weights
  const float* weight_hr = nullptr;  // [P, H]; null: no projection, P = H
  const float* bias_hr = nullptr;    // [P]; these two only of a cell with an output layer
  OutputLayer output = {};
};

// One step of some sequences as a caller describes it; row r belongs to one of them, each with states of its own.
struct StreamRows {
  int count = 0;                           // at most kStreamRows
  const float* x[kStreamRows];             // [C]
  float* states[kMaxStates][kStreamRows];  // [state_length(k)], replaced by the next ones; the first begins with h [P]
  const float* lower[kStreamRows];  // of a cell with `lower`: the second state of the layer below, [state_length(1)]
};

// Where a kernel puts rows of x or h that it rounded to integers, for int8.
struct StreamIntegers {
  std::int16_t* values = nullptr;  // [rows, stride]
  float* scales = nullptr;         // [rows]
  std::int64_t stride = 0;         // even
};

// One pass as the kernels see it: products with some gates, then the mathematics of the cell tile by tile.
struct StreamStep {
  int rows = 0, gate_count = 0;  // gates of this pass
  bool split = false;            // W x and R h apart
  std::int64_t input_size = 0, recurrent_size = 0, panels = 0, panel_bytes = 0, lanes = 0;
  const float* const* x = nullptr;        // [rows] pointers
  const float* const* h = nullptr;        // [rows] pointers: what enters the recurrent product
  const float* const* lower = nullptr;    // [rows] pointers
  float* const* states[kMaxStates] = {};  // [rows] pointers; replaced, in whole vectors, all but a `hidden` first one
  float* hidden = nullptr;  // [rows, panels, L]: the next first state if it may not replace h yet; null: it may
  float* gates = nullptr;   // [rows, first gates, panels, L] and ...
  float* inner = nullptr;   // ... [rows, panels, L]: from the first to the second pass of a cell with inner gates
  // Of a cell that needs whole rows: what the products give, [rows, G, units]; q only with split gates.
  float *a = nullptr, *q = nullptr;
  std::int64_t units = 0;
  const float* unit_weights = nullptr;  // [U, panels, L]
  const std::byte* weights = nullptr;   // panels of panel_bytes
  StreamIntegers input, recurrent;
  StreamFinish finish = nullptr;
  const CellProgram* program = nullptr;  // Cell::program
};

// What the products of one pass over G gates give for rows row .. row + rows - 1 and the L units from `unit` on.
struct StreamTile {
  const StreamStep& step;
  int row, rows;
  std::int64_t unit;
  const float *a, *q;  // [rows, G, L], biases included; q only with split gates
};

// Owns the packed weights and nothing else: any number of threads may step at once.
class StreamLayer {
 public:
  // rows: the most of one step, up to kStreamRows. Throws Error{kUsage} for int8 with more than kMostInt8Inputs.
  StreamLayer(const StreamLayerWeights& weights, WeightFormat format, int rows = kStreamRows);

  // The length of a state vector: that of H or P, the larger, rounded up so that whole vectors may be written; of a
  // matrix memory the width of the state.
  std::int64_t state_length(int state) const noexcept;
  // What a step needs to work in, 64-byte aligned; a multiple of 64.
  std::int64_t workspace_bytes() const noexcept { return parts_[kParts]; }

  // One step of every row. A row gets the same bits alone and beside any others.
  void step(const StreamRows& rows, std::byte* workspace) const noexcept;

 private:
  enum Part { kInput, kRecurrent, kScales, kHidden, kGathered, kGates, kInner, kOutput, kA, kQ, kRows, kParts };

  // The gates of one pass over the panels: all of them, or with inner gates the first ones and then the others.
  struct Pass {
    int first = 0, gates = 0;
    std::int64_t recurrent_size = 0, panel_bytes = 0;
    Tensor weights;  // panels of panel_bytes
    StreamKernel kernel = nullptr;
    StreamFinish finish = nullptr;
  };

  void lay_out_workspace(std::int64_t rows);
  void pack(const StreamLayerWeights& weights, Pass& pass) const;
  std::int64_t width(int state) const noexcept {
    return cell_->state_width(state, {hidden_size_, output_size_, heads_});
  }
  bool whole_rows() const noexcept { return cell_->normalised || cell_->has_matrix(); }
  void gather(const StreamRows& rows, float* gathered) const noexcept;
  void finish_normalised(const StreamRows& rows, std::byte* workspace) const noexcept;
  void finish_matrix(const StreamRows& rows, std::byte* workspace) const noexcept;
  void project(const StreamRows& rows, const float* hidden, float* output) const noexcept;

  const Cell* cell_;
  WeightFormat format_;
  std::int64_t lanes_, input_size_, output_size_, hidden_size_, heads_;
  // Rows of weight_ih in each gate of a pass: H. Those of a matrix memory are cut into four such gates of one size,
  // with zeros behind the last, for the products to go through as those of other cells.
  std::int64_t units_, panels_;
  std::int64_t recurrent_size_ = 0;               // Q: what enters the product of the first pass
  std::int64_t input_stride_, recurrent_stride_;  // C and P and at least one more, rounded up to vectors
  std::int64_t parts_[kParts + 1] = {};           // where the parts of a workspace begin, and their end
  std::vector<Pass> passes_;
  std::vector<float, AlignedAllocator<float>> unit_weights_;
  std::vector<float, AlignedAllocator<float>> weight_hr_;  // packed; empty: no projection
  std::vector<float> bias_hr_;                             // empty: none
  std::vector<float> bias_ih_, bias_hh_;                   // only with whole rows: not in the panels
  OutputLayer output_;
};

}  // namespace carousel
