// tag_score.h: how good predicted tags are: spans as conlleval counts them (data/tag_scheme.h), tokens, sentences.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/tag_scheme.h"
#include "tasks/task.h"

namespace carousel {

// A span is right if begin, end and type are those of a true one.
struct SpanCounts {
  std::int64_t correct = 0, predicted = 0, actual = 0;
  double precision() const noexcept { return predicted == 0 ? 0 : ratio(correct, predicted); }
  double recall() const noexcept { return actual == 0 ? 0 : ratio(correct, actual); }
  double f1() const noexcept { return predicted + actual == 0 ? 0 : ratio(2 * correct, predicted + actual); }

 private:
  static double ratio(std::int64_t a, std::int64_t b) noexcept {
    return static_cast<double>(a) / static_cast<double>(b);
  }
};

class TagScore {
 public:
  explicit TagScore(TagScheme scheme) : scheme_(scheme) {}

  // One sentence. REQUIRES: as many predicted as actual tags.
  void add(std::span<const std::string> actual, std::span<const std::string> predicted);
  void add_intent(const std::string& actual, const std::string& predicted);

  // span_f1, precision, recall (unless the tags are no spans), token_accuracy, sentence_accuracy (all tags right) and,
  // if there were intents, intent_accuracy.
  Metrics metrics() const;

  // Of each type of spans; nothing if they have none.
  std::vector<TypeScore> by_type() const;

  const SpanCounts& total() const noexcept { return total_; }
  const std::map<std::string, SpanCounts, std::less<>>& types() const noexcept { return types_; }
  // How often a tag was taken for another one, most often first.
  std::vector<std::pair<std::pair<std::string, std::string>, std::int64_t>> confusions() const;

 private:
  TagScheme scheme_;
  SpanCounts total_;
  std::map<std::string, SpanCounts, std::less<>> types_;
  std::map<std::pair<std::string, std::string>, std::int64_t> confusions_;  // (actual, predicted), which differ
  std::int64_t tokens_ = 0, right_tokens_ = 0, sentences_ = 0, right_sentences_ = 0, intents_ = 0, right_intents_ = 0;
};

}  // namespace carousel
