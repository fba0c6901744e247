// long_memory_tasks.h: the two tasks that ask how long a cell remembers, drawn afresh for every batch.
//
// Adding (Hochreiter & Schmidhuber 1997; in this form Le et al. 2015): T steps of two numbers, a value, uniform in
// [0, 1), and a mark, 1 at two steps, one of each half, else 0. The target is the sum of the two marked values. Who
// always says 1 has a squared error of 1/6.
//
// Copying (the same; in this form Arjovsky et al. 2016): T + 20 steps of one of 10 symbols: 10 to remember, each of 0
// to 7, then T - 1 blanks (8), a mark (9) that asks for them, and 10 blanks. The target is a blank at the first T + 10
// steps, then the 10 symbols in their order. Who knows where the blanks are, but no symbol, has a cross entropy of
// 10 ln 8 / (T + 20).
#pragma once

#include <cstdint>
#include <random>

#include "carousel/tensor.h"

namespace carousel::bench {

inline constexpr std::int64_t kSymbolsToCopy = 10, kCopyBlank = 8, kCopyMark = 9;

struct AddingBatch {
  Tensor inputs;   // [T, N, 2]
  Tensor targets;  // [N, 1]
};

struct CopyingBatch {
  Tensor inputs;    // [T + 20, N, 10], one of ten
  IdTensor labels;  // [T + 20, N]
};

// REQUIRES: time_steps is at least 2, samples at least 1.
AddingBatch draw_adding(std::int64_t time_steps, std::int64_t samples, std::mt19937& random);
CopyingBatch draw_copying(std::int64_t time_steps, std::int64_t samples, std::mt19937& random);

double adding_baseline();
double copying_baseline(std::int64_t time_steps);

}  // namespace carousel::bench
