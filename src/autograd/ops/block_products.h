// block_products.h: the three products between the rows of queries, the rows of keys and the numbers of their pairs
// (attention_blocks.h): what attention_scores and attention_context share. Each is one small product per block and
// head; head h has the columns [h D, (h + 1) D) of both matrices.
#pragma once

#include "autograd/ops/attention_blocks.h"
#include "autograd/ops/common.h"
#include "kernels/gemm.h"

namespace carousel::detail {

template <class T>
struct BlockProducts {
  Arena& arena;  // room for the list of products, given back
  const AttentionBlocks& blocks;
  std::int64_t width;  // heads D
  T beta;              // 0: overwrite the result; 1: add to it

  // pairs[b, h, i, j] = sum over d of queries[b, i, h D + d] keys[b, j, h D + d]
  void to_pairs(const T* queries, const T* keys, T* pairs) const {
    multiply([=, this](const AttentionBlock& b, std::int64_t h) -> kernels::Gemm<T> {
      return {.op_b = kernels::Op::kTransposed,
              .m = b.queries,
              .n = b.keys,
              .k = head_size(),
              .a = queries + b.query * width + h * head_size(),
              .lda = width,
              .b = keys + b.key * width + h * head_size(),
              .ldb = width,
              .beta = beta,
              .c = pairs + pair(b, h),
              .ldc = b.keys};
    });
  }

  // queries[b, i, h D + d] = sum over j of pairs[b, h, i, j] keys[b, j, h D + d]
  void to_queries(const T* pairs, const T* keys, T* queries) const {
    multiply([=, this](const AttentionBlock& b, std::int64_t h) -> kernels::Gemm<T> {
      return {.m = b.queries,
              .n = head_size(),
              .k = b.keys,
              .a = pairs + pair(b, h),
              .lda = b.keys,
              .b = keys + b.key * width + h * head_size(),
              .ldb = width,
              .beta = beta,
              .c = queries + b.query * width + h * head_size(),
              .ldc = width};
    });
  }

  // keys[b, j, h D + d] = sum over i of pairs[b, h, i, j] queries[b, i, h D + d]
  void to_keys(const T* pairs, const T* queries, T* keys) const {
    multiply([=, this](const AttentionBlock& b, std::int64_t h) -> kernels::Gemm<T> {
      return {.op_a = kernels::Op::kTransposed,
              .m = b.keys,
              .n = head_size(),
              .k = b.queries,
              .a = pairs + pair(b, h),
              .lda = b.keys,
              .b = queries + b.query * width + h * head_size(),
              .ldb = width,
              .beta = beta,
              .c = keys + b.key * width + h * head_size(),
              .ldc = width};
    });
  }

 private:
  std::int64_t head_size() const { return width / blocks.heads; }
  std::int64_t pair(const AttentionBlock& b, std::int64_t head) const { return b.pair + head * b.queries * b.keys; }

  template <class F>
  void multiply(F product_of) const {
    const Arena::Mark mark = arena.mark();
    const auto count = static_cast<std::size_t>(std::ssize(blocks.list) * blocks.heads);
    auto* products = arena.allocate<kernels::Gemm<T>>(static_cast<std::int64_t>(count));
    auto* next = products;
    for (const AttentionBlock& block : blocks.list) {
      for (std::int64_t head = 0; head < blocks.heads; ++head) new (next++) kernels::Gemm<T>(product_of(block, head));
    }
    kernels::gemm_batch(std::span<const kernels::Gemm<T>>(products, count));
    arena.rewind(mark);
  }
};

// Adds to the gradient of rows of which the blocks cover only the first: the others get 0 if nothing is there yet.
template <class T>
void clear_uncovered_rows(GradientTarget<T> target, const Shape& shape, std::int64_t covered) {
  if (target.beta == T(0)) std::fill(target.data + covered * shape.back(), target.data + shape.elements(), T(0));
}

// Queries: exactly the rows of the blocks; keys: at least those. Both [rows, width].
inline void check_block_rows(std::string_view operation, const AttentionBlocks& blocks, const Shape& queries,
                             const Shape& keys) {
  if (queries.rank() != 2 || queries[0] != blocks.query_rows()) {
    fail(Code::kUsage, "{}: the queries have shape {}, expected [{}, width]", operation, queries.to_string(),
         blocks.query_rows());
  }
  if (keys.rank() != 2 || keys[0] < blocks.key_rows() || keys[1] != queries[1]) {
    fail(Code::kUsage, "{}: the keys have shape {}, expected [{} or more, {}]", operation, keys.to_string(),
         blocks.key_rows(), queries[1]);
  }
  if (blocks.heads < 1 || queries[1] % blocks.heads != 0) {
    fail(Code::kUsage, "{}: {} heads do not divide a width of {}", operation, blocks.heads, queries[1]);
  }
}

}  // namespace carousel::detail
