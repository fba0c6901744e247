#include "autograd/ops/linear_cross_entropy.h"

#include "autograd/ops/common.h"
#include "kernels/gemm.h"
#include "kernels/reduce.h"
#include "kernels/softmax.h"

namespace carousel {
namespace {

template <class T>
struct LinearCrossEntropyNode final : Node<T> {
  Node<T>* x;
  Node<T>* weight;
  Node<T>* bias;    // null: none
  T *dx, *dw, *db;  // for dL = 1, in the arena; null: not wanted

  void backward() override {
    send(x, dx);
    send(weight, dw);
    if (bias) send(bias, db);
  }

  void send(Node<T>* input, const T* d) {
    const T dl = *this->gradient;
    if (d) detail::send(input->claim_gradient(), input->value.elements(), [=](std::int64_t i) { return dl * d[i]; });
  }
};

template <class T>
void check(const BasicVariable<T>& x, const BasicVariable<T>& weight, const BasicVariable<T>& bias,
           std::span<const std::int32_t> labels, std::span<double> losses) {
  if (weight.shape().rank() != 2 || weight.shape().elements() == 0 || x.shape().rank() != 2 ||
      x.shape()[1] != weight.shape()[1]) {
    fail(Code::kUsage, "linear_cross_entropy: the input has shape {}, the weight {}; expected [rows, in] and [out, in]",
         x.shape().to_string(), weight.shape().to_string());
  }
  detail::check_same_tape("linear_cross_entropy", x, weight);
  if (bias) detail::check_same_tape("linear_cross_entropy", x, bias);
  if (bias) detail::check_same_shape("linear_cross_entropy", "the bias", bias.shape(), Shape{weight.shape()[0]});
  if (std::ssize(labels) != x.shape()[0] || (!losses.empty() && losses.size() != labels.size())) {
    fail(Code::kUsage, "linear_cross_entropy: {} labels and {} losses for {} rows, expected one per row", labels.size(),
         losses.size(), x.shape()[0]);
  }
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] == kIgnoredLabel || (labels[row] >= 0 && labels[row] < weight.shape()[0])) continue;
    fail(Code::kUsage, "linear_cross_entropy: row {} has label {}, expected 0 .. {} (or {}: ignored)", row, labels[row],
         weight.shape()[0] - 1, kIgnoredLabel);
  }
}

// Logits, losses and gradients of rows begin .. begin + rows; `logits` is memory for [rows, V].
template <class T>
void compute_rows(const LinearCrossEntropyNode<T>& node, std::int64_t begin, std::int64_t rows, T scale,
                  const std::int32_t* labels, T* logits, double* losses) {
  const std::int64_t V = node.weight->shape()[0], H = node.weight->shape()[1];
  const T* x = node.x->data() + begin * H;
  if (node.bias) {
    const T* bias = node.bias->data();
    for (std::int64_t r = 0; r < rows; ++r) std::copy_n(bias, V, logits + r * V);
  }
  kernels::gemm<T>({.op_b = kernels::Op::kTransposed,
                    .m = rows,
                    .n = V,
                    .k = H,
                    .a = x,
                    .lda = H,
                    .b = node.weight->data(),
                    .ldb = H,
                    .beta = node.bias ? T(1) : T(0),
                    .c = logits,
                    .ldc = V});
  kernels::cross_entropy<T>({.rows = rows,
                             .classes = V,
                             .x = logits,
                             .labels = labels + begin,
                             .scale = scale,
                             .losses = losses + begin,
                             .dx = node.needs_gradient ? logits : nullptr});
  const T beta = begin == 0 ? T(0) : T(1);  // of the sums over all rows
  if (node.dx) {
    kernels::gemm<T>({.m = rows,
                      .n = H,
                      .k = V,
                      .a = logits,
                      .lda = V,
                      .b = node.weight->data(),
                      .ldb = H,
                      .c = node.dx + begin * H,
                      .ldc = H});
  }
  if (node.dw) {
    kernels::gemm<T>({.op_a = kernels::Op::kTransposed,
                      .m = V,
                      .n = H,
                      .k = rows,
                      .a = logits,
                      .lda = V,
                      .b = x,
                      .ldb = H,
                      .beta = beta,
                      .c = node.dw,
                      .ldc = H});
  }
  if (node.db) kernels::column_sums<T>(rows, V, logits, V, beta, node.db);
}

}  // namespace

template <class T>
BasicVariable<T> linear_cross_entropy(BasicVariable<T> x, BasicVariable<T> weight, BasicVariable<T> bias,
                                      std::span<const std::int32_t> labels, std::span<double> losses) {
  check(x, weight, bias, labels, losses);
  const std::int64_t rows = x.shape()[0], V = weight.shape()[0];
  Arena& arena = x.tape().arena();
  const auto wants = [](const BasicVariable<T>& v) { return v && v.node()->needs_gradient; };
  auto* node = x.tape().template record<LinearCrossEntropyNode<T>>(Shape{}, wants(x) || wants(weight) || wants(bias));
  const auto gradient_of = [&](const BasicVariable<T>& v) {
    return wants(v) ? arena.allocate<T>(v.shape().elements()) : nullptr;
  };
  node->x = x.node();
  node->weight = weight.node();
  node->bias = bias ? bias.node() : nullptr;
  node->dx = gradient_of(x);
  node->dw = gradient_of(weight);
  node->db = gradient_of(bias);
  const auto counting = rows - std::count(labels.begin(), labels.end(), kIgnoredLabel);
  const Arena::Mark mark = arena.mark();
  double* row_losses = losses.empty() ? arena.allocate<double>(rows) : losses.data();
  T* logits = arena.allocate<T>(std::min(rows, kLossRows) * V);
  const T scale = counting == 0 ? T(0) : static_cast<T>(1 / static_cast<double>(counting));
  for (std::int64_t begin = 0; begin < rows; begin += kLossRows) {
    compute_rows(*node, begin, std::min(kLossRows, rows - begin), scale, labels.data(), logits, row_losses);
  }
  double total = 0;
  for (std::int64_t row = 0; row < rows; ++row) total += row_losses[row];
  arena.rewind(mark);
  *node->data() = counting == 0 ? T(0) : static_cast<T>(total / static_cast<double>(counting));
  return BasicVariable<T>(node);
}

template BasicVariable<float> linear_cross_entropy(BasicVariable<float>, BasicVariable<float>, BasicVariable<float>,
                                                   std::span<const std::int32_t>, std::span<double>);
template BasicVariable<double> linear_cross_entropy(BasicVariable<double>, BasicVariable<double>, BasicVariable<double>,
                                                    std::span<const std::int32_t>, std::span<double>);

}  // namespace carousel
