// scan_op.h: what one scan keeps between its forward and its backward pass. Internal to layers/scan/scan*.cpp.
#pragma once

#include <algorithm>
#include <memory>

#include "layers/scan/scan.h"

namespace carousel::detail {

template <class T>
void check_shape(const char* name, const BasicVariable<T>& variable, const Shape& expected) {
  if (variable.shape() == expected) return;
  fail(Code::kUsage, "{} has shape {}, expected {}", name, variable.shape().to_string(), expected.to_string());
}

// The final value of one state, [samples, width], in the original order of the samples.
template <class T>
struct FinalStateNode final : Node<T> {};  // the scan itself reads its gradient

// The second state of every step, [rows, D H].
template <class T>
struct UpperNode final : Node<T> {};  // as above

// Steps that are computed at a time, and their rows of the layout. Without checkpoints a training pass is one chunk.
struct Chunk {
  std::int64_t begin = 0, end = 0;  // steps
  std::int64_t first_row = 0, rows = 0;
};

// Elements that live until the arena's rewind().
template <class U>
std::span<U> make_array(Arena& arena, std::int64_t count) {
  U* array = arena.allocate<U>(count);
  std::uninitialized_value_construct_n(array, count);
  return {array, static_cast<std::size_t>(count)};
}

// Buffers of one cell of one direction; all but the weights live in the tape's arena. R rows of the largest chunk, N
// samples. The buffers [R, ...] hold the chunk in work; without checkpoints they are kept from the forward to the
// backward pass.
template <class T>
struct ScanDirection {
  ScanWeights<T> weights;
  bool reverse = false;
  bool first = true, last = true;  // of the cells of a step; what the cells share is with the first one
  std::int64_t column = 0;         // of its output in a row of the node's value
  T* a = nullptr;                  // [R, G H]: W x, then gates, then their gradients
  T* extra[kMaxExtras] = {};       // [R, H]
  T* previous[kMaxStates] = {};    // [R, P or H]: states before each step
  T* recurrent_input = nullptr;    // [R, Q]: what entered the recurrent product (masked if there is a mask)
  T* inner = nullptr;              // [R, H]: what entered that of the inner gates (masked too); only with inner gates
  T* unprojected = nullptr;        // [R, H]: output before the projection; only with projection
  T* made = nullptr;               // [R, P]: output before zoneout; only with an output layer and zoneout of h
  const T* mask = nullptr;         // [N, P], sorted order, of h; null: none
  T* checkpoint[kMaxStates] = {};  // [chunks, N, P or H]: states before each chunk, in the direction's order
  // Of a normalised cell, see StepForward: [R, ...], or [N, ...] where nothing is saved.
  T *normal = nullptr, *scale = nullptr;
  const T *bias_a = nullptr, *bias_q = nullptr;  // [G H]
  FinalStateNode<T>* final[kMaxStates] = {};
};

template <class T>
struct ScanOp final : Node<T> {
  const Cell* cell = nullptr;
  const SequenceLayout* layout = nullptr;
  BasicVariable<T> x, lower;
  UpperNode<T>* upper = nullptr;
  std::span<const std::int32_t> row_index;
  std::span<ScanDirection<T>> directions;  // K cells of each
  int direction_count = 0;
  std::int64_t transitions = 1;                   // K
  std::int64_t hidden_size = 0, output_size = 0;  // H and P
  std::int64_t bptt = 0;                          // as in ScanInput
  std::int64_t chunk_steps = 1, chunks = 1;       // the last chunk may be shorter
  bool projected = false;
  OutputLayer output;
  Zoneout zoneout;

  std::int64_t gate_width() const noexcept { return cell->gate_count() * hidden_size; }
  std::int64_t first_width() const noexcept { return cell->first_gates() * hidden_size; }
  std::int64_t inner_width() const noexcept { return cell->inner_gates * hidden_size; }
  std::int64_t lower_width() const noexcept { return direction_count * hidden_size; }
  CellSizes sizes() const noexcept { return {.hidden_size = hidden_size, .output_size = output_size}; }
  std::int64_t recurrent_size() const noexcept { return cell->recurrent_size(sizes()); }  // Q
  std::int64_t state_width(int state) const noexcept { return cell->state_width(state, sizes()); }

  Chunk chunk(std::int64_t index) const noexcept;                        // in the order of time
  std::int64_t largest_chunk() const noexcept { return chunk(0).rows; }  // the batch never grows
  ZoneoutShares<T> zoneout_shares(const ScanDirection<T>& direction) const;
  bool keeps_all() const noexcept { return this->needs_gradient && chunks == 1; }

  void forward();
  bool reached() const noexcept override;  // by a gradient of the output or of a final state
  void backward() override;
};

// The sorted samples [begin, end) that one task takes through the whole loop.
struct SampleRange {
  std::int64_t begin = 0, end = 0;
  // Rows of step t that belong to the range: from first_row(), count() of them.
  std::int64_t count(const SequenceLayout& layout, std::int64_t step) const noexcept;
  std::int64_t first_row(const SequenceLayout& layout, std::int64_t step) const noexcept;
};

// Cuts the samples into at most kMaxParts ranges of about equal total length, one per thread that is free for it.
inline constexpr int kMaxParts = 64;
int split_samples(const SequenceLayout& layout, int directions, SampleRange (&ranges)[kMaxParts]);

// How many steps are computed at a time: all of them, those between two checkpoints, or in inference what is enough for
// the products.
std::int64_t chunk_steps(std::int64_t longest, std::int64_t samples, bool needs_gradient,
                         std::int64_t checkpoint_steps) noexcept;

// Everything that one cell of a direction's loop shares between its tasks. [N, ...] buffers are in sorted order.
template <class T>
struct ForwardLoop {
  ScanOp<T>* op = nullptr;
  ScanDirection<T>* direction = nullptr;
  const T* table = nullptr;         // [distinct, G H]: W x of every row of x; only with row_index
  const T* packed_hh = nullptr;     // of the first gates: W_hh^T, packed
  const T* packed_inner = nullptr;  // of the inner gates
  const T* packed_hr = nullptr;     // W_hr^T, packed; only with projection
  const T* unit_weights = nullptr;  // [U, H]
  T* state[kMaxStates] = {};        // [N, P or H]: the running states; of a later cell the next ones of the one before
  T* next[kMaxStates] = {};         // [N, P or H]: what the cell makes of them; other memory only with zoneout of them
  ZoneoutShares<T> shares;
  T* q = nullptr;            // [N, G H]: recurrent product, only with split gates
  T* gathered = nullptr;     // [N, Q]: what enters the product, when it is not kept and not h itself
  T* inner = nullptr;        // [N, H]: the same of the inner gates
  T* unprojected = nullptr;  // [N, H]: output before the projection when nothing is saved
  bool save = false;         // what the backward pass reads

  void step(SampleRange range, std::int64_t t, std::int64_t first_row) const noexcept;
  const T* recurrent_input(std::int64_t rows, std::int64_t local, std::int64_t begin) const noexcept;
  void step_inner(StepForward<T>& s, std::int64_t local, SampleRange range) const noexcept;
  void zone_out(SampleRange range, std::int64_t t) const noexcept;

 private:
  // y[rows, n] (row length ldy) = beta y + x[rows, k] times packed weights.
  struct Product {
    std::int64_t rows, n, k;
    const T *x, *packed;
    T beta, *y;
    std::int64_t ldy;
  };
  void multiply(SampleRange range, const Product& p) const noexcept;
};

// values[rows, width] (row length ld) times mask [rows, width].
template <class T>
void apply_mask(std::int64_t rows, std::int64_t width, const T* mask, T* values, std::int64_t ld) noexcept;

// Rows first .. first + rows of x W_ih^T, [rows, G H].
template <class T>
void multiply_input(const ScanOp<T>& op, const ScanDirection<T>& direction, std::int64_t first, std::int64_t rows,
                    T* products);

// The biases of the first cell of a step are added up where their products are; a later one has bias_hh alone.
template <class T>
void prepare_biases(ScanOp<T>& op, ScanDirection<T>& direction);

// Buffers in the arena for a direction's chunk in work; with `save` for all that the backward pass reads.
template <class T>
void allocate_chunk(ScanOp<T>& op, ScanDirection<T>& direction, bool save);

// For every cell: packs the weights, and sets the states to the initial ones; all in the arena.
template <class T>
std::span<ForwardLoop<T>> prepare_forward(ScanOp<T>& op, bool save);

// Runs the chunk that stands at `position` in each direction's own order. Chunks are a pure function of x, weights and
// states, bit for bit, however the steps are cut.
template <class T>
void run_chunk(ScanOp<T>& op, std::span<const ForwardLoop<T>> loops, std::int64_t position);

// The chunk at `position` in the direction's order.
template <class T>
Chunk chunk_at(const ScanOp<T>& op, const ScanDirection<T>& direction, std::int64_t position) noexcept {
  return op.chunk(direction.reverse ? op.chunks - 1 - position : position);
}

// Copies rows between the caller's order of samples and the sorted order. [N, width].
template <class T>
void to_sorted(const SequenceLayout& layout, std::int64_t width, const T* original, T* sorted);
template <class T>
void from_sorted(const SequenceLayout& layout, std::int64_t width, const T* sorted, T beta, T* original);

}  // namespace carousel::detail
