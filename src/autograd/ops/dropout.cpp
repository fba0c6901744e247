#include "autograd/ops/dropout.h"

#include <cmath>

#include "autograd/ops/common.h"

namespace carousel {
namespace {

// y[row, j] = mask[sample(row), j] x[row, j]; without samples the mask has the shape of x.
template <class T>
struct DropoutNode final : Node<T> {
  Node<T>* x;
  T* mask;                // in the arena, as the sample numbers
  std::int64_t* samples;  // null: one mask element per element

  void backward() override { apply(this->gradient, x->claim_gradient()); }

  void apply(const T* in, GradientTarget<T> out) const {
    if (!out) return;
    const T* m = mask;
    if (!samples) {
      detail::send(out, this->value.elements(), [=](std::int64_t i) { return m[i] * in[i]; });
      return;
    }
    const std::int64_t columns = this->shape().back();
    detail::for_blocks(this->shape().rows(), detail::kRowBlock, [=, this](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T* mask_row = m + samples[row] * columns;
        const T* from = in + row * columns;
        T* to = out.data + row * columns;
        for (std::int64_t j = 0; j < columns; ++j) {
          const T product = mask_row[j] * from[j];
          to[j] = out.beta == T(0) ? product : to[j] + product;
        }
      }
    });
  }
};

template <class T>
BasicVariable<T> finish(DropoutNode<T>* node) {
  node->apply(node->x->data(), {node->data(), T(0)});
  return BasicVariable<T>(node);
}

void check_probability(double probability) {
  if (!(probability >= 0 && probability < 1)) {
    fail(Code::kUsage, "dropout: the probability is {}, expected at least 0 and less than 1", probability);
  }
}

}  // namespace

template <class T>
void fill_dropout_mask(double probability, const RandomKey& key, std::span<T> mask) {
  check_probability(probability);
  const auto limit = static_cast<std::uint32_t>(std::ldexp(probability, 32));  // a word below it drops the element
  const auto kept = static_cast<T>(1 / (1 - probability));
  const auto count = static_cast<std::int64_t>(mask.size());
  static_assert(detail::kElementBlock % 4 == 0);  // four words of one counter never span two blocks
  detail::for_blocks(count, detail::kElementBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += 4) {
      const auto words = philox(key, static_cast<std::uint64_t>(i / 4));
      const std::int64_t stop = std::min<std::int64_t>(4, end - i);
      for (std::int64_t j = 0; j < stop; ++j) {
        mask[static_cast<std::size_t>(i + j)] = words[static_cast<std::size_t>(j)] < limit ? T(0) : kept;
      }
    }
  });
}

template <class T>
BasicVariable<T> dropout(BasicVariable<T> x, double probability, const RandomKey& key) {
  check_probability(probability);
  if (probability == 0) return x;
  auto* node = x.tape().template record<DropoutNode<T>>(x.shape(), x.node()->needs_gradient);
  node->x = x.node();
  node->samples = nullptr;
  node->mask = x.tape().arena().template allocate<T>(x.shape().elements());
  fill_dropout_mask<T>(probability, key, {node->mask, static_cast<std::size_t>(x.shape().elements())});
  return finish(node);
}

template <class T>
BasicVariable<T> dropout_per_sequence(BasicVariable<T> x, double probability, const RandomKey& key,
                                      std::span<const std::int64_t> sample_of_row, std::int64_t samples) {
  check_probability(probability);
  const auto rows = static_cast<std::int64_t>(sample_of_row.size());
  if (rows != x.shape().rows()) {
    fail(Code::kUsage, "dropout: {} sample numbers for {} rows", rows, x.shape().rows());
  }
  for (std::size_t row = 0; row < sample_of_row.size(); ++row) {
    if (sample_of_row[row] < 0 || sample_of_row[row] >= samples) {
      fail(Code::kUsage, "dropout: row {} belongs to sample {} of {}", row, sample_of_row[row], samples);
    }
  }
  if (probability == 0) return x;
  Arena& arena = x.tape().arena();
  auto* node = x.tape().template record<DropoutNode<T>>(x.shape(), x.node()->needs_gradient);
  node->x = x.node();
  node->samples = arena.allocate<std::int64_t>(rows);
  std::copy(sample_of_row.begin(), sample_of_row.end(), node->samples);
  const std::int64_t mask_elements = samples * x.shape().back();
  node->mask = arena.allocate<T>(mask_elements);
  fill_dropout_mask<T>(probability, key, {node->mask, static_cast<std::size_t>(mask_elements)});
  return finish(node);
}

template void fill_dropout_mask(double, const RandomKey&, std::span<float>);
template void fill_dropout_mask(double, const RandomKey&, std::span<double>);
template BasicVariable<float> dropout(BasicVariable<float>, double, const RandomKey&);
template BasicVariable<double> dropout(BasicVariable<double>, double, const RandomKey&);
template BasicVariable<float> dropout_per_sequence(BasicVariable<float>, double, const RandomKey&,
                                                   std::span<const std::int64_t>, std::int64_t);
template BasicVariable<double> dropout_per_sequence(BasicVariable<double>, double, const RandomKey&,
                                                    std::span<const std::int64_t>, std::int64_t);

}  // namespace carousel
