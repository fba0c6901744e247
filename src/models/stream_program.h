// stream_program.h: a network compiled to a list of operations on one time step. Internal to models/stream*.cpp.
//
// A program serves `capacity` sequences; each has a slot, 0 .. capacity - 1, where every operation keeps its state. One
// run advances the sequences of some slots, at most kStreamRows of them, one time step: row r belongs to slots[r]. Runs
// for different slots may go on at once, each with a workspace of its own.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/aligned.h"
#include "carousel/layers.h"
#include "cells/stream_layer.h"

namespace carousel::detail {

using StreamBuffer = std::vector<float, AlignedAllocator<float>>;
using StreamSlots = std::span<const std::int32_t>;

// One operation of a step: reads `input` [rows, input_size], writes `output` [rows, output_size]; owns the states. Runs
// without allocating or throwing.
class StreamOp {
 public:
  virtual ~StreamOp() = default;
  virtual void run(StreamSlots slots, const float* input, float* output, std::byte* workspace) noexcept = 0;
  virtual void reset(std::int32_t slot) noexcept { static_cast<void>(slot); }
  // The state of a slot as tensors, appended in the order of State; and back, taking from `values` and moving `next`
  // on.
  virtual void save(std::int32_t slot, std::vector<Tensor>& values) const {
    static_cast<void>(slot);
    static_cast<void>(values);
  }
  virtual void check(std::span<const Tensor> values, std::size_t& next) const {
    static_cast<void>(values);
    static_cast<void>(next);
  }
  virtual void load(std::int32_t slot, std::span<const Tensor> values, std::size_t& next) noexcept {
    static_cast<void>(slot);
    static_cast<void>(values);
    static_cast<void>(next);
  }
  // Memory that a run needs to work in, 64-byte aligned; a multiple of 64.
  virtual std::int64_t workspace_bytes() const noexcept { return 0; }
  std::int64_t input_size = 0, output_size = 0;
};

// What a program is for.
struct StreamPlan {
  WeightFormat format = WeightFormat::kF32;  // of the recurrent weights
  int capacity = 1;                          // sequences
  // The layer that takes token ids at the network's beginning: no operation, the caller makes x of the id. Null: there
  // must be none.
  const Module* token_input = nullptr;
  std::int64_t token_size = 0;  // numbers that it makes of an id

  int rows() const noexcept { return capacity < kStreamRows ? capacity : kStreamRows; }  // most of one run
};

// The operations of a network, one after another. Throws Error{kUsage} for a layer that cannot run step by step,
// Error{kModel} for layers that do not fit each other.
std::unique_ptr<StreamOp> compile_sequential(Sequential& network, const StreamPlan& plan);

// The layer that a network begins with, if it takes token ids; else null.
Module* first_token_input(const Sequential& network);

// The operation of one recurrent stack.
std::unique_ptr<StreamOp> compile_recurrent(Recurrent& layer, const StreamPlan& plan);

// Throws Error{kUsage} if the state does not fit the program.
void set_state(StreamOp& program, std::int32_t slot, const State& state);
State state_of(const StreamOp& program, std::int32_t slot);

}  // namespace carousel::detail
