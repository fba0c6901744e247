// gemm_float.cpp: a product of floats, cut so that each piece is read from the cache it fits: k into runs, for which a
// panel of B and a chunk of the rows of A stay in the second cache while all panels pass.
//
// Whatever way a product takes, an element of C is the sum of its runs in order, each a chain of multiply-adds.
#include "kernels/gemm_float.h"

#include <algorithm>

#include "kernels/packed_matrix.h"

namespace carousel::kernels {
namespace {

constexpr std::int64_t kRows = 96, kColumns = 1024;  // of one chunk of A, and of B
constexpr std::int64_t kFewRows = 16;                // for so few, packing B costs more than it wins
constexpr std::int64_t kFewColumns = 128;            // for so few, it pays to put A in panels and B in rows
// Rows so far apart lie on pages of their own, and those of 2^n floats share few lines of the first cache: for a
// product that reads them often, they go through a copy, with rows that do not.
constexpr std::int64_t kFarRows = 512, kOftenRead = 64, kPadding = 16;

std::int64_t whole_lines(std::int64_t floats) { return (floats + 15) / 16 * 16; }

// The parts of a workspace: B packed, then a chunk of A.
std::int64_t packed_floats(const Gemm<float>& p) {
  return whole_lines(packed_size(std::min(short_k<float>(), p.k), std::min(kColumns, p.n)));
}
std::int64_t chunk_floats(const Gemm<float>& p) {
  return whole_lines(std::min(kRows, p.m) * (std::min(short_k<float>(), p.k) + kPadding));
}

bool is_swapped(const Gemm<float>& p) { return p.op_a == Op::kTransposed && p.n <= kFewColumns && p.m > p.n; }

// One run of k of a few columns, with B packed or, with ldb, as it is. copy: room for a chunk of A.
void multiply_run(const Gemm<float>& p, const float* b, std::int64_t ldb, Into into, float* copy) {
  for (std::int64_t row = 0; row < p.m; row += kRows) {
    PackedProduct<float> piece{.rows = std::min(kRows, p.m - row),
                               .n = p.n,
                               .k = p.k,
                               .x = p.a + (p.op_a == Op::kTransposed ? row : row * p.lda),
                               .ldx = p.lda,
                               .interleaved = p.op_a == Op::kTransposed || ldb > 0,
                               .b = b,
                               .ldb = ldb,
                               .into = into,
                               .y = p.c + row * p.ldc,
                               .ldy = p.ldc};
    const std::int64_t ld = p.k + kPadding;
    if (piece.interleaved) {
      interleave(p.op_a, piece.rows, p.k, piece.x, p.lda, copy);
      piece.x = copy;
    } else if (p.lda >= kFarRows && p.n >= kOftenRead) {
      for (std::int64_t r = 0; r < piece.rows; ++r) std::copy_n(piece.x + r * p.lda, p.k, copy + r * ld);
      piece.x = copy;
      piece.ldx = ld;
    }
    multiply_packed(piece);
  }
}

// C^T = op(B)^T A, into c.
Gemm<float> swapped(const Gemm<float>& p, float* c) {
  return {.op_a = p.op_b == Op::kPlain ? Op::kTransposed : Op::kPlain,
          .m = p.n,
          .n = p.m,
          .k = p.k,
          .a = p.b,
          .lda = p.ldb,
          .b = p.a,
          .ldb = p.lda,
          .beta = p.beta,
          .c = c,
          .ldc = p.m};
}

void multiply_swapped(const Gemm<float>& p, float* workspace) {
  float* c = workspace;
  for (std::int64_t i = 0; p.beta != 0 && i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.n; ++j) c[j * p.m + i] = p.c[i * p.ldc + j];
  }
  gemm_float(swapped(p, c), workspace + whole_lines(p.m * p.n));
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.n; ++j) p.c[i * p.ldc + j] = c[j * p.m + i];
  }
}

}  // namespace

std::int64_t gemm_float_workspace(const Gemm<float>& p) noexcept {
  if (is_swapped(p)) return whole_lines(p.m * p.n) + gemm_float_workspace(swapped(p, nullptr));
  return packed_floats(p) + chunk_floats(p);
}

void gemm_float(const Gemm<float>& whole, float* workspace) {
  if (is_swapped(whole)) return multiply_swapped(whole, workspace);
  if (whole.beta != 0 && whole.beta != 1) scale_rows(whole);
  const std::int64_t longest = short_k<float>(), runs = (whole.k + longest - 1) / longest;
  const bool plain = whole.op_b == Op::kPlain && whole.m <= kFewRows;
  const std::int64_t width = panel_columns<float>();
  float *packed = workspace, *copy = workspace + packed_floats(whole);
  for (std::int64_t run = 0; run < runs; ++run) {
    const std::int64_t from = whole.k * run / runs;
    Gemm<float> p = whole;
    p.k = whole.k * (run + 1) / runs - from;
    p.a += p.op_a == Op::kPlain ? from : from * p.lda;
    const Into into = run == 0 && whole.beta == 0 ? Into::kReplace : Into::kAdd;
    for (std::int64_t column = 0; column < whole.n; column += p.n) {
      p.n = std::min(kColumns, whole.n - column);
      const float* b = whole.b + (p.op_b == Op::kPlain ? from * p.ldb + column : column * p.ldb + from);
      p.c = whole.c + column;
      if (plain && p.n >= width) {
        p.n -= p.n % width;
        multiply_run(p, b, p.ldb, into, copy);
      } else {
        pack_on_this_thread(p.op_b, p.k, p.n, b, p.ldb, packed);
        multiply_run(p, packed, 0, into, copy);
      }
    }
  }
}

}  // namespace carousel::kernels
