#include "autograd/ops/linear.h"

#include "autograd/ops/common.h"
#include "kernels/gemm.h"
#include "kernels/reduce.h"

namespace carousel {
namespace {

template <class T>
struct LinearNode final : Node<T> {
  Node<T>* x;
  Node<T>* weight;
  Node<T>* bias;  // null: none

  void backward() override {
    const std::int64_t rows = this->shape().rows(), out = this->shape().back(), in = x->shape().back();
    if (GradientTarget<T> dx = x->claim_gradient()) {
      kernels::gemm<T>({.m = rows,
                        .n = in,
                        .k = out,
                        .a = this->gradient,
                        .lda = out,
                        .b = weight->data(),
                        .ldb = in,
                        .beta = dx.beta,
                        .c = dx.data,
                        .ldc = in});
    }
    if (GradientTarget<T> dw = weight->claim_gradient()) {
      kernels::gemm<T>({.op_a = kernels::Op::kTransposed,
                        .m = out,
                        .n = in,
                        .k = rows,
                        .a = this->gradient,
                        .lda = out,
                        .b = x->data(),
                        .ldb = in,
                        .beta = dw.beta,
                        .c = dw.data,
                        .ldc = in});
    }
    if (!bias) return;
    if (GradientTarget<T> db = bias->claim_gradient()) {
      kernels::column_sums<T>(rows, out, this->gradient, out, db.beta, db.data);
    }
  }
};

template <class T>
void check_shapes(const BasicVariable<T>& x, const BasicVariable<T>& weight, const BasicVariable<T>& bias) {
  if (weight.shape().rank() != 2 || weight.shape().elements() == 0 || x.shape().rank() < 1 ||
      x.shape().back() != weight.shape()[1]) {
    fail(Code::kUsage, "linear: the input has shape {}, the weight {}; expected [..., in] and [out, in]",
         x.shape().to_string(), weight.shape().to_string());
  }
  detail::check_same_tape("linear", x, weight);
  if (!bias) return;
  detail::check_same_tape("linear", x, bias);
  detail::check_same_shape("linear", "the bias", bias.shape(), Shape{weight.shape()[0]});
}

}  // namespace

template <class T>
BasicVariable<T> linear(BasicVariable<T> x, BasicVariable<T> weight, BasicVariable<T> bias) {
  check_shapes(x, weight, bias);
  const std::int64_t rows = x.shape().rows(), out = weight.shape()[0], in = weight.shape()[1];
  Node<T>* b = bias ? bias.node() : nullptr;
  const bool needs_gradient = x.node()->needs_gradient || weight.node()->needs_gradient || (b && b->needs_gradient);
  auto* node = x.tape().template record<LinearNode<T>>(detail::with_last(x.shape(), out), needs_gradient);
  node->x = x.node();
  node->weight = weight.node();
  node->bias = b;
  if (b) {
    T* y = node->data();
    const T* values = b->data();
    detail::for_blocks(rows, detail::kRowBlock, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) std::copy(values, values + out, y + row * out);
    });
  }
  kernels::gemm<T>({.op_b = kernels::Op::kTransposed,
                    .m = rows,
                    .n = out,
                    .k = in,
                    .a = x.node()->data(),
                    .lda = in,
                    .b = weight.node()->data(),
                    .ldb = in,
                    .beta = b ? T(1) : T(0),
                    .c = node->data(),
                    .ldc = out});
  return BasicVariable<T>(node);
}

template BasicVariable<float> linear(BasicVariable<float>, BasicVariable<float>, BasicVariable<float>);
template BasicVariable<double> linear(BasicVariable<double>, BasicVariable<double>, BasicVariable<double>);

}  // namespace carousel
