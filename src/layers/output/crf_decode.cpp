#include "layers/output/crf_decode.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "layers/output/crf_sums.h"

namespace carousel {

CrfScores<float> crf_scores(const Crf* crf, std::int64_t tags, const CrfRules& rules) {
  CrfScores<float> scores{Tensor({tags}), Tensor({tags}), Tensor({tags, tags})};
  if (crf) scores = {crf->start.value, crf->end.value, crf->transitions.value};
  const auto forbid = [](std::span<const std::uint8_t> rule, Tensor& values) {
    for (std::size_t k = 0; k < rule.size(); ++k) {
      if (rule[k] == 0) values[static_cast<std::int64_t>(k)] = -std::numeric_limits<float>::infinity();
    }
  };
  forbid(rules.start, scores.start);
  forbid(rules.end, scores.end);
  forbid(rules.transitions, scores.transitions);
  return scores;
}

template <class T>
TagPath best_path(std::span<const T> emissions, const CrfScores<T>& s) {
  const std::int64_t K = s.tags(), steps = std::ssize(emissions) / K;
  if (steps == 0) return {};
  std::vector<double> score(static_cast<std::size_t>(K)), next(score.size());
  std::vector<std::int32_t> from(static_cast<std::size_t>(steps * K));
  for (std::int64_t k = 0; k < K; ++k) {
    score[static_cast<std::size_t>(k)] = static_cast<double>(s.start[k]) + static_cast<double>(emissions[k]);
  }
  for (std::int64_t t = 1; t < steps; ++t) {
    std::fill(next.begin(), next.end(), -std::numeric_limits<double>::infinity());
    std::int32_t* best = from.data() + t * K;
    for (std::int64_t i = 0; i < K; ++i) {  // in this order the lowest of equal ones wins
      const double before = score[static_cast<std::size_t>(i)];
      const T* row = s.transitions.data() + i * K;
      for (std::int64_t j = 0; j < K; ++j) {
        const double candidate = before + static_cast<double>(row[j]);
        if (candidate <= next[static_cast<std::size_t>(j)]) continue;
        next[static_cast<std::size_t>(j)] = candidate;
        best[j] = static_cast<std::int32_t>(i);
      }
    }
    for (std::int64_t j = 0; j < K; ++j) {
      next[static_cast<std::size_t>(j)] += static_cast<double>(emissions[static_cast<std::size_t>(t * K + j)]);
    }
    score.swap(next);
  }
  for (std::int64_t k = 0; k < K; ++k) score[static_cast<std::size_t>(k)] += static_cast<double>(s.end[k]);
  const auto last = std::max_element(score.begin(), score.end());
  TagPath path{std::vector<std::int32_t>(static_cast<std::size_t>(steps)), *last};
  path.tags.back() = static_cast<std::int32_t>(last - score.begin());
  for (std::int64_t t = steps - 1; t > 0; --t) {
    path.tags[static_cast<std::size_t>(t - 1)] =
        from[static_cast<std::size_t>(t * K + path.tags[static_cast<std::size_t>(t)])];
  }
  return path;
}

namespace {

// One of the best ways to a tag at a step: the tag before, and which of its ways.
struct Way {
  double score = 0;
  std::int32_t tag = 0, rank = 0;
};

// Ways to each tag at each step, one list after another.
class Ways {
 public:
  void add_list(std::span<const Way> list) {
    ways_.insert(ways_.end(), list.begin(), list.end());
    ends_.push_back(ways_.size());
  }
  std::span<const Way> list(std::int64_t k) const {
    const std::size_t begin = ends_[static_cast<std::size_t>(k)], end = ends_[static_cast<std::size_t>(k + 1)];
    return std::span(ways_).subspan(begin, end - begin);
  }

 private:
  std::vector<Way> ways_;
  std::vector<std::size_t> ends_ = {0};
};

// The best `count` of the candidates, best first; of equal ones those of the lowest tag and rank.
void keep_best(std::vector<Way>& candidates, std::int64_t count) {
  const auto better = [](const Way& a, const Way& b) {
    return a.score != b.score ? a.score > b.score : std::pair(a.tag, a.rank) < std::pair(b.tag, b.rank);
  };
  const auto kept = candidates.begin() + std::min(count, std::ssize(candidates));
  std::partial_sort(candidates.begin(), kept, candidates.end(), better);
  candidates.erase(kept, candidates.end());
}

}  // namespace

template <class T>
std::vector<TagPath> best_paths(std::span<const T> emissions, const CrfScores<T>& s, std::int64_t count) {
  const std::int64_t K = s.tags(), steps = std::ssize(emissions) / K;
  if (steps == 0) return {{}};
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  Ways ways;  // list t K + j: to tag j at step t
  std::vector<Way> candidates;
  const auto extend = [&](std::int64_t t, const auto& gain) {  // candidates: behind step t, each tag with its gain
    candidates.clear();
    for (std::int64_t i = 0; i < K; ++i) {
      const std::span<const Way> of_tag = ways.list(t * K + i);
      for (std::size_t rank = 0; rank < of_tag.size(); ++rank) {
        const double score = of_tag[rank].score + gain(i);
        if (score == kNone) continue;
        candidates.push_back({score, static_cast<std::int32_t>(i), static_cast<std::int32_t>(rank)});
      }
    }
    keep_best(candidates, count);
  };
  for (std::int64_t t = 0; t < steps; ++t) {
    for (std::int64_t j = 0; j < K; ++j) {
      const auto e = static_cast<double>(emissions[static_cast<std::size_t>(t * K + j)]);
      if (t == 0) {
        candidates.clear();
        const double score = static_cast<double>(s.start[j]) + e;
        if (score != kNone) candidates.push_back({score, 0, 0});
      } else {
        extend(t - 1, [&](std::int64_t i) { return static_cast<double>(s.transitions[i * K + j]); });
        for (Way& way : candidates) way.score += e;
      }
      ways.add_list(candidates);
    }
  }
  extend(steps - 1, [&](std::int64_t i) { return static_cast<double>(s.end[i]); });
  std::vector<TagPath> paths;
  for (Way way : candidates) {
    TagPath& path = paths.emplace_back(TagPath{std::vector<std::int32_t>(static_cast<std::size_t>(steps)), way.score});
    for (std::int64_t t = steps - 1; t >= 0; --t) {
      path.tags[static_cast<std::size_t>(t)] = way.tag;
      way = ways.list(t * K + way.tag)[static_cast<std::size_t>(way.rank)];
    }
  }
  return paths;
}

template <class T>
TagProbabilities tag_probabilities(std::span<const T> emissions, const CrfScores<T>& s) {
  const std::int64_t K = s.tags(), steps = std::ssize(emissions) / K;
  TagProbabilities p;
  if (steps == 0) return p;
  std::vector<double> memory(static_cast<std::size_t>(detail::CrfTables::size(K)));
  const auto tables = detail::CrfTables::fill<T>(s.start.span(), s.end.span(), s.transitions.span(), memory.data());
  std::vector<std::int64_t> rows(static_cast<std::size_t>(steps));
  std::iota(rows.begin(), rows.end(), 0);
  p.alpha.resize(emissions.size());
  p.beta.resize(emissions.size());
  p.log_z = detail::sum_over_paths(tables, emissions.data(), rows, p.alpha.data(), p.beta.data());
  for (std::size_t i = 0; i < emissions.size(); ++i) p.marginals.push_back(std::exp(p.alpha[i] + p.beta[i] - p.log_z));
  return p;
}

template <class T>
double run_probability(std::span<const T> emissions, const CrfScores<T>& s, const TagProbabilities& p,
                       std::int64_t begin, std::span<const std::int32_t> tags) {
  const std::int64_t K = s.tags(), end = begin + std::ssize(tags);
  double log_p = p.alpha[static_cast<std::size_t>(begin * K + tags.front())] - p.log_z +
                 p.beta[static_cast<std::size_t>((end - 1) * K + tags.back())];
  for (std::size_t k = 1; k < tags.size(); ++k) {
    const std::int64_t t = begin + static_cast<std::int64_t>(k);
    log_p += static_cast<double>(s.transitions[tags[k - 1] * K + tags[k]]) +
             static_cast<double>(emissions[static_cast<std::size_t>(t * K + tags[k])]);
  }
  return std::exp(log_p);
}

template <class T>
double path_score(std::span<const T> emissions, const CrfScores<T>& s, std::span<const std::int32_t> tags) {
  if (tags.empty()) return 0;
  const std::int64_t K = s.tags();
  double score = static_cast<double>(s.start[tags.front()]) + static_cast<double>(s.end[tags.back()]);
  for (std::size_t t = 0; t < tags.size(); ++t) {
    score += static_cast<double>(emissions[t * static_cast<std::size_t>(K) + static_cast<std::size_t>(tags[t])]);
    if (t > 0) score += static_cast<double>(s.transitions[tags[t - 1] * K + tags[t]]);
  }
  return score;
}

#define CAROUSEL_CRF(T)                                                                                           \
  template TagPath best_path(std::span<const T>, const CrfScores<T>&);                                            \
  template std::vector<TagPath> best_paths(std::span<const T>, const CrfScores<T>&, std::int64_t);                \
  template TagProbabilities tag_probabilities(std::span<const T>, const CrfScores<T>&);                           \
  template double run_probability(std::span<const T>, const CrfScores<T>&, const TagProbabilities&, std::int64_t, \
                                  std::span<const std::int32_t>);                                                 \
  template double path_score(std::span<const T>, const CrfScores<T>&, std::span<const std::int32_t>);
CAROUSEL_CRF(float)
CAROUSEL_CRF(double)
#undef CAROUSEL_CRF

}  // namespace carousel
