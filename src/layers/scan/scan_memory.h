// scan_memory.h: what one scan takes from the tape's arena, known from sizes alone.
#pragma once

#include <cstdint>

#include "cells/cell.h"

namespace carousel {

struct ScanSizes {
  std::int64_t rows = 1, time_steps = 1, samples = 1;  // of the layout
  std::int64_t hidden_size = 1, proj_size = 0;         // proj_size 0: no projection
  std::int64_t directions = 1;
  std::int64_t distinct_rows = 0;  // rows of x with a row_index; 0: none
  std::int64_t heads = 1;          // of a matrix memory
  std::int64_t transitions = 1;    // as in ScanInput
  bool masked = false;             // recurrent dropout
  bool zoneout = false, zoneout_memory = false;
  bool training = true;
  std::int64_t checkpoint_steps = 0;  // as in ScanInput
};

// In floats. The output and its gradient are not in it.
struct ScanMemory {
  std::int64_t kept = 0;  // until the tape's reset()
  std::int64_t work = 0;  // given back at the end: of the backward pass, in inference of the forward pass
};

ScanMemory scan_memory(const Cell& cell, const ScanSizes& sizes);

}  // namespace carousel
