// stream_transition.h: one step of one layer and direction with packed weights (cells/stream_layer.h): its cells one
// after another, then zoneout as in inference.
#pragma once

#include <vector>

#include "carousel/layers.h"
#include "cells/stream_layer.h"
#include "layers/scan/zoneout.h"

namespace carousel {

// Owns the packed weights and nothing else: any number of threads may step at once.
class StreamTransition {
 public:
  // rows: the most of one step. Throws Error{kUsage} as StreamLayer does.
  StreamTransition(const Recurrent& recurrent, std::int64_t layer, int direction, WeightFormat format, int rows);

  // As StreamLayer has it.
  std::int64_t state_length(int state) const noexcept { return cells_[0].state_length(state); }
  // What a step needs to work in, 64-byte aligned; a multiple of 64.
  std::int64_t workspace_bytes() const noexcept { return before_bytes_ + cell_bytes_; }

  // One step of every row. A row gets the same bits alone and beside any others.
  void step(const StreamRows& rows, std::byte* workspace) const noexcept;

 private:
  template <class Body>
  void for_each_kept(const StreamRows& rows, float* before, Body body) const noexcept;

  Zoneout zoneout_;
  std::vector<std::int64_t> widths_;  // of the states
  std::int64_t before_bytes_ = 0;     // the states that units may keep, before the step
  std::int64_t cell_bytes_ = 0;       // what a cell needs to work in
  std::vector<StreamLayer> cells_;
};

}  // namespace carousel
