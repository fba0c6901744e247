// crf_sums.h: sums over all sequences of tags of a linear-chain CRF, in double and in logarithms.
//
//   alpha_t(j) = e_t(j) + log sum_i exp(alpha_{t-1}(i) + transitions(i, j))      alpha_0(j) = start(j) + e_0(j)
//   beta_t(i)  = log sum_j exp(transitions(i, j) + e_{t+1}(j) + beta_{t+1}(j))    beta_{n-1}(i) = end(i)
//   log_z      = log sum_j exp(alpha_{n-1}(j) + end(j))                           p(y_t = j) = exp(alpha + beta -
//   log_z)
//
// A sum over i is a product with the matrix exp(transitions), scaled so that the largest term is 1: one exponential per
// tag and step, not one per pair of tags. Where the scaled sum is so small that terms may have vanished in it, it is
// formed term by term. A score of minus infinity forbids.
#pragma once

#include <cstdint>
#include <span>

namespace carousel::detail {

// Below this a scaled sum may lack terms that vanished: the least double is 1e-308.
inline constexpr double kLeastSum = 1e-280;

// Start, end and transition scores of K tags, ready to sum with. Borrows the memory that fill() wrote.
struct CrfTables {
  std::int64_t tags = 0;                                   // K
  const double *start = nullptr, *end = nullptr;           // [K]
  const double* transitions = nullptr;                     // [K, K], row: from, column: to
  const double *factors = nullptr, *transposed = nullptr;  // exp(transitions - largest), and its transpose
  double largest = 0;                                      // of the transitions

  static std::int64_t size(std::int64_t tags) noexcept { return 2 * tags + 3 * tags * tags; }
  // Writes the tables into memory[size(tags)].
  template <class T>
  static CrfTables fill(std::span<const T> start, std::span<const T> end, std::span<const T> transitions,
                        double* memory);
  // The same; what a rule (0: not valid) forbids becomes minus infinity. Empty rules forbid nothing.
  void forbid(std::span<const std::uint8_t> start_rules, std::span<const std::uint8_t> end_rules,
              std::span<const std::uint8_t> transition_rules, double* memory);
};

// alpha and beta of one sequence: step t is row[t] of emissions, alpha and beta ([rows, K]). beta may be null. Returns
// log_z. REQUIRES: at least one step.
template <class T>
double sum_over_paths(const CrfTables& tables, const T* emissions, std::span<const std::int64_t> rows, double* alpha,
                      double* beta);

// log of sum of exp(values); minus infinity if all are.
double log_sum_exp(std::span<const double> values) noexcept;

}  // namespace carousel::detail
