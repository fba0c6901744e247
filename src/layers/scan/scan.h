// scan.h: the only time loop of the house.
//
// Runs a cell over packed sequences (sequence_layout.h), in one or both directions, as one operation of the tape:
//
//   1. before the loop   A = x W_ih^T for all steps in one product
//   2. in the loop       R h of the running samples, then the cell's pointwise step; the gates overwrite A. With inner
//                        gates there are two such rounds. With zoneout the next states are made beside those before.
//                        With transitions the next cell of the step takes over the states, and nothing of x.
//   3. backward, in the loop   gradients of the gates overwrite the gates; dh += dA R
//   4. after the loop    dx, dW_ih, dW_hh and the bias gradients in one product each
//
// (A cell with a matrix memory has no loop over steps but one over chunks of them: layers/scan/matrix_scan.h.)
//
// With checkpoints, and in inference, this is done for one chunk of steps after another.
//
// Samples are independent, so they are spread over the threads for the whole loop; every element of a recurrent
// product is one chain over k, so the split changes no bit (kernels/packed_matrix.h).
#pragma once

#include <span>

#include "autograd/tape.h"
#include "cells/cell.h"
#include "cells/output_layer.h"
#include "layers/scan/zoneout.h"
#include "layers/sequence_layout.h"

namespace carousel {

// One direction of one layer. G gates (with a matrix memory the rows of weight_ih are not G H: Cell::first_row()), K of
// them with a recurrent product, C input, H hidden units, P = proj_size or H, Q the width of all states that enter the
// recurrent product (P if that is h alone), U unit weights.
template <class T>
struct ScanWeights {
  BasicVariable<T> weight_ih;  // [G H, C]; this, bias_ih and initial are empty behind the first cell of a step
  BasicVariable<T> weight_hh;  // [K H, Q]; empty if K = 0
  BasicVariable<T> bias_ih;    // [G H]; both biases or neither
  BasicVariable<T> bias_hh;    // [K H]; empty if K = 0
  BasicVariable<T> weight_hr;  // [P, H]; only with projection
  BasicVariable<T> bias_hr;    // [P]; only with an output layer, may be empty
  BasicVariable<T> weight_ph;  // [U H]: unit weights, in the cell's order; empty if U = 0
  // Initial state per state of the cell, [samples, P] (h) or [samples, H or Cell::state_width()]; empty means zero.
  BasicVariable<T> initial[kMaxStates];
};

template <class T>
struct ScanInput {
  const Cell* cell = nullptr;
  const SequenceLayout* layout = nullptr;  // borrowed until the tape's reset()
  BasicVariable<T> x;                      // [rows, C], or with row_index [distinct, C]
  // If not empty (one entry per packed row): the input of row r is x[row_index[r]], and x W_ih^T is computed once per
  // row of x (embedding folding). Borrowed until reset().
  std::span<const std::int32_t> row_index;
  std::span<const ScanWeights<T>> directions;  // forward, then backward if there are two; K cells for each
  std::int64_t transitions = 1;                // K: cells per step
  std::int64_t heads = 1;                      // of a cell with a matrix memory
  // Of the layer below, for a cell with `lower`: [rows, D H], what its scan gave as `upper`.
  BasicVariable<T> lower;
  bool upper = false;  // give out the second state of every step
  OutputLayer output;  // of a cell that has one
  // Recurrent dropout: per direction a mask [samples, P] (original order, already scaled) on h in the recurrent
  // product; null: none. Borrowed until reset().
  const T* recurrent_mask[2] = {nullptr, nullptr};
  Zoneout zoneout;  // direction d draws from its key with step + d
  // Truncated back-propagation: the state is carried through all steps, its gradient is cut between the chunks of this
  // many steps (0: not at all), as if each chunk had been given the state before it as a constant.
  std::int64_t bptt = 0;
  // Activation checkpointing: the forward pass keeps the output, and the states only before every so many steps (0: all
  // that the backward pass reads). The backward pass then computes each chunk again, the last one first: the steps are
  // computed twice. Outputs are the same bits; gradients are the same sums in another order.
  std::int64_t checkpoint_steps = 0;
};

template <class T>
struct ScanOutput {
  BasicVariable<T> output;                // [rows, D P], packed, the directions side by side
  BasicVariable<T> upper;                 // [rows, D H]: the second state after every step; empty unless asked for
  BasicVariable<T> final[2][kMaxStates];  // per direction and state, [samples, P or H]: after the last valid step
};

// Throws Error{kUsage} unless a step may be `transitions` of this cell: with more than one all its gates must see h,
// and nothing else than x and its own states may enter.
void check_transitions(const Cell& cell, std::int64_t transitions);

// Throws Error{kUsage} naming the tensor whose shape does not fit.
template <class T>
ScanOutput<T> scan(const ScanInput<T>& input);

}  // namespace carousel
