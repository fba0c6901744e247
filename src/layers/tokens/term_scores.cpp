#include "layers/tokens/term_scores.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/thread_pool.h"
#include "layers/module.h"

namespace carousel {

TermScores::TermScores(std::int64_t term_count, std::int64_t classes)
    : terms("terms", Tensor({term_count, 2})),
      idf("idf", Tensor({term_count})),
      weight("weight", Tensor({term_count, classes})),
      bias("bias", Tensor({classes})) {
  if (term_count < 1 || classes < 1) {
    fail(Code::kUsage, "term_scores: {} terms and {} classes, expected at least 1 each", term_count, classes);
  }
}

LayerDescription TermScores::describe() const {
  return {"term_scores", {{"terms", idf.value.shape()[0]}, {"classes", bias.value.shape()[0]}}, {}};
}

std::int64_t TermScores::find(std::int32_t first, std::int32_t second) const noexcept {
  const float* list = terms.value.data();
  const auto wanted = std::pair(static_cast<float>(first), static_cast<float>(second));
  std::int64_t low = 0, high = idf.value.elements();
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    const auto here = std::pair(list[2 * middle], list[2 * middle + 1]);
    if (here == wanted) return middle;
    (here < wanted ? low : high) = here < wanted ? middle + 1 : middle;
  }
  return -1;
}

std::vector<TermScores::TermValue> TermScores::values_of(std::span<const std::int32_t> tokens) const {
  std::vector<std::int64_t> found;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    found.push_back(find(tokens[t], -1));
    if (t > 0) found.push_back(find(tokens[t - 1], tokens[t]));
  }
  std::sort(found.begin(), found.end());
  std::vector<TermValue> values;
  double squares = 0;
  for (auto at = std::upper_bound(found.begin(), found.end(), -1); at != found.end();) {
    const auto end = std::upper_bound(at, found.end(), *at);
    const double value = (1 + std::log(static_cast<double>(end - at))) * idf.value[*at];
    squares += value * value;
    values.push_back({*at, value});
    at = end;
  }
  for (TermValue& one : values) one.value /= std::sqrt(squares);
  return values;
}

void TermScores::score_text(std::span<const std::int32_t> tokens, float* scores) const {
  const std::int64_t classes = bias.value.elements();
  std::vector<double> sums(static_cast<std::size_t>(classes));
  for (const auto& [term, value] : values_of(tokens)) {
    for (std::int64_t k = 0; k < classes; ++k) {
      sums[static_cast<std::size_t>(k)] += value * weight.value[term * classes + k];
    }
  }
  for (std::int64_t k = 0; k < classes; ++k) {
    scores[k] = static_cast<float>(bias.value[k] + sums[static_cast<std::size_t>(k)]);
  }
}

void TermScores::forward(detail::Flow& flow) {
  if (flow.x) fail(Code::kUsage, "term_scores: got numbers, expected token ids");
  const SequenceLayout& layout = *flow.layout;
  const std::int64_t N = layout.samples(), classes = bias.value.elements();
  float* scores = flow.tape->arena().allocate<float>(N * classes);
  parallel_for(N, [&](std::int64_t sorted) {
    std::vector<std::int32_t> tokens;
    for (std::int64_t t = 0; t < layout.length(sorted); ++t) {
      tokens.push_back(flow.ids[static_cast<std::size_t>(layout.offset(t) + sorted)]);
    }
    score_text(tokens, scores + layout.sample(sorted) * classes);
  });
  flow.x = flow.tape->constant({scores, Shape{N, classes}});
  flow.ids = {};
  flow.is_sequence = false;
}

}  // namespace carousel
