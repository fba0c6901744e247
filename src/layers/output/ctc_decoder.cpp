#include "layers/output/ctc_decoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "base/fail.h"

namespace carousel {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();
constexpr std::int32_t kBlankClass = 0;

double add_logs(double a, double b) {
  if (a == kNever) return b;
  if (b == kNever) return a;
  return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
}

// The prefixes met so far, as a tree: a prefix is its parent with one label more.
class PrefixTree {
 public:
  PrefixTree(const CtcSearchOptions& options, std::int64_t classes) : options_(options), classes_(classes) {
    nodes_.push_back({.parent = -1, .label = kBlankClass, .bonus = 0, .after = {}});
  }

  std::int32_t label(std::int64_t node) const { return at(node).label; }  // the blank for the empty prefix
  double bonus(std::int64_t node) const { return at(node).bonus; }        // what the scorer and the labels add to it

  Labelling labels(std::int64_t node) const {
    Labelling labels;
    for (; at(node).parent >= 0; node = at(node).parent) labels.push_back(at(node).label);
    std::reverse(labels.begin(), labels.end());
    return labels;
  }

  // The bonus of the prefix with this label behind it; for the blank, with the end behind it.
  double bonus_with(std::int64_t node, std::int32_t label) {
    double bonus = at(node).bonus + (label == kBlankClass ? 0 : options_.insertion_bonus);
    if (!options_.scorer) return bonus;
    std::vector<double>& after = nodes_[static_cast<std::size_t>(node)].after;
    if (after.empty()) {
      after.resize(static_cast<std::size_t>(classes_));
      options_.scorer->score(labels(node), after);
    }
    return bonus + options_.scorer_weight * after[static_cast<std::size_t>(label)];
  }

  // -1 if there is none.
  std::int64_t find(std::int64_t node, std::int32_t label) const {
    const auto found = children_.find({node, label});
    return found == children_.end() ? -1 : found->second;
  }

  std::int64_t add(std::int64_t node, std::int32_t label) {
    const std::int64_t child = std::ssize(nodes_);
    nodes_.push_back({node, label, bonus_with(node, label), {}});
    children_[{node, label}] = child;
    return child;
  }

 private:
  struct Node {
    std::int64_t parent;
    std::int32_t label;
    double bonus;
    std::vector<double> after;  // what the scorer says of the next label; empty: not asked
  };
  const Node& at(std::int64_t node) const { return nodes_[static_cast<std::size_t>(node)]; }

  const CtcSearchOptions& options_;
  std::int64_t classes_;
  std::vector<Node> nodes_;
  std::map<std::pair<std::int64_t, std::int32_t>, std::int64_t> children_;
};

// A prefix after some steps: the log-probability of its alignments that end in a blank, and of those that end in its
// last label.
struct OpenPrefix {
  std::int64_t node = -1;  // -1: not in the tree yet, `parent` with `label`
  std::int64_t parent = -1;
  std::int32_t label = kBlankClass;
  double blank = kNever, last = kNever;
  double rank = 0;

  double sum() const { return add_logs(blank, last); }
};

// All prefixes that one more step leads to.
std::vector<OpenPrefix> extended(const std::vector<OpenPrefix>& open, const double* log_p, std::int64_t classes,
                                 PrefixTree& tree) {
  std::vector<OpenPrefix> next;
  std::map<std::int64_t, std::size_t> places;  // of the prefixes of the tree in `next`
  for (const OpenPrefix& prefix : open) {
    OpenPrefix same{.node = prefix.node};
    const std::int32_t label = tree.label(prefix.node);
    same.blank = prefix.sum() + log_p[kBlankClass];
    if (label != kBlankClass) same.last = prefix.last + log_p[label];
    places[prefix.node] = next.size();
    next.push_back(same);
  }
  for (const OpenPrefix& prefix : open) {
    for (std::int32_t k = 1; k < classes; ++k) {
      const double p = log_p[k] + (k == tree.label(prefix.node) ? prefix.blank : prefix.sum());
      if (p == kNever) continue;
      const std::int64_t node = tree.find(prefix.node, k);
      const auto place = node < 0 ? places.end() : places.find(node);
      if (place == places.end()) {
        next.push_back({.node = node, .parent = prefix.node, .label = k, .last = p});
      } else {
        next[place->second].last = add_logs(next[place->second].last, p);
      }
    }
  }
  return next;
}

}  // namespace

BasicTensor<double> ctc_log_probabilities(View<const float> logits) {
  if (logits.shape.rank() != 2) {
    fail(Code::kUsage, "ctc: logits have shape {}, expected [T, K]", logits.shape.to_string());
  }
  BasicTensor<double> log_p(logits.shape);
  const std::int64_t K = logits.shape[1];
  for (std::int64_t t = 0; t < logits.shape[0]; ++t) {
    const float* z = logits.data + t * K;
    const double largest = *std::max_element(z, z + K);
    double sum = 0;
    for (std::int64_t k = 0; k < K; ++k) sum += std::exp(z[k] - largest);
    for (std::int64_t k = 0; k < K; ++k) log_p[t * K + k] = z[k] - largest - std::log(sum);
  }
  return log_p;
}

Labelling ctc_greedy(const BasicTensor<double>& log_p) {
  Labelling labels;
  const std::int64_t K = log_p.shape()[1];
  std::int64_t before = kBlankClass;
  for (std::int64_t t = 0; t < log_p.shape()[0]; ++t) {
    const double* row = log_p.data() + t * K;
    const std::int64_t best = std::max_element(row, row + K) - row;
    if (best != kBlankClass && best != before) labels.push_back(static_cast<std::int32_t>(best));
    before = best;
  }
  return labels;
}

std::vector<CtcHypothesis> ctc_beam_search(const BasicTensor<double>& log_p, const CtcSearchOptions& options) {
  if (options.beam < 1 || options.n_best < 1) {
    fail(Code::kUsage, "ctc: beam is {} and n_best {}, expected at least 1", options.beam, options.n_best);
  }
  const std::int64_t T = log_p.shape()[0], K = log_p.shape()[1];
  PrefixTree tree(options, K);
  std::vector<OpenPrefix> open{{.node = 0, .blank = 0}};
  const auto better = [](const OpenPrefix& a, const OpenPrefix& b) { return a.rank > b.rank; };
  for (std::int64_t t = 0; t < T; ++t) {
    open = extended(open, log_p.data() + t * K, K, tree);
    for (OpenPrefix& prefix : open) {
      prefix.rank =
          prefix.sum() + (prefix.node < 0 ? tree.bonus_with(prefix.parent, prefix.label) : tree.bonus(prefix.node));
    }
    std::stable_sort(open.begin(), open.end(), better);
    open.resize(std::min(open.size(), static_cast<std::size_t>(options.beam)));
    for (OpenPrefix& prefix : open) {
      if (prefix.node < 0) prefix.node = tree.add(prefix.parent, prefix.label);
    }
  }
  std::vector<CtcHypothesis> best;
  for (OpenPrefix& prefix : open) {
    if (options.scorer) prefix.rank = prefix.sum() + tree.bonus_with(prefix.node, kBlankClass);
  }
  std::stable_sort(open.begin(), open.end(), better);
  for (const OpenPrefix& prefix : open) {
    if (std::ssize(best) == options.n_best || prefix.sum() == kNever) break;
    best.push_back({tree.labels(prefix.node), prefix.sum(), prefix.rank});
  }
  return best;
}

std::vector<std::int64_t> ctc_align(const BasicTensor<double>& log_p, std::span<const std::int32_t> labels) {
  const std::int64_t T = log_p.shape()[0], K = log_p.shape()[1], S = 2 * std::ssize(labels) + 1;
  const auto label = [&](std::int64_t s) { return s % 2 == 0 ? kBlankClass : labels[static_cast<std::size_t>(s / 2)]; };
  std::vector<double> best(static_cast<std::size_t>(S), kNever), before(best);
  std::vector<std::uint8_t> steps(static_cast<std::size_t>(T * S), 0);  // places that the best alignment moved on
  before[0] = 0;
  for (std::int64_t t = 0; t < T; ++t) {
    for (std::int64_t s = 0; s < S; ++s) {
      const bool may_skip = s >= 2 && s % 2 == 1 && label(s) != label(s - 2);
      // Before the first step stands place 0, from which an alignment may begin with the blank or the first label.
      for (std::int64_t move = 0; move <= (t > 0 && may_skip ? 2 : std::min<std::int64_t>(s, 1)); ++move) {
        const double p = before[static_cast<std::size_t>(s - move)];
        if (move > 0 && p <= best[static_cast<std::size_t>(s)]) continue;
        best[static_cast<std::size_t>(s)] = p;
        steps[static_cast<std::size_t>(t * S + s)] = static_cast<std::uint8_t>(move);
      }
      best[static_cast<std::size_t>(s)] += log_p[t * K + label(s)];
    }
    std::swap(best, before);
    std::fill(best.begin(), best.end(), kNever);
  }
  std::int64_t place = S - 1;
  if (S > 1 && before[static_cast<std::size_t>(S - 2)] > before[static_cast<std::size_t>(S - 1)]) place = S - 2;
  if (before[static_cast<std::size_t>(place)] == kNever) {
    fail(Code::kUsage, "ctc: {} labels cannot be aligned with {} steps", labels.size(), T);
  }
  std::vector<std::int64_t> begins(labels.size(), 0);
  for (std::int64_t t = T; t-- > 0;) {
    if (place % 2 == 1) begins[static_cast<std::size_t>(place / 2)] = t;
    place -= steps[static_cast<std::size_t>(t * S + place)];
  }
  return begins;
}

}  // namespace carousel
