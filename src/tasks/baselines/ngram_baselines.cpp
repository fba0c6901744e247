#include "tasks/baselines/ngram_baselines.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <vector>

namespace carousel {
namespace {

using Gram = std::array<std::int32_t, 3>;  // kNone in front of a shorter one
constexpr std::int32_t kNone = -1;

struct GramHash {
  std::size_t operator()(const Gram& gram) const noexcept {
    std::uint64_t hash = 0;
    for (const std::int32_t id : gram) {
      hash = (hash ^ static_cast<std::uint32_t>(id)) * 0x9E3779B97F4A7C15U;
      hash ^= hash >> 29;
    }
    return hash;
  }
};

constexpr int kOrders = 3;
constexpr std::size_t kBuckets = 24;

// What the counts say about one token in its context: of order k the relative frequency and the bucket of the context.
struct Evidence {
  std::array<double, kOrders> frequency{};
  std::array<std::size_t, kOrders> bucket{};
};

using Weights = std::array<std::array<double, kBuckets>, kOrders>;

class Counts {
 public:
  explicit Counts(std::span<const std::int32_t> ids) {
    for (std::size_t t = 0; t < ids.size(); ++t) {
      for (std::size_t order = 0; order < kOrders && order <= t; ++order) {
        const Gram gram = gram_at(ids, t, order);
        ++count_[gram];
        ++context_[{gram[0], gram[1], kNone}];
      }
    }
  }

  Evidence evidence(std::span<const std::int32_t> ids, std::size_t t) const {
    Evidence e;
    for (std::size_t order = 0; order < kOrders && order <= t; ++order) {
      const Gram gram = gram_at(ids, t, order);
      const std::int64_t context = find(context_, {gram[0], gram[1], kNone});
      if (context == 0) break;
      e.frequency[order] = static_cast<double>(find(count_, gram)) / static_cast<double>(context);
      e.bucket[order] = std::min(kBuckets - 1, static_cast<std::size_t>(std::bit_width<std::uint64_t>(context)));
    }
    return e;
  }

 private:
  using Map = std::unordered_map<Gram, std::int64_t, GramHash>;

  // Token t and the `order` tokens before it.
  static Gram gram_at(std::span<const std::int32_t> ids, std::size_t t, std::size_t order) {
    return {order > 1 ? ids[t - 2] : kNone, order > 0 ? ids[t - 1] : kNone, ids[t]};
  }
  static std::int64_t find(const Map& map, const Gram& gram) {
    const auto found = map.find(gram);
    return found == map.end() ? 0 : found->second;
  }

  Map count_, context_;
};

// p of every order, the shorter ones first.
std::array<double, kOrders> probabilities(const Evidence& e, const Weights& weights, double uniform) {
  std::array<double, kOrders> p{};
  double shorter = uniform;
  for (std::size_t order = 0; order < kOrders; ++order) {
    const double weight = weights[order][e.bucket[order]];
    shorter = p[order] = weight * e.frequency[order] + (1 - weight) * shorter;
  }
  return p;
}

Weights fit_weights(const std::vector<Evidence>& held_out, double uniform) {
  Weights weights;
  for (auto& of_order : weights) {
    of_order.fill(0.5);
    of_order[0] = 0;  // the context was never seen
  }
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    Weights taken{}, seen{};
    for (const Evidence& e : held_out) {
      const auto p = probabilities(e, weights, uniform);
      double reached = 1;  // the probability, after the fact, that the token came from this order or a shorter one
      for (std::size_t order = kOrders; order-- > 0;) {
        const std::size_t bucket = e.bucket[order];
        const double here = weights[order][bucket] * e.frequency[order] / p[order];
        taken[order][bucket] += reached * here;
        seen[order][bucket] += reached;
        reached *= 1 - here;
      }
    }
    for (std::size_t order = 0; order < kOrders; ++order) {
      for (std::size_t bucket = 1; bucket < kBuckets; ++bucket) {
        if (seen[order][bucket] > 0) weights[order][bucket] = taken[order][bucket] / seen[order][bucket];
      }
      // Never quite 1: what was never seen must stay possible.
      for (double& weight : weights[order]) weight = std::min(weight, 0.999);
    }
  }
  return weights;
}

}  // namespace

double unigram_loss(std::span<const std::int64_t> counts, std::span<const std::int32_t> ids) {
  const std::int64_t total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const double denominator = static_cast<double>(total + std::ssize(counts));
  double sum = 0;
  for (const std::int32_t id : ids) {
    sum -= std::log(static_cast<double>(counts[static_cast<std::size_t>(id)] + 1) / denominator);
  }
  return sum;
}

double trigram_loss(std::span<const std::int32_t> training, std::int64_t vocabulary_size,
                    std::span<const std::int32_t> ids) {
  const double uniform = 1 / static_cast<double>(vocabulary_size);
  const std::size_t known = training.size() - training.size() / 10;
  Weights weights;
  {
    const Counts counts(training.first(known));
    std::vector<Evidence> held_out;
    for (std::size_t t = known; t < training.size(); ++t) held_out.push_back(counts.evidence(training, t));
    weights = fit_weights(held_out, uniform);
  }
  const Counts counts(training);
  double sum = 0;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    sum -= std::log(probabilities(counts.evidence(ids, t), weights, uniform).back());
  }
  return sum;
}

}  // namespace carousel
