#include "carousel/loss.h"

#include "autograd/ops/binary_cross_entropy_with_logits.h"
#include "autograd/ops/common.h"
#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/ctc.h"
#include "autograd/ops/huber.h"
#include "autograd/ops/mae.h"
#include "autograd/ops/mse.h"

namespace carousel {

Variable cross_entropy(const Variable& logits, const IdTensor& labels, const CrossEntropyOptions& options) {
  const std::span<const std::int64_t> sizes = logits.shape().sizes();
  if (sizes.empty()) fail(Code::kUsage, "cross_entropy: the logits are a scalar, expected [..., classes]");
  detail::check_same_shape("cross_entropy", "the labels", labels.shape(), Shape(sizes.first(sizes.size() - 1)));
  return cross_entropy<float>(logits, labels.span(), options);
}

Variable mse(const Variable& prediction, const Tensor& target) { return mse<float>(prediction, target.view()); }

Variable mae(const Variable& prediction, const Tensor& target) { return mae<float>(prediction, target.view()); }

Variable huber(const Variable& prediction, const Tensor& target, double delta) {
  return huber<float>(prediction, target.view(), delta);
}

Variable binary_cross_entropy(const Variable& logits, const Tensor& target) {
  return binary_cross_entropy_with_logits<float>(logits, target.view());
}

Variable ctc_loss(const Variable& logits, std::span<const std::int32_t> lengths,
                  std::span<const std::vector<std::int32_t>> labels, const CtcOptions& options) {
  return ctc_loss<float>(logits, lengths, labels, options);
}

}  // namespace carousel
