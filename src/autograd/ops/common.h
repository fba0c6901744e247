// common.h: what the operations share. Not for use outside src/autograd/ops.
//
// Work is split into blocks that follow from the sizes alone, so every number of threads gives the same bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "autograd/tape.h"
#include "base/thread_pool.h"

namespace carousel::detail {

inline constexpr std::int64_t kElementBlock = 16384;  // elements of one task of an element-wise operation
inline constexpr std::int64_t kSumBlock = 4096;       // elements of one partial sum
inline constexpr std::int64_t kRowBlock = 64;         // rows of one task of a row-wise operation
inline constexpr std::int64_t kColumnBlock = 64;      // columns of one task of a scatter or a column sum

// Calls f(begin, end) for consecutive ranges that cover 0 .. count, each at most `block` long.
template <class F>
void for_blocks(std::int64_t count, std::int64_t block, F&& f) {
  if (count <= 0) return;
  if (count <= block) {
    f(std::int64_t{0}, count);
    return;
  }
  parallel_for((count + block - 1) / block,
               [&](std::int64_t index) { f(index * block, std::min(count, (index + 1) * block)); });
}

// target = value(i), or target += value(i), for every element.
template <class T, class F>
void send(GradientTarget<T> target, std::int64_t count, F value) {
  if (!target) return;
  T* out = target.data;
  const bool add = target.beta != T(0);
  for_blocks(count, kElementBlock, [=](std::int64_t begin, std::int64_t end) {
    if (add) {
      for (std::int64_t i = begin; i < end; ++i) out[i] += value(i);
    } else {
      for (std::int64_t i = begin; i < end; ++i) out[i] = value(i);
    }
  });
}

// out[i] = value(i) for every element.
template <class T, class F>
void fill_each(T* out, std::int64_t count, F value) {
  send(GradientTarget<T>{out, T(0)}, count, value);
}

// Zero-fills a target that is to be overwritten, so that a scatter may add to it.
template <class T>
void begin_scatter(GradientTarget<T> target, std::int64_t count) {
  if (target.beta == T(0)) fill_each(target.data, count, [](std::int64_t) { return T(0); });
}

// value(0) + ... + value(count-1) in double, in an order that depends on `count` alone.
template <class F>
double ordered_sum(Arena& arena, std::int64_t count, F value) {
  const Arena::Mark mark = arena.mark();
  const std::int64_t blocks = (count + kSumBlock - 1) / kSumBlock;
  double* partial = arena.allocate<double>(blocks);
  for_blocks(count, kSumBlock, [=](std::int64_t begin, std::int64_t end) {
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += static_cast<double>(value(i));
    partial[begin / kSumBlock] = sum;
  });
  double total = 0;
  for (std::int64_t i = 0; i < blocks; ++i) total += partial[i];
  arena.rewind(mark);
  return total;
}

// The shape with its last axis replaced.
inline Shape with_last(const Shape& shape, std::int64_t last) {
  std::int64_t sizes[Shape::kMaxRank] = {};
  for (int axis = 0; axis < shape.rank(); ++axis) sizes[axis] = shape[axis];
  sizes[shape.rank() - 1] = last;
  return Shape(std::span<const std::int64_t>(sizes, static_cast<std::size_t>(shape.rank())));
}

inline void check_same_shape(std::string_view operation, std::string_view thing, const Shape& got,
                             const Shape& expected) {
  if (got == expected) return;
  fail(Code::kUsage, "{}: {} has shape {}, expected {}", operation, thing, got.to_string(), expected.to_string());
}

template <class T>
void check_same_tape(std::string_view operation, const BasicVariable<T>& a, const BasicVariable<T>& b) {
  if (&a.tape() != &b.tape()) fail(Code::kUsage, "{}: the two inputs are on different tapes", operation);
}

}  // namespace carousel::detail
