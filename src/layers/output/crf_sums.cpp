#include "layers/output/crf_sums.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace carousel::detail {
namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

// out(j) = log sum_i exp(x(i) + scores(i, j)) with factors = exp(scores - largest). `stride` of scores: from i to i+1,
// and from j to j+1.
struct Stride {
  std::int64_t i, j;
};

void log_product(std::int64_t K, const double* x, const double* factors, const double* scores, Stride stride,
                 double largest, double* out) {
  const double most = *std::max_element(x, x + K);
  if (most == kNone) {
    std::fill_n(out, K, kNone);
    return;
  }
  std::fill_n(out, K, 0.0);
  for (std::int64_t i = 0; i < K; ++i) {
    const double weight = std::exp(x[i] - most);
    if (weight == 0) continue;
    const double* row = factors + i * K;
    for (std::int64_t j = 0; j < K; ++j) out[j] += weight * row[j];
  }
  std::vector<double> terms;
  for (std::int64_t j = 0; j < K; ++j) {
    if (out[j] >= kLeastSum) {
      out[j] = std::log(out[j]) + most + largest;
      continue;
    }
    terms.clear();
    for (std::int64_t i = 0; i < K; ++i) terms.push_back(x[i] + scores[i * stride.i + j * stride.j]);
    out[j] = log_sum_exp(terms);
  }
}

}  // namespace

double log_sum_exp(std::span<const double> values) noexcept {
  const double most = *std::max_element(values.begin(), values.end());
  if (most == kNone) return kNone;
  double sum = 0;
  for (const double value : values) sum += std::exp(value - most);
  return most + std::log(sum);
}

template <class T>
CrfTables CrfTables::fill(std::span<const T> start, std::span<const T> end, std::span<const T> transitions,
                          double* memory) {
  const std::int64_t K = std::ssize(start);
  const auto widen = [](T value) { return static_cast<double>(value); };
  std::transform(start.begin(), start.end(), memory, widen);
  std::transform(end.begin(), end.end(), memory + K, widen);
  std::transform(transitions.begin(), transitions.end(), memory + 2 * K, widen);
  CrfTables tables;
  tables.tags = K;
  tables.forbid({}, {}, {}, memory);
  return tables;
}

void CrfTables::forbid(std::span<const std::uint8_t> start_rules, std::span<const std::uint8_t> end_rules,
                       std::span<const std::uint8_t> transition_rules, double* memory) {
  const std::int64_t K = tags, square = K * K;
  const auto apply = [](std::span<const std::uint8_t> rules, double* scores) {
    for (std::size_t k = 0; k < rules.size(); ++k) {
      if (rules[k] == 0) scores[k] = kNone;
    }
  };
  double* scores = memory + 2 * K;
  apply(start_rules, memory);
  apply(end_rules, memory + K);
  apply(transition_rules, scores);
  largest = *std::max_element(scores, scores + square);
  if (largest == kNone) largest = 0;
  for (std::int64_t i = 0; i < K; ++i) {
    for (std::int64_t j = 0; j < K; ++j) {
      const double factor = std::exp(scores[i * K + j] - largest);
      scores[square + i * K + j] = factor;
      scores[2 * square + j * K + i] = factor;
    }
  }
  start = memory;
  end = memory + K;
  transitions = scores;
  factors = scores + square;
  transposed = scores + 2 * square;
}

template <class T>
double sum_over_paths(const CrfTables& tables, const T* emissions, std::span<const std::int64_t> rows, double* alpha,
                      double* beta) {
  const std::int64_t K = tables.tags;
  const auto at = [&](auto* values, std::size_t t) { return values + rows[t] * K; };
  for (std::size_t t = 0; t < rows.size(); ++t) {
    double* now = at(alpha, t);
    if (t == 0) {
      std::copy_n(tables.start, K, now);
    } else {
      log_product(K, at(alpha, t - 1), tables.factors, tables.transitions, {K, 1}, tables.largest, now);
    }
    const T* e = at(emissions, t);
    for (std::int64_t k = 0; k < K; ++k) now[k] += static_cast<double>(e[k]);
  }
  std::vector<double> ahead(static_cast<std::size_t>(K));
  const double* last = at(alpha, rows.size() - 1);
  for (std::int64_t k = 0; k < K; ++k) ahead[static_cast<std::size_t>(k)] = last[k] + tables.end[k];
  const double log_z = log_sum_exp(ahead);
  if (!beta) return log_z;
  std::copy_n(tables.end, K, at(beta, rows.size() - 1));
  for (std::size_t t = rows.size() - 1; t-- > 0;) {
    const T* e = at(emissions, t + 1);
    const double* next = at(beta, t + 1);
    for (std::int64_t k = 0; k < K; ++k) ahead[static_cast<std::size_t>(k)] = static_cast<double>(e[k]) + next[k];
    log_product(K, ahead.data(), tables.transposed, tables.transitions, {1, K}, tables.largest, at(beta, t));
  }
  return log_z;
}

template CrfTables CrfTables::fill(std::span<const float>, std::span<const float>, std::span<const float>, double*);
template CrfTables CrfTables::fill(std::span<const double>, std::span<const double>, std::span<const double>, double*);
template double sum_over_paths(const CrfTables&, const float*, std::span<const std::int64_t>, double*, double*);
template double sum_over_paths(const CrfTables&, const double*, std::span<const std::int64_t>, double*, double*);

}  // namespace carousel::detail
