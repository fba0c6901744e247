// matrix_stream.h: one layer with a matrix memory step by step: its weights packed for that, and one step of one or
// more sequences (cells/matrix_step.h).
#pragma once

#include <cstddef>
#include <vector>

#include "base/aligned.h"
#include "carousel/layers.h"
#include "cells/stream_layer.h"

namespace carousel {

// Owns the packed weights and nothing else: any number of threads may step at once.
class MatrixStreamLayer {
 public:
  // Layer `layer`, forward direction. rows: the most of one step, up to kStreamRows.
  MatrixStreamLayer(const Recurrent& recurrent, std::int64_t layer, int rows);

  // What a step needs to work in, 64-byte aligned; a multiple of 64.
  std::int64_t workspace_bytes() const noexcept { return workspace_bytes_; }

  // One step of every row; states are those of the cell, as wide as Recurrent::state_shape() says. A row gets the same
  // bits alone and beside any others.
  void step(const StreamRows& rows, std::byte* workspace) const noexcept;

 private:
  using Floats = std::vector<float, AlignedAllocator<float>>;
  const Cell* cell_;
  std::int64_t input_size_, hidden_size_, heads_, width_;  // width: rows of weight_ih
  std::int64_t workspace_bytes_ = 0;
  Floats weight_;  // weight_ih^T, packed
  Floats bias_;    // empty: none
};

}  // namespace carousel
