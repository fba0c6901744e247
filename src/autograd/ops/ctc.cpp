#include "autograd/ops/ctc.h"

#include <cmath>
#include <limits>

#include "autograd/ops/common.h"

namespace carousel {
namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();

template <class T>
struct CtcNode final : Node<T> {
  Node<T>* logits;
  T* derivative;  // dz [T, N, K] for dl = 1, in the arena

  void backward() override {
    const T* dl = this->gradient;
    const T* d = derivative;
    const std::int64_t N = this->value.elements(), K = logits->shape().back();
    detail::send(logits->claim_gradient(), logits->value.elements(),
                 [=](std::int64_t i) { return dl[i / K % N] * d[i]; });
  }
};

// log(e^a + e^b); NaN if one is.
double log_add(double a, double b) {
  if (a == kImpossible) return b;
  if (b == kImpossible) return a;
  return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
}

// One sample. Rows of z and dz are `stride` elements apart. Of a long one only the alpha of every block-th step is
// kept, and those between are computed again on the way back: memory grows with the square root of the steps.
template <class T>
struct CtcSample {
  const T* z;
  std::int64_t stride, steps, classes;
  std::span<const std::int32_t> labels;
  std::int32_t blank;
  std::int64_t block = 1;         // steps
  double* normalizers = nullptr;  // [steps]: log(sum exp(z))
  double* alpha = nullptr;        // [block, places], of one block
  double* borders = nullptr;      // [blocks, places]: alpha of the last step of each block
  double* beta = nullptr;         // [2, places]

  static std::int64_t block_size(std::int64_t steps, std::int64_t places) {
    constexpr std::int64_t kAllKept = 1 << 16;  // elements
    if (steps * places <= kAllKept) return std::max<std::int64_t>(steps, 1);
    return static_cast<std::int64_t>(std::sqrt(static_cast<double>(steps))) + 1;
  }

  std::int64_t places() const { return 2 * std::ssize(labels) + 1; }
  std::int64_t blocks() const { return (steps + block - 1) / block; }
  std::int32_t label(std::int64_t s) const { return s % 2 == 0 ? blank : labels[static_cast<std::size_t>(s / 2)]; }
  double log_p(std::int64_t t, std::int64_t s) const {
    return static_cast<double>(z[t * stride + label(s)]) - normalizers[t];
  }
  // Whether an alignment may go from place s - 2 to s.
  bool may_skip_to(std::int64_t s) const { return s >= 2 && s % 2 == 1 && label(s) != label(s - 2); }

  void normalize() const {
    for (std::int64_t t = 0; t < steps; ++t) {
      const T* row = z + t * stride;
      const auto largest = static_cast<double>(*std::max_element(row, row + classes));
      double sum = 0;
      for (std::int64_t k = 0; k < classes; ++k) sum += std::exp(static_cast<double>(row[k]) - largest);
      normalizers[t] = largest + std::log(sum);
    }
  }

  void forward_step(std::int64_t t, const double* before, double* row) const {
    const std::int64_t S = places();
    for (std::int64_t s = 0; s < S; ++s) {
      if (t == 0) {
        row[s] = s < 2 ? log_p(0, s) : kImpossible;
        continue;
      }
      double sum = before[s];
      if (s >= 1) sum = log_add(sum, before[s - 1]);
      if (may_skip_to(s)) sum = log_add(sum, before[s - 2]);
      row[s] = sum + log_p(t, s);
    }
  }

  // alpha of the steps of block b; returns that of the last one.
  const double* fill(std::int64_t b) const {
    const double* before = b == 0 ? nullptr : borders + (b - 1) * places();
    for (std::int64_t t = b * block; t < std::min(steps, (b + 1) * block); ++t) {
      double* row = alpha + (t - b * block) * places();
      forward_step(t, before, row);
      before = row;
    }
    return before;
  }

  // The log-probability of the labelling.
  double forward() const {
    if (steps == 0) return labels.empty() ? 0 : kImpossible;
    normalize();
    const std::int64_t S = places();
    for (std::int64_t b = 0; b < blocks(); ++b) std::copy_n(fill(b), S, borders + b * S);
    const double* last = borders + (blocks() - 1) * S;
    return S == 1 ? last[0] : log_add(last[S - 1], last[S - 2]);
  }

  void backward_step(std::int64_t t, const double* after, double* now) const {
    const std::int64_t S = places();
    for (std::int64_t s = 0; s < S; ++s) {
      if (t == steps - 1) {
        now[s] = s >= S - 2 ? 0 : kImpossible;
        continue;
      }
      double sum = after[s] + log_p(t + 1, s);
      if (s + 1 < S) sum = log_add(sum, after[s + 1] + log_p(t + 1, s + 1));
      if (s + 2 < S && may_skip_to(s + 2)) sum = log_add(sum, after[s + 2] + log_p(t + 1, s + 2));
      now[s] = sum;
    }
  }

  // Writes dz for dl = 1; `total` is what forward() gave, whose last block is still in alpha.
  void backward(double total, T* dz) const {
    const std::int64_t S = places();
    double *after = beta, *now = beta + S;
    for (std::int64_t t = steps; t-- > 0;) {
      if (t + 1 < steps && (t + 1) % block == 0) fill(t / block);
      backward_step(t, after, now);
      T* row = dz + t * stride;
      for (std::int64_t k = 0; k < classes; ++k) {
        row[k] = static_cast<T>(std::exp(static_cast<double>(z[t * stride + k]) - normalizers[t]));
      }
      for (std::int64_t s = 0; s < S; ++s) {
        row[label(s)] -= static_cast<T>(std::exp(alpha[t % block * S + s] + now[s] - total));
      }
      std::swap(after, now);
    }
  }
};

void check(const Shape& shape, std::span<const std::int32_t> lengths, std::span<const std::vector<std::int32_t>> labels,
           const CtcOptions& options) {
  if (shape.rank() != 3) fail(Code::kUsage, "ctc_loss: logits have shape {}, expected [T, N, K]", shape.to_string());
  const std::int64_t T = shape[0], N = shape[1], K = shape[2];
  if (std::ssize(labels) != N || (!lengths.empty() && std::ssize(lengths) != N)) {
    fail(Code::kUsage, "ctc_loss: {} labellings and {} lengths for {} samples", labels.size(), lengths.size(), N);
  }
  if (options.blank < 0 || options.blank >= K) {
    fail(Code::kUsage, "ctc_loss: blank is {}, expected 0 .. {}", options.blank, K - 1);
  }
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const std::int64_t steps = lengths.empty() ? T : lengths[n];
    if (steps < 0 || steps > T) fail(Code::kUsage, "ctc_loss: sample {} has length {}, expected 0 .. {}", n, steps, T);
    for (const std::int32_t label : labels[n]) {
      if (label >= 0 && label < K && label != options.blank) continue;
      fail(Code::kUsage, "ctc_loss: sample {} has label {}, expected 0 .. {} and not the blank {}", n, label, K - 1,
           options.blank);
    }
    const std::int64_t least = ctc_least_steps(labels[n]);
    if (options.zero_infinity || least <= steps) continue;
    fail(Code::kUsage,
         "ctc_loss: sample {} has {} labels, which take at least {} steps; its input has {}: make the input longer, or "
         "let zero_infinity leave the sample out",
         n, labels[n].size(), least, steps);
  }
}

}  // namespace

std::int64_t ctc_least_steps(std::span<const std::int32_t> labels) {
  std::int64_t steps = std::ssize(labels);
  for (std::size_t i = 1; i < labels.size(); ++i) steps += labels[i] == labels[i - 1];
  return steps;
}

template <class T>
BasicVariable<T> ctc_loss(BasicVariable<T> logits, std::span<const std::int32_t> lengths,
                          std::span<const std::vector<std::int32_t>> labels, const CtcOptions& options) {
  check(logits.shape(), lengths, labels, options);
  const std::int64_t N = logits.shape()[1], K = logits.shape()[2];
  Arena& arena = logits.tape().arena();
  auto* node = logits.tape().template record<CtcNode<T>>(Shape{N}, logits.node()->needs_gradient);
  node->logits = logits.node();
  node->derivative = node->needs_gradient ? arena.allocate<T>(logits.shape().elements()) : nullptr;
  if (node->needs_gradient) detail::fill_each(node->derivative, logits.shape().elements(), [](auto) { return T(0); });
  const Arena::Mark mark = arena.mark();
  auto* samples = arena.allocate<CtcSample<T>>(N);
  for (std::int64_t n = 0; n < N; ++n) {
    CtcSample<T>& sample = *new (samples + n) CtcSample<T>{
        .z = node->logits->data() + n * K,
        .stride = N * K,
        .steps = lengths.empty() ? logits.shape()[0] : lengths[static_cast<std::size_t>(n)],
        .classes = K,
        .labels = labels[static_cast<std::size_t>(n)],
        .blank = options.blank};
    sample.block = sample.block_size(sample.steps, sample.places());
    sample.normalizers = arena.allocate<double>(sample.steps);
    sample.alpha = arena.allocate<double>(sample.block * sample.places());
    sample.borders = arena.allocate<double>(sample.blocks() * sample.places());
    sample.beta = arena.allocate<double>(2 * sample.places());
  }
  parallel_for(N, [&](std::int64_t n) {
    const double total = samples[n].forward();
    const bool impossible = total == kImpossible && options.zero_infinity;
    node->data()[n] = impossible ? T(0) : static_cast<T>(-total);
    if (node->derivative && !impossible) samples[n].backward(total, node->derivative + n * K);
  });
  arena.rewind(mark);
  return BasicVariable<T>(node);
}

template BasicVariable<float> ctc_loss(BasicVariable<float>, std::span<const std::int32_t>,
                                       std::span<const std::vector<std::int32_t>>, const CtcOptions&);
template BasicVariable<double> ctc_loss(BasicVariable<double>, std::span<const std::int32_t>,
                                        std::span<const std::vector<std::int32_t>>, const CtcOptions&);

}  // namespace carousel
