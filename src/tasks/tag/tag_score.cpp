#include "tasks/tag/tag_score.h"

#include <algorithm>

#include "base/fail.h"

namespace carousel {

void TagScore::add(std::span<const std::string> actual, std::span<const std::string> predicted) {
  CAROUSEL_ASSERT(actual.size() == predicted.size());
  std::int64_t right = 0;
  for (std::size_t t = 0; t < actual.size(); ++t) {
    if (actual[t] == predicted[t]) {
      ++right;
    } else {
      ++confusions_[{actual[t], predicted[t]}];
    }
  }
  tokens_ += std::ssize(actual);
  right_tokens_ += right;
  ++sentences_;
  right_sentences_ += right == std::ssize(actual);
  if (scheme_ == TagScheme::kPlain) return;
  const std::vector<TagSpan> true_spans = find_spans(actual), spans = find_spans(predicted);
  const auto count = [&](std::string_view type, std::int64_t SpanCounts::*member) {
    ++(total_.*member);
    auto found = types_.find(type);
    if (found == types_.end()) found = types_.emplace(std::string(type), SpanCounts()).first;
    ++(found->second.*member);
  };
  for (const TagSpan& span : true_spans) count(span.type, &SpanCounts::actual);
  for (const TagSpan& span : spans) {
    count(span.type, &SpanCounts::predicted);
    if (std::find(true_spans.begin(), true_spans.end(), span) != true_spans.end()) {
      count(span.type, &SpanCounts::correct);
    }
  }
}

void TagScore::add_intent(const std::string& actual, const std::string& predicted) {
  ++intents_;
  right_intents_ += actual == predicted;
}

Metrics TagScore::metrics() const {
  const auto share = [](std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  Metrics metrics;
  if (scheme_ != TagScheme::kPlain) {
    metrics = {{"span_f1", total_.f1()}, {"precision", total_.precision()}, {"recall", total_.recall()}};
  }
  metrics.emplace_back("token_accuracy", share(right_tokens_, tokens_));
  metrics.emplace_back("sentence_accuracy", share(right_sentences_, sentences_));
  if (intents_ > 0) metrics.emplace_back("intent_accuracy", share(right_intents_, intents_));
  return metrics;
}

std::vector<TypeScore> TagScore::by_type() const {
  std::vector<TypeScore> list;
  for (const auto& [type, counts] : types_) {
    if (type.empty()) continue;
    list.push_back({type, counts.precision(), counts.recall(), counts.f1(), counts.actual});
  }
  return list;
}

std::vector<std::pair<std::pair<std::string, std::string>, std::int64_t>> TagScore::confusions() const {
  std::vector<std::pair<std::pair<std::string, std::string>, std::int64_t>> list(confusions_.begin(),
                                                                                 confusions_.end());
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return list;
}

}  // namespace carousel
