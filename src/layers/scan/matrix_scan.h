// matrix_scan.h: the scan (scan.h) of a cell with a matrix memory. Internal to layers/scan/scan.cpp and
// matrix_scan*.cpp.
//
//   1. A = x W_ih^T for all steps in one product
//   2. per sample, head and direction, chunk after chunk: the memory before it is kept, then matrix_chunk.h
//   3. backward, chunk after chunk: the gradients of the gates overwrite A
//   4. dx, dW_ih and the bias gradient in one product each
//
// Chunks begin at the multiples of kMatrixChunk steps, and at those of `bptt`, so they depend on nothing else. With
// checkpoints, and in inference, A is made for some chunks of steps (a block) at a time.
#pragma once

#include "base/thread_pool.h"
#include "layers/scan/matrix_chunk.h"
#include "layers/scan/scan_op.h"

namespace carousel::detail {

// How the steps are cut into chunks.
struct MatrixGrid {
  std::int64_t segment = 1;  // steps between two borders that no gradient passes: bptt, or all
  std::int64_t per_segment() const noexcept { return (segment + kMatrixChunk - 1) / kMatrixChunk; }
  std::int64_t chunks(std::int64_t length) const noexcept;  // that hold the first `length` steps
  std::int64_t begin(std::int64_t chunk) const noexcept;    // in steps
  bool cut_before(std::int64_t chunk) const noexcept { return chunk > 0 && chunk % per_segment() == 0; }
};

// Items (sample, head, direction) are dealt out to this many tasks, each with a workspace of its own.
std::int64_t matrix_parts(std::int64_t items) noexcept;

// W = 4H + 2 heads rows of weight_ih, N samples, d the size of a head, S = (d + 1) d numbers of its memory.
template <class T>
struct MatrixDirection {
  ScanWeights<T> weights;
  bool reverse = false;
  T* a = nullptr;        // [rows of a block, W], or with row_index [distinct, W]: W x, then the gates' gradients
  T* memory = nullptr;   // [slots, heads, S]: C and n, of each head as rows of one matrix
  T* m = nullptr;        // [slots, heads]
  T* da = nullptr;       // where the gradients of the gates go: `a`, or with row_index [rows of a block, W]
  T* dmemory = nullptr;  // [N, heads, S]
  T *mass = nullptr, *dm = nullptr;  // [N, heads]: see MatrixGradient
  FinalStateNode<T>* final[4] = {};
};

template <class T>
struct MatrixScanOp final : Node<T> {
  const Cell* cell = nullptr;
  const SequenceLayout* layout = nullptr;
  BasicVariable<T> x;
  std::span<const std::int32_t> row_index;
  MatrixDirection<T> directions[2];
  int direction_count = 0;
  std::int64_t hidden_size = 0, heads = 1;
  MatrixGrid grid;
  std::int64_t block_chunks = 1, blocks = 1;
  std::int64_t* first_slot = nullptr;  // [N]: where the states of a sorted sample begin; the next follow after chunks

  std::int64_t width() const noexcept { return 4 * hidden_size + 2 * heads; }
  std::int64_t head_size() const noexcept { return hidden_size / heads; }
  std::int64_t memory_size() const noexcept { return (head_size() + 1) * head_size(); }
  Chunk block(std::int64_t index) const noexcept;  // in the order of time
  std::int64_t block_at(const MatrixDirection<T>& direction, std::int64_t position) const noexcept {
    return direction.reverse ? blocks - 1 - position : position;
  }
  // Where a chunk's input state is, and that of the one after it; in inference both are one.
  std::int64_t slot(std::int64_t sample, std::int64_t passed) const noexcept {
    return first_slot[sample] + (this->needs_gradient ? passed : 0);
  }

  void forward();
  bool reached() const noexcept override;
  void backward() override;
};

// The part of A that a block reads.
template <class T>
void project_block(const MatrixScanOp<T>& op, MatrixDirection<T>& direction, std::int64_t block);

// One sample's head in one direction, and the buffers to compute its chunks in.
template <class T>
struct MatrixItem {
  const MatrixScanOp<T>& op;
  const MatrixDirection<T>& direction;
  std::int64_t sample, head;  // sorted sample

  // Calls run(chunk index, chunks passed before it) for the sample's chunks of a block, in the direction's order or
  // against it.
  template <class F>
  void for_each_chunk(std::int64_t block, bool backwards, const F& run) const {
    const std::int64_t count = op.grid.chunks(op.layout->length(sample)), first = block * op.block_chunks;
    const std::int64_t end = std::min(first + op.block_chunks, count);
    for (std::int64_t k = first; k < end; ++k) {
      const std::int64_t chunk = direction.reverse != backwards ? first + end - 1 - k : k;
      run(chunk, direction.reverse ? count - 1 - chunk : chunk);
    }
  }
  // Copies the inputs of the chunk's steps.
  void gather(std::int64_t chunk, std::int64_t first_row, MatrixChunk<T>& to) const;
  std::int64_t row(std::int64_t chunk, std::int64_t step) const noexcept;  // of the layout
  T* memory(std::int64_t passed) const noexcept;
  T& m(std::int64_t passed) const noexcept;
  // The numbers of this head in a state, or its gradient, of a row a sample.
  template <class P>
  P* in_state(P* state, std::int64_t state_width) const noexcept {
    return state + op.layout->sample(sample) * state_width + head * (state_width / op.heads);
  }
};

// f(item, chunk buffers) for every sample, head and direction, in parallel. workspaces: one for each part.
template <class T, class F>
void for_each_item(const MatrixScanOp<T>& op, bool backward, T* workspaces, const F& f) {
  const std::int64_t D = op.direction_count, items = op.layout->samples() * D * op.heads, parts = matrix_parts(items);
  const std::int64_t size = MatrixChunk<T>::workspace_size(op.head_size(), backward);
  parallel_for(parts, [&](std::int64_t part) {
    MatrixChunk<T> chunk(op.cell->matrix_memory, op.head_size(), backward, workspaces + part * size);
    for (std::int64_t k = part; k < items; k += parts) {
      const MatrixDirection<T>& direction = op.directions[k / op.heads % D];
      f(MatrixItem<T>{op, direction, k / op.heads / D, k % op.heads}, chunk);
    }
  });
}

// A scan of a cell with a matrix memory; scan() has checked that x fits the layout. Throws as scan() does.
template <class T>
ScanOutput<T> matrix_scan(const ScanInput<T>& input, bool needs_gradient);

}  // namespace carousel::detail
