// scan_backward.h: the backward loop of a scan and what becomes of the gradients that it leaves (steps 3 and 4 of
// scan.h). Internal to layers/scan/scan*.cpp.
#pragma once

#include "layers/scan/scan_op.h"

namespace carousel::detail {

// Where the gradients of a cell of a direction go. Each is written or added to once per chunk.
template <class T>
struct ScanTargets {
  GradientTarget<T> weight_ih, weight_hh, weight_hr, weight_ph, bias_ih, bias_hh, bias_hr, x, initial[kMaxStates];
};

// R rows of the largest chunk, N samples.
template <class T>
struct BackwardLoop {
  ScanOp<T>* op = nullptr;
  ScanDirection<T>* direction = nullptr;
  const T* packed_hh = nullptr;     // of the first gates: W_hh, packed; null: there are none
  const T* packed_inner = nullptr;  // of the inner gates
  const T* packed_hr = nullptr;     // W_hr, packed; only with projection
  T* dstate[kMaxStates] = {};       // [N, P or H]: running gradients, sorted order
  T* dkept[kMaxStates] = {};        // [N, P or H]: what passes a step by, only with zoneout
  ZoneoutShares<T> shares;
  T* dq = nullptr;             // [R, G H]: gradient of the recurrent product, only with split gates
  T* doutput = nullptr;        // [R, P]: whole gradient of h, only with projection
  T* dunprojected = nullptr;   // [N, H]: only with projection
  T* drecurrent = nullptr;     // [N, Q]: gradient of what entered the product, with a mask or other states than h
  T* dgate = nullptr;          // [N, first H]: see StepBackward, only with inner gates
  T* dinner = nullptr;         // [N, H]: only with inner gates
  T* dunit_weights = nullptr;  // [N, Cell::unit_gradient_count() H]: of each sample, over all its steps
  T* dlower = nullptr;         // [rows, D H]: added to
  T* dtable = nullptr;         // [distinct, G H]: sums of da over the rows that share a row of x; only with row_index

  T* dproduct() const noexcept { return dq ? dq : direction->a; }  // of the chunk in work
  void step(SampleRange range, std::int64_t t, std::int64_t first_row) const noexcept;
  void project_back(StepBackward<T>& s, std::int64_t row, std::int64_t local, std::int64_t begin) const noexcept;
  void output_back(std::int64_t rows, std::int64_t row, std::int64_t local, std::int64_t begin, T* dy) const noexcept;
  void step_inner_back(StepBackward<T>& s, std::int64_t begin) const noexcept;
  void add_recurrent(std::int64_t rows, const T* dproduct, std::int64_t begin) const noexcept;
  void zone_out(SampleRange range, std::int64_t t) const noexcept;
  void add_kept(SampleRange range, std::int64_t t) const noexcept;
  void cut_gradient(SampleRange range, std::int64_t t) const noexcept;
};

// Claims the gradients of the weights, inputs and states of a cell of a direction.
template <class T>
ScanTargets<T> claim_targets(ScanOp<T>& op, ScanDirection<T>& direction);

// The gradient of `lower`, which every step adds to; null: not wanted.
template <class T>
T* claim_lower(ScanOp<T>& op);

// What a chunk adds to the gradients of weights, biases and x.
template <class T>
void chunk_gradients(const BackwardLoop<T>& loop, ScanTargets<T>& targets, const Chunk& chunk);

// What is left when all chunks are done: the gradients by way of the folded rows, those of unit weights, which are kept
// apart for each sample until then, and those of the initial states.
template <class T>
void finish_gradients(const BackwardLoop<T>& loop, ScanTargets<T>& targets);

}  // namespace carousel::detail
