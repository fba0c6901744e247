#include "layers/output/crf_likelihood.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "autograd/ops/common.h"
#include "layers/output/crf_sums.h"

namespace carousel {
namespace {

using detail::CrfTables;

// The packed rows of the k-th sorted sample.
std::vector<std::int64_t> rows_of(const SequenceLayout& layout, std::int64_t k) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(layout.length(k)));
  for (std::size_t t = 0; t < rows.size(); ++t) rows[t] = layout.offset(static_cast<std::int64_t>(t)) + k;
  return rows;
}

template <class T>
struct CrfNode final : Node<T> {
  Node<T>*emissions, *start, *end, *transitions;
  const SequenceLayout* layout;
  CrfTables tables;
  double *alpha, *beta, *log_z;  // [rows, K], [rows, K], [sorted samples]
  std::int32_t* tags;            // [rows]

  double gradient_of(std::int64_t k) const { return static_cast<double>(this->gradient[layout->sample(k)]); }

  void backward() override {
    const std::int64_t K = tables.tags, samples = layout->samples(), rows = layout->rows();
    const GradientTarget<T> to_emissions = emissions->claim_gradient(), to_start = start->claim_gradient(),
                            to_end = end->claim_gradient(), to_transitions = transitions->claim_gradient();
    Arena& arena = this->tape->arena();
    const Arena::Mark mark = arena.mark();
    // g ([y = k] - p(y = k)) of every row.
    double* d = arena.template allocate<double>(rows * K);
    parallel_for(samples, [&](std::int64_t k) {
      const double g = gradient_of(k);
      for (const std::int64_t row : rows_of(*layout, k)) {
        for (std::int64_t j = 0; j < K; ++j) {
          d[row * K + j] = -g * std::exp(alpha[row * K + j] + beta[row * K + j] - log_z[k]);
        }
        d[row * K + tags[row]] += g;
      }
    });
    detail::send(to_emissions, rows * K, [=](std::int64_t i) { return static_cast<T>(d[i]); });
    send_border(to_start, d, false);
    send_border(to_end, d, true);
    send_transitions(to_transitions);
    arena.rewind(mark);
  }

  // The sum of the first, or last, rows of all samples.
  void send_border(const GradientTarget<T>& target, const double* d, bool last) {
    if (!target) return;
    const std::int64_t K = tables.tags;
    std::vector<double> sum(static_cast<std::size_t>(K));
    for (std::int64_t k = 0; k < layout->samples(); ++k) {
      if (layout->length(k) == 0) continue;
      const double* row = d + (layout->offset(last ? layout->length(k) - 1 : 0) + k) * K;
      for (std::int64_t j = 0; j < K; ++j) sum[static_cast<std::size_t>(j)] += row[j];
    }
    detail::send(target, K, [&](std::int64_t j) { return static_cast<T>(sum[static_cast<std::size_t>(j)]); });
  }

  // Writes u(i) and v(j) of every row but the first of each sample, and its coefficient c, so that
  // g p(y_{t-1} = i, y_t = j) = c u(i) factors(i, j) v(j); c = 0 where a row must be summed term by term.
  void split_pairs(double* u, double* v, double* c) const {
    const std::int64_t K = tables.tags;
    parallel_for(layout->samples(), [&](std::int64_t k) {
      const std::vector<std::int64_t> rows = rows_of(*layout, k);
      for (std::size_t t = 0; t < rows.size(); ++t) {
        c[rows[t]] = 0;
        if (t == 0) continue;
        const double* before = alpha + rows[t - 1] * K;
        const double most_before = *std::max_element(before, before + K);
        double *u_row = u + rows[t] * K, *v_row = v + rows[t] * K;
        const T* e = emissions->data() + rows[t] * K;
        double most_ahead = -std::numeric_limits<double>::infinity();
        for (std::int64_t j = 0; j < K; ++j) {
          u_row[j] = std::exp(before[j] - most_before);
          v_row[j] = static_cast<double>(e[j]) + beta[rows[t] * K + j];
          most_ahead = std::max(most_ahead, v_row[j]);
        }
        for (std::int64_t j = 0; j < K; ++j) v_row[j] = std::exp(v_row[j] - most_ahead);
        const double sum = std::exp(log_z[k] - most_before - most_ahead - tables.largest);  // of u factors v
        if (sum >= detail::kLeastSum) c[rows[t]] = gradient_of(k) / sum;
      }
    });
  }

  void send_transitions(const GradientTarget<T>& target) {
    if (!target) return;
    const std::int64_t K = tables.tags, rows = layout->rows();
    Arena& arena = this->tape->arena();
    double *u = arena.template allocate<double>(rows * K), *v = arena.template allocate<double>(rows * K);
    double *c = arena.template allocate<double>(rows), *sum = arena.template allocate<double>(K * K);
    split_pairs(u, v, c);
    parallel_for(K, [&](std::int64_t i) {
      double* out = sum + i * K;
      std::fill_n(out, K, 0.0);
      for (std::int64_t row = 0; row < rows; ++row) {
        const double weight = c[row] == 0 ? 0 : c[row] * u[row * K + i];
        if (weight == 0) continue;
        for (std::int64_t j = 0; j < K; ++j) out[j] -= weight * v[row * K + j];
      }
      for (std::int64_t j = 0; j < K; ++j) out[j] *= tables.factors[i * K + j];
    });
    for (std::int64_t k = 0; k < layout->samples(); ++k) {
      const std::vector<std::int64_t> of = rows_of(*layout, k);
      for (std::size_t t = 1; t < of.size(); ++t) {
        if (c[of[t]] == 0) subtract_pairs(k, of[t - 1], of[t], sum);
        sum[tags[of[t - 1]] * K + tags[of[t]]] += gradient_of(k);
      }
    }
    detail::send(target, K * K, [=](std::int64_t i) { return static_cast<T>(sum[i]); });
  }

  // The pairs of one step term by term.
  void subtract_pairs(std::int64_t k, std::int64_t before, std::int64_t row, double* sum) const {
    const std::int64_t K = tables.tags;
    for (std::int64_t i = 0; i < K; ++i) {
      for (std::int64_t j = 0; j < K; ++j) {
        const double e = static_cast<double>(emissions->data()[row * K + j]);
        sum[i * K + j] -= gradient_of(k) * std::exp(alpha[before * K + i] + tables.transitions[i * K + j] + e +
                                                    beta[row * K + j] - log_z[k]);
      }
    }
  }
};

template <class T>
void check(const BasicVariable<T>& emissions, const CrfVariables<T>& w, std::span<const std::int32_t> tags,
           const SequenceLayout& layout, const CrfRules& rules) {
  const std::int64_t K = emissions.shape().back();
  detail::check_same_shape("crf", "emissions", emissions.shape(), {layout.rows(), K});
  detail::check_same_shape("crf", "start_transitions", w.start.shape(), {K});
  detail::check_same_shape("crf", "end_transitions", w.end.shape(), {K});
  detail::check_same_shape("crf", "transitions", w.transitions.shape(), {K, K});
  if (std::ssize(tags) != layout.rows()) fail(Code::kUsage, "crf: {} tags for {} steps", tags.size(), layout.rows());
  for (std::size_t row = 0; row < tags.size(); ++row) {
    if (tags[row] < 0 || tags[row] >= K) {
      fail(Code::kUsage, "crf: step {} has tag {}, expected 0 .. {}", row, tags[row], K - 1);
    }
  }
  const bool none = rules.start.empty() && rules.end.empty() && rules.transitions.empty();
  if (!none && (std::ssize(rules.start) != K || std::ssize(rules.end) != K || std::ssize(rules.transitions) != K * K)) {
    fail(Code::kUsage, "crf: the rules are not those of {} tags", K);
  }
}

// The score of the tags of one sample.
template <class T>
double score_of(const CrfTables& tables, const T* emissions, const std::int32_t* tags,
                std::span<const std::int64_t> rows) {
  const std::int64_t K = tables.tags;
  double score = tables.start[tags[rows.front()]] + tables.end[tags[rows.back()]];
  for (std::size_t t = 0; t < rows.size(); ++t) {
    score += static_cast<double>(emissions[rows[t] * K + tags[rows[t]]]);
    if (t > 0) score += tables.transitions[tags[rows[t - 1]] * K + tags[rows[t]]];
  }
  return score;
}

}  // namespace

template <class T>
BasicVariable<T> crf_log_likelihood(BasicVariable<T> emissions, const CrfVariables<T>& w,
                                    std::span<const std::int32_t> tags, const SequenceLayout& layout,
                                    const CrfRules& rules) {
  check(emissions, w, tags, layout, rules);
  const std::int64_t K = emissions.shape().back(), rows = layout.rows(), samples = layout.samples();
  Tape<T>& tape = emissions.tape();
  const bool needs_gradient = emissions.node()->needs_gradient || w.start.node()->needs_gradient ||
                              w.end.node()->needs_gradient || w.transitions.node()->needs_gradient;
  auto* node = tape.template record<CrfNode<T>>({samples}, needs_gradient);
  node->emissions = emissions.node();
  node->start = w.start.node();
  node->end = w.end.node();
  node->transitions = w.transitions.node();
  node->layout = &layout;
  double* memory = tape.arena().template allocate<double>(CrfTables::size(K));
  node->tables = CrfTables::fill<T>(w.start.value().span(), w.end.value().span(), w.transitions.value().span(), memory);
  if (!rules.start.empty()) node->tables.forbid(rules.start, rules.end, rules.transitions, memory);
  node->alpha = tape.arena().template allocate<double>(rows * K);
  node->beta = node->needs_gradient ? tape.arena().template allocate<double>(rows * K) : nullptr;
  node->log_z = tape.arena().template allocate<double>(samples);
  node->tags = tape.arena().template allocate<std::int32_t>(rows);
  std::copy(tags.begin(), tags.end(), node->tags);
  parallel_for(samples, [&](std::int64_t k) {
    const std::vector<std::int64_t> of = rows_of(layout, k);
    T& out = node->data()[layout.sample(k)];
    out = 0;
    if (of.empty()) return;
    const T* e = node->emissions->data();
    node->log_z[k] = detail::sum_over_paths(node->tables, e, of, node->alpha, node->beta);
    out = static_cast<T>(score_of(node->tables, e, node->tags, of) - node->log_z[k]);
  });
  for (std::int64_t n = 0; n < samples && !rules.start.empty(); ++n) {
    if (node->data()[n] == -std::numeric_limits<T>::infinity()) {
      fail(Code::kUsage, "crf: the tags of sample {} are not a valid sequence", n);
    }
  }
  return BasicVariable<T>(node);
}

template BasicVariable<float> crf_log_likelihood(BasicVariable<float>, const CrfVariables<float>&,
                                                 std::span<const std::int32_t>, const SequenceLayout&, const CrfRules&);
template BasicVariable<double> crf_log_likelihood(BasicVariable<double>, const CrfVariables<double>&,
                                                  std::span<const std::int32_t>, const SequenceLayout&,
                                                  const CrfRules&);

}  // namespace carousel
