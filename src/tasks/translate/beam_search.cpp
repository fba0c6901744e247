#include "tasks/translate/beam_search.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "data/text/vocabulary.h"

namespace carousel {
namespace {

struct Prefix {
  std::int64_t node;  // its last token in the tree of all prefixes; -1: none yet
  double log_p;
  std::int64_t row;  // of the last step
};

struct Candidate {
  double log_p;
  std::size_t prefix;  // index among the open ones of the sample
  std::int32_t token;

  // Better ones first; the order of equals does not depend on how they were found.
  bool operator<(const Candidate& other) const {
    if (log_p != other.log_p) return log_p > other.log_p;
    return prefix != other.prefix ? prefix < other.prefix : token < other.token;
  }
};

class Search {
 public:
  Search(NextTokens& model, std::span<const std::int64_t> limits, const SearchOptions& options)
      : model_(model), limits_(limits), options_(options), samples_(limits.size()) {}

  std::vector<std::vector<SearchResult>> run() {
    for (Sample& sample : samples_) sample.open = {{-1, 0, 0}};
    for (step_ = 1; gather(); ++step_) {
      const std::span<const float> log_p = model_.step(rows_);
      for (std::size_t n = 0; n < samples_.size(); ++n) advance(n, log_p);
    }
    std::vector<std::vector<SearchResult>> results;
    for (Sample& sample : samples_) {
      auto& done = sample.done;
      if (std::ssize(done) > options_.n_best) done.resize(static_cast<std::size_t>(options_.n_best));
      results.push_back(std::move(done));
    }
    return results;
  }

 private:
  struct Node {
    std::int64_t parent;
    std::int32_t token;
  };
  struct Sample {
    std::vector<Prefix> open;
    std::vector<SearchResult> done;  // best first
    std::int64_t ended = 0;          // how many places of the beam are taken by what has ended
  };

  // The rows of the next step; whether there are any.
  bool gather() {
    rows_.parents.clear();
    rows_.samples.clear();
    rows_.tokens.clear();
    for (std::size_t n = 0; n < samples_.size(); ++n) {
      for (Prefix& prefix : samples_[n].open) {
        rows_.parents.push_back(prefix.row);
        rows_.samples.push_back(static_cast<std::int64_t>(n));
        rows_.tokens.push_back(prefix.node < 0 ? Vocabulary::kBegin
                                               : tree_[static_cast<std::size_t>(prefix.node)].token);
        prefix.row = std::ssize(rows_.parents) - 1;
      }
    }
    return !rows_.parents.empty();
  }

  double score(double log_p, std::int64_t length) const {
    return log_p / std::pow((5 + static_cast<double>(length)) / 6, options_.length_penalty);
  }

  // The best continuations of a sample's open prefixes, as many as its beam has places left.
  std::vector<Candidate> best_candidates(const Sample& sample, std::span<const float> log_p) const {
    const std::int64_t V = model_.vocabulary_size();
    const auto places = static_cast<std::size_t>(options_.beam - sample.ended);
    std::vector<Candidate> heap;  // the worst on top
    for (std::size_t k = 0; k < sample.open.size(); ++k) {
      const Prefix& prefix = sample.open[k];
      const float* row = log_p.data() + prefix.row * V;
      for (std::int32_t token = 0; token < V; ++token) {
        if (token == Vocabulary::kPad || token == Vocabulary::kBegin) continue;
        const Candidate candidate{prefix.log_p + static_cast<double>(row[token]), k, token};
        if (heap.size() < places) {
          heap.push_back(candidate);
          std::push_heap(heap.begin(), heap.end());
        } else if (candidate < heap.front()) {
          std::pop_heap(heap.begin(), heap.end());
          heap.back() = candidate;
          std::push_heap(heap.begin(), heap.end());
        }
      }
    }
    std::sort_heap(heap.begin(), heap.end());
    return heap;
  }

  void advance(std::size_t n, std::span<const float> log_p) {
    Sample& sample = samples_[n];
    if (sample.open.empty()) return;
    std::vector<Prefix> next;
    for (const Candidate& candidate : best_candidates(sample, log_p)) {
      const Prefix& from = sample.open[candidate.prefix];
      if (candidate.token == Vocabulary::kEnd) {
        add_done(sample, {tokens_of(from.node), candidate.log_p, score(candidate.log_p, step_), true});
        ++sample.ended;
        continue;
      }
      tree_.push_back({from.node, candidate.token});
      next.push_back({std::ssize(tree_) - 1, candidate.log_p, from.row});
    }
    sample.open = std::move(next);
    if (!sample.open.empty() && step_ == limits_[n]) {
      const Prefix& best = sample.open.front();
      if (sample.done.empty()) add_done(sample, {tokens_of(best.node), best.log_p, score(best.log_p, step_), false});
      sample.open.clear();
    }
    if (is_settled(sample, limits_[n])) sample.open.clear();
  }

  static void add_done(Sample& sample, SearchResult result) {
    const auto worse = [&](const SearchResult& other) { return other.score < result.score; };
    sample.done.insert(std::find_if(sample.done.begin(), sample.done.end(), worse), std::move(result));
  }

  // The open prefixes are sorted, the most probable one first.
  bool is_settled(const Sample& sample, std::int64_t limit) const {
    if (sample.open.empty() || std::ssize(sample.done) < options_.n_best) return false;
    const double needed = sample.done[static_cast<std::size_t>(options_.n_best - 1)].score;
    return score(sample.open.front().log_p, limit) <= needed;
  }

  std::vector<std::int32_t> tokens_of(std::int64_t node) const {
    std::vector<std::int32_t> tokens;
    for (; node >= 0; node = tree_[static_cast<std::size_t>(node)].parent) {
      tokens.push_back(tree_[static_cast<std::size_t>(node)].token);
    }
    std::reverse(tokens.begin(), tokens.end());
    return tokens;
  }

  NextTokens& model_;
  std::span<const std::int64_t> limits_;
  SearchOptions options_;
  std::vector<Sample> samples_;
  std::vector<Node> tree_;  // of the prefixes of all samples
  SearchRows rows_;
  std::int64_t step_ = 0;  // tokens that a prefix has after it
};

}  // namespace

std::vector<std::vector<SearchResult>> beam_search(NextTokens& model, std::span<const std::int64_t> limits,
                                                   const SearchOptions& options) {
  if (options.beam < 1 || options.n_best < 1 || options.n_best > options.beam || !(options.length_penalty >= 0)) {
    fail(Code::kUsage, "beam search: beam {}, n_best {}, length_penalty {}: expected 1 <= n_best <= beam, penalty >= 0",
         options.beam, options.n_best, options.length_penalty);
  }
  return Search(model, limits, options).run();
}

}  // namespace carousel
