// matrix_step.h: one step of a cell with a matrix memory (mlstm.h) as its equations stand: the definition, and what a
// stream computes. layers/scan/matrix_chunk.h computes many steps together.
#pragma once

#include <cstdint>

#include "cells/cell.h"

namespace carousel {

// One step of one sequence. H hidden units in heads of d = H / heads.
template <class T>
struct MatrixStep {
  MatrixMemory memory = MatrixMemory::kNone;
  std::int64_t hidden_size = 0, heads = 1;
  const T* a = nullptr;     // [4H + 2 heads]: W x
  const T* bias = nullptr;  // the same; null: none
  T* state[4] = {};         // h [H], C [heads, d, d], n [heads, d], m [heads]: replaced by the next ones
  T* workspace = nullptr;   // [matrix_step_workspace(H, heads)]
};

std::int64_t matrix_step_workspace(std::int64_t hidden_size, std::int64_t heads) noexcept;

// On the calling thread; allocates nothing, checks nothing. float is vectorised, double is a plain loop.
template <class T>
void matrix_step(const MatrixStep<T>& step) noexcept;

// log f of each forget gate's sum: log sigmoid(a), or a itself. The spans may be the same memory.
template <class T>
void log_forget(MatrixMemory memory, std::int64_t count, const T* a, T* out) noexcept;

}  // namespace carousel
