// scan_op.h: what one scan keeps between its forward and its backward pass. Internal to layers/scan*.cpp.
#pragma once

#include "layers/scan.h"

namespace carousel::detail {

template <class T>
struct ScanOp;

// The final value of one state, [samples, width], in the original order of the samples.
template <class T>
struct FinalStateNode final : Node<T> {
  ScanOp<T>* owner = nullptr;
  void backward() override;  // makes sure that the scan runs its backward pass, where this gradient is read
};

// Buffers of one direction; all but the weights live in the tape's arena. R rows of the layout, N samples.
template <class T>
struct ScanDirection {
  ScanWeights<T> weights;
  bool reverse = false;
  std::int64_t column = 0;       // of its output in a row of the node's value
  T* a = nullptr;                // [R, G H]: W x, then gates, then their gradients
  T* extra[kMaxExtras] = {};     // [R, H]
  T* previous[kMaxStates] = {};  // [R, P or H]: states before each step
  T* recurrent_input = nullptr;  // [R, P]: h as it entered the recurrent product (masked if there is a mask)
  T* unprojected = nullptr;      // [R, H]: output before the projection; only with projection
  const T* mask = nullptr;       // [N, P], sorted order; null: none
  const T *bias_a = nullptr, *bias_q = nullptr;  // [G H]
  FinalStateNode<T>* final[kMaxStates] = {};
};

template <class T>
struct ScanOp final : Node<T> {
  const Cell* cell = nullptr;
  const SequenceLayout* layout = nullptr;
  BasicVariable<T> x;
  std::span<const std::int32_t> row_index;
  ScanDirection<T> directions[2];
  int direction_count = 0;
  std::int64_t hidden_size = 0, output_size = 0;  // H and P
  std::int64_t bptt = 0;                          // as in ScanInput
  bool projected = false;

  std::int64_t gate_width() const noexcept { return cell->gate_count() * hidden_size; }
  std::int64_t state_width(int state) const noexcept { return state == 0 ? output_size : hidden_size; }

  void forward();
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

// Copies rows between the caller's order of samples and the sorted order. [N, width].
template <class T>
void to_sorted(const SequenceLayout& layout, std::int64_t width, const T* original, T* sorted);
template <class T>
void from_sorted(const SequenceLayout& layout, std::int64_t width, const T* sorted, T beta, T* original);

}  // namespace carousel::detail
