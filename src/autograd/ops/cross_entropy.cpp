#include "autograd/ops/cross_entropy.h"

#include "autograd/ops/common.h"
#include "kernels/softmax.h"

namespace carousel {
namespace {

template <class T>
struct CrossEntropyNode final : Node<T> {
  Node<T>* logits;
  T* derivative;  // dz for dL = 1, in the arena

  void backward() override {
    const T dl = *this->gradient;
    const T* d = derivative;
    detail::send(logits->claim_gradient(), logits->value.elements(), [=](std::int64_t i) { return dl * d[i]; });
  }
};

void check(const Shape& shape, std::span<const std::int32_t> labels, const CrossEntropyOptions& options) {
  const std::int64_t classes = shape.back();
  if (shape.rank() < 1 || shape.rows() != static_cast<std::int64_t>(labels.size())) {
    fail(Code::kUsage, "cross_entropy: {} labels for logits of shape {}, expected one per row", labels.size(),
         shape.to_string());
  }
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] != kIgnoredLabel && (labels[row] < 0 || labels[row] >= classes)) {
      fail(Code::kUsage, "cross_entropy: row {} has label {}, expected 0 .. {} (or {}: ignored)", row, labels[row],
           classes - 1, kIgnoredLabel);
    }
  }
  if (!(options.label_smoothing >= 0 && options.label_smoothing < 1)) {
    fail(Code::kUsage, "cross_entropy: label_smoothing is {}, expected at least 0 and less than 1",
         options.label_smoothing);
  }
  if (!options.class_weights.empty() && static_cast<std::int64_t>(options.class_weights.size()) != classes) {
    fail(Code::kUsage, "cross_entropy: {} class weights for {} classes", options.class_weights.size(), classes);
  }
  for (const float weight : options.class_weights) {
    if (!(weight >= 0)) fail(Code::kUsage, "cross_entropy: a class weight is {}, expected at least 0", weight);
  }
}

// The sum over the rows that count of the weight of their label.
double sum_of_weights(std::span<const std::int32_t> labels, std::span<const float> class_weights) {
  double sum = 0;
  for (const std::int32_t label : labels) {
    if (label == kIgnoredLabel) continue;
    sum += class_weights.empty() ? 1.0 : static_cast<double>(class_weights[static_cast<std::size_t>(label)]);
  }
  return sum;
}

}  // namespace

template <class T>
BasicVariable<T> cross_entropy(BasicVariable<T> logits, std::span<const std::int32_t> labels,
                               const CrossEntropyOptions& options) {
  check(logits.shape(), labels, options);
  const std::int64_t rows = logits.shape().rows(), classes = logits.shape().back();
  const double weight = sum_of_weights(labels, options.class_weights);
  Arena& arena = logits.tape().arena();
  auto* node = logits.tape().template record<CrossEntropyNode<T>>(Shape{}, logits.node()->needs_gradient);
  node->logits = logits.node();
  node->derivative = node->needs_gradient ? arena.allocate<T>(rows * classes) : nullptr;
  *node->data() = 0;
  if (weight == 0) {
    if (node->derivative) detail::fill_each(node->derivative, rows * classes, [](std::int64_t) { return T(0); });
    return BasicVariable<T>(node);
  }
  const Arena::Mark mark = arena.mark();
  double* losses = arena.allocate<double>(rows);
  kernels::cross_entropy<T>({.rows = rows,
                             .classes = classes,
                             .x = node->logits->data(),
                             .labels = labels.data(),
                             .class_weights = options.class_weights.empty() ? nullptr : options.class_weights.data(),
                             .smoothing = options.label_smoothing,
                             .scale = static_cast<T>(1 / weight),
                             .losses = losses,
                             .dx = node->derivative});
  double total = 0;
  for (std::int64_t row = 0; row < rows; ++row) total += losses[row];
  arena.rewind(mark);
  *node->data() = static_cast<T>(total / weight);
  return BasicVariable<T>(node);
}

template BasicVariable<float> cross_entropy(BasicVariable<float>, std::span<const std::int32_t>,
                                            const CrossEntropyOptions&);
template BasicVariable<double> cross_entropy(BasicVariable<double>, std::span<const std::int32_t>,
                                             const CrossEntropyOptions&);

}  // namespace carousel
