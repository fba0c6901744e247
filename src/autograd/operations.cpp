#include "carousel/operations.h"

#include <numeric>

#include "autograd/ops/add.h"
#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/concatenate_rows.h"
#include "autograd/ops/divide.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/expand.h"
#include "autograd/ops/log.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/mean.h"
#include "autograd/ops/multiply.h"
#include "autograd/ops/relu.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/row_sums.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/select_columns.h"
#include "autograd/ops/select_rows.h"
#include "autograd/ops/sigmoid.h"
#include "autograd/ops/softmax.h"
#include "autograd/ops/softplus.h"
#include "autograd/ops/sum.h"
#include "autograd/ops/tanh.h"
#include "autograd/ops/transpose.h"
#include "autograd/tape.h"

namespace carousel {

Variable add(const Variable& a, const Variable& b) { return add<float>(a, b); }
Variable subtract(const Variable& a, const Variable& b) { return subtract<float>(a, b); }
Variable multiply(const Variable& a, const Variable& b) { return multiply<float>(a, b); }
Variable divide(const Variable& a, const Variable& b) { return divide<float>(a, b); }
Variable scale(const Variable& x, double factor, double offset) { return scale<float>(x, factor, offset); }
Variable exp(const Variable& x) { return exp<float>(x); }
Variable log(const Variable& x) { return log<float>(x); }
Variable tanh(const Variable& x) { return tanh<float>(x); }
Variable sigmoid(const Variable& x) { return sigmoid<float>(x); }
Variable relu(const Variable& x) { return relu<float>(x); }
Variable softplus(const Variable& x) { return softplus<float>(x); }

// -t log p - (1 - t) log(1 - p) = log(1 + exp(z)) - t z
Variable binary_cross_entropy_elements(const Variable& logits, const Variable& targets) {
  return subtract<float>(softplus<float>(logits), multiply<float>(logits, targets));
}

Variable sum(const Variable& x) { return sum<float>(x); }
Variable mean(const Variable& x) { return mean<float>(x); }
Variable row_sums(const Variable& x) { return row_sums<float>(x); }
Variable softmax(const Variable& x) { return softmax<float>(x); }
Variable matmul(const Variable& a, const Variable& b) { return matmul<float>(a, b); }
Variable reshape(const Variable& x, const Shape& shape) { return reshape<float>(x, shape); }
Variable transpose(const Variable& x) { return transpose<float>(x); }
Variable expand(const Variable& x, const Shape& shape) { return expand<float>(x, shape); }

Variable concatenate_columns(std::span<const Variable> parts) { return concatenate_columns<float>(parts); }
Variable concatenate_columns(std::initializer_list<Variable> parts) { return concatenate_columns<float>(parts); }
Variable concatenate_rows(std::span<const Variable> parts) { return concatenate_rows<float>(parts); }
Variable concatenate_rows(std::initializer_list<Variable> parts) { return concatenate_rows<float>(parts); }

Variable select_columns(const Variable& x, std::int64_t first, std::int64_t count) {
  return select_columns<float>(x, first, count);
}
Variable select_rows(const Variable& x, std::span<const std::int64_t> index) { return select_rows<float>(x, index); }
Variable select_rows(const Variable& x, std::int64_t first, std::int64_t count) {
  const std::int64_t rows = x.shape().rows();
  if (first < 0 || count < 0 || first > rows - count) {
    fail(Code::kUsage, "select_rows: {} rows from row {} on, but x has shape {}", count, first, x.shape().to_string());
  }
  const std::span<std::int64_t> index{x.tape().arena().allocate<std::int64_t>(count), static_cast<std::size_t>(count)};
  std::iota(index.begin(), index.end(), first);
  return select_rows<float>(x, index);
}

}  // namespace carousel
