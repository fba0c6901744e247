#include "tasks/lm/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/fail.h"

namespace carousel {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

}  // namespace

Sampler::Sampler(const SamplingOptions& options, std::int64_t vocabulary_size, std::vector<std::int32_t> excluded)
    : options_(options), excluded_(std::move(excluded)), seen_(static_cast<std::size_t>(vocabulary_size)) {
  const auto check = [](bool good, std::string_view thing, double value, std::string_view expected) {
    if (!good) fail(Code::kUsage, "sampling: {} is {}, expected {}", thing, value, expected);
  };
  check(options.temperature >= 0, "temperature", options.temperature, "at least 0");
  check(options.top_k >= 0, "top_k", static_cast<double>(options.top_k), "at least 0");
  check(options.top_p > 0 && options.top_p <= 1, "top_p", options.top_p, "more than 0 and at most 1");
  check(options.repetition_penalty > 0, "repetition_penalty", options.repetition_penalty, "more than 0");
}

std::span<const double> Sampler::distribution(std::span<const float> scores) {
  p_.assign(scores.begin(), scores.end());
  for (std::size_t k = 0; k < p_.size(); ++k) {
    if (seen_[k]) p_[k] = p_[k] > 0 ? p_[k] / options_.repetition_penalty : p_[k] * options_.repetition_penalty;
  }
  for (const std::int32_t token : excluded_) p_[static_cast<std::size_t>(token)] = kNever;
  const auto largest = std::max_element(p_.begin(), p_.end());
  const auto best = static_cast<std::size_t>(largest - p_.begin());
  const double top = *largest;
  if (options_.temperature == 0) {
    std::fill(p_.begin(), p_.end(), 0.0);
    p_[best] = 1;
    return p_;
  }
  order_.resize(p_.size());
  std::iota(order_.begin(), order_.end(), 0);
  if (options_.top_k > 0 || options_.top_p < 1) {
    std::stable_sort(order_.begin(), order_.end(), [&](std::int32_t a, std::int32_t b) {
      return p_[static_cast<std::size_t>(a)] > p_[static_cast<std::size_t>(b)];
    });
  }
  const auto at = [&](std::size_t place) -> double& { return p_[static_cast<std::size_t>(order_[place])]; };
  std::size_t kept = order_.size();
  if (options_.top_k > 0) kept = std::min(kept, static_cast<std::size_t>(options_.top_k));
  double sum = 0;
  for (std::size_t k = 0; k < kept; ++k) sum += at(k) = std::exp((at(k) - top) / options_.temperature);
  if (options_.top_p < 1) {
    double reached = 0;
    std::size_t k = 0;
    while (k < kept && reached < options_.top_p * sum) reached += at(k++);
    kept = k;
    sum = reached;
  }
  for (std::size_t k = 0; k < order_.size(); ++k) at(k) = k < kept ? at(k) / sum : 0;
  return p_;
}

std::int32_t Sampler::choose(std::span<const float> scores, const RandomKey& key, std::uint64_t index) {
  const std::span<const double> p = distribution(scores);
  const auto words = philox(key, index);
  const double u = std::ldexp(static_cast<double>((std::uint64_t{words[0]} << 21) | (words[1] >> 11)), -53);
  double sum = 0;
  std::size_t last = 0;
  for (std::size_t k = 0; k < p.size(); ++k) {
    if (p[k] == 0) continue;
    last = k;
    sum += p[k];
    if (u < sum) break;
  }
  return static_cast<std::int32_t>(last);
}

}  // namespace carousel
