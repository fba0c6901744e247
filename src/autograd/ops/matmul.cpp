#include "autograd/ops/matmul.h"

#include "autograd/ops/common.h"
#include "kernels/gemm.h"

namespace carousel {
namespace {

// One matrix of a batch as it is stored, and whether it enters the product transposed.
template <class T>
struct Factor {
  const T* data;
  std::int64_t rows, columns;
  kernels::Op op = kernels::Op::kPlain;

  std::int64_t height() const { return op == kernels::Op::kPlain ? rows : columns; }
  std::int64_t width() const { return op == kernels::Op::kPlain ? columns : rows; }
};

// target[n] = op(a[n]) op(b[n]), or added to it, for all matrices of the batch.
template <class T>
void multiply_batch(Arena& arena, std::int64_t batch, const Factor<T>& a, const Factor<T>& b,
                    GradientTarget<T> target) {
  if (!target) return;
  const Arena::Mark mark = arena.mark();
  auto* products = arena.allocate<kernels::Gemm<T>>(batch);
  for (std::int64_t n = 0; n < batch; ++n) {
    new (products + n) kernels::Gemm<T>{.op_a = a.op,
                                        .op_b = b.op,
                                        .m = a.height(),
                                        .n = b.width(),
                                        .k = a.width(),
                                        .a = a.data + n * a.rows * a.columns,
                                        .lda = a.columns,
                                        .b = b.data + n * b.rows * b.columns,
                                        .ldb = b.columns,
                                        .beta = target.beta,
                                        .c = target.data + n * a.height() * b.width(),
                                        .ldc = b.width()};
  }
  kernels::gemm_batch(std::span<const kernels::Gemm<T>>(products, static_cast<std::size_t>(batch)));
  arena.rewind(mark);
}

template <class T>
struct MatmulNode final : Node<T> {
  Node<T>* a;
  Node<T>* b;

  static Factor<T> factor(const Node<T>& node, const T* data, kernels::Op op = kernels::Op::kPlain) {
    return {data, node.shape()[node.shape().rank() - 2], node.shape().back(), op};
  }
  std::int64_t batch() const {
    std::int64_t count = 1;
    for (int axis = 0; axis < this->shape().rank() - 2; ++axis) count *= this->shape()[axis];
    return count;
  }
  void forward() {
    multiply_batch(this->tape->arena(), batch(), factor(*a, a->data()), factor(*b, b->data()),
                   GradientTarget<T>{this->data(), T(0)});
  }
  void backward() override {
    constexpr auto kTransposed = kernels::Op::kTransposed;
    Arena& arena = this->tape->arena();
    const Factor<T> dy = factor(*this, this->gradient);
    multiply_batch(arena, batch(), dy, factor(*b, b->data(), kTransposed), a->claim_gradient());
    multiply_batch(arena, batch(), factor(*a, a->data(), kTransposed), dy, b->claim_gradient());
  }
};

bool matrices_fit(const Shape& a, const Shape& b) {
  const int rank = a.rank();
  if (rank < 2 || b.rank() != rank || a.back() != b[rank - 2]) return false;
  for (int axis = 0; axis < rank - 2; ++axis) {
    if (a[axis] != b[axis]) return false;
  }
  return true;
}

}  // namespace

template <class T>
BasicVariable<T> matmul(BasicVariable<T> a, BasicVariable<T> b) {
  detail::check_same_tape("matmul", a, b);
  if (!matrices_fit(a.shape(), b.shape())) {
    fail(Code::kUsage, "matmul: got {} and {}, expected [..., A, B] and [..., B, C]", a.shape().to_string(),
         b.shape().to_string());
  }
  auto* node = a.tape().template record<MatmulNode<T>>(detail::with_last(a.shape(), b.shape().back()),
                                                       a.node()->needs_gradient || b.node()->needs_gradient);
  node->a = a.node();
  node->b = b.node();
  node->forward();
  return BasicVariable<T>(node);
}

template BasicVariable<float> matmul(BasicVariable<float>, BasicVariable<float>);
template BasicVariable<double> matmul(BasicVariable<double>, BasicVariable<double>);

}  // namespace carousel
