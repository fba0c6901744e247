// Oracles: all sequences of a small random model, tried one by one; the rule of greedy decoding written out.
#include "tasks/translate/beam_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/random.h"
#include "data/text/vocabulary.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

constexpr std::int64_t kTokens = 6;  // <pad> <unk> <bos> <eos> and two more

// The next token depends on the sample, the whole prefix, and nothing else.
class RandomModel final : public NextTokens {
 public:
  explicit RandomModel(std::uint64_t seed) : seed_(seed) {}
  std::int64_t vocabulary_size() const override { return kTokens; }

  std::span<const float> step(const SearchRows& rows) override {
    std::vector<std::vector<std::int32_t>> next;
    log_p_.clear();
    for (std::size_t r = 0; r < rows.tokens.size(); ++r) {
      next.push_back(first_ ? std::vector<std::int32_t>{static_cast<std::int32_t>(rows.samples[r])}
                            : prefixes_[static_cast<std::size_t>(rows.parents[r])]);
      next.back().push_back(rows.tokens[r]);
      for (const float value : log_probabilities(next.back())) log_p_.push_back(value);
    }
    prefixes_ = std::move(next);
    first_ = false;
    rows_ += std::ssize(rows.tokens);
    return log_p_;
  }

  // prefix: sample, <bos>, tokens.
  std::vector<float> log_probabilities(const std::vector<std::int32_t>& prefix) const {
    std::uint64_t key = 0;
    for (const std::int32_t token : prefix) key = key * 31 + static_cast<std::uint64_t>(token) + 1;
    std::vector<float> values(kTokens);
    fill_normal({seed_, Purpose::kTest, key % (1 << 30)}, 0.0f, 1.5f, values);
    double sum = 0;
    for (const float value : values) sum += std::exp(static_cast<double>(value));
    for (float& value : values) value -= static_cast<float>(std::log(sum));
    return values;
  }
  std::int64_t rows() const { return rows_; }

 private:
  std::uint64_t seed_;
  std::vector<std::vector<std::int32_t>> prefixes_;
  std::vector<float> log_p_;
  bool first_ = true;
  std::int64_t rows_ = 0;
};

// Every sequence that ends within the limit, best first.
std::vector<SearchResult> all_sequences(const RandomModel& model, std::int32_t sample, std::int64_t limit, double a) {
  std::vector<SearchResult> found;
  std::vector<std::int32_t> prefix{sample, Vocabulary::kBegin};
  const std::function<void(double)> extend = [&](double log_p) {
    const std::vector<float> next = model.log_probabilities(prefix);
    for (std::int32_t token = 0; token < kTokens; ++token) {
      if (token == Vocabulary::kPad || token == Vocabulary::kBegin) continue;
      const double sum = log_p + static_cast<double>(next[static_cast<std::size_t>(token)]);
      const auto length = std::ssize(prefix) - 1;
      if (token == Vocabulary::kEnd) {
        found.push_back({{prefix.begin() + 2, prefix.end()},
                         sum,
                         sum / std::pow((5.0 + static_cast<double>(length)) / 6, a),
                         true});
      } else if (length < limit) {
        prefix.push_back(token);
        extend(sum);
        prefix.pop_back();
      }
    }
  };
  extend(0);
  std::sort(found.begin(), found.end(), [](const auto& x, const auto& y) { return x.score > y.score; });
  return found;
}

TEST(BeamSearch, AsWideAsAllSequencesFindsTheBestOfAll) {
  constexpr std::int64_t kLimit = 4, kAll = 1296;  // 6^4
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const double penalty : {0.0, 1.0}) {
      RandomModel model(seed);
      const std::vector<std::int64_t> limits(2, kLimit);
      const auto results = beam_search(model, limits, {.beam = kAll, .n_best = 5, .length_penalty = penalty});
      for (std::int32_t sample = 0; sample < 2; ++sample) {
        const auto expected = all_sequences(model, sample, kLimit, penalty);
        const auto& got = results[static_cast<std::size_t>(sample)];
        ASSERT_EQ(got.size(), 5U);
        for (std::size_t k = 0; k < 5; ++k) {
          EXPECT_EQ(got[k].tokens, expected[k].tokens) << "seed " << seed << ", penalty " << penalty << ", place " << k;
          EXPECT_DOUBLE_EQ(got[k].score, expected[k].score);
        }
      }
    }
  }
}

// It ends early: far fewer rows than all prefixes, and nothing better is missed (the test above).
TEST(BeamSearch, StopsOnceNothingBetterCanCome) {
  RandomModel model(3);
  const std::vector<std::int64_t> limits{40};
  beam_search(model, limits, {.beam = 8, .n_best = 1, .length_penalty = 0});
  EXPECT_LT(model.rows(), 8 * 20);
}

TEST(BeamSearch, OfWidthOneIsGreedy) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RandomModel model(seed);
    const std::vector<std::int64_t> limits{9, 3, 9};
    const auto results = beam_search(model, limits, {.beam = 1, .n_best = 1, .length_penalty = 1});
    for (std::int32_t sample = 0; sample < 3; ++sample) {
      std::vector<std::int32_t> prefix{sample, Vocabulary::kBegin};
      double log_p = 0;
      bool ended = false;
      while (!ended && std::ssize(prefix) - 2 < limits[static_cast<std::size_t>(sample)]) {
        std::vector<float> next = model.log_probabilities(prefix);
        next[Vocabulary::kPad] = next[Vocabulary::kBegin] = -INFINITY;
        const auto best = std::max_element(next.begin(), next.end());
        log_p += static_cast<double>(*best);
        ended = best - next.begin() == Vocabulary::kEnd;
        if (!ended) prefix.push_back(static_cast<std::int32_t>(best - next.begin()));
      }
      const SearchResult& got = results[static_cast<std::size_t>(sample)].front();
      EXPECT_EQ(got.tokens, std::vector<std::int32_t>(prefix.begin() + 2, prefix.end()));
      EXPECT_EQ(got.ended, ended);
      EXPECT_DOUBLE_EQ(got.log_probability, log_p);
    }
  }
}

TEST(BeamSearch, RefusesMoreOutputsThanTheBeamIsWide) {
  RandomModel model(1);
  const std::vector<std::int64_t> limits{3};
  expect_error(Code::kUsage, {"beam 2", "n_best 3"}, [&] { beam_search(model, limits, {.beam = 2, .n_best = 3}); });
}

}  // namespace
}  // namespace carousel
